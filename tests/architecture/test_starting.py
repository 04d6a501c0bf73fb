"""What a command's start brings with it: the schema comes where GraphQL is spoken, and nothing at all for the list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server import commands

ROOT = Path(__file__).parents[2]
#: What is for those who are asked over the network.
FOREIGN = {"schema", "strawberry", "graphql", "starlette", "uvicorn", "minio"}
#: Modules whose work is GraphQL. A server imports it as well, once its workers are on their way.
SPEAKING = {"documents", "speaking"}
SILENT = sorted({known.module for known in commands.COMMANDS.values()} - SPEAKING)
#: Imports modules of commands one after the other, and says behind each which packages are there.
EACH = """
import sys
from server import commands
for module in sys.argv[1:]:
    commands.of_module(module)
    print(module, *{name.partition(".")[0] for name in sys.modules})
"""
#: Runs one command as `python -m server` does, and says at the end which packages are there.
WHOLE = """
import contextlib, io, sys
from server import __main__
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    __main__.main()
print(*{name.partition(".")[0] for name in sys.modules})
"""


def said_by(program: str, *arguments: str, data: Path) -> list[set[str]]:
    """The words of each line that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={"IMPRIMATUR_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_commands_that_speak_no_graphql_import_no_schema(tmp_path: Path) -> None:
    imported = said_by(EACH, *SILENT, data=tmp_path)
    assert [module for module, found in zip(SILENT, imported, strict=True) if found & FOREIGN] == []


@pytest.mark.parametrize("module", sorted(SPEAKING))
def test_those_that_speak_it_do(module: str, tmp_path: Path) -> None:
    """So the test above would see it."""
    (imported,) = said_by(EACH, module, data=tmp_path)
    assert {"schema", "strawberry", "graphql"} <= imported


def test_a_command_that_opens_a_hub_gets_along_without_it_to_its_end(tmp_path: Path) -> None:
    (imported,) = said_by(WHOLE, "check", data=tmp_path)
    assert {"domain", "sqlalchemy"} <= imported
    assert not imported & FOREIGN


def test_the_list_of_commands_imports_none_of_them(tmp_path: Path) -> None:
    (imported,) = said_by(WHOLE, "--help", data=tmp_path)
    assert not imported & {*FOREIGN, "sqlalchemy", "alembic"}


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_the_list_says_of_each_command_what_its_own_help_says(name: str) -> None:
    own, listed = commands.own(name), commands.COMMANDS[name]
    assert (own.name, own.help) == (name, listed.help)


@pytest.mark.parametrize("module", [*SILENT, *sorted(SPEAKING)])
def test_every_command_of_a_module_is_listed(module: str) -> None:
    listed = CliRunner().invoke(commands.app, ["--help"]).stdout
    theirs = {name for name, known in commands.COMMANDS.items() if known.module == module}
    assert set(commands.of_module(module)) == theirs
    assert [name for name in theirs if f" {name} " not in listed] == []


def test_a_misspelt_command_is_refused_with_the_one_that_was_meant() -> None:
    told = CliRunner().invoke(commands.app, ["migrat"])
    assert told.exit_code == 2
    assert "migrate" in told.output
