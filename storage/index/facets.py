"""How facet counts are cut: the most frequent first, equals in the order of their value."""

from collections.abc import Mapping

from storage.index.contract import FACET_VALUES, FacetValue


def top(counts: Mapping[str | int, int]) -> tuple[FacetValue, ...]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FacetValue(value, count) for value, count in ranked[:FACET_VALUES])
