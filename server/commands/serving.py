"""`serve`, also without any command."""

from __future__ import annotations

import typer

from server.serve import serve as run
from storage.settings import load


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve() -> None:
    """Serve, with the workers beside it, until Ctrl+C."""
    run(load())
