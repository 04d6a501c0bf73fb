"""Roles as data: named sets of permissions that people hold somewhere.

Always true here:
- `admin` is everything, and stays what it is. The roles every brand begins with keep their names.
- Whoever changes a role holds everywhere all that it allowed and will allow, for it changes what others hold anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import sqlalchemy as sa

from domain import authority, history, identity
from domain.holdings import Tree
from domain.identity.roles import ADMIN
from domain.permissions import ROLES, Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_NOTE, fold, line, paragraphs
from domain.work import BRAND_ORG_ID, Work
from storage.tables import GrantRow, RoleRow, TeamMemberRow

MAX_NAME = 100
#: Archived ones included.
MAX_ROLES = 200
SEEDED: Final = frozenset(seed.name for seed in ROLES)

_EVERYWHERE: Final = Tree(BRAND_ORG_ID, None)


def create(work: Work, name: str, permissions: Collection[Permission], description: str | None = None) -> RoleRow:
    work = authority.in_turn(work)
    identity.require_in_org(work, Permission.ROLE_MANAGE)
    spelled = line(name, MAX_NAME, ("name",))
    if _check_name(work, spelled) >= MAX_ROLES:
        raise Conflict(f"There are at most {MAX_ROLES} roles.")
    _check_some(permissions)
    authority.check_gives(work, permissions, _EVERYWHERE, None)
    row = RoleRow(
        name=spelled,
        description=paragraphs(description, MAX_NOTE, ("description",)),
        permissions=_written(permissions),
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    history.record(work, "role.created", ("Role", row.id), {"permissions": row.permissions}, org_id=BRAND_ORG_ID)
    return row


def update(
    work: Work,
    role_id: int,
    expected_revision: int,
    *,
    name: str | None = None,
    permissions: Collection[Permission] | None = None,
    description: str | None = None,
) -> RoleRow:
    """Changes what is given, for everybody who holds the role; an empty description takes it away."""
    work = authority.in_turn(work)
    row = _held(work, role_id, expected_revision)
    if name is not None and (spelled := line(name, MAX_NAME, ("name",))) != row.name:
        if row.name in SEEDED:
            raise Conflict("This role came with the hub and keeps its name.", ("name",))
        if fold(spelled) != fold(row.name):
            _check_name(work, spelled)
        row.name = spelled
    if permissions is not None:
        _check_some(permissions)
        authority.check_gives(work, permissions, _EVERYWHERE, None)
        row.permissions = _written(permissions)
    if description is not None:
        row.description = paragraphs(description, MAX_NOTE, ("description",))
    return _touched(work, row, "role.updated")


def archive(work: Work, role_id: int, expected_revision: int) -> RoleRow:
    """Nobody holds anything by it any more, and nothing is denied by it."""
    work = authority.in_turn(work)
    row = _held(work, role_id, expected_revision)
    row.archived_at = work.now
    return _touched(work, row, "role.archived")


def to_give(work: Work, role_id: int, path: tuple[str, ...] = ("role",)) -> RoleRow:
    """The role, to be given to somebody. `NotFound`, and `Conflict` where it is archived."""
    row = by_id(work, [role_id]).get(role_id)
    if row is None:
        raise NotFound("There is no role with this id.", path)
    if row.archived_at is not None:
        raise Conflict("This role is archived: nobody gets it any more.", path)
    return row


def permissions_of(row: RoleRow) -> list[Permission]:
    """In the order of their names; what an older or newer hub wrote and this one does not know is left out."""
    known = {each.value: each for each in Permission}
    return [known[word] for word in sorted(row.permissions) if word in known]


def by_id(work: Work, ids: Iterable[int]) -> dict[int, RoleRow]:
    rows = sa.select(RoleRow).where(RoleRow.id.in_(set(ids)), _sees(work))
    return {row.id: row for row in work.session.scalars(rows)}


def living(work: Work) -> list[RoleRow]:
    """Roles that the viewer may know of, without archived ones, by name."""
    rows = work.session.scalars(sa.select(RoleRow).where(RoleRow.archived_at.is_(None), _sees(work)))
    return sorted(rows, key=lambda row: (fold(row.name), row.id))


def _sees(work: Work) -> sa.ColumnElement[bool]:
    """Everybody sees the roles they hold; all of them, who has to do with people or roles somewhere."""
    held = work.viewer.holdings
    if any(map(held.anywhere, (Permission.PEOPLE_VIEW, Permission.ROLE_MANAGE))):
        return sa.true()
    me = work.viewer.principal_id
    teams = sa.select(TeamMemberRow.team_id).where(TeamMemberRow.principal_id == me)
    mine = sa.or_(GrantRow.principal_id == me, GrantRow.team_id.in_(teams))
    return RoleRow.id.in_(sa.select(GrantRow.role_id).where(mine, identity.standing_grant(work)))


def _held(work: Work, role_id: int, expected_revision: int) -> RoleRow:
    if role_id not in by_id(work, [role_id]):
        raise NotFound("There is no role with this id.", ("role",))
    identity.require_in_org(work, Permission.ROLE_MANAGE)
    held = sa.select(RoleRow).where(RoleRow.id == role_id).with_for_update(key_share=True)
    row = work.session.scalars(held.execution_options(populate_existing=True)).one()
    authority.check_gives(work, permissions_of(row), _EVERYWHERE, None)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.name == ADMIN:
        raise Conflict("The role admin is everything and stays as it is.", ("role",))
    if row.archived_at is not None:
        raise Conflict("This role is archived.", ("role",))
    return row


def _check_name(work: Work, name: str) -> int:
    """How many roles there are, none of which is called so, however it is written."""
    names = list(work.session.scalars(sa.select(RoleRow.name)))
    if fold(name) in set(map(fold, names)):
        raise Conflict(f"There is, or was, a role called {name} already.", ("name",))
    return len(names)


def _check_some(permissions: Collection[Permission]) -> None:
    if not permissions:
        raise Invalid("A role has at least one permission.", ("permissions",), "required")


def _written(permissions: Collection[Permission]) -> list[str]:
    return sorted({each.value for each in permissions})


def _touched(work: Work, row: RoleRow, event: str) -> RoleRow:
    work.session.flush()
    payload = {"revision": row.revision, "permissions": row.permissions}
    history.record(work, event, ("Role", row.id), payload, org_id=BRAND_ORG_ID)
    return row
