"""A hub with a small brand as a program of its own, and clients from npm as programs beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.server.program import Program, run, running
from tests.servers import npm

HERE = Path(__file__).parent
TOKEN = "imp_for_tests_only"
ASSETS = 8
#: Seconds for a script or a build; Node.js starts slowly beside other tests.
PATIENCE = 120

Script: TypeAlias = Callable[[str], Any]


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest) -> Path:
    """The folder of `node_modules`."""
    return npm.required(request.config, HERE / "npm") / "node_modules"


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the brand's hub keeps everything."""
    folder = tmp_path_factory.mktemp("clients") / "data"
    laid_out = run(folder, "demo", ADMIN_TOKEN=TOKEN)
    assert laid_out.returncode == 0, laid_out.stderr
    return folder


@pytest.fixture(scope="session")
def program(data_dir: Path) -> Iterator[Program]:
    """Remembers documents that clients persist."""
    with running(data_dir, ADMIN_TOKEN=TOKEN, AUTOMATIC_PERSISTED_QUERIES="true") as started:
        started.address()
        yield started


@pytest.fixture
def script(program: Program, packages: Path, tmp_path: Path) -> Script:
    """Runs one of `scripts` and returns what it found."""

    def found(name: str) -> Any:
        (tmp_path / "node_modules").symlink_to(packages)
        shutil.copytree(HERE / "scripts", tmp_path, dirs_exist_ok=True)
        return json.loads(node(tmp_path, name, program.address(), TOKEN))

    return found


def node(folder: Path, *command: str) -> str:
    """What Node.js prints for this, run in the folder."""
    done = subprocess.run(["node", *command], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
