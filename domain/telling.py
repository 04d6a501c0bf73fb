"""Which of what happened a viewer may be told now, and about what: asked at the moment of telling, of whole batches.

Always true here: whoever may not look at a thing is not told of it, and of a version that nobody approved only those
are told who see such versions. What was visible when it happened counts for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain import assets, purchases
from domain.feed import Happened
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, RenditionRow, StockPurchaseRow

#: What happened to assets. Of those that name a version in their payload, these say that there is one.
ASSET_TYPES: Final = frozenset(
    {
        "asset.created",
        "asset.updated",
        "asset.archived",
        "asset.restored",
        "asset.trashed",
        "asset.restored_from_trash",
        "asset.purged",
        "asset.version_added",
        "asset.version_analysed",
        "asset.version_approved",
        "asset.approval_revoked",
        "asset.tags_changed",
        "inbox.accepted",
        "inbox.rejected",
    }
)
RENDITION_TYPES: Final = frozenset({"rendition.queued", "rendition.ready", "rendition.failed"})
#: What becomes of a purchase; that somebody began to wait for it is no news.
PURCHASE_TYPES: Final = frozenset(
    f"stock_purchase.{word}" for word in ("requested", "approved", "rejected", "ordered", "licensed", "cancelled")
)
_OF_A_VERSION: Final = frozenset({"asset.version_added", "asset.version_analysed"})


@dataclass(frozen=True)
class Rendered:
    """Renditions of one version that something happened to."""

    version: AssetVersionRow
    renditions: list[RenditionRow]


def of_assets(work: Work, happened: Sequence[Happened], ids: Collection[int] | None) -> dict[int, AssetRow]:
    """By event the asset, of those with these ids; None for any."""
    wanted = [event for event in happened if ids is None or event.subject[1] in ids]
    found = assets.by_id(work, {event.subject[1] for event in wanted})
    versions = assets.versions_by_id(work, _named_versions(wanted))
    return {
        event.seq: found[event.subject[1]]
        for event in wanted
        if event.subject[1] in found and (event.type not in _OF_A_VERSION or event.payload.get("version") in versions)
    }


def of_renditions(
    work: Work,
    happened: Sequence[Happened],
    asset_ids: Collection[int] | None,
    ids: Collection[int] | None,
) -> dict[int, Rendered]:
    """By event what it speaks of, of these assets and of renditions with these ids; None for any."""
    versions = assets.versions_by_id(work, {event.subject[1] for event in happened})
    told = {}
    for seq, rows in _rendered(work, happened, versions).items():
        kept = [row for row in rows if ids is None or row.id in ids]
        version = None if not kept else versions.get(kept[0].version_id)
        if version is not None and (asset_ids is None or version.asset_id in asset_ids):
            told[seq] = Rendered(version, kept)
    return told


def of_purchases(
    work: Work, happened: Sequence[Happened], ids: Collection[int] | None, *, mine: bool
) -> dict[int, StockPurchaseRow]:
    """By event the purchase, of those with these ids (None for any); `mine`: that the viewer asked for or waits for."""
    wanted = {event.seq: event.subject[1] for event in happened if ids is None or event.subject[1] in ids}
    found = purchases.by_id(work, set(wanted.values()))
    awaited = purchases.subscribed(work, found) if mine else dict.fromkeys(found, True)
    return {seq: found[purchase_id] for seq, purchase_id in wanted.items() if awaited.get(purchase_id)}


def _named_versions(happened: Sequence[Happened]) -> set[int]:
    named = (event.payload.get("version") for event in happened if event.type in _OF_A_VERSION)
    return {version_id for version_id in named if isinstance(version_id, int)}


def _rendered(
    work: Work, happened: Sequence[Happened], versions: Mapping[int, AssetVersionRow]
) -> dict[int, list[RenditionRow]]:
    """Events name renditions by id, or by their presets when they were only asked for."""
    rows = sa.select(RenditionRow).where(RenditionRow.version_id.in_(versions)).order_by(RenditionRow.id)
    of_version: dict[int, list[RenditionRow]] = defaultdict(list)
    for row in work.session.scalars(rows) if versions else ():
        of_version[row.version_id].append(row)
    return {
        event.seq: [
            row
            for row in of_version.get(event.subject[1], ())
            if row.id in event.payload.get("renditions", ()) or row.preset_id in event.payload.get("presets", ())
        ]
        for event in happened
    }
