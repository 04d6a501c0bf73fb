"""How many frames or pages a file holds, counted without decoding one."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_GIF_EXTENSION, _GIF_IMAGE, _GIF_TRAILER = 0x21, 0x2C, 0x3B
_HAS_COLOUR_TABLE = 0x80
_TIFF_BIG = 43


def in_gif(source: Path, limit: int) -> int:
    """Image blocks up to `limit`; a file that breaks off counts as far as it goes."""
    with source.open("rb") as file:
        file.seek(10)
        _skip_colour_table(file, _byte(file), 2)
        found = 0
        while found < limit:
            block = _byte(file)
            if block == _GIF_EXTENSION:
                file.seek(1, 1)
            elif block == _GIF_IMAGE:
                file.seek(8, 1)
                _skip_colour_table(file, _byte(file), 1)
                found += 1
            else:
                break
            _skip_sub_blocks(file)
    return found


def in_tiff(source: Path, limit: int) -> int:
    """Directories of the main chain up to `limit`; a chain that leads back into itself ends there."""
    with source.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack_from(order + "H", head.ljust(16, b"\0"), 2)[0] == _TIFF_BIG
        at = struct.unpack_from(order + ("Q" if big else "I"), head.ljust(16, b"\0"), 8 if big else 4)[0]
        seen: set[int] = set()
        while at and at not in seen and len(seen) < limit:
            following = _next_directory(file, at, order, big=big)
            if following is None:
                break
            seen.add(at)
            at = following
    return len(seen)


def _next_directory(file: BinaryIO, at: int, order: str, *, big: bool) -> int | None:
    count_format, entry, offset_format = ("Q", 20, "Q") if big else ("H", 12, "I")
    try:
        file.seek(at)
        (count,) = struct.unpack(order + count_format, file.read(struct.calcsize(count_format)))
        file.seek(count * entry, 1)
        (following,) = struct.unpack(order + offset_format, file.read(struct.calcsize(offset_format)))
    except (struct.error, OSError, OverflowError):
        return None
    return int(following)


def _skip_colour_table(file: BinaryIO, flags: int, after: int) -> None:
    """`after` bytes stand between a screen's flags and its table; an image's method byte follows the table."""
    table = 3 << ((flags & 7) + 1) if flags & _HAS_COLOUR_TABLE else 0
    file.seek(after + table, 1)


def _skip_sub_blocks(file: BinaryIO) -> None:
    while length := _byte(file):
        file.seek(length, 1)


def _byte(file: BinaryIO) -> int:
    """Zero at the end of the file, which ends every loop above."""
    return (file.read(1) or b"\0")[0]
