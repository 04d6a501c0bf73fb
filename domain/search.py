"""Searching by words, and keeping the index in step with the rows.

The index proposes and the rows decide: every hit is looked up again under the viewer's own condition, filter and stage
before it is shown, so that one that was taken away since never appears. The index is fed from recorded events, is
never the truth, and `rebuild` makes it anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa

from domain import approvals, identity, metadata, taxonomy
from domain.assets import listing
from domain.assets.listing import Order, OrderField, Stage
from domain.hub import Hub
from domain.pages import Paging, Slice
from domain.refusals import BadSearch, Conflict, Invalid, PageTooLarge
from domain.work import HUB, Work
from storage import events
from storage.index import query
from storage.index.conditions import Condition
from storage.index.contract import (
    Document,
    FacetField,
    FacetValue,
    Hit,
    Hits,
    OrderBy,
    Position,
    Put,
    Remove,
    Search,
    SearchRefused,
    Suggestion,
    Tag,
)
from storage.tables import AssetRow, AssetTagRow, AssetVersionRow, EventRow

#: Events read at once while catching up.
BATCH = 500
#: Documents read at once; one batch stands in memory.
DOCUMENTS_AT_ONCE = 500
MAX_SUGGESTIONS = 20
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


@dataclass(frozen=True)
class Found:
    """`hits` holds score and text matches by asset id; `did_you_mean` is a search text that finds more."""

    slice: Slice[AssetRow]
    total: int
    hits: dict[int, Hit]
    did_you_mean: str | None


def page(
    work: Work,
    text: str,
    condition: Condition | None,
    order: Sequence[Order],
    wanted: Paging,
    stage: Stage = Stage.DRAFT,
    *,
    highlight: bool = False,
) -> Found:
    """One page of the assets that `text` finds, best first unless `order` says otherwise."""
    parsed = _parse(text)
    hits = _ask(
        work,
        Search(
            query=parsed,
            access=_access(work, stage),
            conditions=listing.effective(condition),
            order=_order(order),
            limit=wanted.limit + 1,
            after=None if wanted.backwards else _position(wanted),
            before=_position(wanted) if wanted.backwards else None,
            backward=wanted.backwards,
            highlight=highlight,
            relax=True,
        ),
    )
    meant = work.index.correct(parsed, _access(work, stage)) if hits.relaxed or not hits.total else None
    slice_ = _shown(work, hits, wanted, condition, stage)
    revisions = {row.id: row.revision for row in slice_.rows}
    shown = {hit.id: _current(hit, revisions[hit.id]) for hit in hits.hits if hit.id in revisions}
    return Found(slice_, hits.total, shown, meant)


def facets(
    work: Work,
    text: str,
    condition: Condition | None,
    fields: Sequence[FacetField],
    stage: Stage = Stage.DRAFT,
) -> dict[str, tuple[FacetValue, ...]]:
    """Per field the most frequent values among everything that `text` finds."""
    wanted = Search(
        query=_parse(text),
        access=_access(work, stage),
        conditions=listing.effective(condition),
        facets=tuple(dict.fromkeys(fields)),
        limit=1,
        relax=True,
    )
    return _ask(work, wanted).facets


def suggest(work: Work, prefix: str, limit: int) -> list[Suggestion]:
    """How what is being typed may go on, from what the viewer may see."""
    if not 1 <= limit <= MAX_SUGGESTIONS:
        raise PageTooLarge(f"Ask for 1 to {MAX_SUGGESTIONS} suggestions.", ("first",))
    if len(prefix) > query.MAX_LENGTH:
        raise BadSearch(f"A search has at most {query.MAX_LENGTH} characters.")
    return [] if work.index.needs_rebuild else work.index.suggest(prefix, identity.access_terms(work), limit)


def lag_ms(work: Work) -> int:
    """Milliseconds for which the oldest change that the index does not know yet has been waiting; 0 when in step."""
    behind = (EventRow.seq.is_(None)) | (EventRow.seq > work.index.checkpoint())
    oldest = work.session.scalar(sa.select(sa.func.min(EventRow.occurred_at)).where(behind))
    return 0 if oldest is None else max(0, (work.now - oldest) // timedelta(milliseconds=1))


def catch_up(hub: Hub) -> int:
    """Applies the next batch of events to the index; how many there were. The caller holds the writer's lock."""
    with hub.writing(HUB) as work:
        events.number(work.session)
    with hub.reading(HUB) as work:
        batch = events.after(work.session, hub.index.checkpoint(), BATCH)
        if not batch:
            return 0
        seq = batch[-1].seq
        assert seq is not None
        changed = sorted(_assets_changed(work, batch))
        for start in range(0, len(changed), DOCUMENTS_AT_ONCE):
            hub.index.apply(_operations(work, changed[start : start + DOCUMENTS_AT_ONCE]), hub.index.checkpoint())
        hub.index.apply((), seq)
    return len(batch)


def rebuild(hub: Hub, progress: Callable[[int], None] = lambda _: None) -> int:
    """Builds the index anew from the rows while the old one goes on answering; how many documents it holds."""
    with hub.writing(HUB) as work:
        events.number(work.session)
    count = 0

    def counted(documents: Iterator[Document]) -> Iterator[Document]:
        nonlocal count
        for document in documents:
            count += 1
            progress(count)
            yield document

    with hub.index.writer_lock(), hub.reading(HUB) as work:
        hub.index.rebuild(counted(_all_documents(work)), events.last(work.session))
    return count


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


def _parse(text: str) -> query.Query:
    try:
        return query.parse(text)
    except query.QuerySyntaxError as error:
        raise BadSearch(str(error), error.position) from None


def _ask(work: Work, search: Search) -> Hits:
    if work.index.needs_rebuild:
        raise Conflict("The search index is being rebuilt: try again in a moment.", ("search",))
    try:
        return work.index.search(search)
    except SearchRefused as error:
        raise BadSearch(str(error)) from None


def _access(work: Work, stage: Stage) -> frozenset[str]:
    terms = identity.access_terms(work)
    return terms if stage is Stage.DRAFT else frozenset(_approved_term(term) for term in terms)


def _approved_term(term: str) -> str:
    return f"{term}:approved"


def _order(order: Sequence[Order]) -> tuple[OrderBy, ...]:
    chosen = listing.checked_order(order) or (Order(OrderField.RELEVANCE, descending=True),)
    relevance = [each for each in chosen if each.field is OrderField.RELEVANCE]
    if relevance and (len(chosen) > 1 or not relevance[0].descending):
        raise Invalid("Relevance stands alone and descending.", ("orderBy",), "relevance")
    return tuple(OrderBy(each.field.value, each.descending) for each in chosen)


def _position(wanted: Paging) -> Position | None:
    return None if wanted.position is None else Position(tuple(wanted.position[:-1]), wanted.position[-1])


def _current(hit: Hit, revision: int) -> Hit:
    """The hit without the texts it was found in, where these may have changed since."""
    return hit if hit.revision == revision else replace(hit, matches=())


def _shown(work: Work, hits: Hits, wanted: Paging, condition: Condition | None, stage: Stage) -> Slice[AssetRow]:
    """The hits that the rows confirm, now and for this viewer."""
    found = hits.hits if wanted.backwards else hits.hits[: wanted.limit]
    if wanted.backwards and len(found) > wanted.limit:
        found = found[-wanted.limit :] if wanted.limit else ()
    rows = listing.among(work, [hit.id for hit in found], condition, stage)
    kept = [hit for hit in found if hit.id in rows]
    more, came_from = len(hits.hits) > wanted.limit, wanted.position is not None
    return Slice(
        rows=[rows[hit.id] for hit in kept],
        positions=[(*hit.position.key, hit.position.id) for hit in kept],
        has_next=came_from if wanted.backwards else more,
        has_previous=more if wanted.backwards else came_from,
        scope=wanted.scope,
    )


def _assets_changed(work: Work, batch: Sequence[EventRow]) -> set[int]:
    changed = {event.subject_id for event in batch if event.subject_type == "Asset"}
    tags = {event.subject_id for event in batch if event.type in {"tag.updated", "tag.merged"}}
    if tags:
        changed |= set(work.session.scalars(sa.select(AssetTagRow.asset_id).where(AssetTagRow.tag_id.in_(tags))))
    return changed


def _operations(work: Work, asset_ids: Sequence[int]) -> list[Put | Remove]:
    found = documents(work, asset_ids)
    work.session.expunge_all()  # a tag on everything changes everything
    return [Put(found[asset_id]) if asset_id in found else Remove(asset_id) for asset_id in asset_ids]


def _all_documents(work: Work) -> Iterator[Document]:
    last = 0
    while ids := list(work.session.scalars(_ids_after(last))):
        yield from documents(work, ids).values()
        work.session.expunge_all()
        last = ids[-1]


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
    term = identity.org_term(asset.org_id)
    return Document(
        id=asset.id,
        org_id=asset.org_id,
        access=frozenset({term, _approved_term(term)}) if approved else frozenset({term}),
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
