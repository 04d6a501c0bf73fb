"""Assets of which somebody said that they are own work, for worlds that are laid out row by row."""

from __future__ import annotations

from dataclasses import replace

from domain.licensing import own_work
from domain.work import HUB, Work
from storage.tables import AssetRightsRow, AssetRow


def own(work: Work, *assets: AssetRow, by: int) -> None:
    """As if the principal `by` had said so of each, without an event of it."""
    speaking = replace(work, viewer=replace(HUB, principal_id=by))
    for asset in assets:
        row = AssetRightsRow(
            org_id=asset.org_id,
            asset_id=asset.id,
            license_id=own_work.held(speaking, asset.org_id).license_id,
            coverage="WHOLE",
            assessed_at=work.now,
            assessed_by=by,
        )
        work.session.add(row)
    work.session.flush()
