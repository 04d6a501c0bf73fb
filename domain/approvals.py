"""Which versions are approved: the facts that lists, search and delivery read; `workflow` decides them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from domain.work import Work
from storage.tables import ApprovalRow, AssetVersionRow


def approved_versions(work: Work, asset_ids: Iterable[int]) -> dict[int, AssetVersionRow]:
    """Per asset its newest approved version; assets without one are left out."""
    rows = (
        sa.select(AssetVersionRow)
        .join(ApprovalRow, ApprovalRow.version_id == AssetVersionRow.id)
        .where(ApprovalRow.asset_id.in_(set(asset_ids)), ApprovalRow.revoked_at.is_(None))
        .order_by(AssetVersionRow.number)
    )
    return {row.asset_id: row for row in work.session.scalars(rows)}
