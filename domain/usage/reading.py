"""The register of usage, for those who may see it: of organisations where they hold USAGE_VIEW, whichever way an asset
came there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

import sqlalchemy as sa

from domain import identity, reads
from domain.pages import Key
from domain.permissions import Permission
from domain.reads import Below, By, Ordered
from domain.work import Work
from storage.tables import AssetVersionRow, LicenseRow, UsageRecordRow, UsageRow


class Phase(Enum):
    """RESERVED → ACTUAL, by being confirmed; RESERVED → VOID, by being given up or running out of time."""

    RESERVED = "RESERVED"
    ACTUAL = "ACTUAL"
    VOID = "VOID"


#: What `records_of` answers, as a read.
RECORDS: Final = Below(sa.select(UsageRecordRow), UsageRecordRow.usage_id, (UsageRecordRow.id,))


@dataclass(frozen=True)
class Wanted:
    """Which uses; None and empty leave it open."""

    asset_id: int | None = None
    version_id: int | None = None
    license_id: int | None = None
    phases: frozenset[Phase] = frozenset()
    #: Still out after this day: neither given up nor withdrawn.
    running_after: date | None = None


def visible(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `UsageRow` that binds every read of the register."""
    return identity.in_orgs(work, Permission.USAGE_VIEW, UsageRow.org_id)


def sight(work: Work) -> Hashable:
    """Equal for those for whom `visible` is spelled alike."""
    return identity.likeness_in_orgs(work, Permission.USAGE_VIEW)


def seen(work: Work) -> By:
    return By(sa.select(UsageRow).where(visible(work)), UsageRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, UsageRow]:
    return reads.by_id(work, seen(work), ids)


def listed(work: Work, wanted: Wanted) -> Ordered:
    """Newest first; those that still run by the day that they end, the first first."""
    rows = _listed(work, wanted)
    if wanted.running_after is None:
        return Ordered(rows, (Key(UsageRow.id, descending=True),))
    return Ordered(rows, (Key(UsageRow.ends_on, descending=False), Key(UsageRow.id, descending=False)))


def records_of(work: Work, ids: Iterable[int]) -> dict[int, list[UsageRecordRow]]:
    """Per use, which the viewer sees, what was recorded of it, in order."""
    return reads.grouped(work, RECORDS, ids)


def running(work: Work, asset_ids: Collection[int]) -> dict[int, list[int]]:
    """Per asset the uses that are out or to come, as far as the viewer may know, oldest first."""
    rows = (
        sa.select(AssetVersionRow.asset_id, UsageRow.id)
        .join(AssetVersionRow, AssetVersionRow.id == UsageRow.version_id)
        .where(AssetVersionRow.asset_id.in_(set(asset_ids)), is_out(), visible(work))
        .where(UsageRow.ends_on >= work.now.date())
        .order_by(UsageRow.id)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for asset_id, usage_id in work.session.execute(rows):
        found[asset_id].append(usage_id)
    return found


def is_out() -> sa.ColumnElement[bool]:
    """The condition on `UsageRow` that nobody gave it up or withdrew it."""
    return sa.and_(UsageRow.phase != Phase.VOID.value, UsageRow.withdrawn_at.is_(None))


def under(license_id: int) -> sa.ColumnElement[bool]:
    """The condition on `UsageRow` that it takes anything of the licence, or would have, had it not been given up; or of
    one whose place it took, for the uses of that go on under it.
    """
    line = sa.select(LicenseRow.id, LicenseRow.supersedes_id).where(LicenseRow.id == license_id)
    line_of = line.cte("line", recursive=True)
    before = sa.select(LicenseRow.id, LicenseRow.supersedes_id).where(LicenseRow.id == line_of.c.supersedes_id)
    line_of = line_of.union(before)
    of_it = sa.select(UsageRecordRow.usage_id).where(UsageRecordRow.license_id.in_(sa.select(line_of.c.id)))
    given_up = sa.and_(UsageRow.phase == Phase.VOID.value, UsageRow.id.in_(of_it))
    return sa.or_(UsageRow.id.in_(of_it.where(is_taken())), given_up)


def is_taken() -> sa.ColumnElement[bool]:
    """The condition on `UsageRecordRow` that it is a reservation which nothing voided. A use that took more than was
    reserved may have moved to other licences: what it had reserved of the first is void.
    """
    later = sa.orm.aliased(UsageRecordRow)
    voided = sa.exists().where(later.reservation_id == UsageRecordRow.id, later.phase == Phase.VOID.value)
    return sa.and_(UsageRecordRow.phase == Phase.RESERVED.value, ~voided)


def _listed(work: Work, wanted: Wanted) -> sa.Select[UsageRow]:
    rows = seen(work).rows
    if wanted.asset_id is not None:
        versions = sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id == wanted.asset_id)
        rows = rows.where(UsageRow.version_id.in_(versions))
    if wanted.version_id is not None:
        rows = rows.where(UsageRow.version_id == wanted.version_id)
    if wanted.license_id is not None:
        rows = rows.where(under(wanted.license_id))
    if wanted.phases:
        rows = rows.where(UsageRow.phase.in_(sorted(each.value for each in wanted.phases)))
    if wanted.running_after is not None:
        rows = rows.where(is_out(), UsageRow.ends_on > wanted.running_after)
    return rows
