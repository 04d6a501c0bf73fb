"""A list of assets as a Relay connection: page, total and facets are each worked out only when they are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry

from domain import assets, custom_fields, pages, search, taxonomy
from domain.assets import Stage
from domain.global_ids import encode
from domain.work import Work
from schema import filters
from schema.context import Context
from schema.custom_fields.types import CustomField
from schema.enums import AssetFacet
from schema.fields import field
from schema.localised import Wished, wishes
from schema.mapped import Listed, Listing
from schema.mutating import plain
from schema.node import speak
from schema.paging import PageInfo, cursors, page_info, total
from schema.vocabularies import label_of
from storage.index.contract import FACET_VALUES, FacetField, Hit
from storage.index.contract import FacetValue as FoundValue
from storage.tables import AssetRow, TagRow, VocabularyTermRow

if TYPE_CHECKING:
    from schema.assets import Asset


class AssetList:
    """What was asked of a list: words, filter, order, stage."""

    def __init__(
        self,
        work: Work,
        text: str | None,
        where: filters.AssetWhere | None,
        order_by: list[filters.AssetOrder] | None,
        stage: Stage | None,
    ) -> None:
        self.work = work
        self.text = text if text and text.strip() else None
        filters.check_size(where)
        self.condition = filters.condition(work, where)
        self.order = filters.orders(work, order_by)
        self.stage = stage or Stage.DRAFT
        self.scope = pages.scope_of("assets", self.text, plain(where), plain(order_by), self.stage.value)

    def paging(self, first: int | None, after: str | None, last: int | None, before: str | None) -> pages.Paging:
        return pages.paging(self.work, self.scope, first=first, after=after, last=last, before=before)

    def found(self, wanted: pages.Paging, *, highlight: bool) -> search.Found | None:
        """The page with what only a search knows; None without words to search for."""
        if self.text is None:
            return None
        return search.page(self.work, self.text, self.condition, self.order, wanted, self.stage, highlight=highlight)

    def page(self, wanted: pages.Paging) -> pages.Slice[AssetRow]:
        return assets.page(self.work, self.condition, self.order, wanted, self.stage)

    def count(self) -> int:
        return assets.count(self.work, self.condition, self.stage)

    def facets(self, by: list[AssetFacet]) -> dict[str, tuple[FoundValue, ...]]:
        fields: list[FacetField] = [each.value for each in by]
        if self.text is None:
            return assets.facets(self.work, self.condition, fields, self.stage)
        return search.facets(self.work, self.text, self.condition, fields, self.stage)

    def counts_of_fields(self, words: Mapping[int, Collection[str]]) -> dict[int, dict[str, int]]:
        """Per field how many say each of these words, where any do."""
        if self.text is None:
            found = {each: assets.counts_of_field(self.work, self.condition, each, self.stage) for each in words}
            return {each: {word: n for word, n in found[each].items() if word in words[each]} for each in words}
        facts = [f"{each}{word}" for each, some in words.items() for word in some]
        counted = search.counts_of_facts(self.work, self.text, self.condition, facts, self.stage)
        return {
            each: {word: counted[f"{each}{word}"] for word in some if f"{each}{word}" in counted}
            for each, some in words.items()
        }


@strawberry.type(description="A piece of a text with the places that were found in it.")
class TextFragment:
    text: str
    matches: list[list[int]] = strawberry.field(description="Places as [start, end) in characters.")


@strawberry.type(description="Where in an asset the words were found.")
class TextMatch:
    field: str
    fragments: list[TextFragment]

    @classmethod
    def all_of(cls, hit: Hit) -> list[TextMatch]:
        return [
            cls(
                field=match.field,
                fragments=[
                    TextFragment(text=f.text, matches=[list(pair) for pair in f.matches]) for f in match.fragments
                ],
            )
            for match in hit.matches
        ]


@strawberry.type(description="One value of a facet and how many assets have it.")
class FacetValue:
    value: str = strawberry.field(description="A word, a year, or a tag's id.")
    label: str = strawberry.field(description="The same for people.")
    count: int


@strawberry.type(description="How a list divides by one property, its most frequent values first.")
class Facet:
    by: AssetFacet
    values: list[FacetValue] = strawberry.field(
        description="Its values, the most frequent first.", metadata={"weight": 0}
    )


@strawberry.type(description="How a list divides by what a field of the brand's own says, the most frequent first.")
class CustomFieldFacet:
    field: CustomField
    values: list[FacetValue] = strawberry.field(
        description="Words by their keys, or true and false; at most 50.", metadata={"weight": 0}
    )


@strawberry.type
class AssetEdge:
    node: Annotated[Asset, strawberry.lazy("schema.assets")]
    cursor: str
    score: float | None = strawberry.field(description="How well it was found; null without a search.")
    text_matches: list[TextMatch] = strawberry.field(description="Where the words were found; empty without a search.")


@strawberry.type(description="A page of assets.")
class AssetConnection:
    asked: strawberry.Private[AssetList]
    wanted: strawberry.Private[pages.Paging]
    highlight: strawberry.Private[bool] = True

    @cached_property
    def _found(self) -> search.Found | None:
        return self.asked.found(self.wanted, highlight=self.highlight)

    @cached_property
    def _slice(self) -> pages.Slice[AssetRow]:
        return self.asked.page(self.wanted) if self._found is None else self._found.slice

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[AssetEdge]:
        hits = {} if self._found is None else self._found.hits
        marks = cursors(info.context.work, self._slice)
        return [
            AssetEdge(
                node=speak("Asset", row),
                cursor=mark,
                score=hits[row.id].score if row.id in hits else None,
                text_matches=TextMatch.all_of(hits[row.id]) if row.id in hits else [],
            )
            for row, mark in zip(self._slice.rows, marks, strict=True)
        ]

    @strawberry.field
    def nodes(self) -> list[Annotated[Asset, strawberry.lazy("schema.assets")]]:
        return [speak("Asset", row) for row in self._slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self._slice)

    @total
    def total_count(self) -> int:
        return self.asked.count() if self._found is None else self._found.total

    @field("How all of them, not just this page, divide.", weight=50, size="by")
    def facets(self, info: strawberry.Info[Context], by: list[AssetFacet]) -> list[Facet]:
        by = list(dict.fromkeys(by))
        found = self.asked.facets(by)
        names = taxonomy.by_id(info.context.work, [int(each.value) for each in found.get("tag", ())])
        return [Facet(by=each, values=[_spoken(each, value, names) for value in found[each.value]]) for each in by]

    @field("How all of them divide by fields that choose, or say yes or no; at most 10.", weight=50, size="keys")
    def field_facets(
        self, info: strawberry.Info[Context], keys: list[str], locale: Wished = None
    ) -> list[CustomFieldFacet]:
        asked = custom_fields.counted(info.context.work, keys)
        counts = self.asked.counts_of_fields({row.id: words.keys() for row, words in asked})
        wanted = wishes(info, locale)
        return [
            CustomFieldFacet(field=CustomField.of(row), values=_words(words, counts[row.id], wanted))
            for row, words in asked
        ]

    @field("A search that finds more, where this one found nothing under its own words.", weight=20)
    def did_you_mean(self) -> str | None:
        return None if self._found is None else self._found.did_you_mean

    @field("Milliseconds for which the oldest change unknown to the search index has waited.")
    def index_lag_ms(self, info: strawberry.Info[Context]) -> int:
        return search.lag_ms(info.context.work)


def _listed(work: Work, **given: Any) -> Listing | None:
    asked = AssetList(work, given.get("search"), given.get("where"), given.get("order_by"), given.get("stage"))
    if asked.text is not None:
        return None
    wanted = asked.paging(*(given.get(name) for name in ("first", "after", "last", "before")))
    return Listing(
        rows=lambda: assets.statement(work, asked.condition, asked.order, asked.stage, is_open=True),
        total=lambda: assets.counting(work, asked.condition, asked.stage, is_open=True),
        given=assets.given(work, asked.condition),
        wanted=wanted,
        like=(assets.shape(asked.condition), asked.order, asked.stage),
        is_narrow=asked.condition is not None and assets.is_narrow(asked.condition),
        beside=assets.TAGGED,
    )


#: How a page without words to search for is read.
LISTED: Final = Listed("Asset", _listed, {"score": None, "textMatches": []})


def _words(
    words: Mapping[str, VocabularyTermRow | bool], counts: Mapping[str, int], wanted: tuple[str, ...]
) -> list[FacetValue]:
    found = []
    for word, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:FACET_VALUES]:
        meant = words[word]
        said = str(meant).lower()
        key, label = (said, said) if isinstance(meant, bool) else (meant.key, label_of(meant, wanted))
        found.append(FacetValue(value=key, label=label, count=count))
    return found


def _spoken(by: AssetFacet, found: FoundValue, names: Mapping[int, TagRow]) -> FacetValue:
    if by is AssetFacet.TAG:
        number = int(found.value)
        label = names[number].name if number in names else str(number)
        return FacetValue(value=encode("Tag", number), label=label, count=found.count)
    return FacetValue(value=str(found.value), label=str(found.value), count=found.count)
