"""Pictures of every mode brought into the few that can be resized: L, LA, RGB, RGBA, CMYK and LAB, 8 bits each."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

_RESIZABLE = frozenset({"L", "LA", "RGB", "RGBA", "CMYK", "LAB"})
_SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_STRIP_ROWS = 256
_WHITE, _SIXTEEN_BIT_WHITE = 255, 65_535


def resizable(picture: Image.Image) -> Image.Image:
    """The same picture in a resizable mode. Nothing is clipped: 16 bits are scaled, wider ranges stretched.

    A transparency channel that hides nothing is dropped.
    """
    if picture.mode in _SIXTEEN_BITS:
        return _scaled(picture, _white_of(picture), inverted=_tag(picture, _PHOTOMETRIC) == 0)
    if picture.mode in {"I", "F"}:
        return _stretched(picture)
    if "transparency" in picture.info or picture.mode in {"PA", "La", "RGBa"}:
        return _without_useless_alpha(picture.convert("RGBA"))
    if picture.mode in {"RGBA", "LA"}:
        return _without_useless_alpha(picture)
    return picture if picture.mode in _RESIZABLE else picture.convert(_plain_mode(picture))


def _plain_mode(picture: Image.Image) -> str:
    """Palettes, bitmaps and YCbCr carry no transparency here any more."""
    return "L" if picture.mode == "1" else "RGB"


def _without_useless_alpha(picture: Image.Image) -> Image.Image:
    if picture.getchannel("A").getextrema() == (_WHITE, _WHITE):
        return picture.convert("L" if picture.mode == "LA" else "RGB")
    return picture


def _white_of(picture: Image.Image) -> int:
    """Twelve bits arrive in a sixteen-bit mode; only the file's tag knows."""
    bits = _tag(picture, _BITS_PER_SAMPLE)
    if isinstance(bits, tuple):
        bits = bits[0] if bits else None
    return (1 << bits) - 1 if isinstance(bits, int) and 8 < bits < 16 else _SIXTEEN_BIT_WHITE  # noqa: PLR2004 - bits


def _tag(picture: Image.Image, number: int) -> Any:
    tags = getattr(picture, "tag_v2", None)
    return tags.get(number) if tags is not None else None


def _scaled(picture: Image.Image, white: int, *, inverted: bool) -> Image.Image:
    wide = np.asarray(picture)
    narrow = np.empty(wide.shape, dtype=np.uint8)
    # In strips, because the arithmetic needs four times the room of the picture.
    for top in range(0, wide.shape[0], _STRIP_ROWS):
        strip = np.minimum(wide[top : top + _STRIP_ROWS].astype(np.uint32), white)
        narrow[top : top + _STRIP_ROWS] = (strip * _WHITE + white // 2) // white
    return Image.fromarray(_WHITE - narrow if inverted else narrow, "L")


def _stretched(picture: Image.Image) -> Image.Image:
    """Integers of 32 bits and floats say nowhere what white is: the usual ranges are tried, then their own."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    white = next((white for white in _usual_whites(picture.mode) if high <= white), high)
    black = min(low, 0.0)
    narrow = (values - black) * (_WHITE / ((white - black) or 1.0))
    return Image.fromarray(np.clip(np.rint(narrow), 0, _WHITE).astype(np.uint8), "L")


def _usual_whites(mode: str) -> tuple[float, ...]:
    return (1.0, _WHITE, _SIXTEEN_BIT_WHITE) if mode == "F" else (_WHITE, _SIXTEEN_BIT_WHITE)
