"""What looks like an asset or an upload, among what the viewer may see.

Every version counts, old ones and those of archived assets; of an asset the viewer is told by the nearest of the
versions that they see, and nothing is counted or ordered by one that they do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from domain import assets, identity, intake
from domain.work import Work
from storage.tables import AlikeRow, AssetRow, AssetVersionRow, LikenessHeadRow, LikenessRow


@dataclass(frozen=True)
class Similar:
    """An asset that looks like the one asked about, by the two versions that are nearest; `distance` 0: the same
    picture. Of an upload there is no `own`.
    """

    asset: AssetRow
    version: AssetVersionRow
    own: AssetVersionRow | None
    distance: int
    is_mirrored: bool
    has_same_bytes: bool


class Looking(Enum):
    """LOOKING: it is still looked at, and more may be found. NOTHING: there is no picture, or one too plain to compare.
    FAILED: it could not be looked at.
    """

    LOOKING = "LOOKING"
    DONE = "DONE"
    NOTHING = "NOTHING"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Looked:
    """How far looking at an upload has come, and what looks like it by now."""

    state: Looking
    failure: tuple[str, str] | None
    similar: list[Similar]


def of_assets(work: Work, asset_ids: Iterable[int], first: int) -> dict[int, list[Similar]]:
    """Per asset what looks like it, nearest first; three statements, however many they are."""
    ids = set(asset_ids)
    mine: dict[str, list[AssetVersionRow]] = defaultdict(list)
    rows = sa.select(AssetVersionRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    for own in work.session.scalars(rows.where(AssetRow.id.in_(ids), identity.sees_version(work))):
        mine[own.sha256].append(own)
    return _nearest(_alike(work, mine), ids, first)


def of_upload(work: Work, upload_id: str, first: int) -> Looked:
    """Of a finished upload of the viewer's own."""
    row = intake.completed(work, upload_id)
    assert row.sha256 is not None
    found = _nearest(_alike(work, {row.sha256: [None]}), {0}, first)[0]
    known = work.session.get(LikenessRow, row.sha256)
    failure = None if known is None or known.failure_code is None else (known.failure_code, known.failure_message or "")
    return Looked(_state(work, known), failure, found)


def _state(work: Work, known: LikenessRow | None) -> Looking:
    if known is None or known.state == "LOOKING":
        return Looking.LOOKING
    if known.number is None:
        return Looking(known.state)
    compared = work.session.scalars(sa.select(LikenessHeadRow.compared)).one()
    return Looking.DONE if known.number <= compared else Looking.LOOKING


def _alike(work: Work, mine: Mapping[str, Sequence[AssetVersionRow | None]]) -> dict[int, list[Similar]]:
    """By asset (0 for an upload) every version of another that looks like one of these, or has its bytes."""
    seen = sa.and_(identity.sees_version(work), assets.is_kept(AssetRow.id))
    rows = sa.select(AssetVersionRow, AssetRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id).where(seen)
    same = rows.where(AssetVersionRow.sha256.in_(mine))
    told = (AlikeRow.sha256, AlikeRow.distance, AlikeRow.is_mirrored)
    near = rows.join(AlikeRow, AlikeRow.other == AssetVersionRow.sha256).where(AlikeRow.sha256.in_(mine))
    ways = [(version, asset, version.sha256, 0, False) for version, asset in work.session.execute(same)]
    ways += [tuple(row) for row in work.session.execute(near.add_columns(*told))]
    found: dict[int, list[Similar]] = defaultdict(list)
    for version, asset, by, distance, is_mirrored in ways:
        for own in mine[by]:
            if own is None or own.asset_id != asset.id:
                one = Similar(asset, version, own, distance, is_mirrored, by == version.sha256)
                found[0 if own is None else own.asset_id].append(one)
    return found


def _nearest(found: Mapping[int, list[Similar]], ids: Iterable[int], first: int) -> dict[int, list[Similar]]:
    nearest: dict[int, list[Similar]] = {}
    for id_ in ids:
        once: dict[int, Similar] = {}
        for each in sorted(found.get(id_, ()), key=_rank):
            once.setdefault(each.asset.id, each)
        nearest[id_] = list(once.values())[:first]
    return nearest


def _rank(each: Similar) -> tuple[bool, int, int, int, int]:
    own = 0 if each.own is None else -each.own.number
    return not each.has_same_bytes, each.distance, each.asset.id, -each.version.number, own
