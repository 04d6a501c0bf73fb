"""The command line: which commands there are, and the module that knows each.

Only the module of the command that is run is imported: a start is mostly imports, and what speaks no GraphQL must not
wait for the schema.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from server.starting import hurried


@dataclass(frozen=True)
class Known:
    """A command of which nothing was imported yet."""

    #: The module here whose `register` adds it.
    module: str
    #: Its own help's words.
    help: str


#: In the order in which help lists them.
COMMANDS: Final = {
    "serve": Known("serving", "Serve, with the workers beside it, until Ctrl+C."),
    "migrate": Known("upkeep", "Bring the database to the present schema; safe to run from several machines at once."),
    "settings": Known("settings", "List every setting with its value and meaning; secrets are masked."),
    "import": Known("import_", "Bring a folder of files into the hub; run it again to go on where it was stopped."),
    "demo": Known("demo", "Lay out a small brand with real pictures to try things on; running it again adds nothing."),
    "check": Known("upkeep", "Compare rows, stored bytes and search index; exit code 1 when something is wrong."),
    "reindex": Known("upkeep", "Build the search index anew from the rows; searching goes on meanwhile."),
    "sweep": Known("upkeep", "Let go of stored bytes that nothing points at."),
    "own-work": Known(
        "upkeep", "Declare approved assets of whose rights nobody ever said anything their organisations' own work."
    ),
    "token": Known("tokens", "Bearer tokens: create, list, revoke."),
    "partner": Known("tokens", "Partners who pull what is approved and shared."),
    "documents": Known("documents", "Trusted GraphQL documents."),
    "sdl": Known("speaking", "Print the GraphQL schema."),
    "certificate": Known(
        "certificate",
        "Print the root certificate that stands behind the hub's content credentials, for those who are to trust it.",
    ),
}


class _Commands(TyperGroup):
    """Lists what is known of the commands and runs the commands themselves. A class because Typer asks for one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _known, rest = super().resolve_command(ctx, args)
        return name, None if name is None else own(name), rest


def own(name: str) -> Any:
    """The command itself, as Typer runs it."""
    return of_module(COMMANDS[name].module)[name]


def of_module(module: str) -> dict[str, Any]:
    """The commands that a module registers, by name."""
    alone = typer.Typer()
    alone.callback()(lambda: None)  # else a single command would lose its name
    _imported(module).register(alone)
    return dict(get_group(alone).commands)


def _imported(name: str) -> ModuleType:
    with hurried():
        return importlib.import_module(f"server.commands.{name}")


def _nothing() -> None:
    """What stands for a command in the list of them."""


def _serve_unless_told_otherwise(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        _imported(COMMANDS["serve"].module).serve()


app = typer.Typer(
    name="server",
    help="Imprimatur: a headless hub for a brand's assets. Without a command it serves.",
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    no_args_is_help=False,
)
app.callback()(_serve_unless_told_otherwise)
for name, known in COMMANDS.items():
    app.command(name, help=known.help)(_nothing)
