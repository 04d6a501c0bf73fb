"""Where an asset is used, asked before it is thrown away.

A later feature joins by a `Way` of its own in `WAYS`: how it uses assets, and whether that stands in the way. Nobody is
told of a use that they may not see, not even that there is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from domain import custom_fields, identity, relations, sharing
from domain.usage import reading as usage
from domain.work import Work
from storage.tables import (
    AssetFieldRow,
    AssetRow,
    AssetVersionRow,
    CustomFieldRow,
    LightboxAssetRow,
    LightboxRow,
    RenditionRow,
)

#: Uses of one kind that are told of one asset.
MAX_USES: Final = 100


class Use(NamedTuple):
    """By what an asset is used: the way's kind, and what uses it as GraphQL type and number."""

    kind: str
    type: str
    id: int
    blocks: bool


@dataclass(frozen=True)
class Way:
    """`of` answers per asset the numbers of what uses it and the viewer may see; each of GraphQL type `type`. With
    `blocks`, throwing the asset away is asked again.
    """

    kind: str
    type: str
    blocks: bool
    of: Callable[[Work, Sequence[int]], Mapping[int, Sequence[int]]]


def _lightboxes(work: Work, ids: Sequence[int]) -> dict[int, list[int]]:
    seen = (
        sa.select(LightboxAssetRow.asset_id, LightboxRow.id)
        .join(LightboxRow, LightboxRow.id == LightboxAssetRow.lightbox_id)
        .where(LightboxAssetRow.asset_id.in_(ids), LightboxRow.archived_at.is_(None), identity.sees_lightbox(work))
    )
    return _grouped(work, seen.order_by(LightboxRow.id))


def _shares(work: Work, ids: Sequence[int]) -> dict[int, list[int]]:
    return {asset_id: [row.id for row in rows] for asset_id, rows in sharing.of_assets(work, ids).items()}


def _relations(work: Work, ids: Sequence[int]) -> dict[int, list[int]]:
    return {asset_id: [row.id for row in rows] for asset_id, rows in relations.of_assets(work, ids).items()}


def _fields(work: Work, ids: Sequence[int]) -> dict[int, list[int]]:
    """Assets with a field that names them, which the viewer may read."""
    naming = (
        sa.select(AssetFieldRow.target_id, AssetRow.id)
        .join(AssetRow, AssetRow.id == AssetFieldRow.asset_id)
        .join(CustomFieldRow, CustomFieldRow.id == AssetFieldRow.field_id)
        .where(AssetFieldRow.target_id.in_(ids), identity.sees_asset(work), custom_fields.readable_everywhere(work))
    )
    return _grouped(work, naming.distinct().order_by(AssetRow.id))


def _renditions(work: Work, ids: Sequence[int]) -> dict[int, list[int]]:
    shown = identity.sees_version(work)
    ready = (
        sa.select(AssetVersionRow.asset_id, RenditionRow.id)
        .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(AssetVersionRow.asset_id.in_(ids), RenditionRow.state == "READY", shown)
    )
    return _grouped(work, ready.order_by(RenditionRow.id))


def _grouped(work: Work, rows: sa.Select[Any, Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for asset_id, number in work.session.execute(rows):
        if len(found[asset_id]) < MAX_USES:
            found[asset_id].append(number)
    return found


WAYS: Final[list[Way]] = [
    Way("LIGHTBOX", "Lightbox", blocks=True, of=_lightboxes),
    Way("SHARE", "Share", blocks=True, of=_shares),
    Way("RELATION", "AssetRelation", blocks=True, of=_relations),
    Way("FIELD", "Asset", blocks=True, of=_fields),
    Way("USAGE", "Usage", blocks=True, of=usage.running),
    Way("RENDITION", "Rendition", blocks=False, of=_renditions),
]


def of_assets(work: Work, asset_ids: Iterable[int], *, blocking: bool = False) -> dict[int, list[Use]]:
    """Per asset what uses it, by kind and number, at most 100 of a kind; `blocking`: only what stands in the way."""
    wanted = sorted(set(asset_ids))
    found: dict[int, list[Use]] = {asset_id: [] for asset_id in wanted}
    for way in WAYS:
        if blocking and not way.blocks:
            continue
        for asset_id, numbers in way.of(work, wanted).items():
            found[asset_id] += [Use(way.kind, way.type, number, way.blocks) for number in list(numbers)[:MAX_USES]]
    return found
