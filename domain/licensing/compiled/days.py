"""Windows of days that pass, as few boxes: a window lies in one where it begins in it and ends before it does.

A box is (first, first_to, last), all included, as ordinals: windows that begin from `first` to `first_to` and end on
`last` at the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from domain.licensing.spans import Span

Box: TypeAlias = tuple[int, int, int]
#: Boxes without those that others have in them, sorted.
Boxes: TypeAlias = tuple[Box, ...]


def common(one: Box, other: Box) -> Box:
    return max(one[0], other[0]), min(one[1], other[1]), min(one[2], other[2])


def is_within(inner: Box, outer: Box) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner[2] <= outer[2]


def both(some: Iterable[Box], others: Sequence[Box]) -> Boxes:
    """Windows that lie in a box of each."""
    return largest(common(one, other) for one in some for other in others)


def without(boxes: Boxes, barred: Span) -> Boxes:
    """Windows that have no day in the span."""
    if barred[0] > barred[1]:
        return boxes
    sooner = ((first, first_to, min(last, barred[0] - 1)) for first, first_to, last in boxes)
    later = ((max(first, barred[1] + 1), first_to, last) for first, first_to, last in boxes)
    return largest((*sooner, *later))


def largest(boxes: Iterable[Box]) -> Boxes:
    """Without empty ones, and those that lie in another."""
    found = sorted(set(_filled(boxes)))
    return tuple(one for one in found if not any(one != other and is_within(one, other) for other in found))


def shared(of_places: Mapping[int, Boxes]) -> dict[Box, int]:
    """Per box the places, as bits, that all have it in one of theirs; so that a window passes in some places exactly
    where one of these boxes has it and all of them. `of_places` is per set of places, as bits, the boxes of each.
    """
    found: set[Box] = set()
    waiting = {box for boxes in of_places.values() for box in boxes}
    while waiting:
        box = waiting.pop()
        if box not in found:
            waiting.update(_filled(common(box, other) for other in found))
            found.add(box)
    reaching = {box: _places(of_places, box) for box in found}
    return {
        box: places
        for box, places in reaching.items()
        if not any(box != other and is_within(box, other) and places & ~more == 0 for other, more in reaching.items())
    }


def _filled(boxes: Iterable[Box]) -> Iterator[Box]:
    """Those that have a window, each with the last day that one can begin on."""
    for first, first_to, last in boxes:
        if first <= min(first_to, last):
            yield first, min(first_to, last), last


def _places(of_places: Mapping[int, Boxes], box: Box) -> int:
    found = 0
    for places, boxes in of_places.items():
        if any(is_within(box, other) for other in boxes):
            found |= places
    return found
