"""How the found documents spread over kinds, tags, media types and years, and how many say what."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.index import analyser, facets
from storage.index.contract import FacetField, FacetValue
from storage.index.whoosh_index.columns import UNSAID, Columns
from storage.index.whoosh_index.segment import Mask
from storage.index.whoosh_index.snapshot import Snapshot


def count(snapshot: Snapshot, masks: list[Mask], field: FacetField) -> tuple[FacetValue, ...]:
    """The most frequent values and how many of the found documents have each."""
    counts: Counter[str | int] = Counter()
    for share, mask in zip(snapshot.shares, masks, strict=True):
        counts.update(_counts(share.segment.columns, mask, field))
    return facets.top(counts)


def facts(snapshot: Snapshot, masks: list[Mask], wanted: Sequence[str]) -> dict[str, int]:
    """How many of the found documents say each of these facts, where any do."""
    told = {analyser.digest(fact): fact for fact in wanted}
    counts: Counter[str] = Counter()
    for share, mask in zip(snapshot.shares, masks, strict=True) if told else ():
        table = share.segment.columns
        said = table["fact_value"][mask[table["fact_document"]]]
        digests, numbers = np.unique(said[np.isin(said, list(told))], return_counts=True)
        counts.update({told[each]: int(count) for each, count in zip(digests.tolist(), numbers, strict=True)})
    return dict(counts)


def _counts(table: Columns, mask: Mask, field: FacetField) -> dict[str | int, int]:
    if field == "year":
        years, counts = np.unique(table["year"][mask], return_counts=True)
        return dict(zip(years.tolist(), counts.tolist(), strict=True))
    if field == "tag":
        # One code per (tag, name): a renamed tag has several until its documents are all put again.
        codes = table["tag_value"][mask[table["tag_document"]]]
        return _summed(table["tag_id"].tolist(), np.bincount(codes, minlength=len(table["tag_id"])))
    codes = table[field][mask]
    names = table.names[field]
    return _summed(names, np.bincount(codes[codes != UNSAID], minlength=len(names)))


def _summed(values: list[str] | list[int], counts: NDArray[np.int64]) -> dict[str | int, int]:
    found: dict[str | int, int] = {}
    for at in np.flatnonzero(counts).tolist():
        found[values[at]] = found.get(values[at], 0) + int(counts[at])
    return found
