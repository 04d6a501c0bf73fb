"""Making, replacing and revoking bearer tokens.

Always true here:
- A token is never worth more than whoever made it: not more permissions, networks or life than the token they used,
  and for another account nothing that they do not hold themselves for as long as it lives.
- Nobody stops a token that is worth more than they are.
- A guest makes none, and nobody but its owner ever gets to see a person's.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain import history
from domain.identity import bounds, policy, worth
from domain.identity.bounds import Bounds
from domain.identity.tokens import TOKEN_MARK, add_token, administrator_row
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound
from domain.texts import line
from domain.work import Work
from storage.tables import GuestLinkRow, PrincipalRow, TokenRow

MAX_NAME = 100
MAX_TOKEN_DAYS = 3650
MAX_NETWORKS = 50
MAX_OVERLAP_HOURS = 168
#: An IPv4 address as IPv6 writes it stands behind this many fixed bits.
_MAPPED_BITS = 96

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class NewToken:
    id: int
    #: Shown once: it cannot be found out again.
    secret: str


def create_token(
    work: Work,
    name: str,
    days: int | None = None,
    *,
    expires_at: datetime | None = None,
    scopes: Sequence[Permission] | None = None,
    networks: Sequence[str] | None = None,
    principal_id: int | None = None,
) -> NewToken:
    """A token of the viewer's own, or of the service account `principal_id` (the hub itself: of anybody).

    What is not said is as far as the token that the viewer used goes. Refused: guests; another's account without
    TOKEN_MANAGE in its organisation, or one that may do more than the viewer, or longer while the token lives; whatever
    goes further than that token.
    """
    owner = _owner(work, principal_id)
    _refuse_guests(work)
    used = bounds.used(work)
    wanted = Bounds(_scopes(used, scopes), _networks(used, networks), _until(used, _end(work, days, expires_at), days))
    if owner.id != work.viewer.principal_id:
        _refuse_more_than_own(work, owner, wanted, ("serviceAccount",))
    return _made(work, owner, line(name, MAX_NAME, ("name",)), wanted)


def rotate_token(work: Work, token_id: int, overlap_hours: int, expires_at: datetime | None = None) -> NewToken:
    """A successor with the same permissions and networks, and the same end unless `expires_at` says another.

    The old one works for `overlap_hours` more, and not longer than it would have. Of several who rotate one token one
    succeeds: `Conflict` for a token that has a successor, is revoked or expired.
    """
    old, owner = _held(work, token_id)
    used = bounds.used(work)
    wanted = replace(bounds.of_row(old), until=expires_at or _no_longer(used, old.expires_at))
    if owner.id != work.viewer.principal_id:
        _refuse_persons(work, owner)
        _refuse_more_than_own(work, owner, wanted, ("token",))
    _refuse_beyond(used, old)
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise Invalid(f"The overlap lasts 0 to {MAX_OVERLAP_HOURS} hours.", ("overlapHours",), "range")
    _check_living(work, old)
    _until(used, _end(work, None, expires_at))
    made = _made(work, owner, old.name, wanted)
    over = work.now + timedelta(hours=overlap_hours)
    old.expires_at = over if old.expires_at is None else min(old.expires_at, over)
    old.replaced_by_id = made.id
    work.session.flush()
    history.record(work, "token.rotated", ("Token", old.id), {"successor": made.id}, org_id=owner.org_id)
    return made


def revoke_token(work: Work, token_id: int) -> TokenRow:
    """The token stops working at once; revoking it again changes nothing. Its successor, if any, works on.

    With a token that is limited, only those can be revoked that go no further than it; of others', only those worth no
    more than the viewer is.
    """
    row, owner = _held(work, token_id)
    if owner.id == work.viewer.principal_id:
        _refuse_beyond(bounds.used(work), row)
    else:
        _refuse_more_than_own(work, owner, bounds.of_row(row), ("token",))
    if row.revoked_at is None:
        row.revoked_at = work.now
        work.session.flush()
        history.record(work, "token.revoked", ("Token", row.id), org_id=owner.org_id)
    return row


def guest_token(work: Work, guest: PrincipalRow, name: str, expires_at: datetime) -> str:
    """The secret of a guest's only token, which goes no further than the one that the viewer used."""
    used = bounds.used(work)
    _until(used, expires_at)
    secret = _fresh()
    add_token(
        work,
        guest,
        name,
        secret,
        purpose="GUEST",
        scopes=None if used.scopes is None else sorted(used.scopes),
        networks=None if used.networks is None else list(used.networks),
        expires_at=expires_at,
    )
    return secret


def known_tokens(work: Work) -> list[TokenRow]:
    """All tokens that the viewer may know of, newest first."""
    return list(work.session.scalars(_listed(work).order_by(TokenRow.id.desc())))


def tokens_by_id(work: Work, ids: Iterable[int]) -> dict[int, TokenRow]:
    return {row.id: row for row in work.session.scalars(_listed(work).where(TokenRow.id.in_(set(ids))))}


def token_page(work: Work, wanted: Paging) -> Slice[TokenRow]:
    """Newest first; revoked and expired ones too."""
    return read_slice(work, _listed(work), [Key(TokenRow.created_at, True), Key(TokenRow.id, True)], wanted)


def token_count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_listed(work).subquery())) or 0


def owners(work: Work, ids: Iterable[int]) -> dict[int, PrincipalRow]:
    """Whose the tokens are; to be asked for tokens that the viewer knows of."""
    rows = sa.select(PrincipalRow).where(PrincipalRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def is_guest() -> sa.ColumnElement[bool]:
    """The condition on `PrincipalRow` that it is a guest: a service account only in name."""
    return PrincipalRow.id.in_(sa.select(GuestLinkRow.principal_id))


def _refuse_guests(work: Work) -> None:
    if work.viewer.on_behalf_of is not None:
        raise NotAllowed("A guest cannot make tokens.", Permission.TOKEN_MANAGE.value)


def _owner(work: Work, principal_id: int | None) -> PrincipalRow:
    by_hub = work.viewer.principal_id is None
    if principal_id in {None, work.viewer.principal_id}:
        return administrator_row(work) if by_hub else work.session.get_one(PrincipalRow, work.viewer.principal_id)
    path = ("serviceAccount",)
    known = sa.or_(
        policy.in_orgs(work, Permission.TOKEN_MANAGE, PrincipalRow.org_id),
        policy.in_orgs(work, Permission.PEOPLE_VIEW, PrincipalRow.org_id),
    )
    rows = sa.select(PrincipalRow).where(PrincipalRow.id == principal_id, sa.not_(is_guest()), known)
    owner = work.session.scalars(rows if by_hub else rows.where(PrincipalRow.kind == "SERVICE")).one_or_none()
    if owner is None:
        raise NotFound("There is no service account with this id.", path)
    policy.require_in_org(work, Permission.TOKEN_MANAGE, owner.org_id)
    if owner.disabled_at is not None:
        raise Conflict("This account is shut out: a token for it would not work.", path)
    return owner


def _scopes(used: Bounds, wanted: Sequence[Permission] | None) -> frozenset[str] | None:
    if wanted is None:
        return used.scopes
    scopes = frozenset(each.value for each in wanted)
    if not scopes:
        raise Invalid("Name at least one permission, or none at all for every one.", ("scopes",), "length")
    if used.scopes is not None and not scopes <= used.scopes:
        beyond = min(scopes - used.scopes)
        raise NotAllowed(f"The token you use does not have {beyond} itself.", beyond, ("scopes",))
    return scopes


def _networks(used: Bounds, wanted: Sequence[str] | None) -> tuple[str, ...] | None:
    if wanted is None:
        return used.networks
    if not 1 <= len(wanted) <= MAX_NETWORKS:
        raise Invalid(f"Name 1 to {MAX_NETWORKS} networks, or none at all for any.", ("networks",), "length")
    networks = [_network(text) for text in wanted]
    if not all(_lies_in(each, used.networks) for each in networks):
        raise Invalid("The token you use does not work in all of these networks itself.", ("networks",), "beyond")
    return tuple(dict.fromkeys(map(str, networks)))


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError:
        raise Invalid(
            "A network looks like 192.0.2.0/24 or 2001:db8::/32, with no bits set beyond its length.",
            ("networks",),
            "format",
        ) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


def _lies_in(network: Network, outer: Iterable[str] | None) -> bool:
    if outer is None:
        return True
    known: Any = [ipaddress.ip_network(each) for each in outer]
    return any(network.version == each.version and network.subnet_of(each) for each in known)


def _end(work: Work, days: int | None, expires_at: datetime | None) -> datetime | None:
    if days is not None and expires_at is not None:
        raise Invalid("Say how many days or when it expires, not both.", ("expiresAt",))
    if days is not None:
        if not 1 <= days <= MAX_TOKEN_DAYS:
            raise Invalid(f"A token lives between 1 and {MAX_TOKEN_DAYS} days.", ("days",), "range")
        return work.now + timedelta(days=days)
    if expires_at is not None and not work.now < expires_at <= work.now + timedelta(days=MAX_TOKEN_DAYS):
        raise Invalid(
            f"A token expires in the future, within {MAX_TOKEN_DAYS} days.",
            ("expiresAt",),
            "range",
        )
    return expires_at


def _until(used: Bounds, end: datetime | None, days: int | None = None) -> datetime | None:
    if end is None or used.until is None:
        return end or used.until
    if end > used.until:
        path = ("expiresAt",) if days is None else ("days",)
        raise Invalid("The token you use does not live that long itself.", path, "beyond")
    return end


def _no_longer(used: Bounds, end: datetime | None) -> datetime | None:
    return min((each for each in (used.until, end) if each is not None), default=None)


def _refuse_more_than_own(work: Work, owner: PrincipalRow, wanted: Bounds, path: tuple[str, ...]) -> None:
    """Nobody decides about another account's token that is worth more than they are while it lives, whatever they may
    manage.
    """
    if work.viewer.principal_id is None:
        return
    scopes = wanted.scopes
    permissions = None if scopes is None else frozenset(each for each in Permission if each.value in scopes)
    if not worth.covers_throughout(work, owner.id, permissions=permissions, until=wanted.until):
        raise NotAllowed(
            "This account may do more than you, or longer: its tokens are for somebody who may do as much.",
            Permission.TOKEN_MANAGE.value,
            path,
        )


def _refuse_persons(work: Work, owner: PrincipalRow) -> None:
    policy.require_in_org(work, Permission.TOKEN_MANAGE, owner.org_id)
    if owner.kind == "PERSON" and work.viewer.principal_id is not None:
        raise NotAllowed(
            "Only its owner may see a person's token: revoke it instead.", Permission.TOKEN_MANAGE.value, ("token",)
        )


def _refuse_beyond(used: Bounds, row: TokenRow) -> None:
    """A token that is limited does nothing to those that are less so."""
    of_row = bounds.of_row(row)
    if used.scopes is not None and (of_row.scopes is None or not of_row.scopes <= used.scopes):
        raise NotAllowed("That token may do more than the one you use.", Permission.TOKEN_MANAGE.value, ("token",))
    if used.networks is None:
        return
    networks = [] if of_row.networks is None else [ipaddress.ip_network(each) for each in of_row.networks]
    if not networks or not all(_lies_in(each, used.networks) for each in networks):
        raise NotAllowed("That token works in more networks than yours.", Permission.TOKEN_MANAGE.value, ("token",))


def _check_living(work: Work, row: TokenRow) -> None:
    if row.replaced_by_id is not None:
        raise Conflict("This token was replaced already: rotate its successor.", ("token",))
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= work.now):
        raise Conflict("This token does not work any more: make a new one.", ("token",))


def _held(work: Work, token_id: int) -> tuple[TokenRow, PrincipalRow]:
    """The token, locked until the transaction ends, as it stands now."""
    rows = _listed(work).where(TokenRow.id == token_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no token with this id.", ("token",))
    return row, work.session.get_one(PrincipalRow, row.principal_id)


def _listed(work: Work) -> sa.Select[TokenRow]:
    """The viewer's own, and those of every organisation where they manage tokens."""
    managed = sa.select(PrincipalRow.id).where(policy.in_orgs(work, Permission.TOKEN_MANAGE, PrincipalRow.org_id))
    theirs = sa.or_(TokenRow.principal_id == work.viewer.principal_id, TokenRow.principal_id.in_(managed))
    return sa.select(TokenRow).where(TokenRow.purpose == "API", theirs)


def _made(work: Work, owner: PrincipalRow, name: str, wanted: Bounds) -> NewToken:
    secret = _fresh()
    row = add_token(
        work,
        owner,
        name,
        secret,
        scopes=None if wanted.scopes is None else sorted(wanted.scopes),
        networks=None if wanted.networks is None else list(wanted.networks),
        expires_at=wanted.until,
    )
    history.record(work, "token.created", ("Token", row.id), org_id=owner.org_id)
    return NewToken(row.id, secret)


def _fresh() -> str:
    return TOKEN_MARK + secrets.token_urlsafe(32)
