"""Groups of territories: those that everybody knows, and the brand's own, each of whose members belongs to it for a
time.

A code that everybody knows, such as EU, is never given to another group. Changing a group moves the rights epoch of
every asset that anything was assessed of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from domain import history, identity
from domain.licensing import owning, territories
from domain.licensing.terms import Member, TerritoryGroup
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import TerritoryGroupMemberRow, TerritoryGroupRow

MAX_NAME: Final = 200
MAX_GROUPS: Final = 200
MAX_MEMBERS: Final = 500


def create(work: Work, code: str, name: str, members: Sequence[Member]) -> TerritoryGroupRow:
    """Needs LICENSE_MANAGE for the whole brand."""
    identity.require_in_org(work, Permission.LICENSE_MANAGE, BRAND_ORG_ID)
    owning.home(work, BRAND_ORG_ID)
    if not territories.may_name_group(code):
        raise Invalid(
            "A group's code has 2 to 32 capital letters, digits and underlines, and is no country's.",
            ("code",),
            "format",
        )
    codes = list(work.session.scalars(sa.select(TerritoryGroupRow.code)))
    if code in territories.GROUPS or code in codes:
        raise Conflict(f"There is a group {code} already.", ("code",))
    if len(codes) >= MAX_GROUPS:
        raise Conflict(f"There are at most {MAX_GROUPS} groups of territories.", ("code",))
    row = TerritoryGroupRow(
        org_id=BRAND_ORG_ID,
        code=code,
        name=line(name, MAX_NAME, ("name",)),
        created_at=work.now,
        created_by=owning.principal(work),
    )
    work.session.add(row)
    work.session.flush()
    _write(work, row, _checked(members))
    return _recorded(work, "territory_group.created", row)


def update(
    work: Work, group_id: int, expected_revision: int, name: str | None, members: Sequence[Member] | None
) -> TerritoryGroupRow:
    """Members are given all anew."""
    identity.require_in_org(work, Permission.LICENSE_MANAGE, BRAND_ORG_ID)
    rows = sa.select(TerritoryGroupRow).where(TerritoryGroupRow.id == group_id).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no group of territories with this id.", ("group",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if name is not None:
        row.name = line(name, MAX_NAME, ("name",))
    before = None
    if members is not None:
        wanted = _checked(members)
        before = [_plain(each) for each in members_of(work, [row.id]).get(row.id, [])]
        gone = sa.delete(TerritoryGroupMemberRow).where(TerritoryGroupMemberRow.group_id == row.id)
        work.session.execute(gone)
        _write(work, row, wanted)
        sa.orm.attributes.flag_modified(row, "name")  # its members count in its revision
    return _recorded(work, "territory_group.updated", row, before=before)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, TerritoryGroupRow]:
    """For whoever may know of licences anywhere: groups are words that all of these use."""
    if not work.viewer.holdings.anywhere(Permission.LICENSE_VIEW):
        return {}
    rows = sa.select(TerritoryGroupRow).where(TerritoryGroupRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def own(work: Work) -> list[TerritoryGroupRow]:
    """The brand's own, by code."""
    if not work.viewer.holdings.anywhere(Permission.LICENSE_VIEW):
        return []
    return list(work.session.scalars(sa.select(TerritoryGroupRow).order_by(TerritoryGroupRow.code)))


def members_of(work: Work, group_ids: Iterable[int]) -> dict[int, list[Member]]:
    """Per group its members by territory and day."""
    rows = sa.select(TerritoryGroupMemberRow).where(TerritoryGroupMemberRow.group_id.in_(set(group_ids)))
    order = (TerritoryGroupMemberRow.territory, TerritoryGroupMemberRow.id)
    found: dict[int, list[Member]] = defaultdict(list)
    for row in work.session.scalars(rows.order_by(*order)):
        found[row.group_id].append(Member(row.territory, row.first_on, row.last_on))
    return found


def known(work: Work) -> dict[str, TerritoryGroup]:
    """Everything that a licence may name as a group, in two statements."""
    rows = list(work.session.scalars(sa.select(TerritoryGroupRow)))
    members = members_of(work, [row.id for row in rows])
    return territories.all_groups(TerritoryGroup(row.code, tuple(members.get(row.id, ()))) for row in rows)


def _checked(members: Sequence[Member]) -> list[Member]:
    if len(members) > MAX_MEMBERS:
        raise Invalid(f"A group has at most {MAX_MEMBERS} members.", ("members",), "length")
    for number, member in enumerate(members):
        path = ("members", str(number))
        if not territories.is_place(member.territory):
            raise Invalid(f"{member.territory!r} is no country and no part of one.", (*path, "territory"), "territory")
        if member.first_on is not None and member.last_on is not None and member.last_on < member.first_on:
            raise Invalid("Its last day lies before its first.", (*path, "lastOn"), "window")
    return list(members)


def _write(work: Work, row: TerritoryGroupRow, members: Iterable[Member]) -> None:
    work.session.add_all(
        TerritoryGroupMemberRow(group_id=row.id, territory=each.territory, first_on=each.first_on, last_on=each.last_on)
        for each in members
    )


def _plain(member: Member) -> list[str | None]:
    return [member.territory, *(None if day is None else day.isoformat() for day in (member.first_on, member.last_on))]


def _recorded(work: Work, event: str, row: TerritoryGroupRow, **more: Any) -> TerritoryGroupRow:
    """With the members that were there before, where they changed: whoever asks of the past reads them from here."""
    work.session.flush()
    told = {"revision": row.revision, **more}
    history.record(work, event, ("TerritoryGroup", row.id), told, org_id=row.org_id)
    return row
