"""What a rendition is asked to be, and the words for why it could not be made.

A recipe is plain data. Two recipes that ask for the same pixels and the same encoding have the same
`params_digest`, whatever they are called, so it serves as the cache key of the work. A recipe never asks for
more pixels than the original has: boxes are upper bounds.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum

from domain import refusals


class Format(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        """With its dot, the way file names carry it."""
        return ".jpg" if self is Format.JPEG else f".{self.value}"


class Fit(StrEnum):
    #: The whole picture, as large as fits into the box.
    CONTAIN = "contain"
    #: The centre of the picture in the shape of the box.
    COVER = "cover"


class FailureCode(StrEnum):
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    TRUNCATED = "TRUNCATED"
    DAMAGED = "DAMAGED"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    ABSURD_DIMENSIONS = "ABSURD_DIMENSIONS"
    ENCRYPTED = "ENCRYPTED"
    EMPTY = "EMPTY"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    CRASHED = "CRASHED"

    @property
    def is_retryable(self) -> bool:
        """Whether the same bytes may do better another time; the other codes are about the bytes."""
        return self in _RETRYABLE


_RETRYABLE = frozenset({FailureCode.TIMEOUT, FailureCode.OUT_OF_MEMORY, FailureCode.CRASHED})


@dataclass(frozen=True)
class RenderFailure:
    """Why there is no picture: `code` for programs, `sentence` for people, without paths or traces."""

    code: FailureCode
    sentence: str


#: WebP cannot hold a longer side, and no screen asks for one.
LONGEST_SIDE = 16_383
#: AVIF encoders know eleven speeds, 0 the slowest.
FASTEST = 10
BEST_QUALITY = 100

WHITE = "#ffffff"
#: Part of every digest: raise it when the same recipe begins to make other pixels.
RECIPE_VERSION = 1

_PRESET = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Recipe:
    """A picture to be made: `width` × `height` is a box in pixels, `quality` 1–100 (PNG has none).

    `background` (`#rrggbb`) stands behind transparent pixels where the format has no transparency, and
    `speed` is AVIF's effort, 0 the slowest to 10. Refused with `Invalid`: a preset that is no lower-case word
    of at most 40 letters, digits, `-` and `_`; a side outside 1–16,383; the other numbers out of range.
    """

    preset: str
    format: Format
    width: int
    height: int
    fit: Fit = Fit.CONTAIN
    quality: int = 82
    background: str = WHITE
    progressive: bool = False
    speed: int = 8

    def __post_init__(self) -> None:
        _must(_PRESET.fullmatch(self.preset) is not None, "preset", "A preset is a lower-case word.", "format")
        for side in ("width", "height"):
            _must_be_within(side, getattr(self, side), 1, LONGEST_SIDE)
        _must_be_within("quality", self.quality, 1, BEST_QUALITY)
        _must_be_within("speed", self.speed, 0, FASTEST)
        _must(
            _COLOUR.fullmatch(self.background) is not None,
            "background",
            "A colour looks like #ffffff.",
            "format",
        )

    @property
    def params_digest(self) -> str:
        """64 hexadecimal digits over everything that shapes the bytes; the preset's name is none of it."""
        canonical = json.dumps(_what_matters(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        return self.preset + self.format.extension


def _what_matters(recipe: Recipe) -> dict[str, str | int | bool]:
    """A knob that the format ignores must not split the cache."""
    asked: dict[str, str | int | bool] = {
        "version": RECIPE_VERSION,
        "format": recipe.format.value,
        "width": recipe.width,
        "height": recipe.height,
        "fit": recipe.fit.value,
    }
    if recipe.format is not Format.PNG:
        asked["quality"] = recipe.quality
    if recipe.format is Format.JPEG:
        asked |= {"background": recipe.background, "progressive": recipe.progressive}
    if recipe.format is Format.AVIF:
        asked["speed"] = recipe.speed
    return asked


def _must_be_within(name: str, value: int, lowest: int, highest: int) -> None:
    _must(
        lowest <= value <= highest,
        name,
        f"{name.capitalize()} lies between {lowest:,} and {highest:,}.",
        "range",
    )


def _must(holds: bool, name: str, sentence: str, constraint: str) -> None:
    if not holds:
        raise refusals.Invalid(sentence, (name,), constraint)


#: What every brand starts with.
SEEDS = (
    Recipe("thumb", Format.WEBP, 320, 320, quality=80),
    Recipe("web", Format.JPEG, 1600, 1600, quality=82, progressive=True),
    Recipe("avif", Format.AVIF, 800, 800, quality=60, speed=8),
)
