"""A picture cut into tiles at every size, band by band; and parts of it put together from them again.

A band is as many rows of the upright picture as a tile is high; each smaller size is averaged from the one above it
while its rows come. Beside the decoded picture, four bytes a pixel, hardly anything is held. Where even that is more
than there is, the rows come from libvips (the extra `vips`), which decodes as it goes.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from PIL import Image

from domain.iiif import pyramids
from domain.iiif.pyramids import TILE, Level
from domain.recipes import Colour, FailureCode, Format, Recipe
from workers.imaging import colour, encoding, failures, geometry, master, opening
from workers.imaging.formats.still import library
from workers.imaging.limits import Limits
from workers.imaging.pictures import TURNS, UPRIGHT, Master

MEBIBYTE = 1 << 20

_QUALITY = 88
#: Per pixel of the decoded picture: four for itself, and some room for how its reader goes about it.
_HELD_BYTES = {"image/jpeg": 5}
_HELD_OTHERWISE = 10
#: What a job needs besides.
_ASIDE = 256 * MEBIBYTE
_WHITE = "#ffffff"
#: Its box asks for the picture as large as it is.
_AS_IT_IS = Recipe("pyramid", Format.JPEG, 1, 1, region=(0, 0, 1, 1))
#: What libvips decodes from top to bottom; of other types it, too, would hold all.
_STREAMED = frozenset({"image/jpeg", "image/png", "image/tiff"})
#: Rows that libvips is asked for at once: it holds several times as many.
_ROWS = 64
_REDUCING_GAP = 2.0
_BLACK_OR_WHITE = [0] * 128 + [255] * 128


@dataclass(frozen=True)
class Pyramid:
    """`width` × `height` as displayed; the index begins at `index_at`."""

    width: int
    height: int
    index_at: int


@dataclass(frozen=True)
class Piece:
    """A tile in the file `part` reads: where it stands there, and where in its level."""

    left: int
    top: int
    start: int
    stop: int


def build(source: Path, media_type: str, target: Path, memory_bytes: int, limits: Limits) -> Pyramid:
    """Writes the pyramid of the picture (`domain.iiif.pyramids`) to `target`; `PictureError` where that cannot be.

    `memory_bytes` may be used. Nothing transparent is left: it stands on white.
    """
    if _is_too_large(source, media_type, memory_bytes, limits) and media_type in _STREAMED:
        with contextlib.suppress(_NotStreamed):
            streamed = _Streamed(source)
            return _written(target, streamed.width, streamed.height, streamed.bands())
    try:
        whole = master.opened(source, media_type, [_AS_IT_IS], limits)
    except failures.PictureError as error:
        if error.failure.code is FailureCode.OUT_OF_MEMORY:
            raise _too_little() from error
        raise
    return _written(target, whole.width, whole.height, _bands(whole))


def part(
    tiles: Path,
    pieces: Sequence[Piece],
    level: Level,
    whole: tuple[int, int],
    recipe: Recipe,
    out: Path,
    *,
    is_bitonal: bool = False,
) -> None:
    """Makes what the recipe asks for, a region of a picture of size `whole`, from tiles of one level that cover it."""
    assert recipe.region is not None, "parts have one"
    left, top, width, height = recipe.region
    across, down = level.width / whole[0], level.height / whole[1]
    box = (left * across, top * down, (left + width) * across, (top + height) * down)
    origin = min(piece.left for piece in pieces), min(piece.top for piece in pieces)
    canvas = _put_together(tiles, pieces, origin)
    inside = (
        max(0.0, box[0] - origin[0]),
        max(0.0, box[1] - origin[1]),
        min(box[2] - origin[0], canvas.width),
        min(box[3] - origin[1], canvas.height),
    )
    picture = canvas.resize(
        (recipe.width, recipe.height), Image.Resampling.LANCZOS, box=inside, reducing_gap=_REDUCING_GAP
    )
    if recipe.rotation:
        picture = picture.transpose(TURNS[recipe.rotation])
    if recipe.colour is Colour.GREY:
        picture = picture.convert("L")
    encoding.write(picture.point(_BLACK_OR_WHITE) if is_bitonal else picture, recipe, out)


class _NotStreamed(Exception):
    """The picture has to be decoded as a whole."""


def _is_too_large(source: Path, media_type: str, memory_bytes: int, limits: Limits) -> bool:
    """Whether it had better not be decoded as a whole."""
    if media_type not in opening.READERS:
        return False
    with opening.opened(source, media_type, limits) as picture:
        held = _HELD_BYTES.get(media_type, _HELD_OTHERWISE)
        return picture.width * picture.height * held + _ASIDE > memory_bytes


def _written(target: Path, width: int, height: int, bands: Iterator[Image.Image]) -> Pyramid:
    """The tiles of the levels come mixed, so each level is gathered in a file of its own first."""
    cutting = [
        _Cutting(level, target.with_name(f"{target.name}.{level.scale}")) for level in pyramids.levels(width, height)
    ]
    for band in bands:
        _add(cutting, band)
    _finish(cutting)
    lengths = [length for each in cutting for length in each.lengths]
    with target.open("wb") as file:
        for each in cutting:
            each.pour_into(file)
        at = file.tell()
        file.write(pyramids.index_of(lengths))
    return Pyramid(width, height, at)


@dataclass
class _Cutting:
    """One level on its way: rows that do not fill a band yet, and the tiles that are cut."""

    level: Level
    path: Path
    lengths: list[int] = field(default_factory=list)
    waiting: Image.Image | None = None

    def __post_init__(self) -> None:
        self._file = self.path.open("wb")

    def cut(self, band: Image.Image) -> None:
        for left in range(0, band.width, TILE):
            tile = band.crop((left, 0, min(left + TILE, band.width), band.height))
            encoded = io.BytesIO()
            tile.save(encoded, "JPEG", quality=_QUALITY)
            self._file.write(encoded.getbuffer())
            self.lengths.append(encoded.tell())

    def pour_into(self, file: IO[bytes]) -> None:
        self._file.close()
        with self.path.open("rb") as own:
            while piece := own.read(MEBIBYTE):
                file.write(piece)
        self.path.unlink()


def _add(cutting: Sequence[_Cutting], band: Image.Image) -> None:
    """A band of the first of these levels; two of them are one of the next."""
    cutting[0].cut(band)
    if len(cutting) == 1:
        return
    half, below = band.reduce(2), cutting[1]
    if below.waiting is None:
        below.waiting = half
        return
    joined = Image.new("RGB", (half.width, below.waiting.height + half.height))
    joined.paste(below.waiting, (0, 0))
    joined.paste(half, (0, below.waiting.height))
    below.waiting = None
    _add(cutting[1:], joined)


def _finish(cutting: Sequence[_Cutting]) -> None:
    """The last rows of each level, where they do not fill a band."""
    for at, each in enumerate(cutting):
        if each.waiting is not None:
            rest, each.waiting = each.waiting, None
            _add(cutting[at:], rest)


def _bands(whole: Master) -> Iterator[Image.Image]:
    for top in range(0, whole.height, TILE):
        box = (0, top, whole.width, min(top + TILE, whole.height))
        stored = geometry.stored(box, whole.orientation, whole.width, whole.height)
        lying = whole.picture.crop(tuple(int(side) for side in stored))  # type: ignore[arg-type]  # four of them
        upright = lying.transpose(UPRIGHT[whole.orientation]) if whole.orientation in UPRIGHT else lying
        yield encoding.flattened(colour.to_srgb(upright, whole.profile), _WHITE).convert("RGB")


class _Streamed:
    """The upright picture in sRGB, decoded by libvips as it is read; `_NotStreamed` where it cannot do that."""

    def __init__(self, source: Path) -> None:
        os.environ["VIPS_CONCURRENCY"] = "1"  # read when the library is loaded
        try:
            self._vips = library("pyvips", "vips")
        except failures.PictureError as error:
            raise _NotStreamed from error
        self._vips.cache_set_max(0)
        self._picture = self._opened(source)
        self.width, self.height = self._picture.width, self._picture.height

    def bands(self) -> Iterator[Image.Image]:
        try:
            region = self._vips.Region.new(self._picture)
            for top in range(0, self.height, TILE):
                high = min(TILE, self.height - top)
                rows = bytearray()
                for at in range(top, top + high, _ROWS):
                    rows += region.fetch(0, at, self.width, min(_ROWS, top + high - at))
                yield Image.frombytes("RGB", (self.width, high), bytes(rows))
        except self._vips.Error as error:
            raise self._refused(error) from error

    def _opened(self, source: Path) -> Any:
        try:
            picture = self._vips.Image.new_from_file(str(source), access="sequential", fail_on="error")
            if picture.get_typeof("orientation") and picture.get("orientation") != 1:
                raise _NotStreamed  # to turn it, all of it would have to be held
            if picture.get_typeof("icc-profile-data"):
                picture = picture.icc_transform("srgb", intent="relative", black_point_compensation=True, embedded=True)
            else:
                picture = picture.colourspace("srgb")
            if picture.hasalpha():
                picture = picture.flatten(background=[255, 255, 255])
            return picture.cast("uchar")
        except self._vips.Error as error:
            raise self._refused(error) from error

    @staticmethod
    def _refused(error: Exception) -> failures.PictureError:
        return _too_little() if "out of memory" in str(error) else failures.refused(FailureCode.DAMAGED)


def _put_together(tiles: Path, pieces: Sequence[Piece], origin: tuple[int, int]) -> Image.Image:
    opened = []
    with tiles.open("rb") as file:
        for piece in pieces:
            file.seek(piece.start)
            tile = Image.open(io.BytesIO(file.read(piece.stop - piece.start)), formats=["JPEG"])
            opened.append((piece.left - origin[0], piece.top - origin[1], tile))
    width = max(left + tile.width for left, _, tile in opened)
    height = max(top + tile.height for _, top, tile in opened)
    canvas = Image.new("RGB", (width, height))
    for left, top, tile in opened:
        canvas.paste(tile, (left, top))
    return canvas


def _too_little() -> failures.PictureError:
    sentence = (
        "Cutting this picture into tiles needs more memory than a job may have (IMPRIMATUR_RENDER_MEMORY_MB), "
        "or the extra “vips” and a JPEG, PNG or TIFF that lies upright."
    )
    return failures.refused(FailureCode.OUT_OF_MEMORY, sentence)
