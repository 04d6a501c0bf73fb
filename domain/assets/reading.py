"""Finding assets and versions by what is known of them, in batches, and only what the viewer may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from domain import identity, reads
from domain.assets import deciding
from domain.pages import Key, Paging, Slice, sliced
from domain.reads import By, Ranked
from domain.refusals import NotFound, StaleRevision
from domain.work import Work
from storage.tables import AssetRow, AssetStampRow, AssetTrashRow, AssetVersionRow, TableEpochRow

#: Most assets named as holders of the same bytes; each beyond the first was made DISTINCT on purpose.
MAX_HOLDERS = 100


def _stamps() -> tuple[sa.ColumnElement[int], ...]:
    own = sa.select(AssetStampRow.stamp).where(AssetStampRow.asset_id == AssetRow.id).correlate(AssetRow)
    shared = sa.select(sa.func.sum(TableEpochRow.epoch))
    return sa.func.coalesce(own.scalar_subquery(), 0), shared.scalar_subquery()


#: Beside an `AssetRow`: what moves whenever anything changes that is shown of the asset to somebody.
STAMPS: Final = _stamps()
#: The column that an asset is told by.
ID: Final = AssetRow.id
#: Versions by id, whoever may see them.
VERSIONS: Final = By(sa.select(AssetVersionRow), AssetVersionRow.id)


def seen(work: Work) -> By:
    """Assets by id that the viewer may see."""
    return By(sa.select(AssetRow).where(identity.sees_asset(work, few=True)), AssetRow.id)


def versions_seen(work: Work) -> By:
    """Versions by id that the viewer may see, with their assets."""
    rows = sa.select(AssetVersionRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    return By(rows.where(identity.sees_version(work)), AssetVersionRow.id)


#: What `versions_of` answers, as a read.
VERSIONS_OF_ASSETS: Final = Ranked(
    lambda work: versions_seen(work).rows, AssetVersionRow.asset_id, (Key(AssetVersionRow.number, descending=True),)
)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, AssetRow]:
    return reads.by_id(work, seen(work), ids)


def by_any_id(work: Work, ids: Iterable[int]) -> dict[int, AssetRow]:
    """The same; an asset that was merged answers as the one it became part of, where that may be seen."""
    wanted = set(ids)
    found = by_id(work, wanted)
    became = survivors(work, wanted - found.keys())
    targets = by_id(work, became.values()) if became else {}
    return found | {id_: targets[target] for id_, target in became.items() if target in targets}


def survivors(work: Work, ids: Iterable[int]) -> dict[int, int]:
    """By the id of each of these that was merged the asset that it became part of, whoever may see it."""
    wanted = set(ids)
    if not wanted:
        return {}
    gone = sa.select(AssetRow.id, AssetRow.merged_into_id).where(AssetRow.id.in_(wanted))
    return {id_: into for id_, into in work.session.execute(gone) if into is not None}


def held(
    work: Work, asset_id: int, expected_revision: int | None, action: str, path: tuple[str, ...] = ("asset",)
) -> AssetRow:
    """The asset, locked until the transaction ends, to do `action` to it.

    Refused if unknown, not the viewer's to do, changed since the `expected_revision` that they were shown (None:
    whatever stands now), or in a state that forbids it.
    """
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None or row.merged_into_id is not None:  # merged while we waited for the lock
        raise NotFound("There is no asset with this id.", path)
    deciding.check_allowed(work, action, row)
    shown = identity.shown_changes(work, [row])[row.id].revision
    if expected_revision not in {None, shown}:
        raise StaleRevision(shown)
    deciding.check_state(action, row, deciding.trashed(work, [row]).get(row.id))
    return row


def with_digest(work: Work, sha256: str) -> list[AssetRow]:
    """Assets that hold exactly these bytes in any version, archived ones too; living ones first, at most 100."""
    holders = (
        sa.select(AssetVersionRow.asset_id)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(AssetVersionRow.sha256 == sha256, identity.sees_version(work), is_kept(AssetVersionRow.asset_id))
    )
    rows = sa.select(AssetRow).where(AssetRow.id.in_(holders))
    put_away = sa.case((AssetRow.lifecycle == "ARCHIVED", 1), else_=0)
    return list(work.session.scalars(rows.order_by(put_away, AssetRow.id).limit(MAX_HOLDERS)))


def is_kept(asset_id: Any) -> sa.ColumnElement[bool]:
    """The condition that the bytes of the asset with this id were not purged."""
    purged = sa.exists().where(AssetTrashRow.asset_id == asset_id, AssetTrashRow.purged_at.is_not(None))
    return sa.not_(purged)


def versions_by_id(work: Work, ids: Iterable[int]) -> dict[int, AssetVersionRow]:
    return reads.by_id(work, versions_seen(work), ids)


def shown_versions(work: Work, asset_ids: Iterable[int]) -> dict[int, AssetVersionRow]:
    """Per asset the newest version that the viewer may see."""
    rows: sa.Select[AssetVersionRow] = sa.select(AssetVersionRow)
    if identity.is_snapshot(work):  # the rule is asked of the rows, which are mostly at hand
        rows = rows.where(AssetVersionRow.id.in_(identity.shown(work, _at_hand(work, set(asset_ids))).values()))
    else:
        joined = rows.join(AssetRow, AssetVersionRow.id == identity.shown_version_id(work))
        rows = joined.where(AssetRow.id.in_(set(asset_ids)), identity.sees_asset(work))
    return {row.asset_id: row for row in work.session.scalars(rows)}


def versions_of(work: Work, asset_ids: Iterable[int], wanted: Paging) -> dict[int, Slice[AssetVersionRow]]:
    """One page of versions per asset, newest first, in one statement whatever the number of assets."""
    number = AssetVersionRow.number
    rank = sa.func.row_number().over(
        partition_by=AssetVersionRow.asset_id,
        order_by=number.asc() if wanted.backwards else number.desc(),
    )
    ranked = _seen(work, sa.select(AssetVersionRow.id, rank.label("rank")), asset_ids)
    if wanted.position is not None:
        beyond = wanted.position[0]
        ranked = ranked.where(number > beyond if wanted.backwards else number < beyond)
    inner = ranked.subquery()
    rows = (
        sa.select(AssetVersionRow)
        .join(inner, inner.c.id == AssetVersionRow.id)
        .where(inner.c.rank <= wanted.limit + 1)
        .order_by(AssetVersionRow.asset_id, inner.c.rank)
    )
    found: dict[int, list[AssetVersionRow]] = defaultdict(list)
    for row in work.session.scalars(rows):
        found[row.asset_id].append(row)
    return {
        asset_id: sliced(found[asset_id], [(row.number,) for row in found[asset_id]], wanted) for asset_id in asset_ids
    }


def version_counts(work: Work, asset_ids: Iterable[int]) -> dict[int, int]:
    rows = _seen(work, sa.select(AssetVersionRow.asset_id, sa.func.count()), asset_ids)
    return dict(work.session.execute(rows.group_by(AssetVersionRow.asset_id)).all())


def _at_hand(work: Work, ids: set[int]) -> list[AssetRow]:
    """The assets, whoever may see them: those read before are not read again."""
    known = work.session.identity_map
    found = [row for id_ in ids if isinstance(row := known.get((AssetRow, (id_,), None)), AssetRow)]
    missing = ids - {row.id for row in found}
    return [*found, *work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(missing)))] if missing else found


def _seen(work: Work, statement: Any, asset_ids: Iterable[int]) -> Any:
    """Of these assets, the versions that the viewer may see."""
    joined = statement.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    return joined.where(AssetVersionRow.asset_id.in_(set(asset_ids)), identity.sees_version(work))
