"""`serve` (also without any command), `migrate` and `settings`."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from server.serve import opened
from server.serve import serve as run
from storage.settings import Settings, load

SECRETS = frozenset({"admin_token", "secret_key"})
_PASSWORD = re.compile(r"(?<=://)([^/@]*):([^/@]*)@")
_MASK = "•••"


def register(app: typer.Typer) -> None:
    app.callback()(serve_unless_told_otherwise)
    app.command("serve")(serve)
    app.command("migrate")(migrate)
    app.command("settings")(settings)


def serve_unless_told_otherwise(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        serve()


def serve() -> None:
    """Serve, with the workers beside it, until Ctrl+C."""
    run(load())


def migrate() -> None:
    """Bring the database to the present schema; safe to run from several machines at once."""
    with opened(load(), upgrade=True):
        typer.echo("The database is at the present schema.")


def settings(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False) -> None:
    """List every setting with its value and meaning; secrets are masked."""
    rows = listed(load())
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")
        return
    table = Table(show_edge=False)
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["value"], row["description"])
    Console().print(table)


def listed(values: Settings) -> list[dict[str, str]]:
    """Name, value as text and description of every setting, no secret among them."""
    return [
        {
            "name": f"IMPRIMATUR_{name.upper()}",
            "value": _masked(name, str(getattr(values, name))),
            "description": field.description or "",
        }
        for name, field in type(values).model_fields.items()
    ]


def _masked(name: str, value: str) -> str:
    if name in SECRETS:
        return _MASK if value else ""
    return _PASSWORD.sub(rf"\1:{_MASK}@", value)
