"""The bytes of one tag of a TIFF, as they stand in the file, whatever kind of number the writer said they were."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_BIG = 43
_KIND_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8}
_MOST_ENTRIES = 4096


def raw_tag(source: Path, number: int, longest: int) -> bytes:
    """The first directory's tag `number`; nothing when it is absent, broken or longer than `longest`."""
    with source.open("rb") as file:
        head = file.read(16)
        if len(head) < 16 or head[:2] not in {b"II", b"MM"}:  # noqa: PLR2004 - no TIFF is shorter
            return b""
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack_from(order + "H", head, 2)[0] == _BIG
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
        try:
            return _find(file, at, number, longest, order=order, big=big)
        except (struct.error, OSError, OverflowError):
            return b""


def _find(file: BinaryIO, at: int, number: int, longest: int, *, order: str, big: bool) -> bytes:
    count_format, entry_format = (order + "Q", order + "HHQ8s") if big else (order + "H", order + "HHI4s")
    file.seek(at)
    (entries,) = struct.unpack(count_format, file.read(struct.calcsize(count_format)))
    for _ in range(min(entries, _MOST_ENTRIES)):
        tag, kind, count, place = struct.unpack(entry_format, file.read(struct.calcsize(entry_format)))
        if tag == number:
            return _content(file, _KIND_BYTES.get(kind, 0) * count, place, longest, order)
    return b""


def _content(file: BinaryIO, length: int, place: bytes, longest: int, order: str) -> bytes:
    """Short values stand in the entry itself."""
    if length <= len(place):
        return place[:length]
    if length > longest:
        return b""
    file.seek(struct.unpack(order + ("Q" if len(place) == 8 else "I"), place)[0])  # noqa: PLR2004 - BigTIFF
    return file.read(length)
