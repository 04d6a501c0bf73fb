"""Assets that refer to another by a field: what becomes of that one changes them, and whoever holds them is told."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from domain import history
from domain.work import Work
from storage.tables import AssetFieldRow, AssetRow


def naming(work: Work, asset_id: int) -> set[int]:
    """The ids of the assets that refer to it, whether the viewer sees them or not."""
    return set(work.session.scalars(sa.select(AssetFieldRow.asset_id).where(AssetFieldRow.target_id == asset_id)))


def turned(work: Work, asset_ids: Collection[int]) -> None:
    """Counts and records that what these refer to is another one by now, or none."""
    rows = sa.select(AssetRow).where(AssetRow.id.in_(asset_ids)).order_by(AssetRow.id).with_for_update(key_share=True)
    held = work.session.scalars(rows.execution_options(populate_existing=True)).all()
    for row in held:
        row.updated_at = work.now
    work.session.flush()
    for row in held:
        history.record(work, "asset.updated", ("Asset", row.id), {"revision": row.revision}, org_id=row.org_id)
