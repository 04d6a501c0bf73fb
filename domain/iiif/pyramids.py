"""How a picture is cut into tiles at every size, and where each of them stands in the bytes of its pyramid.

Always true here:
- Level 0 is the picture itself; each further one has half the width and height, rounded up; the last is one tile.
- A pyramid's bytes are its tiles, JPEG files one after another: level by level, row by row, from left to right. Behind
  them stands the index: the length of each in four bytes, the highest first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

#: Width and height of a tile in pixels; those at the right and lower edges are smaller.
TILE = 512
MEDIA_TYPE = "image/jpeg"

_LENGTH = 4


@dataclass(frozen=True)
class Level:
    """The picture with one pixel for `scale` × `scale`; `first` is the number of its first tile."""

    scale: int
    width: int
    height: int
    first: int

    @property
    def columns(self) -> int:
        return -(-self.width // TILE)

    @property
    def rows(self) -> int:
        return -(-self.height // TILE)

    def tile(self, column: int, row: int) -> int:
        """Its number in the pyramid."""
        return self.first + row * self.columns + column


@dataclass(frozen=True)
class Span:
    """Bytes [start, stop) of a pyramid."""

    start: int
    stop: int


def levels(width: int, height: int) -> list[Level]:
    """Of a picture of so many pixels, the largest first."""
    found = [Level(1, width, height, 0)]
    while max(found[-1].width, found[-1].height) > TILE:
        last = found[-1]
        first = last.first + last.columns * last.rows
        found.append(Level(last.scale * 2, -(-last.width // 2), -(-last.height // 2), first))
    return found


def tile_count(width: int, height: int) -> int:
    last = levels(width, height)[-1]
    return last.first + 1


def index_of(lengths: Iterable[int]) -> bytes:
    """The index of tiles that are so many bytes long."""
    return b"".join(struct.pack(">I", length) for length in lengths)


def spans(index: bytes, width: int, height: int) -> list[Span]:
    """Where each tile stands, by its number; `ValueError` for what is no index of a picture of this size."""
    if len(index) != tile_count(width, height) * _LENGTH:
        raise ValueError("This is no index of such a picture.")
    ends = list(accumulate(struct.unpack(f">{len(index) // _LENGTH}I", index)))
    return [Span(start, stop) for start, stop in zip([0, *ends], ends, strict=False)]


def tile_for(
    width: int, height: int, region: tuple[int, int, int, int], size: tuple[int, int], *, loosely: bool = False
) -> int | None:
    """The number of the tile that shows exactly this region (x, y, width, height) at this size, if one does.

    `loosely`: one side was rounded by whoever asked, and may be a pixel off.
    """
    for level in levels(width, height):
        at = _place(level, width, height, region)
        if at is not None and _agree(at[1], size, by=1 if loosely else 0):
            return level.tile(*at[0])
    return None


def level_for(width: int, height: int, region: tuple[int, int, int, int], size: tuple[int, int]) -> Level:
    """The smallest level that has at least as many pixels of the region as are wanted of it."""
    enough = [
        level
        for level in levels(width, height)
        if level.scale * size[0] <= region[2] and level.scale * size[1] <= region[3]
    ]
    return enough[-1] if enough else levels(width, height)[0]


def covering(level: Level, box: tuple[float, float, float, float]) -> Iterator[tuple[int, int, int]]:
    """The tiles that show a part of the box (left, top, right, bottom in pixels of the level): left, top, number."""
    left, top, right, bottom = box
    for row in range(int(top) // TILE, min(level.rows, -(-_up(bottom) // TILE))):
        for column in range(int(left) // TILE, min(level.columns, -(-_up(right) // TILE))):
            yield column * TILE, row * TILE, level.tile(column, row)


def _place(
    level: Level, width: int, height: int, region: tuple[int, int, int, int]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Column and row of the tile of this level that shows the region, and its size."""
    left, top, wide, high = region
    step = TILE * level.scale
    if left % step or top % step or (wide, high) != (min(step, width - left), min(step, height - top)):
        return None
    return (left // step, top // step), (-(-wide // level.scale), -(-high // level.scale))


def _agree(one: tuple[int, int], other: tuple[int, int], *, by: int) -> bool:
    return abs(one[0] - other[0]) + abs(one[1] - other[1]) <= by


def _up(value: float) -> int:
    return -int(-value // 1)
