"""Searching by words: pages, facets and suggestions of what the viewer may see.

The index proposes and the rows decide: every hit is looked up again under the viewer's own condition, filter and stage
before it is shown, so that one that was taken away since never appears.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain import identity
from domain.assets import filtering, listing
from domain.assets.listing import Order, OrderField, OwnOrder, Stage
from domain.pages import Paging, Slice
from domain.refusals import BadSearch, Conflict, Invalid, PageTooLarge
from domain.search import access, faces
from domain.work import Work
from storage.index import query
from storage.index.conditions import Among, Condition, Deliverable
from storage.index.contract import (
    FacetField,
    FacetValue,
    Hit,
    Hits,
    OrderBy,
    Position,
    Search,
    SearchRefused,
    Suggestion,
)
from storage.tables import AssetRow

MAX_SUGGESTIONS = 20


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
    parsed, doors = _parse(text), access.doors(work, stage)
    hits = _ask(
        work,
        Search(
            query=parsed,
            access=doors,
            conditions=_told(work, condition),
            order=_order(order),
            limit=wanted.limit + 1,
            after=None if wanted.backwards else _position(wanted, order),
            before=_position(wanted, order) if wanted.backwards else None,
            backward=wanted.backwards,
            highlight=highlight,
            relax=True,
        ),
    )
    meant = work.index.correct(parsed, doors) if hits.relaxed or not hits.total else None
    slice_ = _shown(work, hits, wanted, condition, stage)
    return Found(slice_, hits.total, _current(work, hits, slice_.rows), meant)


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
        access=access.doors(work, stage),
        conditions=_told(work, condition),
        facets=tuple(dict.fromkeys(fields)),
        limit=1,
        relax=True,
    )
    return _ask(work, wanted).facets


def counts_of_facts(
    work: Work, text: str, condition: Condition | None, facts: Sequence[str], stage: Stage = Stage.DRAFT
) -> dict[str, int]:
    """How many of the assets that `text` finds say each of these facts, where any do."""
    wanted = Search(
        query=_parse(text),
        access=access.doors(work, stage),
        conditions=_told(work, condition),
        counted=tuple(facts),
        limit=1,
        relax=True,
    )
    return _ask(work, wanted).counted


def suggest(work: Work, prefix: str, limit: int) -> list[Suggestion]:
    """How what is being typed may go on, from what the viewer may see."""
    if not 1 <= limit <= MAX_SUGGESTIONS:
        raise PageTooLarge(f"Ask for 1 to {MAX_SUGGESTIONS} suggestions.", ("first",))
    if len(prefix) > query.MAX_LENGTH:
        raise BadSearch(f"A search has at most {query.MAX_LENGTH} characters.")
    return [] if work.index.needs_rebuild else work.index.suggest(prefix, access.doors(work, Stage.DRAFT), limit)


def _parse(text: str) -> query.Query:
    try:
        return query.parse(text)
    except query.QuerySyntaxError as error:
        raise BadSearch(str(error), error.position) from None


def _told(work: Work, condition: Condition | None) -> Condition:
    """The filter that is really asked, with what only the rows tell of it said by documents."""

    def tell(part: Deliverable) -> Among:
        ids = listing.ids_of(work, part)
        return Among(frozenset([*map(faces.draft_id, ids), *map(faces.public_id, ids)]))

    return filtering.told(listing.effective(condition), tell)


def _ask(work: Work, search: Search) -> Hits:
    if work.index.needs_rebuild:
        raise Conflict("The search index is being rebuilt: try again in a moment.", ("search",))
    try:
        return work.index.search(search)
    except SearchRefused as error:
        raise BadSearch(str(error)) from None


def _order(order: Sequence[Order]) -> tuple[OrderBy, ...]:
    chosen = listing.checked_order(order) or (Order(OrderField.RELEVANCE, descending=True),)
    if any(isinstance(each.field, OwnOrder) for each in chosen):
        raise Invalid("Fields of the brand's own order only lists without words to search for.", ("orderBy",), "search")
    relevance = [each for each in chosen if each.field is OrderField.RELEVANCE]
    if relevance and (len(chosen) > 1 or not relevance[0].descending):
        raise Invalid("Relevance stands alone and descending.", ("orderBy",), "relevance")
    return tuple(OrderBy(each.field.value, each.descending) for each in chosen if isinstance(each.field, OrderField))


def _position(wanted: Paging, order: Sequence[Order]) -> Position | None:
    """The place a cursor names, beyond both faces of its asset: ties are broken by the id in the direction of the last
    field, and relevance descends.
    """
    if wanted.position is None:
        return None
    descending = order[-1].descending if order else True
    document_id = faces.place_beside(wanted.position[-1], later=descending == wanted.backwards)
    return Position(tuple(wanted.position[:-1]), document_id)


def _current(work: Work, hits: Hits, rows: Sequence[AssetRow]) -> dict[int, Hit]:
    """By asset its hit, without the texts it was found in where these may have changed since for the viewer."""
    found, whole = {faces.asset_of(hit.id): hit for hit in hits.hits}, identity.sees_unapproved(work, rows)
    return {
        row.id: hit if faces.is_current(hit.revision, row, unapproved=whole[row.id]) else hit._replace(matches=())
        for row in rows
        for hit in [found[row.id]]
    }


def _shown(work: Work, hits: Hits, wanted: Paging, condition: Condition | None, stage: Stage) -> Slice[AssetRow]:
    """The hits that the rows confirm, now and for this viewer."""
    found = hits.hits if wanted.backwards else hits.hits[: wanted.limit]
    if wanted.backwards and len(found) > wanted.limit:
        found = found[-wanted.limit :] if wanted.limit else ()
    rows = listing.among(work, [faces.asset_of(hit.id) for hit in found], condition, stage)
    kept = [hit for hit in found if faces.asset_of(hit.id) in rows]
    more, came_from = len(hits.hits) > wanted.limit, wanted.position is not None
    return Slice(
        rows=[rows[faces.asset_of(hit.id)] for hit in kept],
        positions=[_place(hit) for hit in kept],
        has_next=came_from if wanted.backwards else more,
        has_previous=more if wanted.backwards else came_from,
        scope=wanted.scope,
        ends=(_place(found[0]), _place(found[-1])) if found else None,
    )


def _place(hit: Hit) -> tuple[Any, ...]:
    """Where a hit stands, as cursors name it: they do not tell how many faces its asset has."""
    return (*hit.position.key, faces.asset_of(hit.position.id))
