"""What becomes of the rights of two assets that become one: no version is freer afterwards than it was before.

What was said of all of an asset was said of its own versions. Where the two were not said the same of, it is said of
each of these versions from now on, and no longer of those to come, of which somebody has to say it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from domain.work import Work
from storage.tables import AssetRightsRow

_SAID = ("license_id", "release_id", "coverage", "recognisable_people", "recognisable_property")


def merge(work: Work, from_id: int, into_id: int, moved: Iterable[int], staying: Iterable[int]) -> None:
    """`moved` and `staying` are the versions that came from each asset; they are all of `into_id` by now."""
    theirs, ours = _of_all(work, from_id), _of_all(work, into_id)
    if {_said(row) for row in theirs} != {_said(row) for row in ours}:
        for rows, versions in ((theirs, list(moved)), (ours, list(staying))):
            _narrow(work, rows, versions, into_id)
    for row in theirs:
        row.ended_at, row.ending = row.ended_at or work.now, "MERGED"
    work.session.flush()
    of_gone = sa.update(AssetRightsRow).where(AssetRightsRow.asset_id == from_id).values(asset_id=into_id)
    work.session.execute(of_gone.execution_options(synchronize_session=False))
    for row in theirs:
        work.session.expire(row)


def _of_all(work: Work, asset_id: int) -> list[AssetRightsRow]:
    """What stands of all of the asset's versions."""
    rows = sa.select(AssetRightsRow).where(
        AssetRightsRow.asset_id == asset_id, AssetRightsRow.version_id.is_(None), AssetRightsRow.ended_at.is_(None)
    )
    return list(work.session.scalars(rows.order_by(AssetRightsRow.id)))


def _said(row: AssetRightsRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _SAID)


def _narrow(work: Work, rows: list[AssetRightsRow], versions: list[int], asset_id: int) -> None:
    there = sa.select(AssetRightsRow).where(AssetRightsRow.version_id.in_(versions), AssetRightsRow.ended_at.is_(None))
    known = {(row.version_id, *_said(row)[:2]) for row in work.session.scalars(there)}
    for row in rows:
        row.ended_at, row.ending = work.now, "MERGED"
        for version_id in versions:
            under = row.license_id is not None or row.release_id is not None
            if under and (version_id, row.license_id, row.release_id) in known:
                continue
            told = dict(zip(_SAID, _said(row), strict=True))
            work.session.add(
                AssetRightsRow(
                    org_id=row.org_id,
                    asset_id=asset_id,
                    version_id=version_id,
                    assessed_at=row.assessed_at,
                    assessed_by=row.assessed_by,
                    **told,
                )
            )
    work.session.flush()
