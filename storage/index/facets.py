"""How facet counts are cut: the most frequent first, equals in the order of their value."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Final

from storage.index.contract import FACET_VALUES, FacetValue

_COUNT: Final = itemgetter(1)


def top(counts: Mapping[str | int, int]) -> tuple[FacetValue, ...]:
    """Sorting twice, the second time keeping equals as they were, compares no made-up keys."""
    ranked = sorted(counts.items())
    ranked.sort(key=_COUNT, reverse=True)
    return tuple(FacetValue(value, count) for value, count in ranked[:FACET_VALUES])
