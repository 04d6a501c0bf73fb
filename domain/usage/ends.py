"""When uses have to be over: the last days of the licences that carry them, and of the releases that they rest on.

Always true here:
- What carried a use once and carries it no more does not end it.
- A licence that was superseded goes on as the one that took its place; a terminated one has ended.
- A release ends when it says so, or when it is revoked; one that is no longer said of the picture ends nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain.licensing import spans
from domain.licensing.codes import LicenseStatus
from domain.usage import reading, succeeding
from domain.work import Work
from storage.tables import (
    AssetRightsRow,
    AssetVersionRow,
    LicenseGrantRow,
    LicenseRow,
    ReleaseRow,
    RightsDecisionRow,
    UsageRecordRow,
    UsageRow,
)

#: A licence superseded more often than this is looked at no further.
_LONGEST: Final = 50
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class End:
    """When a use has to be over, for the want of this licence or release: its last day, the moment after it, and how
    many days it is from today. Below nothing: it was so long ago.
    """

    kind: Literal["license", "release"]
    id: int
    on: date
    days: int
    at: datetime


def of_usages(work: Work, usage_ids: Iterable[int]) -> dict[int, list[End]]:
    """Per use the ends of the licences that it takes anything of, and of the releases that it rests on, those without
    an end left out; the first first.
    """
    ids = set(usage_ids)
    found: dict[int, dict[tuple[str, int], End]] = {}
    for usage_id, end in (*_of_licenses(work, ids), *_of_releases(work, ids)):
        each = found.setdefault(usage_id, {})
        key = (end.kind, end.id)
        each[key] = min(each.get(key, end), end, key=lambda one: one.on)
    return {
        usage_id: sorted(each.values(), key=lambda end: (end.on, end.kind, end.id)) for usage_id, each in found.items()
    }


def _of_licenses(work: Work, usage_ids: Collection[int]) -> Iterator[tuple[int, End]]:
    wanted = (
        sa.select(UsageRecordRow.usage_id, LicenseRow, LicenseGrantRow.ends_on)
        .join(LicenseRow, LicenseRow.id == UsageRecordRow.license_id)
        .join(LicenseGrantRow, LicenseGrantRow.id == UsageRecordRow.grant_id)
        .where(UsageRecordRow.usage_id.in_(usage_ids), reading.is_taken())
    )
    taken = work.session.execute(wanted.distinct().order_by(UsageRecordRow.usage_id, LicenseRow.id)).all()
    later = _successors(work, {license_.id for _, license_, _ in taken})
    now = {license_.id: _standing(license_, later) for _, license_, _ in taken}
    moved = {(usage_id, now[row.id].id) for usage_id, row, _ in taken if now[row.id] is not row}
    fresh = succeeding.last_days(work, moved)
    for usage_id, license_, grant_ends_on in taken:
        row = now[license_.id]
        end = _of_license(row, grant_ends_on if row is license_ else fresh.get((usage_id, row.id)), work.now)
        if end is not None:
            yield usage_id, end


def _of_license(row: LicenseRow, grant_ends_on: date | None, now: datetime) -> End | None:
    over = row.updated_at if row.status == LicenseStatus.TERMINATED else None
    days = [row.ends_on] if over else [row.ends_on, grant_ends_on]
    return _end("license", row.id, row.zone, days, over, now)


def _end(
    kind: Literal["license", "release"],
    id_: int,
    zone: str,
    days: Iterable[date | None],
    over: datetime | None,
    now: datetime,
) -> End | None:
    """The first of these days, or before the moment at which it was over; None where there is none."""
    known = [day for day in days if day is not None]
    ended = None if over is None else over.astimezone(ZoneInfo(zone)).date() - _DAY  # it grants nothing that day
    on = min(known if ended is None else [*known, ended], default=None)
    if on is None:
        return None
    at = over if over is not None and on == ended else spans.ends(on, zone)
    return End(kind, id_, on, (on - now.astimezone(ZoneInfo(zone)).date()).days, at)


def _standing(license_: LicenseRow, later: Mapping[int, LicenseRow]) -> LicenseRow:
    """What stands for the licence now."""
    for _ in range(_LONGEST):
        license_ = later.get(license_.id, license_)
    return license_


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


def _of_releases(work: Work, usage_ids: Collection[int]) -> Iterator[tuple[int, End]]:
    """Those that the decision rests on; an unlimited one has no grant, so that no record names it."""
    rests = [(usage_id, basis) for usage_id, basis in _bases(work, usage_ids) if basis["release_id"] is not None]
    releases = _releases(work, {basis["release_id"] for _, basis in rests})
    said = _said(work, releases, {basis["version_id"] for _, basis in rests})
    rows = sa.select(LicenseGrantRow.id, LicenseGrantRow.ends_on)
    found = work.session.execute(rows.where(LicenseGrantRow.release_id.in_(releases)))
    grants = {row.id: row.ends_on for row in found}
    for usage_id, basis in rests:
        row = releases[basis["release_id"]]
        if (basis["version_id"], row.id) in said:
            days = [row.ends_on, grants.get(basis["grant_id"])]
            end = _end("release", row.id, row.zone, days, row.revoked_at, work.now)
            if end is not None:
                yield usage_id, end


def _bases(work: Work, usage_ids: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What carried each use when it was decided last: `terms.Basis`, field by field."""
    last = sa.func.coalesce(UsageRow.further_decision_id, UsageRow.decision_id)
    rows = sa.select(UsageRow.id, RightsDecisionRow.explanation).join(RightsDecisionRow, RightsDecisionRow.id == last)
    for usage_id, told in work.session.execute(rows.where(UsageRow.id.in_(usage_ids)).order_by(UsageRow.id)):
        for basis in told["basis"]:
            yield usage_id, basis


def _releases(work: Work, release_ids: Collection[int]) -> dict[int, ReleaseRow]:
    rows = sa.select(ReleaseRow).where(ReleaseRow.id.in_(release_ids))
    return {row.id: row for row in work.session.scalars(rows)}


def _said(work: Work, release_ids: Collection[int], version_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these versions are under which of these releases still."""
    rows = sa.select(AssetVersionRow.id, AssetRightsRow.release_id)
    rows = rows.join(AssetRightsRow, AssetRightsRow.asset_id == AssetVersionRow.asset_id)
    of_it = sa.or_(AssetRightsRow.version_id.is_(None), AssetRightsRow.version_id == AssetVersionRow.id)
    standing = (AssetRightsRow.ended_at.is_(None), AssetRightsRow.release_id.in_(release_ids), of_it)
    found = work.session.execute(rows.where(AssetVersionRow.id.in_(version_ids), *standing))
    return {(version_id, release_id) for version_id, release_id in found if release_id is not None}
