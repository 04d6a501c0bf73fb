"""How a use stands, place by place, on all the days of a window, and on which days of it would do.

No two grants are stitched together: one has to carry the whole window in a place. So a part of a window that passes
passes too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.licensing import spans
from domain.licensing.clearing import Cleared
from domain.licensing.passing import PASSES, RANKS, Bar, Clause, Option
from domain.licensing.spans import Span


@dataclass(frozen=True, slots=True)
class Standing:
    """Per rank of `passing.RANKS` the places, as bits, that reach it."""

    reached: tuple[int, ...]

    @property
    def passing(self) -> int:
        return self.reached[PASSES]

    def worst(self, places: int) -> int:
        """The rank that all of the places reach."""
        return max(rank for rank, reached in enumerate(self.reached) if reached & places == places)

    def best(self, places: int) -> int:
        """The rank that one of the places reaches at least."""
        return max((rank for rank, reached in enumerate(self.reached) if reached & places), default=0)


def of(cleared: Cleared, everywhere: int, window: Span) -> Standing:
    reached = [everywhere]
    for rank in range(1, len(RANKS)):
        left = everywhere & ~barred(cleared.bars, window, rank)
        for clause in cleared.clauses:
            if not left:
                break
            left &= clause.carried(window, rank)
        reached.append(left)
    return Standing(tuple(reached))


def barred(bars: Iterable[Bar], window: Span, rank: int) -> int:
    """The places where something keeps the use below the rank."""
    found = 0
    for bar in bars:
        if bar.rank < rank and spans.overlaps(bar.span, window):
            found |= bar.places
    return found


def chosen(clause: Clause, window: Span, places: int) -> Iterator[tuple[Option, int]]:
    """Which option carries which of the places: the best, of equals the one with the smallest ids."""
    left = places
    for option in sorted(clause.options, key=_preference):
        if left and option.rank >= PASSES and option.holds(window):
            reached = option.reached(window) & left
            if reached:
                yield option, reached
                left &= ~reached


def largest(cleared: Cleared, everywhere: int, window: Span) -> Span | None:
    """The longest part of the window that passes everywhere, the earliest of those; None where no day does."""
    if not _could_pass(cleared, everywhere):
        return None
    starts, ends = _edges(cleared, window)
    best, at = None, -1
    for start in starts:
        while at + 1 < len(ends) and (ends[at + 1] < start or passes(cleared, everywhere, (start, ends[at + 1]))):
            at += 1
        if at >= 0 and ends[at] >= start and (best is None or ends[at] - start > best[1] - best[0]):
            best = (start, ends[at])
    return best


def in_two(cleared: Cleared, everywhere: int, window: Span) -> tuple[Span, Span] | None:
    """Two parts that follow each other, each of which passes; the first as long as can be."""
    if not _could_pass(cleared, everywhere):
        return None
    ends = [end for end in _edges(cleared, window)[1] if passes(cleared, everywhere, (window[0], end))]
    if not ends or ends[-1] == window[1]:
        return None
    rest = (ends[-1] + 1, window[1])
    return ((window[0], ends[-1]), rest) if passes(cleared, everywhere, rest) else None


def passes(cleared: Cleared, everywhere: int, window: Span) -> bool:
    if barred(cleared.bars, window, PASSES) & everywhere:
        return False
    return all(everywhere & ~clause.carried(window, PASSES) == 0 for clause in cleared.clauses)


def _preference(option: Option) -> tuple[int, int, int]:
    return -option.rank, option.terms.id if option.terms else 0, option.grant.id if option.grant else 0


def _could_pass(cleared: Cleared, everywhere: int) -> bool:
    """Whether dates alone are in the way, if anything is."""
    if any(bar.span == spans.ALWAYS and bar.rank < PASSES and bar.places & everywhere for bar in cleared.bars):
        return False
    return all(everywhere & ~_ever(clause) == 0 for clause in cleared.clauses)


def _ever(clause: Clause) -> int:
    found = 0
    for option in clause.options:
        if option.rank >= PASSES:
            found |= option.places
    return found


def _edges(cleared: Cleared, window: Span) -> tuple[list[int], list[int]]:
    """Days on which a part that passes and cannot grow may start, and end."""
    starts, ends = {window[0]}, {window[1]}
    for clause in cleared.clauses:
        for option in clause.options:
            if option.rank >= PASSES:
                starts |= {option.span[0], *(each.span[0] for each in option.spells)}
                ends |= {option.span[1], *(each.span[1] for each in option.spells)}
                full = [span for one in option.counted for span in one.full()]
                starts |= {hi + 1 for _, hi in full}
                ends |= {lo - 1 for lo, _ in full}
    for bar in cleared.bars:
        if bar.rank < PASSES:
            starts.add(bar.span[1] + 1)
            ends.add(bar.span[0] - 1)
    inside = range(window[0], window[1] + 1)
    return sorted(day for day in starts if day in inside), sorted(day for day in ends if day in inside)
