"""`token create`, `token list`, `token revoke`: the first administrator's tokens, from the machine itself."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain import identity
from domain.work import HUB
from server.serve import opened
from storage.settings import load
from storage.tables import TokenRow


def register(app: typer.Typer) -> None:
    group = typer.Typer(name="token", help="Bearer tokens: create, list, revoke.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(show)
    group.command("revoke")(revoke)
    app.add_typer(group)


def create(
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    days: Annotated[int | None, typer.Option("--days", help="Days it is valid; without it, until revoked.")] = None,
) -> None:
    """Make a token and print it; it cannot be shown again."""
    with opened(load()) as hub, hub.writing(HUB) as work:
        made = identity.create_token(work, name, days)
    typer.echo(made.secret)
    typer.echo(f"Token {made.id} was made; this is the only time it is shown.", err=True)


def show() -> None:
    """List all tokens, without what makes them work."""
    with opened(load()) as hub, hub.reading(HUB) as work:
        rows = identity.tokens(work)
        now = work.now
    table = Table("id", "name", "begins with", "made", "expires", "state", show_edge=False)
    for row in rows:
        expires = f"{row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "never"
        expired = row.expires_at is not None and row.expires_at <= now
        table.add_row(
            str(row.id),
            row.name,
            f"{row.prefix}…",
            f"{row.created_at:%Y-%m-%d %H:%M}",
            expires,
            _state(row, expired=expired),
        )
    Console().print(table)


def revoke(
    token_id: Annotated[int, typer.Argument(metavar="ID", help="The token's id, as `token list` shows it.")],
) -> None:
    """Make a token stop working at once."""
    with opened(load()) as hub, hub.writing(HUB) as work:
        identity.revoke_token(work, token_id)
    typer.echo(f"Token {token_id} is revoked.")


def _state(row: TokenRow, *, expired: bool) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if expired else "valid"
