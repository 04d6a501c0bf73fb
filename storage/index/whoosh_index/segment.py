"""One segment: an immutable share of the documents, on disk and opened.

Always true here:
- Three files, named after the segment: Whoosh's terms and postings, and the columns. They are on the disk,
  synced, before anything speaks of the segment.
- A segment never changes. Which of its documents are still alive is kept elsewhere.
"""

import heapq
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import itemgetter
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.index import home
from storage.index.whoosh_index import codec, columns
from storage.index.whoosh_index.codec import Postings, TermsReader
from storage.index.whoosh_index.columns import LISTS, NUMBERS, UNSAID, WORDS, Array, Columns

Mask = NDArray[np.bool_]
_COLUMNS: Final = "MAIN_{name}.col"
#: All files of all segments in a directory.
PATTERN: Final = "MAIN_*.*"


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    columns: Columns
    terms: TermsReader

    @property
    def documents(self) -> int:
        return self.columns.documents


def new_name() -> str:
    """A name no segment ever had: one left by a dead writer is never taken up again."""
    return secrets.token_hex(8)


def write(directory: Path, name: str, table: Columns, postings: Iterator[tuple[str, int, bytes]]) -> None:
    """Write a segment and bring it to the disk."""
    codec.write_terms(directory, name, postings)
    columns.write(directory / _COLUMNS.format(name=name), table)
    for path in files(directory, name):
        home.sync(path)
    home.sync(directory)


def open_segment(directory: Path, name: str) -> Segment:
    table = columns.read(directory / _COLUMNS.format(name=name))
    return Segment(name, table, TermsReader(directory, name, table.documents))


def files(directory: Path, name: str) -> list[Path]:
    return [*codec.files(directory, name), directory / _COLUMNS.format(name=name)]


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment to be merged, with the new number of each document, or -1 for a dead one."""

    segment: Segment
    alive: Mask
    renumbered: NDArray[np.int64]


class Merger:
    """Several segments' living documents as one new segment's columns and postings."""

    def __init__(self, segments: Sequence[tuple[Segment, Mask]]) -> None:
        self._parts: list[_Part] = []
        base = 0
        for segment, alive in segments:
            renumbered = np.where(alive, np.cumsum(alive) - 1 + base, -1)
            self._parts.append(_Part(segment, alive, renumbered))
            base += int(np.count_nonzero(alive))

    def columns(self) -> Columns:
        arrays: dict[str, Array] = {}
        names: dict[str, list[str]] = {}
        for name in NUMBERS:
            arrays[name] = np.concatenate([part.segment.columns[name][part.alive] for part in self._parts])
        for name in WORDS:
            names[name], codes = self._recoded(name)
            kept = [code[part.segment.columns[name]][part.alive] for part, code in zip(self._parts, codes, strict=True)]
            arrays[name] = np.concatenate(kept).astype(np.int32)
        self._add_lists(arrays, names)
        self._add_vocabulary(arrays, names)
        return Columns(arrays, names)

    def postings(self) -> Iterator[tuple[str, int, bytes]]:
        """As `write` takes them."""
        streams = [zip(part.segment.terms.terms(), repeat(at)) for at, part in enumerate(self._parts)]
        for term, holders in groupby(heapq.merge(*streams), key=itemgetter(0)):
            lists = [self._living(self._parts[at], term) for _, at in holders]
            merged = Postings(*(np.concatenate(arrays) for arrays in zip(*lists, strict=True)))
            if len(merged.documents):
                yield term, len(merged.documents), merged.record()

    def _living(self, part: _Part, term: str) -> Postings:
        postings = part.segment.terms.postings(term)
        numbers = part.renumbered[postings.documents]
        kept = numbers >= 0
        return Postings(
            numbers[kept].astype(np.uint32),
            postings.positions[np.repeat(kept, postings.counts)],
            postings.counts[kept],
            postings.masks[kept],
        )

    def _recoded(self, name: str) -> tuple[list[str], list[NDArray[np.int64]]]:
        """All parts' names once, and per part the new code of each old one."""
        known: dict[str, int] = {}
        codes = []
        for part in self._parts:
            new = [known.setdefault(word, len(known)) for word in part.segment.columns.names[name]]
            # UNSAID is -1, the last place: it stays what it is.
            codes.append(np.array([*new, UNSAID], np.int64))
        return list(known), codes

    def _add_lists(self, arrays: dict[str, Array], names: dict[str, list[str]]) -> None:
        names["access"], access = self._recoded("access")
        names["tag"], arrays["tag_id"], tags = self._recoded_tags()
        codes = {"access": access, "tag": tags}
        for name in LISTS:
            owners, values = [], []
            for at, part in enumerate(self._parts):
                table = part.segment.columns
                numbers = part.renumbered[table[f"{name}_document"]]
                kept = numbers >= 0
                value = table[f"{name}_value"][kept]
                owners.append(numbers[kept])
                values.append(codes[name][at][value] if name in codes else value)
            arrays[f"{name}_document"] = np.concatenate(owners).astype(np.int32)
            arrays[f"{name}_value"] = np.concatenate(values).astype(np.int64)

    def _recoded_tags(self) -> tuple[list[str], NDArray[np.int64], list[NDArray[np.int64]]]:
        known: dict[tuple[int, str], int] = {}
        codes = []
        for part in self._parts:
            table = part.segment.columns
            tags = zip(table["tag_id"].tolist(), table.names["tag"], strict=True)
            codes.append(np.array([known.setdefault(tag, len(known)) for tag in tags], np.int64))
        return [name for _, name in known], np.array([tag for tag, _ in known], np.int64), codes

    def _add_vocabulary(self, arrays: dict[str, Array], names: dict[str, list[str]]) -> None:
        every = sorted(set().union(*(part.segment.columns.names["word"] for part in self._parts)))
        place = {word: at for at, word in enumerate(every)}
        words, documents, masks = [], [], []
        for part in self._parts:
            table = part.segment.columns
            places = np.array([place[word] for word in table.names["word"]], np.int64)
            numbers = part.renumbered[table["word_document"]]
            kept = numbers >= 0
            words.append(np.repeat(places, np.diff(table["word_start"]))[kept])
            documents.append(numbers[kept])
            masks.append(table["word_mask"][kept])
        word = np.concatenate(words)
        order = np.argsort(word, kind="stable")
        counts = np.bincount(word, minlength=len(every))
        used = counts > 0
        names["word"] = [every[at] for at in np.flatnonzero(used)]
        arrays["word_start"] = np.concatenate([[0], np.cumsum(counts[used])]).astype(np.int64)
        arrays["word_document"] = np.concatenate(documents)[order].astype(np.uint32)
        arrays["word_mask"] = np.concatenate(masks)[order]
