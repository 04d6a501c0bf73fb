"""How somebody shows who they are: bearer tokens, random, shown once, and kept only as SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from domain import history
from domain.hub import Hub, kept_secret
from domain.identity import roles, viewers
from domain.refusals import Invalid, NotFound, NotSignedIn
from domain.texts import line
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage.tables import GuestLinkRow, OrganisationRow, PrincipalRow, TokenRow

TOKEN_MARK = "imp_"  # noqa: S105  # what every token starts with, so that leaked ones can be found by scanners
PREFIX_LENGTH = 12
MAX_TOKEN_DAYS = 3650


@dataclass(frozen=True)
class NewToken:
    id: int
    #: Shown once: it cannot be found out again.
    secret: str


def viewer_of_token(hub: Hub, token: str, address: str | None = None) -> Viewer:
    """Whom a bearer token speaks for when it is shown from `address` (an IP address).

    An unknown, revoked or expired one, one from a network it is not for, and one of somebody who was shut out read the
    same.
    """
    with hub.reading(HUB) as work:
        found = work.session.execute(
            sa.select(PrincipalRow, TokenRow, GuestLinkRow)
            .join(TokenRow, TokenRow.principal_id == PrincipalRow.id)
            .outerjoin(GuestLinkRow, GuestLinkRow.principal_id == PrincipalRow.id)
            .where(TokenRow.digest == _digest(token), TokenRow.revoked_at.is_(None)),
        ).one_or_none()
        if found is None or not _is_good(work, *found, address):
            raise NotSignedIn("This token is not valid: it is unknown, revoked or expired.")
        principal, row, link = found
        whole = viewers.viewer_of(
            work,
            principal,
            link,
            token_id=row.id,
            on_behalf_of=None if link is None else link.created_by,
            origin=None if address is None else origin_of(work, address),
        )
        return viewers.limited(whole, row.scopes)


def viewer_of_principal(work: Work, principal_id: int) -> Viewer:
    """The principal with what they hold now: nothing if they are unknown, shut out, or a guest whose time is over."""
    found = work.session.execute(
        sa.select(PrincipalRow, GuestLinkRow)
        .outerjoin(GuestLinkRow, GuestLinkRow.principal_id == PrincipalRow.id)
        .where(PrincipalRow.id == principal_id),
    ).one_or_none()
    if found is None or not _is_let_in(work, *found):
        return Viewer(principal_id, BRAND_ORG_ID, "nobody", is_administrator=False)
    return viewers.viewer_of(work, *found)


def origin_of(work: Work, address: str) -> str:
    """An address as events keep it: the same one reads the same, and nobody reads it back without the hub's secret."""
    return hmac.new(work.secret, b"imprimatur/origin/" + address.encode(), hashlib.sha256).hexdigest()[:32]


def first_administrator(hub: Hub) -> tuple[str, bool]:
    """The first administrator's token, and whether it was made just now.

    The text comes from the settings, or is made once and kept in the data dir; its row is made when it is missing.
    """
    if hub.settings.admin_token:
        secret, fresh = hub.settings.admin_token, False
    else:
        secret, fresh = kept_secret(hub.settings.data_dir / "admin-token", TOKEN_MARK)
    with hub.writing(HUB) as work:
        take_turns(work)
        if work.session.scalar(sa.select(TokenRow.id).where(TokenRow.digest == _digest(secret))) is None:
            _add_token(work, _administrator(work), "first administrator", secret, None)
    return secret, fresh


def take_turns(work: Work) -> None:
    """Of several processes that start at once, one founds the brand and the others then find it founded."""
    work.session.execute(sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID).with_for_update())


def administrator(work: Work) -> Viewer:
    """The embedded default's administrator, for commands run on the machine itself."""
    return viewers.viewer_of(work, _administrator(work))


def create_token(work: Work, name: str, days: int | None = None) -> NewToken:
    """A token of the viewer's own (or, from the command line, of the first administrator)."""
    if days is not None and not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(f"A token lives between 1 and {MAX_TOKEN_DAYS} days.", ("days",), "range")
    owner = (
        _administrator(work)
        if work.viewer.principal_id is None
        else work.session.get_one(PrincipalRow, work.viewer.principal_id)
    )
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    expires = None if days is None else work.now + timedelta(days=days)
    row = _add_token(work, owner, line(name, 100, ("name",)), secret, expires)
    return NewToken(row.id, secret)


def tokens(work: Work) -> list[TokenRow]:
    """All tokens of the viewer's organisation, newest first."""
    of_org = sa.select(PrincipalRow.id).where(PrincipalRow.org_id == work.viewer.org_id)
    rows = sa.select(TokenRow).where(TokenRow.principal_id.in_(of_org)).order_by(TokenRow.id.desc())
    return list(work.session.scalars(rows))


def revoke_token(work: Work, token_id: int) -> None:
    """The token stops working at once; revoking it again changes nothing."""
    row = next((row for row in tokens(work) if row.id == token_id), None)
    if row is None:
        raise NotFound("There is no token with this id.", ("id",))
    if row.revoked_at is None:
        row.revoked_at = work.now
        history.record(work, "token.revoked", ("Token", row.id))


def _administrator(work: Work) -> PrincipalRow:
    chosen = sa.select(PrincipalRow).where(PrincipalRow.is_administrator, PrincipalRow.org_id == BRAND_ORG_ID)
    found = work.session.scalars(chosen.order_by(PrincipalRow.id).limit(1)).first()
    if found is not None:
        return found
    row = PrincipalRow(
        org_id=BRAND_ORG_ID, kind="PERSON", name="Administrator", is_administrator=True, created_at=work.now
    )
    work.session.add(row)
    work.session.flush()
    roles.grant_administrator(work, row)
    return row


def _add_token(work: Work, owner: PrincipalRow, name: str, secret: str, expires: datetime | None) -> TokenRow:
    row = TokenRow(
        principal_id=owner.id,
        name=name,
        digest=_digest(secret),
        prefix=secret[: min(PREFIX_LENGTH, len(secret) // 3)],  # an administrator may have chosen a short one
        created_at=work.now,
        expires_at=expires,
    )
    work.session.add(row)
    work.session.flush()
    history.record(work, "token.created", ("Token", row.id))
    return row


def _is_good(
    work: Work, principal: PrincipalRow, token: TokenRow, link: GuestLinkRow | None, address: str | None
) -> bool:
    if not _is_let_in(work, principal, link) or (token.expires_at is not None and token.expires_at <= work.now):
        return False
    return token.networks is None or _within(address, token.networks)


def _is_let_in(work: Work, principal: PrincipalRow, link: GuestLinkRow | None) -> bool:
    if link is not None and (link.revoked_at is not None or link.expires_at <= work.now):
        return False
    return principal.disabled_at is None


def _within(address: str | None, networks: list[str]) -> bool:
    try:
        where = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return any(where in ipaddress.ip_network(network) for network in networks)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
