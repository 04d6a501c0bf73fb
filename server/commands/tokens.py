"""`token create`, `token list`, `token revoke`, `partner add`: ways in for others, made on the machine itself."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain import identity, partners
from domain.permissions import Permission
from domain.refusals import Invalid
from domain.work import HUB
from server.opening import opened
from storage.settings import load
from storage.tables import TokenRow

Days = Annotated[int | None, typer.Option("--days", help="Days it is valid; without it, until revoked.")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="A permission such as asset.view; repeat it. Without it, all.")
]
Networks = Annotated[
    list[str] | None, typer.Option("--network", help="A network such as 192.0.2.0/24; repeat it. Without it, any.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(name="token", help="Bearer tokens: create, list, revoke.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(show)
    group.command("revoke")(revoke)
    app.add_typer(group)
    others = typer.Typer(name="partner", help="Partners who pull what is approved and shared.", no_args_is_help=True)
    others.callback()(lambda: None)  # else a single command would lose its name
    others.command("add")(add_partner)
    app.add_typer(others)


def create(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="What the token is for.")] = None,
    days: Days = None,
    owner: Annotated[
        str | None, typer.Option("--for", metavar="EMAIL|ID", help="For whom; without it, the first administrator.")
    ] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", help="For a service account NAME of this organisation, by name or id."),
    ] = None,
    role: Annotated[str, typer.Option("--role", help="What a service account that is made here may do.")] = "partner",
    scope: Scopes = None,
    network: Networks = None,
    spelled: Annotated[str | None, typer.Option("--name", help="The same as NAME.")] = None,
) -> None:
    """Make a token and print it; it cannot be shown again."""
    called = name or spelled
    if called is None or (name and spelled):
        raise typer.BadParameter("Say what the token is for: NAME.")
    if owner and organisation:
        raise typer.BadParameter("Say --for or --organisation, not both.")
    with opened(load()) as hub, hub.writing(HUB) as work:
        principal_id = None
        if owner is not None:
            principal_id = partners.principal_named(work, owner).id
        elif organisation is not None:
            identity.ensure_seeds(work)
            org_id = partners.organisation_named(work, organisation).id
            principal_id = partners.account_in(work, org_id, called, role).id
        made = identity.create_token(
            work, called, days, scopes=_permissions(scope), networks=network or None, principal_id=principal_id
        )
    _tell(made)


def add_partner(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The partner's name.")],
    days: Days = None,
    network: Networks = None,
) -> None:
    """Make an affiliate with a service account that may pull, and print its token; it cannot be shown again."""
    with opened(load()) as hub, hub.writing(HUB) as work:
        identity.ensure_seeds(work)  # the machine's first command may come before the first start
        made = partners.add(work, name, days, network or None)
    _tell(made)


def show() -> None:
    """List all tokens, without what makes them work."""
    with opened(load()) as hub, hub.reading(HUB) as work:
        rows = identity.known_tokens(work)
        owners = identity.owners(work, {row.principal_id for row in rows})
        now = work.now
    table = Table("id", "name", "of", "begins with", "made", "expires", "used", "state", show_edge=False)
    for row in rows:
        expires = f"{row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "never"
        expired = row.expires_at is not None and row.expires_at <= now
        table.add_row(
            str(row.id),
            row.name,
            owners[row.principal_id].name,
            f"{row.prefix}…",
            f"{row.created_at:%Y-%m-%d %H:%M}",
            expires,
            f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never",
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


def _permissions(names: list[str] | None) -> list[Permission] | None:
    if not names:
        return None
    known = {spelling: each for each in Permission for spelling in (each.name, each.value)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Invalid(f"There is no permission {unknown[0]}.", ("scope",))
    return [known[name] for name in names]


def _tell(made: identity.NewToken) -> None:
    typer.echo(made.secret)
    typer.echo(f"Token {made.id} was made; this is the only time it is shown.", err=True)


def _state(row: TokenRow, *, expired: bool) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if expired:
        return "replaced" if row.replaced_by_id is not None else "expired"
    return "valid" if row.replaced_by_id is None else "being replaced"
