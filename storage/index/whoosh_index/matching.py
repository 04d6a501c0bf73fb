"""Which documents a planned query finds, and how well: whole posting lists at a time, in numpy.

Always true here:
- Scores are BM25 (Robertson and Zaragoza 2009, section 3.5) over the documents that the viewer sees: neither
  merging nor the dead nor what they may not know of change them.
- A phrase counts like a term that occurs as often as it does and is as rare as its words together.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.index import nearest, plan
from storage.index.conditions import Condition
from storage.index.plan import Beginning, Every, Leaf, Near, Plan, Sequence, Some, Step, Term, Where, Without
from storage.index.whoosh_index import filtering
from storage.index.whoosh_index.codec import FIELD_STEP, Postings
from storage.index.whoosh_index.segment import Mask
from storage.index.whoosh_index.snapshot import Share, Snapshot, Visible

K1: Final = 1.2
B: Final = 0.75


class Found(NamedTuple):
    """Documents, ascending and each once, and how often the leaf occurs in them."""

    documents: NDArray[np.int64]
    counts: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matching:
    """One viewer's query against one snapshot."""

    snapshot: Snapshot
    visible: Visible
    _found: dict[Leaf, list[Found]] = field(default_factory=dict)

    def masks(self, step: Step) -> list[Mask]:
        """Per share, the documents found, dead ones among them."""
        return [self._mask(step, at) for at in range(len(self.snapshot.shares))]

    def scores(self, planned: Plan) -> list[NDArray[np.float32]]:
        """Per share, every document's score; those not found have one too."""
        scores = [np.zeros(share.segment.documents, np.float32) for share in self.snapshot.shares]
        for leaf in plan.scored(planned.root):
            rarity = self._rarity(leaf)
            for share, found, into in zip(self.snapshot.shares, self._occurrences(leaf), scores, strict=True):
                into[found.documents] += rarity * self._saturation(share, found)
        if planned.exact is not None:
            for share, into in zip(self.snapshot.shares, scores, strict=True):
                _add_exact(share, planned.exact, into)
        return scores

    def _mask(self, step: Step, at: int) -> Mask:
        share = self.snapshot.shares[at]
        match step:
            case Every(parts):
                return _all([self._mask(part, at) for part in parts])
            case Some(parts):
                return ~_all([~self._mask(part, at) for part in parts])
            case Without(part):
                return ~self._mask(part, at)
            case Where(condition):
                return filtering.mask(share.segment.columns, condition)
            case _:
                found = np.zeros(share.segment.documents, np.bool_)
                found[self._occurrences(step)[at].documents] = True
                return found

    def _occurrences(self, leaf: Leaf) -> list[Found]:
        known = self._found.get(leaf)
        if known is None:
            known = self._found[leaf] = [_occurrences(share, leaf) for share in self.snapshot.shares]
        return known

    def _rarity(self, leaf: Leaf) -> float:
        stems = leaf.stems if isinstance(leaf, Sequence) else ()
        if stems:
            return sum(self._rarity(Term(stem, "", leaf.field)) for stem in stems)
        with_it = sum(
            int(np.count_nonzero(mask[found.documents]))
            for mask, found in zip(self.visible.masks, self._occurrences(leaf), strict=True)
        )
        return float(np.log1p((self.visible.documents - with_it + 0.5) / (with_it + 0.5)))

    def _saturation(self, share: Share, found: Found) -> NDArray[np.float32]:
        lengths = share.segment.columns["length"][found.documents].astype(np.float32)
        norm = np.float32(K1) * (1 - B + B / self.visible.average_length * lengths)
        return (found.counts * np.float32(K1 + 1) / (found.counts + norm)).astype(np.float32)


def base(snapshot: Snapshot, visible: list[Mask], condition: Condition | None) -> list[Mask]:
    """The documents a search may find at all."""
    if condition is None:
        return visible
    pairs = zip(snapshot.shares, visible, strict=True)
    return [mask & filtering.mask(share.segment.columns, condition) for share, mask in pairs]


def _all(masks: list[Mask]) -> Mask:
    found = masks[0]
    for mask in masks[1:]:
        found = found & mask
    return found


def _occurrences(share: Share, leaf: Leaf) -> Found:
    if isinstance(leaf, Term):
        return _term(share.segment.terms.postings(leaf.stem), leaf.field)
    if isinstance(leaf, Sequence):
        return _sequence([share.segment.terms.postings(stem) for stem in leaf.stems], leaf.field)
    return _words(share, leaf)


def _term(postings: Postings, field_: int | None) -> Found:
    counts = postings.counts.astype(np.float32)
    if field_ is None:
        return Found(postings.documents.astype(np.int64), counts)
    inside = (postings.masks >> field_) & 1 == 1
    return Found(postings.documents[inside].astype(np.int64), counts[inside])


def _sequence(lists: list[Postings], field_: int | None) -> Found:
    """Where the first stem stands, the next one place further, and so on: an intersection of shifted
    places.
    """
    places = _places(lists[0], 0)
    for shift, postings in enumerate(lists[1:], 1):
        if not len(places):
            break
        places = np.intersect1d(places, _places(postings, shift), assume_unique=True)
    if field_ is not None:
        places = places[(places & 0xFFFFFFFF) // FIELD_STEP == field_]
    documents, counts = np.unique(places >> 32, return_counts=True)
    return Found(documents, counts.astype(np.float32))


def _places(postings: Postings, shift: int) -> NDArray[np.int64]:
    documents = postings.documents.astype(np.int64)[postings.owners()]
    return (documents << 32) + postings.positions - shift


def _words(share: Share, leaf: Beginning | Near) -> Found:
    table = share.segment.columns
    words, start = table.names["word"], table["word_start"]
    seen = np.zeros(table.documents, np.bool_)
    for first, last in _word_ranges(words, leaf):
        entries = slice(int(start[first]), int(start[last]))
        documents = table["word_document"][entries]
        if leaf.field is not None:
            documents = documents[(table["word_mask"][entries] >> leaf.field) & 1 == 1]
        seen[documents] = True
    documents = np.flatnonzero(seen)
    return Found(documents, np.ones(len(documents), np.float32))


def _word_ranges(words: list[str], leaf: Beginning | Near) -> list[tuple[int, int]]:
    if isinstance(leaf, Beginning):
        return [beginning(words, leaf.prefix)]
    first, last = beginning(words, leaf.surface[:1])
    near = nearest.within(words[first:last], leaf.surface, leaf.edits)
    return [(first + at, first + at + 1) for at, _ in near]


def beginning(words: list[str], prefix: str) -> tuple[int, int]:
    """The range of sorted words that begin so."""
    first = bisect_left(words, prefix)
    return first, bisect_left(words, prefix + "\U0010ffff", lo=first)


def _add_exact(share: Share, digest: int, scores: NDArray[np.float32]) -> None:
    table = share.segment.columns
    scores[table["exact_title"] == digest] += plan.TITLE_BONUS
    scores[np.unique(table["exact_document"][table["exact_value"] == digest])] += plan.NAME_BONUS
