"""What a request of the IIIF Image API 3.0 asks for, worked out for one picture.

A request that cannot be read, or asks for what no picture can be, is `Invalid`; one that is well-formed and beyond
what this hub does is `NotSupported`. Sizes are never larger than the region they show.
Source: https://iiif.io/api/image/3.0/, sections 4.1 to 4.5.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from domain.iiif import pyramids
from domain.recipes import TURNS, Colour, Fit, Format, Recipe
from domain.refusals import Invalid, Refusal

#: Width × height of the largest answer.
MOST_PIXELS = 24_000_000
#: The longest side of an answer: what a JPEG and a WebP can hold.
LONGEST_SIDE = 16_383
FORMATS = {"jpg": Format.JPEG, "png": Format.PNG, "webp": Format.WEBP}
QUALITIES = {"default": "default", "color": "default", "gray": "gray", "bitonal": "bitonal"}

_NOT_DONE_FORMATS = frozenset({"tif", "gif", "jp2", "pdf"})
_JPEG_QUALITY = 85
_WHOLE_TURN = 360
#: More digits than any picture needs.
_NUMBER = r"\d{1,9}"
_DECIMAL = r"\d{0,9}(?:\.\d{0,12})?"
_PIXELS = re.compile(rf"({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})", re.ASCII)
_PERCENT = re.compile(rf"pct:({_DECIMAL}),({_DECIMAL}),({_DECIMAL}),({_DECIMAL})", re.ASCII)
_SIZE = re.compile(rf"(!?)({_NUMBER})?,({_NUMBER})?", re.ASCII)
_SIZE_PERCENT = re.compile(rf"pct:({_DECIMAL})", re.ASCII)
_TURN = re.compile(rf"(!?)({_DECIMAL})", re.ASCII)

Region = tuple[int, int, int, int]
Size = tuple[int, int]


class NotSupported(Refusal):
    """The request is well-formed, and this hub does not do what it asks for."""

    code = "NOT_SUPPORTED"


@dataclass(frozen=True)
class Asked:
    """One picture: `region` (x, y, width, height) of a picture of `width` × `height`, scaled to `size`, then turned
    clockwise; `quality` as canonical addresses name it. `is_loose`: one side of the size follows from the other.
    """

    width: int
    height: int
    region: Region
    size: Size
    is_loose: bool
    rotation: int
    quality: str
    format: Format

    @property
    def tile(self) -> int | None:
        """The number of the tile that is the answer; None where it has to be made."""
        if self.rotation or self.quality != "default" or self.format is not Format.JPEG:
            return None
        return pyramids.tile_for(self.width, self.height, self.region, self.size, loosely=self.is_loose)

    @property
    def recipe(self) -> Recipe:
        """How the answer is made of the pyramid."""
        return Recipe(
            preset="iiif",
            format=self.format,
            width=self.size[0],
            height=self.size[1],
            fit=Fit.EXACT,
            quality=_JPEG_QUALITY,
            region=self.region,
            rotation=self.rotation,
            colour=Colour.SRGB if self.quality == "default" else Colour.GREY,
        )

    @property
    def canonical(self) -> str:
        """The part of the address after the id, as section 4.7 spells it."""
        is_whole = self.region == (0, 0, self.width, self.height)
        region = "full" if is_whole else ",".join(map(str, self.region))
        size = "max" if self.size == largest(self.region) else f"{self.size[0]},{self.size[1]}"
        extension = next(word for word, format_ in FORMATS.items() if format_ is self.format)
        return f"{region}/{size}/{self.rotation}/{self.quality}.{extension}"


def asked(width: int, height: int, region: str, size: str, rotation: str, last: str) -> Asked:
    """What these parts of an address ask of a picture of `width` × `height`."""
    quality, _, extension = last.rpartition(".")
    format_ = _format(extension)
    if quality not in QUALITIES:
        raise _unreadable("quality")
    shown = _region(region, width, height)
    return Asked(
        width=width,
        height=height,
        region=shown,
        size=_size(size, shown),
        is_loose=size.startswith(",") or size.endswith(","),
        rotation=_rotation(rotation),
        quality=QUALITIES[quality],
        format=format_,
    )


def largest(region: Region) -> Size:
    """What `max` means for it: its own size, or in its shape what this hub answers at most."""
    _, _, width, height = region
    scale = min(1.0, math.sqrt(MOST_PIXELS / (width * height)), LONGEST_SIDE / max(width, height))
    return (width, height) if scale == 1 else (max(1, int(width * scale)), max(1, int(height * scale)))


def _region(text: str, width: int, height: int) -> Region:
    if text == "full":
        return 0, 0, width, height
    if text == "square":
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side, side
    if found := _PIXELS.fullmatch(text):
        left, top, wide, high = (int(part) for part in found.groups())
    elif found := _PERCENT.fullmatch(text):
        parts = [_decimal(part, "region") / 100 for part in found.groups()]
        left, top, wide, high = (round(part * side) for part, side in zip(parts, (width, height) * 2, strict=True))
    else:
        raise _unreadable("region")
    if not (wide and high and left < width and top < height):
        raise Invalid("The region shows nothing of the picture.", ("region",), "range")
    return left, top, min(wide, width - left), min(high, height - top)


def _size(text: str, region: Region) -> Size:
    if text.startswith("^"):
        raise NotSupported("No picture is enlarged here: ask for at most as many pixels as the region has.", ("size",))
    if text == "max":
        return largest(region)
    wanted = _within(text, region)
    if min(wanted) < 1:
        raise Invalid("A picture is at least one pixel wide and high.", ("size",), "range")
    if wanted[0] > region[2] or wanted[1] > region[3]:
        raise Invalid("The size is larger than the region, and nothing is enlarged here.", ("size",), "range")
    if wanted[0] * wanted[1] > MOST_PIXELS or max(wanted) > LONGEST_SIDE:
        raise Invalid(f"An answer has at most {MOST_PIXELS:,} pixels: ask for parts.", ("size",), "range")
    return wanted


def _within(text: str, region: Region) -> Size:
    _, _, width, height = region
    if found := _SIZE_PERCENT.fullmatch(text):
        part = _decimal(found[1], "size") / 100
        return round(width * part), round(height * part)
    found = _SIZE.fullmatch(text)
    if found is None:
        raise _unreadable("size")
    confined, across, down = found[1], found[2], found[3]
    if across and down:
        if not confined:
            return int(across), int(down)
        scale = min(int(across) / width, int(down) / height, 1.0)
        return min(round(width * scale), int(across)), min(round(height * scale), int(down))
    if confined or not (across or down):
        raise _unreadable("size")
    if across:
        return int(across), round(height * int(across) / width)
    return round(width * int(down) / height), int(down)


def _rotation(text: str) -> int:
    found = _TURN.fullmatch(text)
    if found is None:
        raise _unreadable("rotation")
    turn = _decimal(found[2], "rotation")
    if turn > _WHOLE_TURN:
        raise Invalid("A picture is turned by 0 to 360 degrees.", ("rotation",), "range")
    if found[1] or turn % _WHOLE_TURN not in TURNS:
        raise NotSupported("Pictures are turned by 0, 90, 180 or 270 degrees here, and never mirrored.", ("rotation",))
    return int(turn) % _WHOLE_TURN


def _format(extension: str) -> Format:
    if extension in _NOT_DONE_FORMATS:
        raise NotSupported(f"This hub does not answer in the format {extension}.", ("format",))
    if extension not in FORMATS:
        raise _unreadable("format")
    return FORMATS[extension]


def _decimal(text: str, part: str) -> float:
    if not text.strip("."):
        raise _unreadable(part)
    return float(text)


def _unreadable(part: str) -> Invalid:
    return Invalid(f"The {part} cannot be read: see https://iiif.io/api/image/3.0/.", (part,), "format")
