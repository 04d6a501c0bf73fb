"""Who stands behind a principal's id: their holdings, read afresh for every request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from domain.holdings import Holdings, Lightbox, One, Own, Reach, Scope, Tree, everything
from domain.permissions import Permission
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import GrantRow, GuestLinkRow, OrganisationRow, PrincipalRow, RoleRow, TeamMemberRow, TeamRow
from storage.types import Instant


def viewer_of(work: Work, row: PrincipalRow, link: GuestLinkRow | None = None, **told: Any) -> Viewer:
    """The principal as a viewer; `told` are further fields of `Viewer`. One that is disabled holds nothing.

    A guest comes by their `link` and holds what it opens.
    """
    if row.disabled_at is not None:
        held = Holdings()
    else:
        held = holdings_of(work, row.id) if link is None else _holdings_of_guest(work, link)
    return Viewer(
        principal_id=row.id,
        org_id=row.org_id,
        name=row.name,
        is_administrator=_is_everything(held),
        holdings=held,
        on_behalf_of=None if link is None else link.created_by,
        **told,
    )


def limited(viewer: Viewer, scopes: Iterable[str] | None) -> Viewer:
    """The viewer with only these permissions, as a token may be limited; None leaves all."""
    if scopes is None:
        return viewer
    known = {each.value: each for each in Permission}
    kept = viewer.holdings.limited_to(frozenset(known[scope] for scope in scopes if scope in known))
    return replace(viewer, holdings=kept, is_administrator=False)


def holdings_of(work: Work, principal_id: int) -> Holdings:
    """What the principal's own grants and those of their teams come to now, in two statements."""
    granted = work.session.execute(_GRANTED, {"principal_id": principal_id, "now": work.now})
    return come_to(work, [(grant, names) for grant, names in granted])


def _lasting(now: Any) -> sa.ColumnElement[bool]:
    return sa.and_(GrantRow.revoked_at.is_(None), sa.or_(GrantRow.expires_at.is_(None), GrantRow.expires_at > now))


def _granted(principal_id: sa.BindParameter[int], now: sa.BindParameter[Any]) -> sa.Select[GrantRow, list[Any]]:
    teams = (
        sa.select(TeamMemberRow.team_id)
        .join(TeamRow, TeamRow.id == TeamMemberRow.team_id)
        .where(TeamMemberRow.principal_id == principal_id, TeamRow.archived_at.is_(None))
    )
    return (
        sa.select(GrantRow, RoleRow.permissions)
        .join(RoleRow, RoleRow.id == GrantRow.role_id)
        .where(
            sa.or_(GrantRow.principal_id == principal_id, GrantRow.team_id.in_(teams)),
            _lasting(now),
            RoleRow.archived_at.is_(None),
        )
        .order_by(GrantRow.id)
    )


#: Put together once, for every request asks it: that costs more than the answer.
_GRANTED: Final = _granted(sa.bindparam("principal_id", type_=sa.BigInteger()), sa.bindparam("now", type_=Instant()))


def come_to(work: Work, rows: list[tuple[GrantRow, list[Any]]]) -> Holdings:
    """What these grants, each with the permissions of its role, come to together."""
    trees = _trees(work, {grant.org_id for grant, _ in rows if grant.scope != "ASSET"})
    allowed: dict[Permission, list[Scope]] = defaultdict(list)
    denied: dict[Permission, list[Scope]] = defaultdict(list)
    known = {each.value: each for each in Permission}
    for grant, names in rows:
        scope = _scope(grant, trees)
        for name in names:
            if name in known:
                (denied if grant.is_denial else allowed)[known[name]].append(scope)
    every = set(allowed) | set(denied)
    ends = [grant.expires_at for grant, _ in rows if grant.expires_at is not None]
    return Holdings({each: Reach(_once(allowed[each]), _once(denied[each])) for each in every}, min(ends, default=None))


def _holdings_of_guest(work: Work, link: GuestLinkRow) -> Holdings:
    """To look: everything in the lightbox or about the asset, not to take it away. To bring: only what they brought."""
    if link.purpose == "UPLOAD":
        own = Reach((Own(link.principal_id),))
        here = Reach((Tree(link.org_id, frozenset({link.org_id})),))
        seen = dict.fromkeys((Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.INBOX_VIEW), own)
        return Holdings(seen | {Permission.ASSET_CREATE: here})
    if link.lightbox_id is None:
        assert link.asset_id is not None, "a link to look opens a lightbox or an asset"
        scope: Scope = One(link.asset_id)
    else:
        scope = Lightbox(link.lightbox_id, link.org_id, _trees(work, {link.org_id})[link.org_id])
    return Holdings(dict.fromkeys((Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED), Reach((scope,))))


def standing_grant(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `GrantRow` that it counts now."""
    return _lasting(work.now)


def _scope(grant: GrantRow, trees: dict[int, frozenset[int] | None]) -> Scope:
    match grant.scope:
        case "LIGHTBOX":
            assert grant.lightbox_id is not None
            return Lightbox(grant.lightbox_id, grant.org_id, trees[grant.org_id])
        case "ASSET":
            assert grant.asset_id is not None
            return One(grant.asset_id)
        case _:
            return Tree(grant.org_id, trees[grant.org_id], grant.asset_kind)


def _trees(work: Work, roots: set[int]) -> dict[int, frozenset[int] | None]:
    """Per organisation itself and everything below it; None for the brand, which is the whole hub."""
    found: dict[int, frozenset[int] | None] = {BRAND_ORG_ID: None} if BRAND_ORG_ID in roots else {}
    wanted = roots - {BRAND_ORG_ID}
    if not wanted:
        return found
    above, below = sa.orm.aliased(OrganisationRow), OrganisationRow
    pairs = (
        sa.select(above.id, below.id)
        .join(below, below.path.startswith(above.path))
        .where(above.id.in_(wanted))
        .order_by(above.id)
    )
    members: dict[int, set[int]] = defaultdict(set)
    for root, member in work.session.execute(pairs):
        members[root].add(member)
    return found | {root: frozenset(members[root]) for root in wanted}


def _once(scopes: list[Scope]) -> tuple[Scope, ...]:
    return tuple(dict.fromkeys(scopes))


def _is_everything(held: Holdings) -> bool:
    return all(held.reach(permission).is_everywhere for permission in everything().reaches)
