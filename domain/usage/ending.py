"""What runs until its licence ends, or longer: somebody is told in time, and at the end it is withdrawn.

Always true here:
- Days are counted where the licence is: its last day is one in its zone.
- Of one use and one end each of 90, 30, 7 and 1 days is told once, and none after a later one, whatever the clock does.
- A licence that was superseded goes on as the one that took its place; a terminated one has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain import history
from domain.licensing import spans
from domain.licensing.codes import LicenseStatus
from domain.usage import reading
from domain.usage.reading import Phase
from domain.work import Work
from storage.tables import LicenseGrantRow, LicenseRow, UsageAlertRow, UsageRecordRow, UsageRow

#: Days before the end at which somebody is told.
DAYS: Final = (90, 30, 7, 1)
#: Uses looked at in one transaction.
AT_ONCE: Final = 200
#: A licence superseded more often than this is looked at no further.
_LONGEST: Final = 50
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class End:
    """When a use has to be over, for the want of this licence: its last day, the moment after it, and how many days it
    is from today. Below nothing: it was so long ago.
    """

    license_id: int
    on: date
    days: int
    at: datetime


def pass_over(work: Work, beyond: int = 0) -> int | None:
    """Tells of uses whose ids come after `beyond` and whose licence ends soon, and withdraws those whose licence has
    ended; the last one looked at, None when there are no more. For the hub itself.
    """
    rows = sa.select(UsageRow).where(UsageRow.id > beyond, reading.is_out(), UsageRow.ends_on >= work.now.date() - _DAY)
    locked = rows.order_by(UsageRow.id).limit(AT_ONCE).with_for_update(key_share=True)
    found = list(work.session.scalars(locked.execution_options(populate_existing=True)))
    ends = of_usages(work, [row.id for row in found])
    told = _told(work, [row.id for row in found])
    for row in found:
        for end in ends.get(row.id, ()):
            if row.ends_on >= end.on and row.withdrawn_at is None and row.phase != Phase.VOID.value:
                _pass_over(work, row, end, told)
    work.session.flush()
    return found[-1].id if found else None


def of_usages(work: Work, usage_ids: Iterable[int]) -> dict[int, list[End]]:
    """Per use the ends of the licences that it takes anything of, those without an end left out; the first first."""
    wanted = (
        sa.select(UsageRecordRow.usage_id, LicenseRow, LicenseGrantRow.ends_on)
        .join(LicenseRow, LicenseRow.id == UsageRecordRow.license_id)
        .join(LicenseGrantRow, LicenseGrantRow.id == UsageRecordRow.grant_id)
        .where(UsageRecordRow.usage_id.in_(set(usage_ids)), UsageRecordRow.phase != Phase.VOID.value)
    )
    taken = work.session.execute(wanted.distinct().order_by(UsageRecordRow.usage_id, LicenseRow.id)).all()
    later = _successors(work, {license_.id for _, license_, _ in taken})
    found: dict[int, dict[int, End]] = {}
    for usage_id, license_, grant_ends_on in taken:
        end = _end(license_, later, grant_ends_on, work.now)
        if end is not None:
            each = found.setdefault(usage_id, {})
            each[end.license_id] = min(each.get(end.license_id, end), end, key=lambda one: one.on)
    return {
        usage_id: sorted(each.values(), key=lambda end: (end.on, end.license_id)) for usage_id, each in found.items()
    }


def _end(
    license_: LicenseRow, later: Mapping[int, LicenseRow], grant_ends_on: date | None, now: datetime
) -> End | None:
    """Of the licence that stands for this one now; None where it has no end."""
    standing = license_
    for _ in range(_LONGEST):
        standing = later.get(standing.id, standing)
    today = now.astimezone(ZoneInfo(standing.zone)).date()
    at: datetime | None = None
    if standing.status == LicenseStatus.TERMINATED:
        ended = standing.updated_at.astimezone(ZoneInfo(standing.zone)).date() - _DAY  # it grants nothing that day
        on = min(ended, standing.ends_on or ended)
        at = standing.updated_at if on == ended else None
    else:
        days = [standing.ends_on, grant_ends_on if standing is license_ else None]
        known = [day for day in days if day is not None]
        if not known:
            return None
        on = min(known)
    return End(standing.id, on, (on - today).days, at or spans.ends(on, standing.zone))


def _successors(work: Work, license_ids: set[int]) -> dict[int, LicenseRow]:
    """By licence the one that took its place, and so on."""
    found: dict[int, LicenseRow] = {}
    waiting = license_ids
    for _ in range(_LONGEST):
        if not waiting:
            break
        rows = sa.select(LicenseRow).where(LicenseRow.supersedes_id.in_(waiting))
        fresh = {row.supersedes_id: row for row in work.session.scalars(rows) if row.supersedes_id is not None}
        waiting = {row.id for row in fresh.values()} - found.keys()
        found |= fresh
    return found


def _told(work: Work, usage_ids: Iterable[int]) -> dict[tuple[int, int, date], int]:
    """By use, licence and end the fewest days that were told of."""
    least = sa.func.min(UsageAlertRow.days)
    key = (UsageAlertRow.usage_id, UsageAlertRow.license_id, UsageAlertRow.ends_on)
    rows = sa.select(*key, least).where(UsageAlertRow.usage_id.in_(set(usage_ids))).group_by(*key)
    return {(usage_id, license_id, on): days for usage_id, license_id, on, days in work.session.execute(rows)}


def _pass_over(work: Work, row: UsageRow, end: End, told: Mapping[tuple[int, int, date], int]) -> None:
    if end.days < 0:
        _withdraw(work, row, end)
        return
    due = min((days for days in DAYS if end.days <= days), default=None)
    if due is None or told.get((row.id, end.license_id, end.on), DAYS[0] + 1) <= due:
        return
    work.session.add(
        UsageAlertRow(usage_id=row.id, license_id=end.license_id, days=due, ends_on=end.on, told_at=work.now)
    )
    story = {"license": end.license_id, "days": due, "ends_on": end.on.isoformat(), "version": row.version_id}
    history.record(work, "usage.ending", ("Usage", row.id), story, org_id=row.org_id)


def _withdraw(work: Work, row: UsageRow, end: End) -> None:
    """A reservation is left to its time: nothing is out by it."""
    if row.phase != Phase.ACTUAL.value:
        return
    row.withdrawn_at = min(end.at, work.now)  # whenever the hub came to see it
    story = {"license": end.license_id, "ends_on": end.on.isoformat(), "version": row.version_id}
    history.record(work, "usage.withdrawn", ("Usage", row.id), story, org_id=row.org_id)
