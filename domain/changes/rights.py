"""What may leave of assets, in the feed: which of them had that moved in a window, and why nothing leaves of one now.

Why is told of the version that leaves: the approved one, else the current one, with all that it is made of. It is read
from what stands now, not from what happened, so that it is the same from whichever cursor one reads; whoever asks is
told one word of it and nothing of the terms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from domain.changes import moving
from domain.changes.moving import Moves
from domain.changes.past import Reason
from domain.changes.reading import Reading, ids_of
from domain.licensing.codes import Coverage, LicenseKind, LicenseStatus, ReleaseStatus
from domain.work import Work
from storage.tables import (
    TAKEDOWN_STANDS,
    AssetRightsRow,
    AssetRow,
    AssetVersionRow,
    ComponentRow,
    EmbargoRow,
    EventRow,
    LicenseRow,
    ReleaseRow,
    TakedownRow,
)

Cause = tuple[datetime, Reason]
_LICENSED: Final = ("status", "kind", "starts_on", "ends_on", "zone", "updated_at", "activated_at", "supersedes_id")
_RELEASED: Final = ("status", "ends_on", "zone", "revoked_at")


class Part(NamedTuple):
    """A shown version of an asset, and something that it is made of, itself included; `leaving` is of the asset."""

    asset_id: int
    leaving: int
    root: int
    version_id: int
    holder_id: int


@dataclass(frozen=True)
class Standing:
    """When what may leave of it last moved by something other than itself, for those who see all of it and for those
    who see what is approved; and why nothing leaves now that did.
    """

    whole: datetime | None = None
    public: datetime | None = None
    reason: Reason | None = None


def touched(reading: Reading, beyond: int, limit: int) -> set[int]:
    """Assets above `beyond` of which what may leave moved in the window, the lowest `limit` at least, by anything but
    what happened to themselves.
    """
    moves = reading.moves
    found = set(moves.turned)
    for column, ids in ((AssetRightsRow.license_id, moves.licenses), (AssetRightsRow.release_id, moves.releases)):
        if ids:
            found |= _under(reading.work, column, ids, beyond, limit)
    if parts := [*_parts(moves)]:
        inside = sa.select(sa.union(*parts).subquery()).cte("inside", recursive=True)
        above = sa.select(ComponentRow.composite_version_id)
        inside = inside.union(above.join(inside, ComponentRow.part_version_id == inside.c.id))
        whole = AssetVersionRow.id.in_(sa.select(inside.c.id))
        found.update(ids_of(reading.work, AssetVersionRow.asset_id, whole, beyond, limit))
    return found


def told(reading: Reading, ids: Sequence[int], approved: Collection[int]) -> dict[int, Standing]:
    """Of all of these; `approved` are versions."""
    parts = _closure(reading.work, ids)
    said = _said(reading.work, parts)
    whole, public = _moved(reading.moves, parts, said, approved)
    reasons = _reasons(reading.work, reading.now, parts, said)
    return {id_: Standing(whole.get(id_), public.get(id_), reasons.get(id_)) for id_ in ids}


def reasons(work: Work, ids: Sequence[int]) -> dict[int, Reason]:
    """Of those of which nothing leaves now for something that took them from delivery, why: what came last counts."""
    parts = _closure(work, ids)
    return _reasons(work, work.now, parts, _said(work, parts))


def _under(work: Work, column: Any, ids: Collection[int], beyond: int, limit: int) -> set[int]:
    """Assets that are under one of the terms, whole or by a version, which is of the asset that it is of now."""
    alone = AssetVersionRow.id.in_(_alone(column, ids))
    return {
        *ids_of(work, AssetRightsRow.asset_id, _whole(column, ids), beyond, limit),
        *ids_of(work, AssetVersionRow.asset_id, alone, beyond, limit),
    }


def _whole(column: Any, ids: Collection[int]) -> sa.ColumnElement[bool]:
    """Of a row of rights that it stands, for all of an asset, under one of the terms."""
    return sa.and_(AssetRightsRow.ended_at.is_(None), AssetRightsRow.version_id.is_(None), column.in_(sorted(ids)))


def _alone(column: Any, ids: Collection[int]) -> sa.Select[Any]:
    """Versions of which alone something stands under one of the terms: they are few, while a licence may be of all
    assets, so that its index is kept out of this.
    """
    stands = (AssetRightsRow.ended_at.is_(None), (column + 0).in_(sorted(ids)))
    return sa.select(AssetRightsRow.version_id).where(AssetRightsRow.version_id.is_not(None), *stands)


def _parts(moves: Moves) -> Iterator[sa.Select[Any]]:
    """Versions with a part of which what may leave moved. Parts are looked through, for they are few."""
    part = sa.orm.aliased(AssetVersionRow)
    rows = sa.select(ComponentRow.composite_version_id.label("id")).join(part, part.id == ComponentRow.part_version_id)
    if assets := {*moves.assets, *moves.turned}:
        yield rows.where(part.asset_id.in_(sorted(assets)))
    for column, ids in ((AssetRightsRow.license_id, moves.licenses), (AssetRightsRow.release_id, moves.releases)):
        if ids:
            whole = sa.exists().where(_whole(column, ids), AssetRightsRow.asset_id == part.asset_id)
            yield rows.where(sa.or_(whole, part.id.in_(_alone(column, ids))))


def _closure(work: Work, ids: Sequence[int]) -> list[Part]:
    leaving = sa.func.coalesce(AssetRow.approved_version_id, AssetRow.current_version_id)
    shown = sa.or_(
        AssetVersionRow.id == AssetRow.current_version_id, AssetVersionRow.id == AssetRow.approved_version_id
    )
    rows = sa.select(
        AssetRow.id.label("asset_id"),
        leaving.label("leaving"),
        AssetVersionRow.id.label("root"),
        AssetVersionRow.id.label("version_id"),
        AssetVersionRow.asset_id.label("holder_id"),
    )
    own = sa.and_(AssetVersionRow.asset_id == AssetRow.id, shown)
    reach = rows.join(AssetVersionRow, own).where(AssetRow.id.in_(ids)).cte("reach", recursive=True)
    below = (
        sa.select(
            reach.c.asset_id, reach.c.leaving, reach.c.root, ComponentRow.part_version_id, AssetVersionRow.asset_id
        )
        .join(ComponentRow, ComponentRow.composite_version_id == reach.c.version_id)
        .join(AssetVersionRow, AssetVersionRow.id == ComponentRow.part_version_id)
    )
    return [Part(*row) for row in work.session.execute(sa.select(reach.union(below)))]


def _said(work: Work, parts: Iterable[Part]) -> dict[int, list[Any]]:
    """Per version what stands of it alone or of all of its asset."""
    holders = {each.version_id: each.holder_id for each in parts}
    told = (AssetRightsRow.asset_id, AssetRightsRow.version_id, AssetRightsRow.coverage)
    terms = (AssetRightsRow.license_id, AssetRightsRow.release_id)
    of_license = [getattr(LicenseRow, name).label(f"license_{name}") for name in _LICENSED]
    of_release = [getattr(ReleaseRow, name).label(f"release_{name}") for name in _RELEASED]
    rows = (
        sa.select(*told, *terms, *of_license, *of_release)
        .join(LicenseRow, LicenseRow.id == AssetRightsRow.license_id, isouter=True)
        .join(ReleaseRow, ReleaseRow.id == AssetRightsRow.release_id, isouter=True)
        .where(AssetRightsRow.ended_at.is_(None))
    )
    whole = rows.where(AssetRightsRow.asset_id.in_(set(holders.values())), AssetRightsRow.version_id.is_(None))
    both = whole.union_all(rows.where(AssetRightsRow.version_id.in_(holders)))
    of_asset: dict[int, list[Any]] = defaultdict(list)
    of_version: dict[int, list[Any]] = defaultdict(list)
    for row in work.session.execute(both):
        (of_asset[row.asset_id] if row.version_id is None else of_version[row.version_id]).append(row)
    return {version_id: of_asset[holder] + of_version[version_id] for version_id, holder in holders.items()}


def _moved(
    moves: Moves, parts: Iterable[Part], said: Mapping[int, Sequence[Any]], approved: Collection[int]
) -> tuple[dict[int, datetime], dict[int, datetime]]:
    whole: dict[int, datetime] = {}
    public: dict[int, datetime] = {}
    for part in parts:
        for at in _moments(moves, part, said[part.version_id]):
            whole[part.asset_id] = max(at, whole.get(part.asset_id, at))
            if part.root in approved:
                public[part.asset_id] = max(at, public.get(part.asset_id, at))
    return whole, public


def _moments(moves: Moves, part: Part, said: Iterable[Any]) -> Iterator[datetime]:
    found = [moves.turned.get(part.holder_id)]
    found += [moves.assets.get(part.holder_id)] if part.version_id != part.root else []  # its own is heard by itself
    for row in said:
        found += [moves.licenses.get(row.license_id), moves.releases.get(row.release_id)]
    return (at for at in found if at is not None)


def _reasons(work: Work, now: datetime, parts: Iterable[Part], said: Mapping[int, Sequence[Any]]) -> dict[int, Reason]:
    leaving = [part for part in parts if part.root == part.leaving]
    bars = _bars(work, now, {part.holder_id for part in leaving})
    bare = {part.version_id: part.holder_id for part in leaving if not _is_carried(said[part.version_id], now)}
    withdrawn = _withdrawn(work, bare)
    causes: dict[int, list[Cause]] = defaultdict(list)
    for part in leaving:
        causes[part.asset_id] += bars[part.holder_id] + withdrawn[part.version_id]
        causes[part.asset_id] += _of_terms(said[part.version_id], now, is_bare=part.version_id in bare)
    return {id_: max(found, key=_lateness)[1] for id_, found in causes.items() if found}


def _lateness(cause: Cause) -> tuple[datetime, str]:
    return cause[0], cause[1].value


def _bars(work: Work, now: datetime, asset_ids: Collection[int]) -> dict[int, list[Cause]]:
    """Takedowns that stand, and embargoes in force since they were placed or began."""
    opened = sa.select(TakedownRow.asset_id, TakedownRow.opened_at, sa.null().cast(TakedownRow.opened_at.type))
    takedowns = opened.where(TakedownRow.asset_id.in_(asset_ids), TAKEDOWN_STANDS)
    placed = sa.select(EmbargoRow.asset_id, EmbargoRow.placed_at, EmbargoRow.starts_at)
    embargoes = placed.where(
        EmbargoRow.asset_id.in_(asset_ids),
        EmbargoRow.lifted_at.is_(None),
        sa.or_(EmbargoRow.starts_at.is_(None), EmbargoRow.starts_at <= now),
        sa.or_(EmbargoRow.ends_at.is_(None), EmbargoRow.ends_at > now),
    )
    found: dict[int, list[Cause]] = defaultdict(list)
    for asset_id, at, begun in work.session.execute(takedowns.union_all(embargoes)):
        found[asset_id].append((max(at, begun or at), Reason.WITHDRAWN))
    return found


def _withdrawn(work: Work, bare: Mapping[int, int]) -> dict[int, list[Cause]]:
    """Per version that no licence carries when it was said for the last time that it is under one no more."""
    found: dict[int, list[Cause]] = defaultdict(list)
    if bare:
        of_asset: dict[int, list[tuple[int | None, datetime]]] = defaultdict(list)
        rows = sa.select(EventRow.subject_id, EventRow.payload, EventRow.occurred_at)
        rows = rows.where(EventRow.subject_type == "Asset", EventRow.subject_id.in_(set(bare.values())))
        for asset_id, payload, at in work.session.execute(rows.where(EventRow.type == "asset_rights.withdrawn")):
            if payload.get("licenses"):
                of_asset[asset_id].append((payload.get("version"), at))
        for version_id, holder in bare.items():
            found[version_id] = [
                (at, Reason.WITHDRAWN) for alone, at in of_asset[holder] if alone in {None, version_id}
            ]
    return found


def _of_terms(said: Iterable[Any], now: datetime, *, is_bare: bool) -> Iterator[Cause]:
    """Of every licence that alone would carry, where none does; of each that a part needs; and of each release."""
    for row in said:
        if row.license_id is not None and (is_bare or row.coverage != Coverage.WHOLE) and not _carries(row, now):
            yield from _of_license(row, now)
        elif row.release_id is not None:
            yield from _of_release(row, now)


def _is_carried(said: Iterable[Any], now: datetime) -> bool:
    return any(row.license_id is not None and row.coverage == Coverage.WHOLE and _carries(row, now) for row in said)


def _carries(row: Any, now: datetime) -> bool:
    if row.license_status != LicenseStatus.ACTIVE or row.license_kind == LicenseKind.UNKNOWN:
        return False
    starts = moving.begins(row.license_starts_on, row.license_zone)
    over = moving.ends(row.license_ends_on, row.license_zone)
    return (starts is None or starts <= now) and (over is None or now < over)


def _of_license(row: Any, now: datetime) -> Iterator[Cause]:
    if row.license_status in {LicenseStatus.SUSPENDED, LicenseStatus.TERMINATED}:
        yield row.license_updated_at, Reason.RECALLED
    over = moving.ends(row.license_ends_on, row.license_zone)
    if row.license_activated_at is not None and over is not None and over <= now:
        yield over, Reason.EXPIRED
    elif row.license_status == LicenseStatus.ACTIVE and row.license_supersedes_id is not None:
        yield row.license_activated_at, Reason.RECALLED  # it has not begun, and took the place of one that had


def _of_release(row: Any, now: datetime) -> Iterator[Cause]:
    if row.release_revoked_at is not None:
        yield row.release_revoked_at, Reason.RECALLED
    over = moving.ends(row.release_ends_on, row.release_zone)
    if row.release_status in {ReleaseStatus.LIMITED, ReleaseStatus.UNLIMITED} and over is not None and over <= now:
        yield over, Reason.EXPIRED
