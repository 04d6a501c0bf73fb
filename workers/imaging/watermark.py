"""A word across a picture, again and again, so that no crop of it passes for the real one.

The letters are light with a dark rim, half see-through: they show on any ground, and the picture behind them can still
be judged.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

#: Degrees anticlockwise.
_SLANT = 30
#: Of 255.
_LETTERS, _RIM = 120, 90
#: The word takes this share of the shorter side, and so much room is left around it, in heights of a letter.
_SHARE = 0.45
_GAP = 2.2
_SMALLEST, _LARGEST = 7, 200
#: White and black in the modes that pictures leave in.
_INKS: dict[str, tuple[Any, Any]] = {
    "L": (255, 0),
    "LA": ((255, 255), (0, 255)),
    "RGB": ((255, 255, 255), (0, 0, 0)),
    "RGBA": ((255, 255, 255, 255), (0, 0, 0, 255)),
    "CMYK": ((0, 0, 0, 0), (0, 0, 0, 255)),
}


def marked(picture: Image.Image, word: str) -> Image.Image:
    """A copy of `picture` (mode L, LA, RGB, RGBA or CMYK) with the word across all of it, transparency as it was."""
    light, dark = _INKS[picture.mode]
    letters = _tiled(word, picture.size)
    rim = ImageChops.offset(letters, max(1, min(picture.size) // 300))
    result = picture.copy()
    for ink, mask, strength in ((dark, rim, _RIM), (light, letters, _LETTERS)):
        weak = mask.point([level * strength // 255 for level in range(256)])
        result.paste(ink, (0, 0, *picture.size), weak)
    if "A" in picture.getbands():
        result.putalpha(picture.getchannel("A"))
    return result


@lru_cache(maxsize=2)
def _tiled(word: str, size: tuple[int, int]) -> Image.Image:
    """The letters as a mask of this size."""
    tile = _tile(word, _letter_height(word, size))
    reach = math.ceil(math.hypot(*size))
    ground = Image.new("L", (reach, reach))
    for row, top in enumerate(range(0, reach, tile.height)):
        begin = -(tile.width // 2) * (row % 2)
        for left in range(begin, reach, tile.width):
            ground.paste(tile, (left, top))
    slanted = ground.rotate(_SLANT, Image.Resampling.BILINEAR)
    left, top = (reach - size[0]) // 2, (reach - size[1]) // 2
    return slanted.crop((left, top, left + size[0], top + size[1]))


def _letter_height(word: str, size: tuple[int, int]) -> int:
    one = _font(100).getlength(word) / 100
    fitting = min(size) * _SHARE / max(one, 0.5)
    return int(min(max(fitting, _SMALLEST), _LARGEST))


@lru_cache(maxsize=8)
def _tile(word: str, height: int) -> Image.Image:
    font = _font(height)
    left, top, right, bottom = font.getbbox(word)
    gap = height * _GAP
    tile = Image.new("L", (math.ceil(right - left + gap), math.ceil(bottom - top + gap)))
    ImageDraw.Draw(tile).text((gap / 2 - left, gap / 2 - top), word, fill=255, font=font)
    return tile


@lru_cache(maxsize=8)
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(height)
