"""A folder, a shell and a port for running what a page tells its reader, as the page tells it."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs import transcript
from tests.docs.transcript import Shell, Step

ROOT = Path(__file__).parents[2]
#: What a page's reader has in the folder where the commands are run.
TREE = (".venv", "domain", "examples", "pyproject.toml", "schema", "server", "storage", "workers")
#: Seconds for one command; the longest waits for two hundred pictures to be rendered.
PATIENCE = 240.0
PORT_ON_THE_PAGE = "127.0.0.1:8000"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


@pytest.fixture
def shell(tmp_path: Path, port: int) -> Iterator[Shell]:
    """A shell in a folder that looks like the root of the tree, with nothing set but the port."""
    for name in TREE:
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("IMPRIMATUR_", "COLUMNS"))}
    path = f"{_tools(tmp_path / 'tools')}:{clean['PATH']}"
    environment = {**clean, "PATH": path, "IMPRIMATUR_PORT": str(port), "PYTHONWARNINGS": "ignore"}
    opened = Shell(tmp_path, environment, PATIENCE)
    yield opened
    opened.close()


def _tools(folder: Path) -> Path:
    """`uv run` with the interpreter of the tests: what uv would choose and install is not what is tested here."""
    folder.mkdir()
    uv = folder / "uv"
    uv.write_text(f'#!/bin/sh\n[ "$1 $2" = "run python" ] && shift 2 && exec {shlex.quote(sys.executable)} "$@"\n')
    uv.chmod(0o755)
    return folder


def run_page(page: Path, shell: Shell, port: int, at_least: int) -> None:
    """Runs every command of the page; `Mismatch` where one prints something else than the page says."""
    told = transcript.steps(page.read_text())
    assert len(told) >= at_least
    for step in told:
        shell.run(at(port, step))


def at(port: int, step: Step) -> Step:
    """The step with the port of this test where the page says its own."""
    ours = f"127.0.0.1:{port}"
    expected = [line.replace(PORT_ON_THE_PAGE, ours) for line in step.expected]
    return replace(step, command=step.command.replace(PORT_ON_THE_PAGE, ours), expected=expected)
