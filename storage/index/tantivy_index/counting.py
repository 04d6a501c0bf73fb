"""How the found documents spread over kinds, tags, media types and years, by tantivy's own aggregations.

Always true here:
- Counts are exact: every segment tells all its values, since one that tells only its most frequent makes the
  sum too small.
"""

from collections.abc import Sequence
from typing import Any, Final

from storage.index import analyser, facets
from storage.index.contract import FACET_VALUES, FacetField, FacetValue
from storage.index.tantivy_index import schema

#: Values asked for at first; more only when those cut off may tie with those shown.
_ASKED: Final = 2 * FACET_VALUES
_EVERY: Final = 65_000


def count(searcher: Any, whole: Any, fields: tuple[FacetField, ...]) -> dict[str, tuple[FacetValue, ...]]:
    if not fields:
        return {}
    answer = searcher.aggregate(whole, {field: _terms(field, _ASKED) for field in fields})
    return {field: _top(searcher, whole, field, answer[field]["buckets"]) for field in fields}


def facts(searcher: Any, whole: Any, wanted: Sequence[str]) -> dict[str, int]:
    """How many of the found documents say each of these facts, where any do."""
    told = {analyser.digest(fact): fact for fact in wanted}
    if not told:
        return {}
    asked = {"terms": {"field": "counted_fact", "size": _EVERY, "segment_size": _EVERY}}
    buckets = searcher.aggregate(whole, {"facts": asked})["facts"]["buckets"]
    return {told[digest]: bucket["doc_count"] for bucket in buckets if (digest := int(bucket["key"])) in told}


def _terms(field: FacetField, size: int) -> dict[str, Any]:
    return {"terms": {"field": field, "size": size, "segment_size": _EVERY}}


def _top(searcher: Any, whole: Any, field: FacetField, buckets: list[dict[str, Any]]) -> tuple[FacetValue, ...]:
    if len(buckets) == _ASKED and buckets[-1]["doc_count"] == buckets[FACET_VALUES - 1]["doc_count"]:
        buckets = searcher.aggregate(whole, {field: _terms(field, _EVERY)})[field]["buckets"]
    counts = {_value(bucket["key"]): bucket["doc_count"] for bucket in buckets}
    counts.pop(schema.NO_WORD, None)
    return facets.top(counts)


def _value(key: str | float) -> str | int:
    return key if isinstance(key, str) else int(key)
