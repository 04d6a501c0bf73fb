"""Asking that finished renditions be looked at again, because something about their asset changed that shows in them.

The old bytes stay where they are until the new ones are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from domain import asking
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, RenditionPresetRow, RenditionRow


@dataclass(frozen=True)
class RefreshRenditions:
    """Make anew what of this version's finished renditions would come out otherwise today."""

    kind: ClassVar[str] = "refresh_renditions"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 4

    version_id: int

    def unique_key(self) -> str:
        return f"refresh_renditions:{self.version_id}"


def ask(work: Work, version_ids: Iterable[int], org_id: int) -> None:
    """Of each version that has a finished rendition at all."""
    made = sa.select(RenditionRow.version_id).where(
        RenditionRow.version_id.in_(set(version_ids)), RenditionRow.state == "READY"
    )
    for version_id in work.session.scalars(made.distinct().order_by(RenditionRow.version_id)):
        asking.ask(work, RefreshRenditions(version_id), org_id=org_id)


def of_asset(work: Work, asset: AssetRow) -> None:
    """Of all its versions."""
    versions = sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id == asset.id)
    ask(work, list(work.session.scalars(versions)), asset.org_id)


def if_marked(work: Work, version_id: int, org_id: int) -> None:
    """Of a version whose approval changed, where any preset puts a watermark on what is not approved."""
    marking = sa.select(RenditionPresetRow.id).where(
        RenditionPresetRow.watermark.is_not(None), RenditionPresetRow.archived_at.is_(None)
    )
    if work.session.scalar(marking.limit(1)) is not None:
        ask(work, [version_id], org_id)


def if_told(work: Work, asset: AssetRow) -> None:
    """Of an asset whose title, description or keywords changed, where a rendition of it carries them."""
    telling = (
        sa.select(RenditionRow.version_id)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
        .where(
            AssetVersionRow.asset_id == asset.id,
            RenditionPresetRow.metadata_policy == "ALL",
            RenditionPresetRow.archived_at.is_(None),
        )
    )
    if version_ids := list(work.session.scalars(telling.distinct())):
        ask(work, version_ids, asset.org_id)
