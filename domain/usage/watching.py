"""Exclusivity that was promised to us: somebody is told before it ends, and others may use the same.

Always true here:
- Days are counted where it was given: its last day is one in its zone.
- Of each and its end each of 90, 30, 7 and 1 days is told once, and none after a later one, whatever the clock does.
- One that was ended is watched no more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain import history
from domain.licensing.codes import ExclusivityDirection
from domain.usage import ending
from domain.work import Work
from storage.tables import EventRow, ExclusivityRow

#: Exclusivities looked at in one transaction.
AT_ONCE: Final = 200
_DAY: Final = timedelta(days=1)


def pass_over(work: Work, beyond: int = 0) -> int | None:
    """Tells of those whose ids come after `beyond` and that end soon; the last one looked at, None when there are no
    more. For the hub itself.
    """
    today = work.now.date()
    rows = sa.select(ExclusivityRow).where(
        ExclusivityRow.id > beyond,
        ExclusivityRow.direction == ExclusivityDirection.INCOMING.value,
        ExclusivityRow.ended_at.is_(None),
        ExclusivityRow.ends_on.between(today - _DAY, today + (ending.DAYS[0] + 1) * _DAY),  # of whichever zone
    )
    locked = rows.order_by(ExclusivityRow.id).limit(AT_ONCE).with_for_update(key_share=True)
    found = list(work.session.scalars(locked.execution_options(populate_existing=True)))
    told = _told(work, {row.asset_id for row in found})
    for row in found:
        if row.ends_on is not None:
            _tell(work, row, row.ends_on, told.get((row.id, row.ends_on)))
    work.session.flush()
    return found[-1].id if found else None


def _told(work: Work, asset_ids: Collection[int]) -> dict[tuple[int, date], int]:
    """By exclusivity and end the fewest days that were told of: the events themselves say it."""
    rows = sa.select(EventRow.payload).where(
        EventRow.subject_type == "Asset", EventRow.subject_id.in_(asset_ids), EventRow.type == "exclusivity.ending"
    )
    found: dict[tuple[int, date], int] = {}
    for story in work.session.scalars(rows):
        key = (int(story["exclusivity"]), date.fromisoformat(story["ends_on"]))
        found[key] = min(story["days"], found.get(key, story["days"]))
    return found


def _tell(work: Work, row: ExclusivityRow, ends_on: date, told: int | None) -> None:
    left = (ends_on - work.now.astimezone(ZoneInfo(row.zone)).date()).days
    days = ending.due(left, told)
    if left < 0 or days is None:
        return
    story = {"exclusivity": row.id, "holder": row.holder_org_id, "days": days, "ends_on": ends_on.isoformat()}
    history.record(work, "exclusivity.ending", ("Asset", row.asset_id), story, org_id=row.org_id)
