"""Grants: which role somebody, or a team, holds where; and denials, which take the same away and win.

Always true here:
- Whoever gives a role holds all of it there themselves, at least as long, and manages whoever gets it.
- Taking a denial back is giving, and needs the same. Taking a grant back needs power over its holder, or, where they
  are others' people, over people at its place: whoever opened it to a stranger, an organisation can shut it again.
- A grant is never changed: it is taken back, and another is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain import authority, history, identity, nested, organisations, roles
from domain.holdings import Lightbox, One, Scope, Tree
from domain.identity import issuing
from domain.pages import Key, Paging, Slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.work import BRAND_ORG_ID, Work
from storage.tables import (
    AssetRow,
    GrantRow,
    LightboxRow,
    PrincipalRow,
    RoleRow,
    TeamMemberRow,
    TeamRow,
)

#: Standing grants of one person or one team; all of them are read for each of their requests.
MAX_GRANTS = 200

NEWEST_FIRST: Final = (Key(GrantRow.id, True),)


@dataclass(frozen=True)
class Holder:
    """A person or service account, or a team."""

    principal_id: int | None = None
    team_id: int | None = None


@dataclass(frozen=True)
class Where:
    """One of: an organisation with all below it, the assets of one kind there, a lightbox, an asset."""

    org_id: int | None = None
    kind: str | None = None
    lightbox_id: int | None = None
    asset_id: int | None = None


def create(
    work: Work,
    holder: Holder,
    role_id: int,
    where: Where,
    *,
    is_denial: bool = False,
    expires_at: datetime | None = None,
) -> GrantRow:
    """Gives the role, or denies it. A denial takes PEOPLE_MANAGE at the place besides power over the holder."""
    work = authority.in_turn(work)
    role = roles.to_give(work, role_id)
    org_id, scope = _place(work, where)
    _check_manages(work, holder, ("to",))
    if is_denial:
        identity.require_in_org(work, Permission.PEOPLE_MANAGE, org_id)
    else:
        authority.check_gives(work, roles.permissions_of(role), scope, expires_at)
    if expires_at is not None and expires_at <= work.now:
        raise Invalid("A grant ends in the future.", ("expiresAt",), "range")
    row = _made(work, holder, role, org_id, where)
    row.is_denial, row.expires_at = is_denial, expires_at
    _check_new(work, row)
    work.session.add(row)
    work.session.flush()
    if is_denial:
        authority.check_administered(work)
    history.record(work, "grant.created", ("Grant", row.id), _told(row), org_id=row.org_id)
    return row


def revoke(work: Work, grant_id: int) -> GrantRow:
    """Takes a grant or a denial back. `Conflict` where it does not stand any more."""
    work = authority.in_turn(work)
    row = by_id(work, [grant_id]).get(grant_id)
    if row is None:
        raise NotFound("There is no grant with this id.", ("grant",))
    if row.is_denial or not _is_strangers(work, row):
        _check_manages(work, Holder(row.principal_id, row.team_id), ("grant",))
    if row.is_denial:
        role = work.session.get_one(RoleRow, row.role_id)
        authority.check_gives(work, roles.permissions_of(role), _scope(work, row), None)
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= work.now):
        raise Conflict("This does not stand any more.", ("grant",))
    row.revoked_at, row.revoked_by = work.now, work.viewer.principal_id
    work.session.flush()
    authority.check_administered(work, ("grant",))
    history.record(work, "grant.revoked", ("Grant", row.id), org_id=row.org_id)
    return row


def check_holds_all_of(work: Work, team: TeamRow) -> None:
    """`NotAllowed` unless the viewer could give everything that stands for the team, denials too: whoever decides who
    is in it decides who has that.
    """
    standing = sa.select(GrantRow, RoleRow).join(RoleRow, RoleRow.id == GrantRow.role_id)
    mine = standing.where(GrantRow.team_id == team.id, identity.standing_grant(work), RoleRow.archived_at.is_(None))
    for row, role in work.session.execute(mine.order_by(GrantRow.id)).all():
        authority.check_gives(work, roles.permissions_of(role), _scope(work, row), row.expires_at)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, GrantRow]:
    rows = _seen(work).where(GrantRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def of_principals(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[GrantRow]]:
    """One page per person or service account of what was given to them and stands, newest first."""
    return nested.pages_of(work, _standing(work), GrantRow.principal_id, NEWEST_FIRST, ids, wanted)


def of_teams(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[GrantRow]]:
    return nested.pages_of(work, _standing(work), GrantRow.team_id, NEWEST_FIRST, ids, wanted)


def of_organisations(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[GrantRow]]:
    """One page per organisation of what stands there: on itself, its lightboxes and its assets."""
    return nested.pages_of(work, _standing(work), GrantRow.org_id, NEWEST_FIRST, ids, wanted)


def counts_of_principals(work: Work, ids: Collection[int]) -> dict[int, int]:
    return nested.counts_of(work, _standing(work), GrantRow.principal_id, ids)


def counts_of_teams(work: Work, ids: Collection[int]) -> dict[int, int]:
    return nested.counts_of(work, _standing(work), GrantRow.team_id, ids)


def counts_of_organisations(work: Work, ids: Collection[int]) -> dict[int, int]:
    return nested.counts_of(work, _standing(work), GrantRow.org_id, ids)


def _standing(work: Work) -> sa.Select[GrantRow]:
    return _seen(work).where(identity.standing_grant(work))


def _seen(work: Work) -> sa.Select[GrantRow]:
    """One's own, and those that PEOPLE_VIEW reaches by their place or by their holder."""
    me = work.viewer.principal_id
    people = sa.select(PrincipalRow.id).where(identity.in_orgs(work, Permission.PEOPLE_VIEW, PrincipalRow.org_id))
    teams = sa.select(TeamRow.id).where(identity.in_orgs(work, Permission.PEOPLE_VIEW, TeamRow.org_id))
    mine = sa.select(TeamMemberRow.team_id).where(TeamMemberRow.principal_id == me)
    return sa.select(GrantRow).where(
        sa.or_(
            GrantRow.principal_id == me,
            GrantRow.team_id.in_(mine),
            identity.in_orgs(work, Permission.PEOPLE_VIEW, GrantRow.org_id),
            GrantRow.principal_id.in_(people),
            GrantRow.team_id.in_(teams),
        ),
    )


def _place(work: Work, where: Where) -> tuple[int, Scope]:
    """The organisation whose place it is, and how far it reaches. What the viewer does not see is `NotFound`."""
    if where.lightbox_id is not None:
        boxes = sa.select(LightboxRow).where(LightboxRow.id == where.lightbox_id, identity.sees_lightbox(work))
        box = work.session.scalars(boxes).one_or_none()
        if box is None:
            raise NotFound("There is no lightbox with this id.", ("scope", "lightbox"))
        return box.org_id, Lightbox(box.id, box.org_id, _orgs(work, box.org_id))
    if where.asset_id is not None:
        assets = sa.select(AssetRow).where(AssetRow.id == where.asset_id, identity.sees_asset(work))
        asset = work.session.scalars(assets).one_or_none()
        if asset is None:
            raise NotFound("There is no asset with this id.", ("scope", "asset"))
        return asset.org_id, One(asset.id)
    assert where.org_id is not None, "a grant stands somewhere"
    org = organisations.living(work, where.org_id, ("scope", "organisation"))
    return org.id, Tree(org.id, _orgs(work, org.id), where.kind)


def _scope(work: Work, row: GrantRow) -> Scope:
    if row.asset_id is not None:
        return One(row.asset_id)
    orgs = _orgs(work, row.org_id)
    return (
        Tree(row.org_id, orgs, row.asset_kind)
        if row.lightbox_id is None
        else Lightbox(row.lightbox_id, row.org_id, orgs)
    )


def _orgs(work: Work, org_id: int) -> frozenset[int] | None:
    return None if org_id == BRAND_ORG_ID else identity.tree(work, org_id)


def _check_manages(work: Work, holder: Holder, path: tuple[str, ...]) -> None:
    """`NotFound` unless the viewer sees the holder, and `NotAllowed` unless they have power over them: of a team, over
    the team and everybody in it.
    """
    if holder.principal_id is not None:
        people = sa.select(PrincipalRow).where(PrincipalRow.id == holder.principal_id, sa.not_(issuing.is_guest()))
        seen = sa.or_(
            identity.in_orgs(work, Permission.PEOPLE_VIEW, PrincipalRow.org_id),
            PrincipalRow.id == work.viewer.principal_id,
        )
        person = work.session.scalars(people.where(seen)).one_or_none()
        if person is None:
            raise NotFound("There is nobody with this id.", path)
        authority.check_manages(work, [person])
        return
    teams = sa.select(TeamRow).where(
        TeamRow.id == holder.team_id, identity.in_orgs(work, Permission.PEOPLE_VIEW, TeamRow.org_id)
    )
    team = work.session.scalars(teams).one_or_none()
    if team is None:
        raise NotFound("There is no team with this id.", path)
    identity.require_in_org(work, Permission.PEOPLE_MANAGE, team.org_id)
    members = sa.select(TeamMemberRow.principal_id).where(TeamMemberRow.team_id == team.id)
    for permission in authority.beyond(work, list(work.session.scalars(members))).values():
        if permission is not None:
            raise authority.more_than(permission)
    if team.archived_at is not None:
        raise Conflict("This team is archived.", path)


def _is_strangers(work: Work, row: GrantRow) -> bool:
    """Whether the viewer manages people where it holds, and not where its holder is, whom they may not even see."""
    held = work.viewer.holdings
    holder = PrincipalRow if row.team_id is None else TeamRow
    home = work.session.scalars(sa.select(holder.org_id).where(holder.id == (row.team_id or row.principal_id))).one()
    return held.in_org(Permission.PEOPLE_MANAGE, row.org_id) and not held.in_org(Permission.PEOPLE_MANAGE, home)


def _made(work: Work, holder: Holder, role: RoleRow, org_id: int, where: Where) -> GrantRow:
    kinds = {"LIGHTBOX": where.lightbox_id, "ASSET": where.asset_id, "ASSET_KIND": where.kind}
    return GrantRow(
        org_id=org_id,
        principal_id=holder.principal_id,
        team_id=holder.team_id,
        role_id=role.id,
        scope=next((scope for scope, given in kinds.items() if given is not None), "ORGANISATION"),
        lightbox_id=where.lightbox_id,
        asset_id=where.asset_id,
        asset_kind=where.kind,
        created_at=work.now,
        created_by=work.viewer.principal_id,
    )


def _check_new(work: Work, row: GrantRow) -> None:
    """A second one that says the same would only hide that the first was taken back."""
    mine = sa.select(GrantRow).where(
        GrantRow.principal_id.is_(None) if row.principal_id is None else GrantRow.principal_id == row.principal_id,
        GrantRow.team_id.is_(None) if row.team_id is None else GrantRow.team_id == row.team_id,
        identity.standing_grant(work),
    )
    standing = list(work.session.scalars(mine))
    if len(standing) >= MAX_GRANTS:
        raise Conflict(f"Nobody holds more than {MAX_GRANTS} grants: give a role further up instead.", ("to",))
    if any(_saying(each) == _saying(row) for each in standing):
        raise Conflict("This stands already.")


def _saying(row: GrantRow) -> tuple[Any, ...]:
    place = (row.org_id, row.scope, row.lightbox_id, row.asset_id, row.asset_kind)
    return (row.role_id, row.is_denial, row.expires_at, *place)


def _told(row: GrantRow) -> dict[str, Any]:
    """Ids and words only."""
    told = {
        "role": row.role_id,
        "principal": row.principal_id,
        "team": row.team_id,
        "scope": row.scope,
        "lightbox": row.lightbox_id,
        "asset": row.asset_id,
        "kind": row.asset_kind,
        "denial": row.is_denial,
    }
    return {name: value for name, value in told.items() if value is not None}
