"""`sdl`: the schema as text."""

from __future__ import annotations

import typer

from schema import built


def register(app: typer.Typer) -> None:
    app.command("sdl")(sdl)


def sdl() -> None:
    """Print the GraphQL schema."""
    typer.echo(built.sdl(), nl=False)
