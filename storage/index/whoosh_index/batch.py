"""Turns documents into the columns and postings of one new segment.

Always true here:
- Documents are numbered in the order they are added.
- Memory grows with the batch: feed it thousands of documents, not hundreds of thousands.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np

from storage.index import ordering, texts
from storage.index.contract import Document
from storage.index.whoosh_index import codec
from storage.index.whoosh_index.codec import FIELD_STEP
from storage.index.whoosh_index.columns import LISTS, NUMBERS, UNSAID, WORDS, Array, Columns

#: Joined names stand here, two apart, so that no phrase runs into them.
_JOINED: Final = FIELD_STEP // 2
_MOST: Final = 65_535


class _Stem:
    """One stem's postings as they grow."""

    __slots__ = ("counts", "documents", "masks", "positions")

    def __init__(self) -> None:
        self.documents = array("I")
        self.positions = array("I")
        self.counts = array("H")
        self.masks = array("B")

    def add(self, document: int, positions: list[int]) -> None:
        mask = 0
        for position in positions:
            mask |= 1 << position // FIELD_STEP
        self.documents.append(document)
        self.positions.extend(positions)
        self.counts.append(len(positions))
        self.masks.append(mask)

    def record(self) -> bytes:
        return codec.record(self.documents, self.positions, self.counts, self.masks)


class Batch:
    def __init__(self) -> None:
        self._numbers: dict[str, array[int]] = {name: array("q") for name in NUMBERS}
        self._coded: dict[str, array[int]] = {name: array("i") for name in WORDS}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in (*WORDS, "access")}
        self._tags: dict[tuple[int, str], int] = {}
        self._owners: dict[str, array[int]] = {name: array("i") for name in LISTS}
        self._values: dict[str, array[int]] = {name: array("q") for name in LISTS}
        self._stems: defaultdict[str, _Stem] = defaultdict(_Stem)
        self._words: defaultdict[str, tuple[array[int], array[int]]] = defaultdict(_word)

    def __len__(self) -> int:
        return len(self._numbers["id"])

    def add(self, document: Document) -> list[texts.Text]:
        """Number the document; returns its texts, for whoever keeps them."""
        number = len(self)
        found = texts.of(document)
        analysed = texts.analysed(found)
        length = self._add_texts(number, analysed)
        self._add_numbers(document, length, texts.title_digest(analysed))
        self._add_words(document)
        self._add_lists(number, document, texts.name_digests(analysed))
        return found

    def postings(self) -> Iterator[tuple[str, int, bytes]]:
        # Code points order as their UTF-8 does.
        for stem in sorted(self._stems):
            found = self._stems[stem]
            yield stem, len(found.documents), found.record()

    def columns(self) -> Columns:
        arrays: dict[str, Array] = {}
        for name, numbers in self._numbers.items():
            arrays[name] = np.array(numbers, np.int64)
        for name, codes in self._coded.items():
            arrays[name] = np.array(codes, np.int32)
        for name in LISTS:
            arrays[f"{name}_document"] = np.array(self._owners[name], np.int32)
            arrays[f"{name}_value"] = np.array(self._values[name], np.int64)
        arrays["tag_id"] = np.array([tag for tag, _ in self._tags], np.int64)
        names = {name: list(codes) for name, codes in self._codes.items()}
        names["tag"] = [name for _, name in self._tags]
        names["word"] = sorted(self._words)
        arrays |= self._vocabulary(names["word"])
        return Columns(arrays, names)

    def _add_texts(self, number: int, analysed: list[texts.AnalysedText]) -> int:
        running, apart, length = 0, _JOINED, 0
        stems: defaultdict[str, list[int]] = defaultdict(list)
        surfaces: defaultdict[str, int] = defaultdict(int)
        for field, _, words, joined in analysed:
            bit, base = 1 << field, field * FIELD_STEP
            for position, (surface, stem, _, _) in enumerate(words, base + running):
                stems[stem].append(position)
                surfaces[surface] |= bit
            for surface, stem, _, _ in joined:
                stems[stem].append(base + apart)
                surfaces[surface] |= bit
                apart += 2
            running += len(words) + 1
            length += len(words)
        for stem, positions in stems.items():
            self._stems[stem].add(number, positions[:_MOST])
        for surface, mask in surfaces.items():
            documents, masks = self._words[surface]
            documents.append(number)
            masks.append(mask)
        return length

    def _add_numbers(self, document: Document, length: int, exact_title: int) -> None:
        values = ordering.attributes(document) | {"length": length, "exact_title": exact_title}
        for name, value in values.items():
            self._numbers[name].append(value)

    def _add_words(self, document: Document) -> None:
        for name, word in zip(WORDS, (document.kind, document.lifecycle, document.media_type), strict=True):
            self._coded[name].append(UNSAID if word is None else _code(self._codes[name], word))

    def _add_lists(self, number: int, document: Document, exact: set[int]) -> None:
        tags = {tag.id: tag.name for tag in document.tags}
        values = {
            "tag": [self._tags.setdefault(tag, len(self._tags)) for tag in sorted(tags.items())],
            "access": [_code(self._codes["access"], term) for term in sorted(document.access)],
            "exact": sorted(exact),
            "fact": texts.fact_digests(document.facts),
        }
        for name, many in values.items():
            self._owners[name].extend([number] * len(many))
            self._values[name].extend(many)

    def _vocabulary(self, words: list[str]) -> dict[str, Array]:
        lists = [self._words[word] for word in words]
        start = np.zeros(len(words) + 1, np.int64)
        np.cumsum([len(documents) for documents, _ in lists], out=start[1:])
        documents = b"".join(documents.tobytes() for documents, _ in lists)
        masks = b"".join(masks.tobytes() for _, masks in lists)
        return {
            "word_start": start,
            "word_document": np.frombuffer(documents, np.uint32),
            "word_mask": np.frombuffer(masks, np.uint8),
        }


def _word() -> tuple["array[int]", "array[int]"]:
    """The documents a surface stands in, and its fields in each."""
    return (array("I"), array("B"))


def _code(codes: dict[str, int], word: str) -> int:
    return codes.setdefault(word, len(codes))
