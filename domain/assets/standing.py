"""What is said of assets, as plain values by name, to be compared, kept and put back.

A name is `title`, `description`, `brand` or `lifecycle`; `tag:5`, `field:7`, `text:ALT:de`. What is not said has no
name. Values are what JSON keeps unharmed, so that what was kept equals what is read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa

from domain import custom_fields, localised, taxonomy
from domain.assets import changing, reading
from domain.custom_fields import Piece
from domain.refusals import Invalid
from domain.texts import fold
from domain.work import Work
from storage.tables import AssetRow, AssetTagRow

Standing: TypeAlias = dict[str, Any]


def of(work: Work, assets: Collection[AssetRow]) -> dict[int, Standing]:
    """Per asset all that is said of it; in a number of statements that does not grow."""
    ids = [row.id for row in assets]
    tags: dict[int, Standing] = defaultdict(dict)
    carried = sa.select(AssetTagRow.asset_id, AssetTagRow.tag_id, AssetTagRow.origin)
    for asset_id, tag_id, origin in work.session.execute(carried.where(AssetTagRow.asset_id.in_(ids))):
        tags[asset_id][f"tag:{tag_id}"] = origin
    said = custom_fields.pieces_of(work, ids)
    words = localised.kept(work, ids)
    return {
        row.id: {
            **_own(row),
            **tags.get(row.id, {}),
            **{f"field:{field_id}": plain(pieces) for field_id, pieces in said.get(row.id, {}).items()},
            **{f"text:{purpose}:{locale}": text for (purpose, locale), text in words.get(row.id, {}).items()},
        }
        for row in assets
    }


def plain(pieces: Iterable[Piece]) -> list[list[Any]]:
    return [list(piece) for piece in pieces]


def put_back(work: Work, asset_id: int, values: Mapping[str, Any]) -> AssetRow:
    """Lets these be said again, as one change; None is nothing. What the viewer may not change, or what the asset's
    state forbids, is refused.
    """
    rest = {name: value for name, value in values.items() if name != "lifecycle"}
    lifecycle = values.get("lifecycle")
    if lifecycle is not None and lifecycle[0] != "ARCHIVED":
        asset = changing.restore(work, asset_id, None)
        asset.lifecycle = lifecycle[0]
    if rest:
        asset = _say(work, asset_id, rest)
    if lifecycle is not None and lifecycle[0] == "ARCHIVED":
        asset = changing.archive(work, asset_id, None)
        asset.lifecycle_before_archive = lifecycle[1]
    work.session.flush()
    return asset


def _own(row: AssetRow) -> Standing:
    own: Standing = {
        "title": [row.title, row.title_origin],
        "description": [row.description, row.description_origin],
        "lifecycle": [row.lifecycle, row.lifecycle_before_archive],
    }
    return own if row.brand_id is None else {**own, "brand": row.brand_id}


def _say(work: Work, asset_id: int, values: Mapping[str, Any]) -> AssetRow:
    asset = reading.held(work, asset_id, None, "UPDATE")
    asset.updated_at = work.now
    if "title" in values:
        asset.title, asset.title_origin = values["title"]
        asset.title_folded = fold(asset.title)
    if "description" in values:
        asset.description, asset.description_origin = values["description"]
    if "brand" in values:
        asset.brand_id = values["brand"]
    retagged = _retag(work, asset, {name: value for name, value in values.items() if name.startswith("tag:")})
    written = custom_fields.Written()
    texts: dict[tuple[str, str], str | None] = {}
    for name, value in values.items():
        sort, _, key = name.partition(":")
        if sort == "field":
            again = custom_fields.put_back(work, asset, int(key), [Piece(*each) for each in value or ()])
            written.field_ids += again.field_ids
            written.shows = written.shows or again.shows
        elif sort == "text":
            purpose, _, locale = key.partition(":")
            texts[purpose, locale] = value
    changing.told(work, asset, written, retagged=retagged, shows=localised.put_back(work, asset, texts))
    return asset


def _retag(work: Work, asset: AssetRow, tags: Mapping[str, str | None]) -> bool:
    numbers = {int(name.partition(":")[2]): origin for name, origin in tags.items()}
    changed = taxonomy.detach(work, asset.id, [tag_id for tag_id, origin in numbers.items() if origin is None])
    for each in sorted({origin for origin in numbers.values() if origin is not None}):
        ids = [tag_id for tag_id, origin in numbers.items() if origin == each]
        changed = taxonomy.attach(work, asset.id, ids, each) or changed
    if len(numbers) > taxonomy.MAX_TAGS_PER_ASSET:
        raise Invalid(f"An asset carries at most {taxonomy.MAX_TAGS_PER_ASSET} tags.", ("tags",), "length")
    return changed
