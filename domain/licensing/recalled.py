"""Licences, releases, caps and groups of territories as they stood at a moment that has passed.

Terms that are active or signed never change, so that only their state, their seats and what their caps had given away
are read back: states from the events that moved them, counters from the records that were counted since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from domain.licensing import facts
from domain.licensing.codes import CapPer, LicenseStatus, ReleaseStatus
from domain.licensing.terms import Cap, Grant, License, Member, Release, TerritoryGroup, Used
from domain.refusals import Invalid
from domain.work import Work
from storage.tables import EventRow, LicenseSeatRow, TerritoryGroupRow, UsageRecordRow


@dataclass(frozen=True, slots=True)
class Event:
    type: str
    payload: Mapping[str, Any]
    at: datetime


#: Per subject what happened to it, the first first.
Stories = dict[int, list[Event]]
Terms = TypeVar("Terms", License, Release)
_NOTHING: Final = Used(None, 0, 0)


def licenses(work: Work, now: Mapping[int, License], moment: datetime) -> dict[int, License]:
    """The same licences as they stood then."""
    told = stories(work, "License", now)
    seats = _seats(work, [key for key, one in now.items() if one.seats is not None], moment)
    found = {}
    for key, one in now.items():
        status = LicenseStatus(_status(told[key], one.status.value, "licence", moment))
        if status == LicenseStatus.DRAFT and _since(told[key], moment, "license.updated"):
            raise unkept("a draft was rewritten since, and its terms before")
        sitting = () if status == LicenseStatus.DRAFT else tuple(sorted(seats.get(key, ())))
        found[key] = replace(one, status=status, seat_org_ids=sitting)
    drafts = {key for key, one in found.items() if one.status == LicenseStatus.DRAFT}
    return _counted(work, found, drafts, moment)


def releases(work: Work, now: Mapping[int, Release], moment: datetime) -> dict[int, Release]:
    """The same releases as they stood then."""
    told = stories(work, "Release", now)
    found = {}
    for key, one in now.items():
        status = ReleaseStatus(_status(told[key], one.status.value, "release", moment))
        signed = _since(told[key], moment, "release.signed")
        if signed and signed[0].payload.get("rewritten", True):
            raise unkept("a release was signed since, and what stood in it before")
        revoked = one.revoked_at if one.revoked_at is not None and one.revoked_at <= moment else None
        found[key] = replace(one, status=status, revoked_at=revoked)
    return _counted(work, found, (), moment)


def groups(work: Work, moment: datetime) -> tuple[TerritoryGroup, ...]:
    """The brand's own, with the members that were said of each then."""
    rows = work.session.execute(sa.select(TerritoryGroupRow.code, TerritoryGroupRow.id, TerritoryGroupRow.created_at))
    there = {code: id_ for code, id_, created_at in rows if created_at <= moment}
    told = stories(work, "TerritoryGroup", there.values())
    found = []
    for group in facts.own_groups(work):
        if group.code in there:
            story = told[there[group.code]]
            check_order(story, moment)
            found.append(_with_members(group, _since(story, moment, "territory_group.updated")))
    return tuple(found)


def stories(work: Work, kind: str, ids: Iterable[int], types: Collection[str] = ()) -> Stories:
    """Of these subjects, all that happened to them, or what is of these types."""
    found: Stories = {each: [] for each in ids}
    rows = sa.select(EventRow.subject_id, EventRow.type, EventRow.payload, EventRow.occurred_at)
    rows = rows.where(EventRow.subject_type == kind, EventRow.subject_id.in_(found)).order_by(EventRow.id)
    for subject_id, *told in work.session.execute(rows.where(EventRow.type.in_(types)) if types else rows):
        found[subject_id].append(Event(*told))
    return found


def check_order(story: Sequence[Event], moment: datetime) -> None:
    """What came after the moment came after all that came before it."""
    later = [each.at > moment for each in story]
    if later != sorted(later):
        raise Invalid("The clock was set back about then: nobody can tell what was known.", ("asOf",), "clock")


def unkept(what: str) -> Invalid:
    return Invalid(f"What was known then cannot be told: {what} is not kept.", ("asOf",), "unkept")


def _status(story: Sequence[Event], now: str, kind: str, moment: datetime) -> str:
    """Each event of these says which state it left."""
    check_order(story, moment)
    moves = [(each.at, each.payload["status"]) for each in story if "status" in each.payload]
    before = [status for at, status in moves if at <= moment]
    if not before or moves[-1][1] != now:
        raise unkept(f"a {kind} was written by hand, and its state")
    return str(before[-1])


def _since(story: Sequence[Event], moment: datetime, type_: str) -> list[Event]:
    return [each for each in story if each.at > moment and each.type == type_]


def _seats(work: Work, license_ids: Collection[int], moment: datetime) -> dict[int, list[int]]:
    given_back = sa.or_(LicenseSeatRow.released_at.is_(None), LicenseSeatRow.released_at > moment)
    rows = sa.select(LicenseSeatRow.license_id, LicenseSeatRow.org_id)
    rows = rows.where(LicenseSeatRow.license_id.in_(license_ids), LicenseSeatRow.assigned_at <= moment, given_back)
    found: dict[int, list[int]] = {}
    for license_id, org_id in work.session.execute(rows) if license_ids else ():
        found.setdefault(license_id, []).append(org_id)
    return found


def _with_members(group: TerritoryGroup, changes: Iterable[Event]) -> TerritoryGroup:
    """As the first of the changes found them that changed any."""
    for each in changes:
        if "before" not in each.payload:
            raise unkept("a group of territories was changed since, and its members before")
        if each.payload["before"] is not None:
            said = each.payload["before"]
            return replace(group, members=tuple(Member(place, _day(first), _day(last)) for place, first, last in said))
    return group


def _day(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)


def _counted(work: Work, terms: dict[int, Terms], drafts: Collection[int], moment: datetime) -> dict[int, Terms]:
    """What caps had given away: what they have by now, without what was recorded since. A draft's had given nothing."""
    caps = {cap.id for one in terms.values() for grant in one.grants for cap in grant.caps}
    if not caps:
        return terms
    since, known = _recorded_since(work, caps, moment), _periods_by(work, caps, moment)

    def before(cap: Cap) -> Cap:
        found = []
        for used in cap.used:
            more_used, more_reserved = since.get((cap.id, used.starts_on), (0, 0))
            then = Used(used.starts_on, used.used - more_used, used.reserved - more_reserved)
            if then.used < 0 or then.reserved < 0:
                raise Invalid("The clock was set back about then: nobody can tell what was known.", ("asOf",), "clock")
            if then.used or then.reserved or used.starts_on is None or (cap.id, used.starts_on) in known:
                found.append(then)
        return replace(cap, used=tuple(found))

    def unused(cap: Cap) -> Cap:
        return replace(cap, used=(_NOTHING,) if cap.per == CapPer.TOTAL else ())

    return {key: _with(one, unused if key in drafts else before) for key, one in terms.items()}


def _with(terms: Terms, told: Callable[[Cap], Cap]) -> Terms:
    def grant(one: Grant) -> Grant:
        return replace(one, caps=tuple(map(told, one.caps)))

    return replace(terms, grants=tuple(map(grant, terms.grants)))


def _recorded_since(
    work: Work, cap_ids: Collection[int], moment: datetime
) -> dict[tuple[int, date | None], tuple[int, int]]:
    """Per cap and period what records of after the moment added to used and reserved, as the triggers count them."""
    record, first = UsageRecordRow, sa.orm.aliased(UsageRecordRow)
    used = sa.func.sum(sa.case((record.phase == "ACTUAL", record.quantity), else_=0))
    reserved = sa.func.sum(sa.case((record.phase == "RESERVED", record.quantity), else_=-first.quantity))
    rows = sa.select(record.cap_id, record.period_starts_on, used, reserved)
    rows = rows.join(first, first.id == record.reservation_id, isouter=True)
    rows = rows.where(record.cap_id.in_(cap_ids), record.recorded_at > moment)
    found = work.session.execute(rows.group_by(record.cap_id, record.period_starts_on))
    return {(cap_id, day): (int(more), int(left)) for cap_id, day, more, left in found}


def _periods_by(work: Work, cap_ids: Collection[int], moment: datetime) -> set[tuple[int | None, date | None]]:
    """The periods of which anything had been recorded by then."""
    record = UsageRecordRow
    rows = sa.select(record.cap_id, record.period_starts_on).distinct()
    rows = rows.where(record.cap_id.in_(cap_ids), record.period_starts_on.is_not(None), record.recorded_at <= moment)
    return {(cap_id, day) for cap_id, day in work.session.execute(rows)}
