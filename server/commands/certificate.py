"""`certificate`: what others trust who read the hub's content credentials."""

from __future__ import annotations

import typer

from domain import credentials, hub
from storage.settings import load


def register(app: typer.Typer) -> None:
    app.command("certificate")(certificate)


def certificate() -> None:
    """Print the root certificate that stands behind the hub's content credentials, for those who are to trust it."""
    settings = load()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    typer.echo(credentials.of_hub(hub.secret_of(settings), settings.public_url).root, nl=False)
