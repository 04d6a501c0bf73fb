"""What the index is told of an asset: its words, who may see it, and what it is filtered, counted and sorted by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from domain import approvals, metadata, taxonomy
from domain.search import access
from domain.work import Work
from storage.index.contract import (
    Document,
    Tag,
)
from storage.tables import AssetRow, AssetVersionRow

#: Documents read at once; one batch stands in memory.
DOCUMENTS_AT_ONCE = 500
#: Names of metadata entries whose words find the asset; the first ones are what `creator:` asks for.
CREATORS = frozenset({"creator", "credit", "Artist", "By-line", "Credit"})
WORTH_FINDING = CREATORS | frozenset(
    {
        "title",
        "headline",
        "description",
        "subject",
        "keywords",
        "City",
        "Country",
        "city",
        "country",
        "event",
        "Caption",
    },
)


def documents(work: Work, asset_ids: Iterable[int]) -> dict[int, Document]:
    """What the index is told of these assets; every organisation's, for the index knows who may see what."""
    ids = set(asset_ids)
    joined = sa.select(AssetRow, AssetVersionRow).outerjoin(
        AssetVersionRow,
        AssetVersionRow.id == AssetRow.current_version_id,
    )
    rows = list(work.session.execute(joined.where(AssetRow.id.in_(ids))))
    tags = _tags(work, ids)
    names = _file_names(work, ids)
    said = _said(work, [version.id for _, version in rows if version is not None])
    approved = approvals.approved_versions(work, ids)
    return {
        asset.id: _document(
            asset,
            version,
            tags.get(asset.id, ()),
            names.get(asset.id, ()),
            said.get(asset.current_version_id or 0, ()),
            approved=asset.id in approved,
        )
        for asset, version in rows
    }


def every_document(work: Work) -> Iterator[Document]:
    last = 0
    while ids := list(work.session.scalars(_ids_after(last))):
        yield from documents(work, ids).values()
        work.session.expunge_all()
        last = ids[-1]


def revisions(work: Work, after_id: int, limit: int) -> list[tuple[int, int]]:
    """Id and revision of the first `limit` assets that belong into the index beyond that id, in order of id."""
    rows = sa.select(AssetRow.id, AssetRow.revision).where(AssetRow.id > after_id).order_by(AssetRow.id).limit(limit)
    return [(row.id, row.revision) for row in work.session.execute(rows)]


def _ids_after(last: int) -> sa.Select[int]:
    return sa.select(AssetRow.id).where(AssetRow.id > last).order_by(AssetRow.id).limit(DOCUMENTS_AT_ONCE)


def _document(
    asset: AssetRow,
    version: AssetVersionRow | None,
    tags: Sequence[Tag],
    file_names: Sequence[str],
    said: Sequence[tuple[str, str]],
    *,
    approved: bool,
) -> Document:
    term = access.org_term(asset.org_id)
    return Document(
        id=asset.id,
        org_id=asset.org_id,
        access=frozenset({term, access.approved_term(term)}) if approved else frozenset({term}),
        title=asset.title,
        description=asset.description or "",
        tags=tuple(tags),
        file_names=tuple(file_names),
        creators=tuple(value for name, value in said if name in CREATORS),
        texts=tuple(value for name, value in said if name not in CREATORS),
        kind=asset.kind,
        lifecycle=asset.lifecycle,
        media_type=version.media_type if version else None,
        width=version.width if version else None,
        height=version.height if version else None,
        byte_size=version.byte_size if version else None,
        created_at=asset.created_at,
        updated_at=asset.updated_at,
        captured_at=version.captured_at if version else None,
        revision=asset.revision,
    )


def _tags(work: Work, asset_ids: set[int]) -> dict[int, list[Tag]]:
    rows = taxonomy.of_assets(work, asset_ids)
    spellings = taxonomy.synonyms_of(work, {tag.id for tags in rows.values() for tag in tags})
    return {
        asset_id: [Tag(tag.id, tag.name, tuple(spellings.get(tag.id, ()))) for tag in tags]
        for asset_id, tags in rows.items()
    }


def _file_names(work: Work, asset_ids: set[int]) -> dict[int, list[str]]:
    rows = sa.select(AssetVersionRow.asset_id, AssetVersionRow.file_name).where(AssetVersionRow.asset_id.in_(asset_ids))
    found: dict[int, list[str]] = defaultdict(list)
    for asset_id, name in work.session.execute(rows.distinct().order_by(AssetVersionRow.asset_id)):
        found[asset_id].append(name)
    return found


def _said(work: Work, version_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """The words in a file's own metadata that are worth finding it by."""
    found = metadata.of_versions(work, version_ids)
    return {
        version_id: [(row.name, text) for row in rows if row.name in WORTH_FINDING for text in _texts(row.value)]
        for version_id, rows in found.items()
    }


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
