"""The register of usage, for those who may see it: of organisations where they hold USAGE_VIEW, whichever way an asset
came there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

import sqlalchemy as sa

from domain import identity
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetVersionRow, UsageRecordRow, UsageRow


class Phase(Enum):
    """RESERVED → ACTUAL, by being confirmed; RESERVED → VOID, by being given up or running out of time."""

    RESERVED = "RESERVED"
    ACTUAL = "ACTUAL"
    VOID = "VOID"


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


def by_id(work: Work, ids: Iterable[int]) -> dict[int, UsageRow]:
    rows = sa.select(UsageRow).where(UsageRow.id.in_(set(ids)), visible(work))
    return {row.id: row for row in work.session.scalars(rows)}


def page(work: Work, wanted: Wanted, asked: Paging) -> Slice[UsageRow]:
    """Newest first; those that still run by the day that they end, the first first."""
    keys = [Key(UsageRow.id, descending=True)]
    if wanted.running_after is not None:
        keys = [Key(UsageRow.ends_on, descending=False), Key(UsageRow.id, descending=False)]
    return read_slice(work, _listed(work, wanted), keys, asked)


def count(work: Work, wanted: Wanted) -> int:
    rows = _listed(work, wanted).with_only_columns(UsageRow.id).subquery()
    return work.session.scalar(sa.select(sa.func.count()).select_from(rows)) or 0


def records_of(work: Work, ids: Iterable[int]) -> dict[int, list[UsageRecordRow]]:
    """Per use, which the viewer sees, what was recorded of it, in order."""
    wanted = set(ids)
    found: dict[int, list[UsageRecordRow]] = defaultdict(list)
    rows = sa.select(UsageRecordRow).where(UsageRecordRow.usage_id.in_(wanted)).order_by(UsageRecordRow.id)
    for row in work.session.scalars(rows):
        found[row.usage_id].append(row)
    return {each: found[each] for each in wanted}


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
    """The condition on `UsageRow` that it takes anything of the licence."""
    taken = sa.select(UsageRecordRow.usage_id).where(UsageRecordRow.license_id == license_id)
    return UsageRow.id.in_(taken)


def _listed(work: Work, wanted: Wanted) -> sa.Select[UsageRow]:
    rows = sa.select(UsageRow).where(visible(work))
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
