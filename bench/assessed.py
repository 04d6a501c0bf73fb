"""Assets declared own work, many at once, so that they can be approved and delivered."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from domain.licensing import own_work
from domain.work import BRAND_ORG_ID, HUB, Work
from storage.tables import AssetRightsRow, AssetRow


def own(work: Work, by: int) -> None:
    """All assets of which nothing was said yet, under the brand's own licence, whoever they belong to."""
    held = own_work.held(replace(work, viewer=replace(HUB, principal_id=by)), BRAND_ORG_ID)
    columns = ["org_id", "asset_id", "license_id", "coverage", "assessed_at", "assessed_by"]
    said = AssetRow.id.in_(sa.select(AssetRightsRow.asset_id))  # SQLite has no index of ended ones to look each up in
    chosen = sa.select(
        AssetRow.org_id,
        AssetRow.id,
        sa.literal(held.license_id),
        sa.literal("WHOLE"),
        AssetRow.created_at,
        sa.literal(by),
    )
    work.session.execute(sa.insert(AssetRightsRow).from_select(columns, chosen.where(~said)))
