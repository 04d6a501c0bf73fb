"""What a viewer should be shown of a random hub, worked out asset by asset from the rule in `domain.holdings`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain import holdings
from domain.assets.listing import Order, OrderField
from domain.holdings import Facts, Holdings
from domain.permissions import Permission
from domain.work import Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    LightboxAssetRow,
    OrganisationRow,
    ShareRow,
)
from storage.types import EPOCH

PLACED = (LightboxAssetRow.lightbox_id, LightboxAssetRow.asset_id)


@dataclass(frozen=True)
class Known:
    """An asset with everything there is to know of it; the facts are those that the rule asks for."""

    row: AssetRow
    facts: Facts
    versions: list[AssetVersionRow]
    approved: set[int]
    tags: list[int]

    def is_seen(self, held: Holdings) -> bool:
        return holdings.sees(held, self.facts)

    def seen_versions(self, held: Holdings) -> list[AssetVersionRow]:
        if not self.is_seen(held):
            return []
        unapproved = holdings.holds(held, Permission.ASSET_VIEW_UNAPPROVED, self.facts)
        return [version for version in self.versions if unapproved or version.id in self.approved]

    def shown(self, held: Holdings) -> AssetVersionRow | None:
        return max(self.seen_versions(held), key=lambda version: version.number, default=None)


def known(work: Work) -> list[Known]:
    """All assets, in order of id."""
    rows = list(work.session.scalars(sa.select(AssetRow).order_by(AssetRow.id)))
    versions = list(work.session.scalars(sa.select(AssetVersionRow).order_by(AssetVersionRow.number)))
    standing = set(work.session.scalars(sa.select(ApprovalRow.version_id).where(ApprovalRow.revoked_at.is_(None))))
    tagged = list(work.session.execute(sa.select(AssetTagRow.asset_id, AssetTagRow.tag_id)))
    facts = _facts(work, rows)
    return [
        Known(
            row,
            facts[row.id],
            [version for version in versions if version.asset_id == row.id],
            {version.id for version in versions if version.asset_id == row.id} & standing,
            [tag_id for asset_id, tag_id in tagged if asset_id == row.id],
        )
        for row in rows
    ]


def _facts(work: Work, rows: list[AssetRow]) -> dict[int, Facts]:
    """Everything the rule may ask, read row by row, whoever the viewer is."""
    paths = {row.id: row.path for row in work.session.scalars(sa.select(OrganisationRow))}
    placed = [tuple(row) for row in work.session.execute(sa.select(*PLACED))]
    shares = [
        share
        for share in work.session.scalars(sa.select(ShareRow))
        if share.ended_at is None and (share.ends_at is None or share.ends_at > work.now)
    ]

    def opened(asset: AssetRow, access: str) -> frozenset[int]:
        boxes = {lightbox_id for lightbox_id, asset_id in placed if asset_id == asset.id}
        return frozenset(
            share.to_org_id
            for share in shares
            if share.access == access
            and (
                share.asset_id == asset.id
                or (share.lightbox_id in boxes and paths[asset.org_id].startswith(paths[share.org_id]))
            )
        )

    return {
        row.id: Facts(
            id=row.id,
            org_id=row.org_id,
            kind=row.kind,
            lifecycle=row.lifecycle,
            is_approved=row.approved_version_id is not None,
            created_by=row.created_by,
            lightboxes=frozenset(lightbox_id for lightbox_id, asset_id in placed if asset_id == row.id),
            shared_to_read=opened(row, "READ"),
            shared_to_contribute=opened(row, "CONTRIBUTE"),
        )
        for row in rows
    }


def facet(some: Iterable[tuple[Known, AssetVersionRow | None]], field: str) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for asset, version in some:
        match field:
            case "kind":
                counts[asset.row.kind] += 1
            case "tag":
                counts.update(asset.tags)
            case "media_type":
                counts.update([] if version is None else [version.media_type])
            case "year":
                counts[((version and version.captured_at) or asset.row.created_at).year] += 1
    return counts


def ordered(some: Iterable[tuple[Known, AssetVersionRow | None]], order: Order) -> list[int]:
    """Ids, ties broken by the id in the direction of the order."""

    def key(one: tuple[Known, AssetVersionRow | None]) -> tuple[Any, int]:
        asset, version = one
        match order.field:
            case OrderField.BYTE_SIZE:
                return (version.byte_size if version else 0, asset.row.id)
            case OrderField.CAPTURED_AT:
                return ((version and version.captured_at) or EPOCH.replace(year=2), asset.row.id)
            case OrderField.TITLE:
                return (asset.row.title_folded, asset.row.id)
            case _:
                return (asset.row.created_at, asset.row.id)

    return [asset.row.id for asset, _ in sorted(some, key=key, reverse=order.descending)]
