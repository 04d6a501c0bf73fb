"""What runs until its licence or a release ends, or longer: somebody is told in time, and at the end it is withdrawn.

Always true here:
- Days are counted where the licence is: its last day is one in its zone.
- Of one use and one end each of 90, 30, 7 and 1 days is told once, and none after a later one, whatever the clock does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

from domain import history
from domain.usage import ends, reading
from domain.usage.ends import End
from domain.usage.reading import Phase
from domain.work import Work
from storage.tables import EventRow, UsageAlertRow, UsageRow

#: Days before the end at which somebody is told.
DAYS: Final = (90, 30, 7, 1)
#: Uses looked at in one transaction.
AT_ONCE: Final = 200
_DAY: Final = timedelta(days=1)

#: A use, whether it is a licence or a release that ends, its id, and the end.
Key = tuple[int, str, int, date]


def pass_over(work: Work, beyond: int = 0) -> int | None:
    """Tells of uses whose ids come after `beyond` and whose licence or release ends soon, and withdraws those of which
    one has ended; the last one looked at, None when there are no more. For the hub itself.
    """
    rows = sa.select(UsageRow).where(UsageRow.id > beyond, reading.is_out(), UsageRow.ends_on >= work.now.date() - _DAY)
    locked = rows.order_by(UsageRow.id).limit(AT_ONCE).with_for_update(key_share=True)
    found = list(work.session.scalars(locked.execution_options(populate_existing=True)))
    over = ends.of_usages(work, [row.id for row in found])
    told = _told(work, [row.id for row in found])
    for row in found:
        for end in over.get(row.id, ()):
            if row.ends_on >= end.on and row.withdrawn_at is None and row.phase != Phase.VOID.value:
                _pass_over(work, row, end, told)
    work.session.flush()
    return found[-1].id if found else None


def due(days: int, told: int | None) -> int | None:
    """Which of `DAYS` is to be told of so many days before the end, where the last time `told` were; None: nothing."""
    found = min((each for each in DAYS if days <= each), default=None)
    return None if found is None or (told is not None and told <= found) else found


def _told(work: Work, usage_ids: Iterable[int]) -> dict[Key, int]:
    """The fewest days that were told of. Of licences there are rows; of releases the events say it themselves."""
    least = sa.func.min(UsageAlertRow.days)
    key = (UsageAlertRow.usage_id, UsageAlertRow.license_id, UsageAlertRow.ends_on)
    rows = sa.select(*key, least).where(UsageAlertRow.usage_id.in_(set(usage_ids))).group_by(*key)
    found = {(usage_id, "license", id_, on): days for usage_id, id_, on, days in work.session.execute(rows)}
    of_them = (EventRow.subject_type == "Usage", EventRow.subject_id.in_(set(usage_ids)))
    events = sa.select(EventRow.subject_id, EventRow.payload).where(*of_them, EventRow.type == "usage.ending")
    for usage_id, story in work.session.execute(events):
        if "release" in story:
            one = (usage_id, "release", int(story["release"]), date.fromisoformat(story["ends_on"]))
            found[one] = min(story["days"], found.get(one, story["days"]))
    return found


def _pass_over(work: Work, row: UsageRow, end: End, told: Mapping[Key, int]) -> None:
    if end.days < 0:
        _withdraw(work, row, end)
        return
    days = due(end.days, told.get((row.id, end.kind, end.id, end.on)))
    if days is None:
        return
    if end.kind == "license":
        work.session.add(UsageAlertRow(usage_id=row.id, license_id=end.id, days=days, ends_on=end.on, told_at=work.now))
    story = {end.kind: end.id, "days": days, "ends_on": end.on.isoformat(), "version": row.version_id}
    history.record(work, "usage.ending", ("Usage", row.id), story, org_id=row.org_id)


def _withdraw(work: Work, row: UsageRow, end: End) -> None:
    """A reservation is left to its time: nothing is out by it."""
    if row.phase != Phase.ACTUAL.value:
        return
    row.withdrawn_at = min(end.at, work.now)  # whenever the hub came to see it
    story = {end.kind: end.id, "ends_on": end.on.isoformat(), "version": row.version_id}
    history.record(work, "usage.withdrawn", ("Usage", row.id), story, org_id=row.org_id)
