"""Finding assets and versions by what is known of them, in batches, and only what the viewer may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from domain import identity
from domain.pages import Paging, Slice, sliced
from domain.refusals import Conflict, NotFound, StaleRevision
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow

#: Most assets named as holders of the same bytes; each beyond the first was made DISTINCT on purpose.
MAX_HOLDERS = 100


def by_id(work: Work, ids: Iterable[int]) -> dict[int, AssetRow]:
    rows = sa.select(AssetRow).where(AssetRow.id.in_(set(ids)), identity.sees_asset(work))
    return {row.id: row for row in work.session.scalars(rows)}


def held(work: Work, asset_id: int, expected_revision: int, path: tuple[str, ...] = ("asset",)) -> AssetRow:
    """The asset, locked until the transaction ends; refused if unknown or changed since `expected_revision`."""
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no asset with this id.", path)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def living(work: Work, asset_id: int, expected_revision: int) -> AssetRow:
    """The same, and refused while the asset is archived."""
    row = held(work, asset_id, expected_revision)
    if row.lifecycle == "ARCHIVED":
        raise Conflict("This asset is archived: restore it first.", ("asset",))
    return row


def with_digest(work: Work, sha256: str) -> list[AssetRow]:
    """Assets that hold exactly these bytes in any version, archived ones too; living ones first, at most 100."""
    holders = sa.select(AssetVersionRow.asset_id).where(AssetVersionRow.sha256 == sha256)
    rows = sa.select(AssetRow).where(AssetRow.id.in_(holders), identity.sees_asset(work))
    put_away = sa.case((AssetRow.lifecycle == "ARCHIVED", 1), else_=0)
    return list(work.session.scalars(rows.order_by(put_away, AssetRow.id).limit(MAX_HOLDERS)))


def versions_by_id(work: Work, ids: Iterable[int]) -> dict[int, AssetVersionRow]:
    rows = (
        sa.select(AssetVersionRow)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(AssetVersionRow.id.in_(set(ids)), identity.sees_asset(work))
    )
    return {row.id: row for row in work.session.scalars(rows)}


def versions_of(work: Work, asset_ids: Iterable[int], wanted: Paging) -> dict[int, Slice[AssetVersionRow]]:
    """One page of versions per asset, newest first, in one statement whatever the number of assets."""
    number = AssetVersionRow.number
    rank = sa.func.row_number().over(
        partition_by=AssetVersionRow.asset_id,
        order_by=number.asc() if wanted.backwards else number.desc(),
    )
    ranked = sa.select(AssetVersionRow.id, rank.label("rank")).where(AssetVersionRow.asset_id.in_(set(asset_ids)))
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
    rows = (
        sa.select(AssetVersionRow.asset_id, sa.func.count())
        .where(AssetVersionRow.asset_id.in_(set(asset_ids)))
        .group_by(AssetVersionRow.asset_id)
    )
    return dict(work.session.execute(rows).all())


def viewer_can(work: Work, asset: AssetRow) -> list[str]:
    """What the viewer would be let do with this asset, by the asset's state."""
    if not work.viewer.is_administrator:
        return []
    match asset.lifecycle:
        case "ARCHIVED":
            return ["RESTORE", "DOWNLOAD"]
        case "QUARANTINED":
            return ["UPDATE", "ADD_VERSION", "ARCHIVE", "DOWNLOAD"]
        case _:
            return ["UPDATE", "ADD_VERSION", "APPROVE", "ARCHIVE", "DOWNLOAD"]
