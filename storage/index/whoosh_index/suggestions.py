"""Titles, tags and words that begin with what is being typed, counted over the documents a viewer sees."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.index import analyser, ordering, suggesting
from storage.index.contract import Access, Suggestion
from storage.index.texts import NUMBERS, Text
from storage.index.whoosh_index.columns import Columns
from storage.index.whoosh_index.matching import beginning
from storage.index.whoosh_index.segment import Mask
from storage.index.whoosh_index.snapshot import Snapshot

TextsOf = Callable[[list[int]], dict[int, list[Text]]]
_HIGH: Final = b"\xff"


def suggest(snapshot: Snapshot, texts_of: TextsOf, prefix: str, access: Access, limit: int) -> list[Suggestion]:
    typed = suggesting.typed(prefix)
    if typed is None:
        return []
    visible = snapshot.visible(access).masks
    titles = _titles(snapshot, texts_of, typed.folded, visible, limit)
    tags = _tags(snapshot, typed.folded, visible, limit)
    words = _words(snapshot, texts_of, typed, visible, limit)
    return suggesting.mixed(titles, tags, words, limit)


def counted(snapshot: Snapshot, prefix: str, visible: list[Mask]) -> Counter[str]:
    """The words beginning so, with how many visible documents have each; those of none are left out."""
    counts: Counter[str] = Counter()
    for share, mask in zip(snapshot.shares, visible, strict=True):
        table = share.segment.columns
        words, start = table.names["word"], table["word_start"]
        first, last = beginning(words, prefix)
        seen = np.concatenate([[0], np.cumsum(mask[table["word_document"][start[first] : start[last]]])])
        edges = start[first : last + 1] - start[first]
        found = np.diff(seen[edges])
        counts.update({words[first + at]: int(found[at]) for at in np.flatnonzero(found)})
    return counts


def _titles(snapshot: Snapshot, texts_of: TextsOf, folded: str, visible: list[Mask], limit: int) -> list[Suggestion]:
    found: Counter[tuple[int, ...]] = Counter()
    example: dict[tuple[int, ...], int] = {}
    for share, mask in zip(snapshot.shares, visible, strict=True):
        table = share.segment.columns
        rows = np.flatnonzero(mask & _title_begins(table, folded))
        keys = np.stack([table[name][rows] for name in ordering.TITLE_COLUMNS], axis=1)
        distinct, first, counts = np.unique(keys, axis=0, return_index=True, return_counts=True)
        for key, at, count in zip(map(tuple, distinct.tolist()), first.tolist(), counts.tolist(), strict=True):
            found[key] += count
            example[key] = int(table["id"][rows[at]])
    best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]
    texts = texts_of([example[key] for key, _ in best])
    titles = {key: _title(texts.get(example[key], [])) for key, _ in best}
    return [Suggestion(titles[key], "title", count) for key, count in best if titles[key]]


def _title_begins(table: Columns, folded: str) -> Mask:
    """Titles are kept as numbers of eight bytes each: all but the last are equal, the last lies in a
    range.
    """
    raw = folded.encode()[: ordering.TITLE_BYTES]
    found = np.ones(table.documents, np.bool_)
    for at, name in enumerate(ordering.TITLE_COLUMNS):
        piece = raw[8 * at : 8 * at + 8]
        if piece:
            found &= (table[name] >= _number(piece.ljust(8, b"\0"))) & (table[name] <= _number(piece.ljust(8, _HIGH)))
    return found


def _number(piece: bytes) -> int:
    return int.from_bytes(piece, "big") - 2**63


def _title(found: list[Text]) -> str:
    return next((text for field, text in found if field == NUMBERS["title"]), "")


def _tags(snapshot: Snapshot, folded: str, visible: list[Mask], limit: int) -> list[Suggestion]:
    counts: Counter[str] = Counter()
    for share, mask in zip(snapshot.shares, visible, strict=True):
        table = share.segment.columns
        names = table.names["tag"]
        wanted = np.array([analyser.fold(name).startswith(folded) for name in names], np.bool_)
        if wanted.any():
            codes: NDArray[np.int64] = table["tag_value"][mask[table["tag_document"]]]
            found = np.bincount(codes, minlength=len(names)) * wanted
            for at in np.flatnonzero(found).tolist():
                counts[names[at]] += int(found[at])
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [Suggestion(name, "tag", count) for name, count in best]


def _words(
    snapshot: Snapshot, texts_of: TextsOf, typed: suggesting.Typed, visible: list[Mask], limit: int
) -> list[Suggestion]:
    if not typed.last:
        return []
    counts = counted(snapshot, typed.last, visible)
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    holders = {word: _holder(snapshot, word, visible) for word, _ in best}
    texts = texts_of(list(holders.values()))
    spelt = {word: suggesting.spelling(texts.get(holders[word], []), word) for word, _ in best}
    return [Suggestion(typed.head + spelt[word], "word", count) for word, count in best]


def _holder(snapshot: Snapshot, word: str, visible: list[Mask]) -> int:
    """A visible document with the word."""
    for share, mask in zip(snapshot.shares, visible, strict=True):
        table = share.segment.columns
        words = table.names["word"]
        at = bisect_left(words, word)
        if at < len(words) and words[at] == word:
            entries = table["word_document"][table["word_start"][at] : table["word_start"][at + 1]]
            seen = entries[mask[entries]]
            if len(seen):
                return int(table["id"][seen[0]])
    return 0
