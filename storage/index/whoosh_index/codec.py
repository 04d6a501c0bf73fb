"""How postings stand on the disk: Whoosh's term dictionary over posting lists that numpy reads in place.

Whoosh's own lists are pickled, compressed blocks of 128, walked posting by posting. Here a list is a few arrays behind
each other, so that it is mapped, not read.

A list, little-endian: count of documents n, count of positions p; n document numbers (u4); p positions (u4);
n counts of positions (u2); n field masks (u1); padding to a multiple of four bytes.

Always true here:
- Document numbers ascend. A mask has bit f set when the word stands in field f.
- A position is the field's number times FIELD_STEP plus a running number, so that neighbours differ by one
  and words of different texts never do.
"""

import mmap
import struct
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from storage.index.whoosh_index.upstream import (
    FileStorage,
    RamStorage,
    SegmentReader,
    TermNotFound,
    fields,
    whoosh3,
)

FIELD_STEP: Final = 1 << 24
SCHEMA: Final = fields.Schema(text=fields.ID())
_FIELD: Final = "text"
_NAME: Final = "MAIN"
_COUNTS: Final = struct.Struct("<II")
#: Bytes of posting lists already looked up that one segment keeps at hand; they are views into the mapped
#: file.
_REMEMBERED: Final = 4_096


class Buffer(Protocol):
    """An array of numbers, numpy's or Python's."""

    def __len__(self) -> int: ...

    def tobytes(self) -> bytes: ...


class Postings(NamedTuple):
    documents: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    masks: NDArray[np.uint8]

    def record(self) -> bytes:
        return record(self.documents, self.positions, self.counts, self.masks)

    def owners(self) -> NDArray[np.int64]:
        """For each position the place of its document in `documents`."""
        return np.repeat(np.arange(len(self.documents)), self.counts)


NONE: Final = Postings(np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.uint16), np.empty(0, np.uint8))


def record(documents: Buffer, positions: Buffer, counts: Buffer, masks: Buffer) -> bytes:
    """A list as it stands in the file."""
    head = _COUNTS.pack(len(documents), len(positions))
    parts = (head, documents.tobytes(), positions.tobytes(), counts.tobytes(), masks.tobytes())
    return b"".join((*parts, bytes(-3 * len(documents) % 4)))


class _Segment(whoosh3.W3Segment):  # type: ignore[misc] # Whoosh has no types
    """Whoosh's segment, never compound: its files stay loose, so that they can be mapped."""

    def should_assemble(self) -> bool:
        return False


class _TermsWriter(whoosh3.W3FieldWriter):  # type: ignore[misc] # Whoosh has no types
    """Whoosh's field writer, taking each term's list whole instead of posting by posting."""

    def __init__(self, directory: Path, name: str) -> None:
        # The dictionary's writer asks its file for its place thrice per term: a system call each, were it on a disk.
        self._memory = RamStorage()
        self._directory = directory
        self._written = 0
        codec = whoosh3.W3Codec()
        super().__init__(codec, FileStorage(str(directory)), _Segment(codec, _NAME, segid=name))
        self.start_field(_FIELD, SCHEMA[_FIELD])

    def _create_file(self, ext: str) -> Any:
        return self._segment.create_file(self._memory if ext == whoosh3.W3Codec.TERMS_EXT else self._storage, ext)

    def add_list(self, term: bytes, documents: int, record: bytes) -> None:
        info = whoosh3.W3TermInfo(df=documents)
        info.set_extent(self._written, len(record))
        self._postfile.write(record)
        self._written += len(record)
        self._tindex.add(struct.pack(">H", self._fieldid) + term, info.to_bytes())

    def close(self) -> None:
        super().close()
        for file_name, content in self._memory.files.items():
            (self._directory / file_name).write_bytes(content)


def write_terms(directory: Path, name: str, lists: Iterator[tuple[str, int, bytes]]) -> None:
    """Write a segment's dictionary and postings: terms in the order of their UTF-8, counts of documents, records."""
    writer = _TermsWriter(directory, name)
    for term, documents, record in lists:
        writer.add_list(term.encode(), documents, record)
    writer.close()


def files(directory: Path, name: str) -> list[Path]:
    """The files `write_terms` makes."""
    stem = f"{_NAME}_{name}"
    return [directory / f"{stem}{whoosh3.W3Codec.TERMS_EXT}", directory / f"{stem}{whoosh3.W3Codec.POSTS_EXT}"]


class TermsReader:
    """A segment's dictionary and postings, opened once and shared by all threads."""

    def __init__(self, directory: Path, name: str, documents: int) -> None:
        segment = _Segment(whoosh3.W3Codec(), _NAME, doccount=documents, segid=name)
        self._reader = SegmentReader(FileStorage(str(directory)), SCHEMA, segment)
        weakref.finalize(self, self._reader.close)
        self._map = _mapped(files(directory, name)[1])
        self._known: OrderedDict[str, Postings] = OrderedDict()
        # Whoosh seeks and reads one shared file handle per look-up.
        self._lock = threading.Lock()

    def postings(self, term: str) -> Postings:
        """The term's list, empty when no document has it."""
        with self._lock:
            known = self._known.get(term)
            if known is not None:
                self._known.move_to_end(term)
                return known
            found = self._known[term] = self._look_up(term)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return found

    def terms(self) -> list[str]:
        """Every term, in the order of its UTF-8."""
        with self._lock:
            return [term.decode() for _, term in self._reader.all_terms()]

    def _look_up(self, term: str) -> Postings:
        try:
            offset, _ = self._reader.term_info(_FIELD, term).extent()
        except TermNotFound:
            return NONE
        return _unpacked(self._map, offset)


def _mapped(path: Path) -> bytes | mmap.mmap:
    """The file's bytes without reading them; a file without bytes cannot be mapped."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unpacked(data: Any, offset: int) -> Postings:
    documents, positions = _COUNTS.unpack_from(data, offset)
    at = offset + _COUNTS.size
    first = np.frombuffer(data, np.uint32, documents, at)
    second = np.frombuffer(data, np.uint32, positions, at := at + 4 * documents)
    third = np.frombuffer(data, np.uint16, documents, at := at + 4 * positions)
    return Postings(first, second, third, np.frombuffer(data, np.uint8, documents, at + 2 * documents))
