"""What an export says of each thing: one JSON object per line, for whoever asked, as they are shown it.

Always true here:
- A line depends on nothing that the change feed does not tell of: whoever replaces the lines of what changed holds what
  a new export would say (docs/exports.md). So it holds no address that expires, and no field that needs a permission of
  its own.
- Ids are the ones that GraphQL speaks, names of fields and moments are spelt as there; a number of 64 bits is a text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from domain import custom_fields, identity, taxonomy
from domain.assets import reading
from domain.global_ids import encode
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, LightboxRow, RenditionRow, TagRow

#: Fields of an asset's line that may be chosen; `type` and `id` are always there.
ASSET_FIELDS: Final = (
    "title",
    "description",
    "kind",
    "lifecycle",
    "revision",
    "createdAt",
    "updatedAt",
    "tags",
    "fields",
    "current",
    "approved",
)

Line = dict[str, Any]


def spelt(line: Line) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def of_assets(work: Work, rows: Sequence[AssetRow], fields: Collection[str] | None = None) -> list[Line]:
    """Of assets that the viewer sees, in a handful of statements however many they are; only these fields, if said."""
    ids = [row.id for row in rows]
    changed = identity.shown_changes(work, rows)
    tags = taxonomy.of_assets(work, ids)
    said = custom_fields.exported(work, ids, references=_sees_all(work))
    current = reading.shown_versions(work, ids)
    standing = {row.approved_version_id for row in rows if row.approved_version_id is not None}
    approved = {row.id: row for row in work.session.scalars(_versions(standing))}
    made = _renditions(work, {row.id for row in current.values()} | standing)

    def version(row: AssetVersionRow | None) -> Line | None:
        return None if row is None else _version(row, made[row.id])

    lines = []
    for row in rows:
        told: Line = {
            "title": row.title,
            "description": row.description,
            "kind": row.kind,
            "lifecycle": row.lifecycle,
            "revision": changed[row.id].revision,
            "createdAt": _moment(row.created_at),
            "updatedAt": _moment(changed[row.id].updated_at),
            "tags": [{"id": encode("Tag", tag.id), "name": tag.name} for tag in tags[row.id]],
            "fields": said.get(row.id, {}),
            "current": version(current.get(row.id)),
            "approved": version(approved.get(row.approved_version_id or 0)),
        }
        chosen = told if fields is None else {name: told[name] for name in ASSET_FIELDS if name in fields}
        lines.append({"type": "Asset", "id": encode("Asset", row.id), **chosen})
    return lines


def of_lightboxes(_work: Work, rows: Sequence[LightboxRow], _fields: Collection[str] | None = None) -> list[Line]:
    return [
        {
            "type": "Lightbox",
            "id": encode("Lightbox", row.id),
            "title": row.title,
            "description": row.description,
            "revision": row.revision,
            "createdAt": _moment(row.created_at),
            "updatedAt": _moment(row.updated_at),
        }
        for row in rows
    ]


def of_tags(work: Work, rows: Sequence[TagRow], _fields: Collection[str] | None = None) -> list[Line]:
    """For whoever sees the whole vocabulary."""
    synonyms = taxonomy.synonyms_of(work, [row.id for row in rows])
    return [
        {
            "type": "Tag",
            "id": encode("Tag", row.id),
            "name": row.name,
            "parent": None if row.parent_id is None else encode("Tag", row.parent_id),
            "synonyms": synonyms[row.id],
        }
        for row in rows
    ]


def _sees_all(work: Work) -> bool:
    """Whether no asset is hidden from the viewer: the feed does not tell of an asset when another that it refers to
    appears to somebody, or disappears.
    """
    reach = work.viewer.holdings.reach
    return all(reach(each).is_everywhere for each in (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED))


def _version(row: AssetVersionRow, renditions: Iterable[RenditionRow]) -> Line:
    return {
        "id": encode("AssetVersion", row.id),
        "number": row.number,
        "sha256": row.sha256,
        "mediaType": row.media_type,
        "byteSize": str(row.byte_size),
        "fileName": row.file_name,
        "width": row.width,
        "height": row.height,
        "capturedAt": None if row.captured_at is None else _moment(row.captured_at),
        "createdAt": _moment(row.created_at),
        "renditions": [_rendition(each) for each in renditions],
    }


def _rendition(row: RenditionRow) -> Line:
    return {
        "id": encode("Rendition", row.id),
        "preset": encode("RenditionPreset", row.preset_id),
        "mediaType": row.media_type,
        "width": row.width,
        "height": row.height,
        "byteSize": str(row.byte_size),
        "sha256": row.sha256,
    }


def _versions(ids: Collection[int]) -> sa.Select[AssetVersionRow]:
    return sa.select(AssetVersionRow).where(AssetVersionRow.id.in_(ids))


def _renditions(work: Work, version_ids: Collection[int]) -> dict[int, list[RenditionRow]]:
    """Per version those that are finished, oldest first."""
    ready = sa.select(RenditionRow).where(RenditionRow.version_id.in_(version_ids), RenditionRow.state == "READY")
    found: dict[int, list[RenditionRow]] = defaultdict(list)
    for row in work.session.scalars(ready.order_by(RenditionRow.id)):
        found[row.version_id].append(row)
    return found


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
