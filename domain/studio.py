"""What a server and its studio say to each other: which picture is wanted now, and that picture.

Always true here:
- The studio makes only what can be made of pixels that were decoded before (`is_small`); all else, and whatever it does
  not make in time, is a job's. It writes nothing down.
- What it answers is looked at before it is believed: it may have been captured by what it made the picture of.
- An order is over when the server lets go of the pipe it is answered through: whoever answers need not be believed.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import Final

from domain.recipes import Colour, Fit, Format, Recipe

#: What is made of one order: pixels, and bytes.
MOST_PIXELS: Final = 2_000_000
MOST_BYTES: Final = 8 << 20
#: Seconds that one order may take; then it is left to a job.
SECONDS: Final = 5.0
#: Bytes of an order.
LONGEST: Final = 64 * 1024
#: The only kind of file of which reductions are laid by.
MEDIA_TYPE: Final = "image/jpeg"
_FORMATS: Final = frozenset({Format.JPEG, Format.PNG, Format.WEBP})
#: Width, height, and how many bytes follow.
_HEAD: Final = struct.Struct("<III")
#: Letters of a digest.
_DIGEST: Final = 64


@dataclass(frozen=True)
class Order:
    """A picture of what has this digest."""

    sha256: str
    recipe: Recipe


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    content: bytes


def is_small(recipe: Recipe) -> bool:
    """Whether a studio takes orders for it: a small still picture for the screen."""
    is_still = recipe.page == 0 and recipe.at_seconds == 0 and not recipe.animated
    is_plain = recipe.colour is not Colour.CMYK and recipe.proof is None and recipe.watermark is None
    # A box may be as good as open on one side: how large the picture is then, only who makes it knows.
    is_little = (recipe.fit is Fit.CONTAIN or recipe.width * recipe.height <= MOST_PIXELS) and not recipe.enlarge
    return recipe.format in _FORMATS and is_still and is_plain and is_little


def told(order: Order) -> bytes | None:
    """As it is sent: of which file first; None where it is too long, or of no file."""
    said = order.sha256.encode() + pickle.dumps(order.recipe)
    return said if len(order.sha256) == _DIGEST and len(said) <= LONGEST else None


def digest_of(said: bytes) -> str:
    """Of which file a picture is wanted, by what a server told."""
    return said[:_DIGEST].decode()


def heard(said: bytes) -> Order:
    """What a server told: it started whoever asks this."""
    recipe = pickle.loads(said[_DIGEST:])  # noqa: S301  # from the process that started this one, over their own line
    assert isinstance(recipe, Recipe), "a server says nothing else"
    return Order(digest_of(said), recipe)


def answer(picture: Picture) -> bytes:
    return _HEAD.pack(picture.width, picture.height, len(picture.content)) + picture.content


#: What is answered where it cannot be made: a job finds out why.
NOTHING: Final = _HEAD.pack(0, 0, 0)


def is_whole(said: bytes | bytearray) -> bool:
    """Whether nothing more is to be waited for."""
    return len(said) >= _HEAD.size and len(said) - _HEAD.size >= min(_HEAD.unpack_from(said)[2], MOST_BYTES + 1)


def understood(said: bytes, recipe: Recipe) -> Picture | None:
    """What was answered to an order; None for nothing, a part of it, or what the recipe cannot come to."""
    if len(said) < _HEAD.size:
        return None
    width, height, size = _HEAD.unpack_from(said)
    content = said[_HEAD.size :]
    longest = max(recipe.width, recipe.height)
    if not (len(content) == size and 0 < size <= MOST_BYTES and 0 < width <= longest and 0 < height <= longest):
        return None
    return Picture(width, height, content)
