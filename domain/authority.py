"""Who has power over whom, and what they may hand out.

Always true here:
- Nobody gives more than they hold, nor for longer; nobody manages somebody who holds more than they do.
- Somebody goes on administering the hub.
- Whoever changes who holds what waits their turn, and is judged by what they hold when it has come: of two who take
  each other's rights at the same moment, the second has lost theirs already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from domain import holdings, identity
from domain.holdings import Holdings, Lightbox, One, Reach, Scope, Tree
from domain.identity import bounds, holders, worth
from domain.identity.roles import ADMIN
from domain.permissions import EVERY, Permission
from domain.refusals import Conflict, NotAllowed
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import (
    AssetRow,
    CredentialRow,
    ExternalIdentityRow,
    GrantRow,
    InvitationRow,
    PrincipalRow,
    RoleRow,
    TeamMemberRow,
    TeamRow,
)

#: When only what was given without an end still stands.
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def in_turn(work: Work) -> Work:
    """The same unit of work once nobody else is changing who holds what, with the viewer as they stand then.

    Lasts until the transaction ends; nothing but such changes waits for it.
    """
    lock = sa.select(RoleRow.id).where(RoleRow.name == ADMIN).with_for_update(key_share=True)
    work.session.execute(lock)
    return replace(work, viewer=renewed(work))


def renewed(work: Work) -> Viewer:
    """The viewer with what they hold now of the permissions that they came with."""
    viewer = work.viewer
    if viewer.principal_id is None or viewer.on_behalf_of is not None:
        return viewer
    now = identity.viewer_of_principal(work, viewer.principal_id)
    held = now.holdings.limited_to(frozenset(viewer.holdings.reaches))
    return replace(viewer, holdings=held, is_administrator=viewer.is_administrator and now.is_administrator)


def beyond(work: Work, principal_ids: Collection[int]) -> dict[int, Permission | None]:
    """Per principal a permission that they hold further than the viewer, or for longer, or None. What a lightbox or an
    asset opens counts as its organisation's. In five statements at most, whatever their number, and in as many again
    for each moment at which something that the viewer holds comes to its end.
    """
    found: dict[int, Permission | None] = dict.fromkeys(principal_ids)
    for then in worth.moments(work, principal_ids):
        further = _beyond(then, principal_ids)
        found = {each: known or further[each] for each, known in found.items()}
    return found


def check_manages(work: Work, principals: Iterable[PrincipalRow]) -> None:
    """`NotAllowed` unless the viewer has PEOPLE_MANAGE where each of them is, and none holds more, or for longer."""
    rows = list(principals)
    for row in rows:
        identity.require_in_org(work, Permission.PEOPLE_MANAGE, row.org_id)
    for permission in beyond(work, [row.id for row in rows]).values():
        if permission is not None:
            raise more_than(permission)


def check_gives(work: Work, permissions: Collection[Permission], scope: Scope, until: datetime | None) -> None:
    """`NotAllowed` unless the viewer holds all of these there, and goes on holding them `until` then (None: for ever).

    An asset must be one that the viewer sees. Nothing given with a token that ends lasts longer than it.
    """
    mine = [work.viewer.holdings]
    if work.viewer.principal_id is not None:
        mine.append(_held_until(work, work.viewer.principal_id, until))
    for permission in sorted(permissions, key=lambda each: each.value):
        if not all(_holds(work, held, permission, scope) for held in mine):
            raise NotAllowed(
                f"You cannot give or give back what you do not hold there yourself: {permission.value}.",
                permission.value,
            )
        bounds.check_lasting(work, permission, until)


def check_administered(work: Work, path: tuple[str, ...] = ()) -> None:
    """`Conflict` where, as things stand in this transaction, nobody would administer the hub any more."""
    if not administrators(work, 1):
        raise Conflict("Nobody would administer the hub any more: name another administrator first.", path)


def administrators(work: Work, limit: int) -> list[int]:
    """Some of those who hold `admin` on the brand without an end and without any denial, and who have come in."""
    teams = sa.select(TeamMemberRow.team_id).join(TeamRow, TeamRow.id == TeamMemberRow.team_id)
    mine = teams.where(TeamMemberRow.principal_id == PrincipalRow.id, TeamRow.archived_at.is_(None))
    mine = mine.correlate(PrincipalRow)
    held = sa.or_(GrantRow.principal_id == PrincipalRow.id, GrantRow.team_id.in_(mine))
    given = (
        sa.select(GrantRow.id)
        .join(RoleRow, RoleRow.id == GrantRow.role_id)
        .where(held, identity.standing_grant(work), RoleRow.archived_at.is_(None))
        .correlate(PrincipalRow)
    )
    for_good = given.where(
        RoleRow.name == ADMIN,
        GrantRow.scope == "ORGANISATION",
        GrantRow.org_id == BRAND_ORG_ID,
        GrantRow.expires_at.is_(None),
        GrantRow.is_denial.is_(False),
    )
    rows = sa.select(PrincipalRow.id).where(
        PrincipalRow.disabled_at.is_(None),
        sa.not_(awaited()),
        for_good.exists(),
        sa.not_(given.where(GrantRow.is_denial.is_(True)).exists()),
    )
    return list(work.session.scalars(rows.order_by(PrincipalRow.id).limit(limit)))


def awaited() -> sa.ColumnElement[bool]:
    """The condition on `PrincipalRow` that the person was invited and has never come in."""
    invited = sa.select(InvitationRow.id).where(InvitationRow.principal_id == PrincipalRow.id)
    ways = [
        invited.where(InvitationRow.accepted_at.is_not(None)),
        sa.select(CredentialRow.principal_id).where(CredentialRow.principal_id == PrincipalRow.id),
        sa.select(ExternalIdentityRow.id).where(ExternalIdentityRow.principal_id == PrincipalRow.id),
    ]
    came = sa.or_(*(way.correlate(PrincipalRow).exists() for way in ways))
    return sa.and_(invited.correlate(PrincipalRow).exists(), sa.not_(came))


def more_than(permission: Permission) -> NotAllowed:
    return NotAllowed(f"They hold more than you do: {permission.value}.", permission.value)


def _held_until(work: Work, principal_id: int, until: datetime | None) -> Holdings:
    """What the principal will still hold just before that moment, as things stand."""
    moment = FOR_EVER if until is None else until - datetime.resolution
    return identity.holdings_of(replace(work, clock=lambda: moment), principal_id)


def _beyond(work: Work, principal_ids: Collection[int]) -> dict[int, Permission | None]:
    if _is_everything(work.viewer.holdings):
        return dict.fromkeys(principal_ids)
    theirs = holders.holdings_of_all(work, principal_ids)
    assets = _assets(work, theirs.values())
    return {each: _further(theirs[each], work.viewer.holdings, assets) for each in principal_ids}


def _holds(work: Work, held: Holdings, permission: Permission, scope: Scope) -> bool:
    """Of an asset: by where it is, or as this very asset. What a share or a lightbox opens is not the viewer's to give:
    the grant would outlive it.
    """
    if isinstance(scope, One):
        asset = work.session.get_one(AssetRow, scope.id)
        given = scope in held.reach(permission).allowed or held.in_org(permission, asset.org_id, asset.kind)
        return given and holdings.holds(held, permission, identity.facts(work, [asset])[asset.id])
    return _within(Reach((scope,)), held, permission, {})


def _further(theirs: Holdings, mine: Holdings, assets: Mapping[int, AssetRow]) -> Permission | None:
    for permission in sorted(theirs.reaches, key=lambda each: each.value):
        if not _within(theirs.reach(permission), mine, permission, assets):
            return permission
    return None


def _within(reach: Reach, mine: Holdings, permission: Permission, assets: Mapping[int, AssetRow]) -> bool:
    same = set(mine.reach(permission).allowed)
    where = tuple(scope if scope in same else _located(scope, assets) for scope in reach.allowed)
    return worth.covers(mine, Holdings({permission: Reach(where, reach.denied)}))


def _located(scope: Scope, assets: Mapping[int, AssetRow]) -> Scope:
    """What belongs to one organisation, as a part of that organisation."""
    match scope:
        case Lightbox(_, root, orgs):
            return Tree(root, orgs)
        case One(id_) if id_ in assets:
            return Tree(assets[id_].org_id, frozenset({assets[id_].org_id}), assets[id_].kind)
        case _:
            return scope


def _assets(work: Work, held: Iterable[Holdings]) -> dict[int, AssetRow]:
    scopes = {scope for each in held for reach in each.reaches.values() for scope in reach.allowed}
    ids = {scope.id for scope in scopes if isinstance(scope, One)}
    if not ids:
        return {}
    return {row.id: row for row in work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(ids)))}


def _is_everything(held: Holdings) -> bool:
    return all(held.reach(permission).is_everywhere for permission in EVERY)
