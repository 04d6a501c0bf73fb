"""The focal point of a version: what crops of it keep, wherever they are cut.

Somebody sets it by hand, or the hub proposes one when it first makes a picture of the version; a proposal never
replaces what a person said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import sqlalchemy as sa

from domain import history, identity, refreshing
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, FocalPointRow

#: Finer differences cannot be seen, and would split the cache.
_DECIMALS = 4


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, FocalPointRow]:
    """Versions without one are left out."""
    rows = sa.select(FocalPointRow).where(FocalPointRow.version_id.in_(set(version_ids)))
    return {row.version_id: row for row in work.session.scalars(rows)}


def set_by_hand(work: Work, version_id: int, x: float, y: float) -> AssetVersionRow:
    """Both from 0 to 1, from the left and the top of the picture as displayed; its crops are made anew."""
    version, asset = _held(work, version_id)
    for name, part in (("x", x), ("y", y)):
        if not (math.isfinite(part) and 0 <= part <= 1):
            raise Invalid("A focal point lies within the picture, each part between 0 and 1.", (name,), "range")
    row = _row(work, version_id)
    row.x, row.y, row.origin = round(x, _DECIMALS), round(y, _DECIMALS), "MANUAL"
    row.set_at, row.set_by = work.now, work.viewer.principal_id
    _changed(work, version, asset)
    return version


def clear(work: Work, version_id: int) -> AssetVersionRow:
    """Crops go back to what the hub proposes, else the centre."""
    version, asset = _held(work, version_id)
    work.session.execute(sa.delete(FocalPointRow).where(FocalPointRow.version_id == version_id))
    _changed(work, version, asset)
    return version


def propose(work: Work, version_id: int, x: float, y: float) -> None:
    """Kept unless there is a point already."""
    if work.session.get(FocalPointRow, version_id) is None:
        row = _row(work, version_id)
        row.x, row.y, row.origin, row.set_at = round(x, _DECIMALS), round(y, _DECIMALS), "PROPOSED", work.now
        work.session.flush()


def take_over(work: Work, version_id: int, others: Iterable[int]) -> None:
    """What was proposed of other versions of the same bytes: the same would be proposed of this one."""
    for point in of_versions(work, others).values():
        if point.origin == "PROPOSED":
            propose(work, version_id, point.x, point.y)


def by_hand(work: Work, version_id: int) -> tuple[float, float] | None:
    """What a person said; a proposal follows from the picture and needs not be told again."""
    row = work.session.get(FocalPointRow, version_id)
    return (row.x, row.y) if row is not None and row.origin == "MANUAL" else None


def _row(work: Work, version_id: int) -> FocalPointRow:
    row = work.session.get(FocalPointRow, version_id)
    if row is None:
        row = FocalPointRow(version_id=version_id)
        work.session.add(row)
    return row


def _held(work: Work, version_id: int) -> tuple[AssetVersionRow, AssetRow]:
    seen = sa.select(AssetVersionRow, AssetRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    found = work.session.execute(seen.where(AssetVersionRow.id == version_id, identity.sees_version(work)))
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no version with this id.", ("version",))
    version, asset = row
    identity.require(work, Permission.ASSET_UPDATE, asset)
    return version, asset


def _changed(work: Work, version: AssetVersionRow, asset: AssetRow) -> None:
    work.session.flush()
    payload = {"version": version.id}
    history.record(work, "asset.focal_point_changed", ("Asset", asset.id), payload, org_id=asset.org_id)
    refreshing.ask(work, [version.id], asset.org_id)
