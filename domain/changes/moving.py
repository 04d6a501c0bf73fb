"""What moves what may leave of assets: what happened to them and to the terms that they are under, and what the clock
did since.

Days are those of the zone of a licence or release: as in decisions, one counts from the first instant of its first day
until the last day is over. The days of single grants are not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain.changes.past import Happened
from domain.licensing import spans
from domain.work import Work
from storage.tables import EmbargoRow, LicenseRow, ReleaseRow
from storage.types import EPOCH

#: What happens to licences and releases and moves what may leave under them.
TERMS: Final = (
    *("license.activated", "license.resumed", "license.superseded", "license.suspended", "license.terminated"),
    *("release.revoked", "release.signed"),
)
#: Beginnings of what happens to an asset and moves what may leave of it, and of all that it is a part of.
_OF_ASSETS: Final = (
    *("asset.absorbed", "asset.gave_back", "asset.merged", "asset.unmerged"),
    *("asset_rights.", "component.", "embargo.", "exclusivity.", "takedown."),
)
#: In every zone days begin on one of these.
_QUARTER: Final = timedelta(minutes=15)
#: Further than any zone is from any other.
_FAR: Final = timedelta(days=2)


@dataclass(frozen=True)
class Moves:
    """By id when each last moved; `turned` are assets with an embargo that began or ended by the clock."""

    licenses: Mapping[int, datetime] = field(default_factory=dict)
    releases: Mapping[int, datetime] = field(default_factory=dict)
    assets: Mapping[int, datetime] = field(default_factory=dict)
    turned: Mapping[int, datetime] = field(default_factory=dict)


def of(work: Work, events: Iterable[Happened], begun: datetime, ended: datetime) -> Moves:
    """By the events, and by the clock after `begun` until `ended`; two statements."""
    told = [*_told(events), *_days(work, begun, ended), *_embargoes(work, begun, ended)]
    found: dict[str, dict[int, datetime]] = {"License": {}, "Release": {}, "Asset": {}, "turned": {}}
    for kind, id_, at in told:
        found[kind][id_] = max(at, found[kind].get(id_, at))
    return Moves(found["License"], found["Release"], found["Asset"], found["turned"])


def is_silent(event: Happened) -> bool:
    """Whether, though it is of what moves, nothing is barred by it: what was promised to us, and reminders."""
    if not event.type.startswith("exclusivity."):
        return False
    return event.type == "exclusivity.ending" or event.payload.get("direction") == "INCOMING"


def begins(day: date | None, zone: str) -> datetime | None:
    return None if day is None else spans.begins(spans.clamped(day), zone)


def ends(day: date | None, zone: str) -> datetime | None:
    """The instant after it."""
    return None if day is None else spans.ends(spans.clamped(day), zone)


def _told(events: Iterable[Happened]) -> Iterator[tuple[str, int, datetime]]:
    for event in events:
        if event.type in TERMS or (event.type.startswith(_OF_ASSETS) and not is_silent(event)):
            yield event.subject_type, event.subject_id, event.occurred_at


def _days(work: Work, begun: datetime, ended: datetime) -> Iterator[tuple[str, int, datetime]]:
    """Licences and releases that began, or are over. Nothing is looked through while no day begins anywhere."""
    turns = (begun - EPOCH) // _QUARTER != (ended - EPOCH) // _QUARTER
    first, last = (begun - _FAR).date(), (ended + _FAR).date()

    def near(table: Any) -> sa.ColumnElement[bool]:
        days = sa.or_(table.starts_on.between(first, last), table.ends_on.between(first, last))
        return days if turns else sa.false()

    kinds = (("License", LicenseRow), ("Release", ReleaseRow))
    rows = [
        sa.select(sa.literal_column(f"'{kind}'", sa.Text), table.id, table.starts_on, table.ends_on, table.zone).where(
            near(table)
        )
        for kind, table in kinds
    ]
    for kind, id_, starts_on, ends_on, zone in work.session.execute(sa.union_all(*rows)):
        for at in (begins(starts_on, zone), ends(ends_on, zone)):
            if at is not None and begun < at <= ended:
                yield kind, id_, at


def _embargoes(work: Work, begun: datetime, ended: datetime) -> Iterator[tuple[str, int, datetime]]:
    rows = [
        sa.select(EmbargoRow.asset_id, at).where(EmbargoRow.lifted_at.is_(None), at > begun, at <= ended)
        for at in (EmbargoRow.starts_at, EmbargoRow.ends_at)
    ]
    for asset_id, at in work.session.execute(sa.union_all(*rows)):
        if at is not None:  # as the condition says
            yield "turned", asset_id, at
