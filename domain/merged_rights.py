"""What becomes of the rights of two assets that become one: no version is freer afterwards than it was before.

What was said of all of an asset was said of its own versions. Where the two were not said the same of, it is said of
each of these versions from now on, and no longer of those to come, of which somebody has to say it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from domain.work import Work
from storage.tables import AssetRightsRow, AssetVersionRow

#: Ids of rows, as JSON keeps them.
Told = dict[str, list[int]]
_SAID = ("license_id", "release_id", "coverage", "recognisable_people", "recognisable_property")


def merge(work: Work, from_id: int, into_id: int, moved: Iterable[int], staying: Iterable[int]) -> Told:
    """`moved` and `staying` are the versions that came from each asset; they are all of `into_id` by now. What was
    done is told by the ids of the rows, for `part`.
    """
    theirs, ours = _of_all(work, from_id), _of_all(work, into_id)
    told: Told = {"moved": _ids(work, AssetRightsRow.asset_id == from_id), "narrowed": []}
    if {_said(row) for row in theirs} != {_said(row) for row in ours}:
        for rows, versions in ((theirs, list(moved)), (ours, list(staying))):
            told["narrowed"] += _narrow(work, rows, versions, into_id)
        told["ours"] = [row.id for row in ours]
    for row in theirs:
        row.ended_at, row.ending = row.ended_at or work.now, "MERGED"
    told["theirs"] = [row.id for row in theirs]
    work.session.flush()
    of_gone = sa.update(AssetRightsRow).where(AssetRightsRow.asset_id == from_id).values(asset_id=into_id)
    work.session.execute(of_gone.execution_options(synchronize_session=False))
    for row in theirs:
        work.session.expire(row)
    return told


def part(work: Work, from_id: int, into_id: int, told: Told) -> None:
    """Takes `merge` back, where the same stands as when it was done: what was said of all of each asset is said of it
    anew, in the words and the name of whoever said it, and no longer of single versions. Versions have moved already.
    """
    versions = sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id == from_id)
    narrowed = AssetRightsRow.id.in_(told["narrowed"])
    theirs = sa.or_(AssetRightsRow.id.in_(told["moved"]), sa.and_(narrowed, AssetRightsRow.version_id.in_(versions)))
    _change(work, theirs, asset_id=from_id)
    for asset_id, ids in ((from_id, told["theirs"]), (into_id, told.get("ours", []))):
        rows = sa.select(AssetRightsRow).where(AssetRightsRow.id.in_(ids)).order_by(AssetRightsRow.id)
        work.session.add_all([_said_again(row, asset_id, None) for row in work.session.scalars(rows)])
    work.session.flush()
    _change(work, narrowed, ended_at=work.now, ending="MERGED")


def standing(work: Work, asset_id: int) -> list[int]:
    """The ids of what stands of the asset and its versions, ascending."""
    return _ids(work, sa.and_(AssetRightsRow.asset_id == asset_id, AssetRightsRow.ended_at.is_(None)))


def _ids(work: Work, which: sa.ColumnElement[bool]) -> list[int]:
    return list(work.session.scalars(sa.select(AssetRightsRow.id).where(which).order_by(AssetRightsRow.id)))


def _change(work: Work, which: sa.ColumnElement[bool], **values: object) -> None:
    rows = sa.update(AssetRightsRow).where(which).values(**values)
    work.session.execute(rows.execution_options(synchronize_session=False))


def _of_all(work: Work, asset_id: int) -> list[AssetRightsRow]:
    """What stands of all of the asset's versions."""
    rows = sa.select(AssetRightsRow).where(
        AssetRightsRow.asset_id == asset_id, AssetRightsRow.version_id.is_(None), AssetRightsRow.ended_at.is_(None)
    )
    return list(work.session.scalars(rows.order_by(AssetRightsRow.id)))


def _said(row: AssetRightsRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _SAID)


def _narrow(work: Work, rows: list[AssetRightsRow], versions: list[int], asset_id: int) -> list[int]:
    """The ids of what is said of single versions instead."""
    there = sa.select(AssetRightsRow).where(AssetRightsRow.version_id.in_(versions), AssetRightsRow.ended_at.is_(None))
    known = {(row.version_id, *_said(row)[:2]) for row in work.session.scalars(there)}
    fresh = []
    for row in rows:
        row.ended_at, row.ending = work.now, "MERGED"
        for version_id in versions:
            under = row.license_id is not None or row.release_id is not None
            if under and (version_id, row.license_id, row.release_id) in known:
                continue
            fresh.append(_said_again(row, asset_id, version_id))
    work.session.add_all(fresh)
    work.session.flush()
    return [row.id for row in fresh]


def _said_again(row: AssetRightsRow, asset_id: int, version_id: int | None) -> AssetRightsRow:
    return AssetRightsRow(
        org_id=row.org_id,
        asset_id=asset_id,
        version_id=version_id,
        assessed_at=row.assessed_at,
        assessed_by=row.assessed_by,
        **dict(zip(_SAID, _said(row), strict=True)),
    )
