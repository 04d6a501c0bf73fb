"""Teams: people of an organisation, or of those below it, who hold things together.

Always true here:
- Whoever decides who is in a team could give everything that the team holds, and has power over whoever comes or goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.orm import attributes

from domain import authority, grants, history, identity, nested, organisations
from domain.identity import issuing
from domain.pages import Key, Paging, Slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import fold, line
from domain.work import Work
from storage.tables import PrincipalRow, TeamMemberRow, TeamRow

MAX_NAME = 100
MAX_TEAMS = 500
MAX_MEMBERS = 1_000
MAX_AT_ONCE = 100
#: Teams that one person is in.
MAX_JOINED = 50


def create(work: Work, org_id: int, name: str) -> TeamRow:
    org = organisations.held_for(work, "ADD_TEAM", org_id, ("organisation",))
    spelled = line(name, MAX_NAME, ("name",))
    if _check_name(work, org.id, spelled) >= MAX_TEAMS:
        raise Conflict(f"An organisation has at most {MAX_TEAMS} teams.", ("organisation",))
    row = TeamRow(org_id=org.id, name=spelled, created_at=work.now)
    work.session.add(row)
    work.session.flush()
    history.record(work, "team.created", ("Team", row.id), org_id=org.id)
    return row


def rename(work: Work, team_id: int, name: str, expected_revision: int) -> TeamRow:
    row = _held(work, team_id, expected_revision)
    spelled = line(name, MAX_NAME, ("name",))
    if fold(spelled) != fold(row.name):
        _check_name(work, row.org_id, spelled)
    row.name = spelled
    return _touched(work, row, "team.updated")


def archive(work: Work, team_id: int, expected_revision: int) -> TeamRow:
    """Nobody holds anything by it any more, and nothing is denied by it."""
    work = authority.in_turn(work)
    row = _held(work, team_id, expected_revision)
    grants.check_holds_all_of(work, row)
    authority.check_manages(work, _members(work, row))
    row.archived_at = work.now
    _touched(work, row, "team.archived")
    authority.check_administered(work, ("team",))
    return row


def add_members(work: Work, team_id: int, principal_ids: Collection[int], expected_revision: int) -> TeamRow:
    """Those who are in it already stay in it."""
    work = authority.in_turn(work)
    row, people = _changing(work, team_id, principal_ids, expected_revision)
    inside = sa.select(TeamMemberRow.principal_id).where(TeamMemberRow.team_id == row.id)
    present = set(work.session.scalars(inside))
    fresh = [person for person in people if person.id not in present]
    if len(present) + len(fresh) > MAX_MEMBERS:
        raise Conflict(f"A team has at most {MAX_MEMBERS} members.", ("members",))
    _check_room(work, fresh)
    work.session.add_all(TeamMemberRow(team_id=row.id, principal_id=each.id, joined_at=work.now) for each in fresh)
    return _changed(work, row, {"added": [each.id for each in fresh]})


def remove_members(work: Work, team_id: int, principal_ids: Collection[int], expected_revision: int) -> TeamRow:
    """One who is not in it is no error."""
    work = authority.in_turn(work)
    row, people = _changing(work, team_id, principal_ids, expected_revision)
    gone = sa.delete(TeamMemberRow).where(
        TeamMemberRow.team_id == row.id, TeamMemberRow.principal_id.in_([each.id for each in people])
    )
    removed = sorted(work.session.scalars(gone.returning(TeamMemberRow.principal_id)))
    return _changed(work, row, {"removed": removed})


def by_id(work: Work, ids: Iterable[int]) -> dict[int, TeamRow]:
    """Teams that PEOPLE_VIEW reaches, and the viewer's own."""
    rows = _seen(work).where(TeamRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def of_organisations(work: Work, ids: Collection[int], wanted: Paging) -> dict[int, Slice[TeamRow]]:
    """One page of living teams per organisation, oldest first."""
    return nested.pages_of(work, _living(work), TeamRow.org_id, [Key(TeamRow.id, False)], ids, wanted)


def counts(work: Work, ids: Collection[int]) -> dict[int, int]:
    return nested.counts_of(work, _living(work), TeamRow.org_id, ids)


def of_principals(work: Work, ids: Collection[int]) -> dict[int, list[TeamRow]]:
    """Per person the living teams that they are in and the viewer sees, oldest first."""
    rows = (
        _living(work)
        .add_columns(TeamMemberRow.principal_id)
        .join(TeamMemberRow, TeamMemberRow.team_id == TeamRow.id)
        .where(TeamMemberRow.principal_id.in_(set(ids)))
    )
    found: dict[int, list[TeamRow]] = {each: [] for each in ids}
    for row, principal_id in work.session.execute(rows.order_by(TeamRow.id)):
        found[principal_id].append(row)
    return found


def _living(work: Work) -> sa.Select[TeamRow]:
    return _seen(work).where(TeamRow.archived_at.is_(None))


def _seen(work: Work) -> sa.Select[TeamRow]:
    mine = sa.select(TeamMemberRow.team_id).where(TeamMemberRow.principal_id == work.viewer.principal_id)
    viewed = identity.in_orgs(work, Permission.PEOPLE_VIEW, TeamRow.org_id)
    return sa.select(TeamRow).where(sa.or_(viewed, TeamRow.id.in_(mine)))


def _held(work: Work, team_id: int, expected_revision: int) -> TeamRow:
    known = by_id(work, [team_id]).get(team_id)
    if known is None:
        raise NotFound("There is no team with this id.", ("team",))
    identity.require_in_org(work, Permission.PEOPLE_MANAGE, known.org_id)
    organisations.held_for(work, "ADD_TEAM", known.org_id, ("team",))
    held = sa.select(TeamRow).where(TeamRow.id == team_id).with_for_update(key_share=True)
    row = work.session.scalars(held.execution_options(populate_existing=True)).one()
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.archived_at is not None:
        raise Conflict("This team is archived.", ("team",))
    return row


def _changing(
    work: Work, team_id: int, principal_ids: Collection[int], expected_revision: int
) -> tuple[TeamRow, list[PrincipalRow]]:
    if not 1 <= len(set(principal_ids)) <= MAX_AT_ONCE:
        raise Invalid(f"Name between 1 and {MAX_AT_ONCE} members.", ("members",), "length")
    row = _held(work, team_id, expected_revision)
    viewed = identity.in_orgs(work, Permission.PEOPLE_VIEW, PrincipalRow.org_id)
    rows = sa.select(PrincipalRow).where(
        PrincipalRow.id.in_(set(principal_ids)),
        sa.or_(viewed, PrincipalRow.id == work.viewer.principal_id),
        sa.not_(issuing.is_guest()),
    )
    people = list(work.session.scalars(rows.order_by(PrincipalRow.id)))
    if len(people) != len(set(principal_ids)):
        raise NotFound("There is nobody with one of these ids.", ("members",))
    authority.check_manages(work, people)
    grants.check_holds_all_of(work, row)
    return row, people


def _changed(work: Work, row: TeamRow, told: dict[str, list[int]]) -> TeamRow:
    """The team's revision counts its membership as well."""
    attributes.flag_modified(row, "name")
    work.session.flush()
    authority.check_administered(work, ("members",))
    history.record(
        work, "team.members_changed", ("Team", row.id), {"revision": row.revision, **told}, org_id=row.org_id
    )
    return row


def _check_room(work: Work, people: Collection[PrincipalRow]) -> None:
    joined = (
        sa.select(TeamMemberRow.principal_id)
        .join(TeamRow, TeamRow.id == TeamMemberRow.team_id)
        .where(TeamMemberRow.principal_id.in_([each.id for each in people]), TeamRow.archived_at.is_(None))
        .group_by(TeamMemberRow.principal_id)
        .having(sa.func.count() >= MAX_JOINED)
    )
    if work.session.scalars(joined.limit(1)).first() is not None:
        raise Conflict(f"Nobody is in more than {MAX_JOINED} teams.", ("members",))


def _members(work: Work, row: TeamRow) -> list[PrincipalRow]:
    inside = sa.select(TeamMemberRow.principal_id).where(TeamMemberRow.team_id == row.id)
    return list(work.session.scalars(sa.select(PrincipalRow).where(PrincipalRow.id.in_(inside))))


def _check_name(work: Work, org_id: int, name: str) -> int:
    """How many teams the organisation has, none of which is called so."""
    names = list(work.session.scalars(sa.select(TeamRow.name).where(TeamRow.org_id == org_id)))
    if fold(name) in set(map(fold, names)):
        raise Conflict(f"There is, or was, a team called {name} here already.", ("name",))
    return len(names)


def _touched(work: Work, row: TeamRow, event: str) -> TeamRow:
    work.session.flush()
    history.record(work, event, ("Team", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row
