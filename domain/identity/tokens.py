"""How somebody shows who they are: bearer tokens, random, shown once, and kept only as SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain import history
from domain.hub import Hub, kept_secret
from domain.identity import bounds, links, roles, viewers
from domain.identity.bounds import Bounds
from domain.refusals import NotSignedIn
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage.tables import EventRow, GuestLinkRow, OrganisationRow, PrincipalRow, TokenRow

TOKEN_MARK: Final = "imp_"  # noqa: S105  # what every token starts with, so that leaked ones can be found by scanners
PREFIX_LENGTH: Final = 12
#: What may be shown as a bearer token. A session's secret comes as a cookie and is worth nothing in a header.
BEARERS: Final = frozenset({"API", "GUEST"})
#: How often the use of one guest link is told.
TOLD_EVERY: Final = timedelta(hours=1)


def viewer_of_token(hub: Hub, token: str, address: str | None = None, *, purposes: Collection[str] = BEARERS) -> Viewer:
    """Whom a bearer token speaks for when it is shown from `address` (an IP address).

    An unknown, revoked or expired one, one of another purpose, from a network it is not for, of somebody who was shut
    out, and a guest's whose host may invite no longer read the same. A guest's coming is told once an hour.
    """
    with hub.reading(HUB) as work:
        found = work.session.execute(
            sa.select(PrincipalRow, TokenRow, GuestLinkRow)
            .join(TokenRow, TokenRow.principal_id == PrincipalRow.id)
            .outerjoin(GuestLinkRow, GuestLinkRow.principal_id == PrincipalRow.id)
            .where(TokenRow.digest == digest_of(token), TokenRow.revoked_at.is_(None), TokenRow.purpose.in_(purposes)),
        ).one_or_none()
        if found is None or not _is_good(work, *found, address):
            raise _not_valid()
        principal, row, link = found
        origin = None if address is None else origin_of(work, address)
        shown = {"token_id": row.id, "by_session": row.purpose == "SESSION", "origin": origin}
        viewer = viewers.limited(_viewer(work, principal, link, **shown), row.scopes)
        ends = [each for each in (viewer.holdings.until, row.expires_at) if each is not None]
        viewer = replace(viewer, until=min(ends, default=None))
        if link is None:
            return viewer
        if not viewer.holdings.reaches:
            raise _not_valid()
        untold = _is_untold(work, link)
    if untold:
        _record_use(hub, viewer, link)
    return viewer


def viewer_of_principal(work: Work, principal_id: int) -> Viewer:
    """The principal with what they hold now: nothing if they are unknown, shut out, or a guest whose time is over."""
    found = work.session.execute(
        sa.select(PrincipalRow, GuestLinkRow)
        .outerjoin(GuestLinkRow, GuestLinkRow.principal_id == PrincipalRow.id)
        .where(PrincipalRow.id == principal_id),
    ).one_or_none()
    return _viewer(work, *found) if found is not None and _is_let_in(work, *found) else _nobody(principal_id)


def viewer_by(
    work: Work, principal_id: int, token_id: int | None, address: str | None = None, *, lasting: bool = False
) -> tuple[Viewer, Bounds]:
    """The principal with what they hold now by this token of theirs (None: by none) if it is used from `address`, and
    how far that token goes: nothing where it does not work now and there.

    What is `lasting` goes on with the successors of a token that was replaced, and ends when that one is revoked.
    """
    if token_id is None:
        return viewer_of_principal(work, principal_id), Bounds()
    kept = _KEPT.where(TokenRow.id.in_(sa.select(_line(token_id).c.id))) if lasting else _KEPT_ONE
    rows = work.session.execute(kept, {"principal_id": principal_id, "token_id": token_id}).all()
    for principal, token, link in rows if rows and rows[0][1].revoked_at is None else ():
        if token.revoked_at is None and _is_good(work, principal, token, link, address):
            viewer = _viewer(work, principal, link, token_id=token.id, by_session=token.purpose == "SESSION")
            return viewers.limited(viewer, token.scopes), bounds.of_row(token)
    return _nobody(principal_id), Bounds()


_KEPT: Final = (
    sa.select(PrincipalRow, TokenRow, GuestLinkRow)
    .join(TokenRow, TokenRow.principal_id == PrincipalRow.id)
    .outerjoin(GuestLinkRow, GuestLinkRow.principal_id == PrincipalRow.id)
    .where(PrincipalRow.id == sa.bindparam("principal_id"))
    .order_by(TokenRow.id)
)
#: Put together once, for every address asks it.
_KEPT_ONE: Final = _KEPT.where(TokenRow.id == sa.bindparam("token_id"))


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
        if work.session.scalar(sa.select(TokenRow.id).where(TokenRow.digest == digest_of(secret))) is None:
            row = add_token(work, administrator_row(work), "first administrator", secret)
            history.record(work, "token.created", ("Token", row.id))
    return secret, fresh


def take_turns(work: Work) -> None:
    """Of several processes that start at once, one founds the brand and the others then find it founded."""
    work.session.execute(sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID).with_for_update())


def administrator(work: Work) -> Viewer:
    """The embedded default's administrator, for commands run on the machine itself."""
    return viewers.viewer_of(work, administrator_row(work))


def add_token(
    work: Work,
    owner: PrincipalRow,
    name: str,
    secret: str,
    *,
    purpose: str = "API",
    scopes: list[str] | None = None,
    networks: list[str] | None = None,
    expires_at: datetime | None = None,
) -> TokenRow:
    """The row of a token; who may make it and how far it may go was decided before."""
    row = TokenRow(
        principal_id=owner.id,
        name=name,
        digest=digest_of(secret),
        prefix=secret[: min(PREFIX_LENGTH, len(secret) // 3)],  # an administrator may have chosen a short one
        created_at=work.now,
        expires_at=expires_at,
        purpose=purpose,
        scopes=scopes,
        networks=networks,
    )
    work.session.add(row)
    work.session.flush()
    return row


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def administrator_row(work: Work) -> PrincipalRow:
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


def _line(token_id: int) -> sa.CTE:
    """The token and its successors, each of which has a greater id."""
    first = sa.select(TokenRow.id, TokenRow.replaced_by_id).where(TokenRow.id == token_id)
    line = first.cte("line", recursive=True)
    after = sa.orm.aliased(TokenRow)
    return line.union_all(sa.select(after.id, after.replaced_by_id).join(line, after.id == line.c.replaced_by_id))


def _nobody(principal_id: int) -> Viewer:
    return Viewer(principal_id, BRAND_ORG_ID, "nobody", is_administrator=False)


def _viewer(work: Work, principal: PrincipalRow, link: GuestLinkRow | None, **told: Any) -> Viewer:
    viewer = viewers.viewer_of(work, principal, link, **told)
    return viewer if link is None else links.narrowed(work, viewer, link)


def _record_use(hub: Hub, guest: Viewer, link: GuestLinkRow) -> None:
    """Of several who come at once one is told; no guest comes in whose coming cannot be written down."""
    with hub.writing(guest) as work:
        work.session.execute(sa.select(GuestLinkRow.id).where(GuestLinkRow.id == link.id).with_for_update())
        if _is_untold(work, link):
            history.record(work, "guest_link.used", ("GuestLink", link.id), org_id=link.org_id)


def _is_untold(work: Work, link: GuestLinkRow) -> bool:
    """Whether nothing was told of the link's use for an hour."""
    told = sa.select(EventRow.id).where(
        EventRow.subject_type == "GuestLink",
        EventRow.subject_id == link.id,
        EventRow.type == "guest_link.used",
        EventRow.occurred_at > work.now - TOLD_EVERY,
    )
    return work.session.scalar(told.limit(1)) is None


def _is_good(
    work: Work, principal: PrincipalRow, token: TokenRow, link: GuestLinkRow | None, address: str | None
) -> bool:
    if not _is_let_in(work, principal, link) or (token.expires_at is not None and token.expires_at <= work.now):
        return False
    return token.networks is None or _within(address, token.networks)


def _is_let_in(work: Work, principal: PrincipalRow, link: GuestLinkRow | None) -> bool:
    return principal.disabled_at is None and (link is None or links.is_standing(work, link))


def _within(address: str | None, networks: list[str]) -> bool:
    try:
        where = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    if isinstance(where, ipaddress.IPv6Address) and where.ipv4_mapped is not None:
        where = where.ipv4_mapped  # how a socket for both families tells an IPv4 address
    return any(where in ipaddress.ip_network(network) for network in networks)


def _not_valid() -> NotSignedIn:
    return NotSignedIn("This token is not valid: it is unknown, revoked or expired.")
