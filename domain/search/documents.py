"""What the index is told of an asset: its words, who may see it, and what it is filtered, counted and sorted by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import orm

from domain import custom_fields, localised, metadata, taxonomy, version_texts
from domain.assets import personal
from domain.holdings import WITHHELD
from domain.search import access, faces
from domain.search.access import Shared
from domain.work import Work
from storage.index.contract import Document, Tag
from storage.tables import AssetRow, AssetVersionRow, LightboxAssetRow, MetadataRow, ShareRow

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


def documents(work: Work, asset_ids: Iterable[int]) -> dict[int, list[Document]]:
    """What the index is told of these assets, one or two documents of each; every organisation's, for the index knows
    who may see what.
    """
    ids = set(asset_ids)
    read = _read(work, ids)
    return {asset.row.id: _faces(read, asset) for asset in read.rows}


def every_document(work: Work) -> Iterator[Document]:
    last = 0
    while ids := list(work.session.scalars(_ids_after(last))):
        for told in documents(work, ids).values():
            yield from told
        work.session.expunge_all()
        last = ids[-1]


def revisions(work: Work, after_id: int, limit: int) -> dict[int, dict[int, int]]:
    """Of the first `limit` assets that belong into the index beyond that id, in order of id: their documents' ids and
    stamps.
    """
    columns = (AssetRow.id, AssetRow.revision, AssetRow.public_revision, faces.are_two())
    rows = sa.select(*columns).where(AssetRow.id > after_id, AssetRow.merged_into_id.is_(None))
    rows = rows.order_by(AssetRow.id).limit(limit)
    return {row[0]: _stamps(*row) for row in work.session.execute(rows)}


class _Asset(NamedTuple):
    """An asset with its current and its approved version, and whether it has two faces."""

    row: AssetRow
    current: AssetVersionRow | None
    approved: AssetVersionRow | None
    two: bool


@dataclass(frozen=True)
class _Read:
    """What was read of some assets."""

    rows: list[_Asset]
    tags: Mapping[int, Sequence[Tag]]
    #: Names of its files, and of those that are public.
    names: Mapping[int, Sequence[str]]
    public_names: Mapping[int, Sequence[str]]
    #: By version.
    said: Mapping[int, Sequence[tuple[str, str]]]
    written: Mapping[int, str]
    lightboxes: Mapping[int, Sequence[int]]
    shares: Mapping[int, Sequence[Shared]]
    #: What fields say, and titles and alternative texts in other languages.
    fields: Mapping[int, custom_fields.Told]
    words: Mapping[int, localised.Words]


def _read(work: Work, ids: set[int]) -> _Read:
    current, approved = orm.aliased(AssetVersionRow), orm.aliased(AssetVersionRow)
    joined = (
        sa.select(AssetRow, current, approved, faces.are_two())
        .outerjoin(current, current.id == AssetRow.current_version_id)
        .outerjoin(approved, approved.id == AssetRow.approved_version_id)
    )
    rows = [
        _Asset(*row)
        for row in work.session.execute(joined.where(AssetRow.id.in_(ids), AssetRow.merged_into_id.is_(None)))
    ]
    told = {version.id for asset in rows for version in asset[1:3] if version is not None}
    return _Read(
        rows=rows,
        tags=_tags(work, ids),
        names=_file_names(work, ids, sa.true()),
        public_names=_file_names(work, {asset.row.id for asset in rows if asset.two}, faces.public_names()),
        said=_said(work, sorted(told)),
        written=version_texts.of_versions(work, sorted(told)),
        lightboxes=_lightboxes(work, ids),
        shares=_shares(work, ids),
        fields=custom_fields.told(work, ids),
        words=localised.of_assets(work, ids),
    )


def _ids_after(last: int) -> sa.Select[int]:
    return (
        sa.select(AssetRow.id)
        .where(AssetRow.id > last, AssetRow.merged_into_id.is_(None))
        .order_by(AssetRow.id)
        .limit(DOCUMENTS_AT_ONCE)
    )


def _stamps(asset_id: int, revision: int, public_revision: int, two: bool) -> dict[int, int]:
    draft = {faces.draft_id(asset_id): faces.draft_stamp(revision, public_revision)}
    return draft | ({faces.public_id(asset_id): faces.public_stamp(public_revision)} if two else {})


def _faces(read: _Read, asset: _Asset) -> list[Document]:
    row = asset.row
    carried = access.terms(row, read.lightboxes.get(row.id, ()), read.shares.get(row.id, ()))
    marks = {access.APPROVED} if asset.approved is not None else set()
    if row.lifecycle == "QUARANTINED":
        marks.add(access.QUARANTINED)
    if asset.approved is not None and row.lifecycle not in WITHHELD and not asset.two:
        marks.add(access.PUBLIC)
    draft = _document(read, _draft(row), row, asset.current, read.names, carried | marks)
    if not asset.two:
        return [draft]
    marks = {access.PUBLIC, access.PUBLIC_ONLY}
    return [draft, _document(read, _public(row), row, asset.approved, read.public_names, carried | marks)]


class _Face(NamedTuple):
    document_id: int
    updated_at: datetime
    stamp: int


def _draft(row: AssetRow) -> _Face:
    return _Face(faces.draft_id(row.id), row.updated_at, faces.draft_stamp(row.revision, row.public_revision))


def _public(row: AssetRow) -> _Face:
    return _Face(faces.public_id(row.id), row.public_updated_at, faces.public_stamp(row.public_revision))


def _document(
    read: _Read,
    face: _Face,
    asset: AssetRow,
    version: AssetVersionRow | None,
    names: Mapping[int, Sequence[str]],
    carried: frozenset[str],
) -> Document:
    said = () if version is None else read.said.get(version.id, ())
    written = () if version is None or version.id not in read.written else (read.written[version.id],)
    own = read.fields.get(asset.id, custom_fields.Told())
    words = read.words.get(asset.id, localised.Words())
    return Document(
        id=face.document_id,
        org_id=asset.org_id,
        access=carried,
        title=asset.title,
        description=asset.description or "",
        tags=tuple(read.tags.get(asset.id, ())),
        file_names=tuple(names.get(asset.id, ())),
        creators=tuple(value for name, value in said if name in CREATORS),
        texts=(
            *(value for name, value in said if name not in CREATORS),
            *words.titles.values(),
            *words.alts.values(),
            *own.texts,
            *written,  # last: of a long text only the beginning has room
        ),
        facts=frozenset(own.facts),
        kind=asset.kind,
        lifecycle=asset.lifecycle,
        media_type=version.media_type if version else None,
        width=version.width if version else None,
        height=version.height if version else None,
        byte_size=version.byte_size if version else None,
        created_at=asset.created_at,
        updated_at=face.updated_at,
        captured_at=version.captured_at if version else None,
        revision=face.stamp,
    )


def _tags(work: Work, asset_ids: set[int]) -> dict[int, list[Tag]]:
    rows = taxonomy.of_assets(work, asset_ids)
    spellings = taxonomy.synonyms_of(work, {tag.id for tags in rows.values() for tag in tags})
    return {
        asset_id: [Tag(tag.id, tag.name, tuple(spellings.get(tag.id, ()))) for tag in tags]
        for asset_id, tags in rows.items()
    }


def _file_names(work: Work, asset_ids: set[int], which: sa.ColumnElement[bool]) -> dict[int, list[str]]:
    """Each once, in the order in which they came."""
    rows = sa.select(AssetVersionRow.asset_id, AssetVersionRow.file_name).where(
        AssetVersionRow.asset_id.in_(asset_ids), which
    )
    found: dict[int, dict[str, None]] = defaultdict(dict)
    if asset_ids:
        for asset_id, name in work.session.execute(rows.order_by(AssetVersionRow.asset_id, AssetVersionRow.number)):
            found[asset_id][name] = None
    return {asset_id: list(names) for asset_id, names in found.items()}


def _lightboxes(work: Work, asset_ids: set[int]) -> dict[int, list[int]]:
    placed = LightboxAssetRow.asset_id
    rows = sa.select(placed, LightboxAssetRow.lightbox_id).where(placed.in_(asset_ids))
    found: dict[int, list[int]] = defaultdict(list)
    for asset_id, lightbox_id in work.session.execute(rows):
        found[asset_id].append(lightbox_id)
    return found


def _shares(work: Work, asset_ids: set[int]) -> dict[int, list[Shared]]:
    """Those that nobody ended; whether their time is over is asked by who searches."""
    rows = sa.select(ShareRow.asset_id, ShareRow.to_org_id, ShareRow.access, ShareRow.ends_at)
    found: dict[int, list[Shared]] = defaultdict(list)
    for asset_id, to_org_id, given, ends_at in work.session.execute(
        rows.where(ShareRow.asset_id.in_(asset_ids), ShareRow.ended_at.is_(None))
    ):
        assert asset_id is not None
        found[asset_id].append(Shared(to_org_id, given, ends_at))
    return found


def _said(work: Work, version_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """The words in a file's own metadata that are worth finding it by, and are about no person: the index does not
    know who may read those.
    """
    found = metadata.of_versions(work, version_ids)
    return {
        version_id: [(row.name, text) for row in rows if _is_told(row) for text in _texts(row.value)]
        for version_id, rows in found.items()
    }


def _is_told(row: MetadataRow) -> bool:
    return row.name in WORTH_FINDING and not personal.is_personal(row)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
