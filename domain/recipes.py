"""What a rendition is asked to be, and the words for why it could not be made.

A recipe is plain data. Two recipes that ask for the same pixels and the same encoding have the same
`params_digest`, whatever they are called, so it serves as the cache key of the work. A recipe never asks for
more pixels than the original has, unless it says `enlarge`: boxes are upper bounds.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain import refusals
from domain.statements import MetadataPolicy, Statement


class Format(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    GIF = "gif"
    TIFF = "tiff"
    #: One page that holds one picture.
    PDF = "pdf"
    #: A film that every browser plays, H.264 with AAC; made of films only.
    MP4 = "mp4"

    @property
    def media_type(self) -> str:
        return {Format.PDF: "application/pdf", Format.MP4: "video/mp4"}.get(self, f"image/{self.value}")

    @property
    def extension(self) -> str:
        """With its dot, the way file names carry it."""
        return {Format.JPEG: ".jpg", Format.TIFF: ".tif"}.get(self, f".{self.value}")


class Fit(StrEnum):
    #: The whole picture, as large as fits into the box.
    CONTAIN = "contain"
    #: A part of the picture in the shape of the box, around the focal point, else the centre.
    COVER = "cover"
    #: The whole picture in the middle of the box, which is filled up with the background.
    PAD = "pad"
    #: The whole picture squeezed into exactly this box.
    EXACT = "exact"


class Colour(StrEnum):
    SRGB = "srgb"
    GREY = "grey"
    #: Through a press profile; only where the format can hold it.
    CMYK = "cmyk"


class FailureCode(StrEnum):
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    #: This hub runs without the optional library that reads such files.
    NOT_INSTALLED = "NOT_INSTALLED"
    TRUNCATED = "TRUNCATED"
    DAMAGED = "DAMAGED"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    ABSURD_DIMENSIONS = "ABSURD_DIMENSIONS"
    ENCRYPTED = "ENCRYPTED"
    EMPTY = "EMPTY"
    #: The file has fewer pages, or the picture ends before the region begins.
    OUT_OF_RANGE = "OUT_OF_RANGE"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    CRASHED = "CRASHED"

    @property
    def is_retryable(self) -> bool:
        """Whether the same bytes may do better another time; the other codes are about the bytes."""
        return self in _RETRYABLE


_RETRYABLE = frozenset({FailureCode.TIMEOUT, FailureCode.OUT_OF_MEMORY, FailureCode.CRASHED, FailureCode.NOT_INSTALLED})


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
#: Pages and seconds beyond these are a mistake; nobody makes a preset of them.
LAST_PAGE = 9_999
LAST_SECOND = 86_400
FINEST_DPI = 2_400
WATERMARK_LETTERS = 60
TURNS = (0, 90, 180, 270)

WHITE = "#ffffff"
#: The press profiles that come with the hub, by name; the first is meant where none is named.
PRESS_PROFILES = ("FOGRA39L",)
HOLDS_CMYK = frozenset({Format.JPEG, Format.TIFF, Format.PDF})
HOLDS_TRANSPARENCY = frozenset({Format.PNG, Format.WEBP, Format.AVIF, Format.GIF, Format.TIFF})
HOLDS_FRAMES = frozenset({Format.GIF, Format.WEBP})
_LOSSY = frozenset({Format.JPEG, Format.WEBP, Format.AVIF, Format.PDF, Format.MP4})
_FILMS_OF_OTHER_NAMES = frozenset({"application/mxf"})
#: Part of every digest: raise it when the same recipe begins to make pixels that a person tells apart. What moves SSIM
#: by less than `bench.renditions` allows is not worth making everything anew.
RECIPE_VERSION = 1

_PRESET = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Recipe:
    """A picture to be made: `width` × `height` is a box in pixels, `quality` 1–100 (lossless formats have none).

    `background` (`#rrggbb`) stands behind transparent pixels where the format has no transparency and around a
    padded picture; `speed` is AVIF's effort, 0 the slowest to 10. `region` is x, y, width and height in pixels of
    the upright original, taken before anything else, clipped to it; `rotation` turns the finished picture
    clockwise. `focal` is the point (x, y, each 0 to 1 of the upright whole) that COVER keeps; without one, `seeks` says
    to look for it. `page` counts from 0; `at_seconds` is the moment of a film. `animated` keeps all frames where the
    format holds them, `clip_seconds` only so much of a film, 0 all of it. `profile` names the press profile of CMYK,
    `proof` the one whose print an sRGB picture imitates. `dpi` is written down, 0 says nothing; a PDF's page is sized
    by it. `metadata` says how much of `statement` is written into the file.
    Refused with `Invalid`: a preset that is no lower-case word of at most 40 letters, digits, `-` and `_`; a side
    outside 1–16,383; the other numbers out of range; what the format cannot hold.
    """

    preset: str
    format: Format
    width: int
    height: int
    fit: Fit = Fit.CONTAIN
    quality: int = 82
    background: str = WHITE
    progressive: bool = False
    speed: int = 9
    colour: Colour = Colour.SRGB
    profile: str | None = None
    proof: str | None = None
    region: tuple[int, int, int, int] | None = None
    rotation: int = 0
    enlarge: bool = False
    focal: tuple[float, float] | None = None
    seeks: bool = False
    page: int = 0
    at_seconds: float = 0.0
    animated: bool = False
    clip_seconds: int = 0
    dpi: int = 0
    metadata: MetadataPolicy = MetadataPolicy.RIGHTS
    statement: Statement | None = None
    watermark: str | None = None

    def __post_init__(self) -> None:
        _must(_PRESET.fullmatch(self.preset) is not None, "preset", "A preset is a lower-case word.", "format")
        for side in ("width", "height"):
            _must_be_within(side, getattr(self, side), 1, LONGEST_SIDE)
        _must_be_within("quality", self.quality, 1, BEST_QUALITY)
        _must_be_within("speed", self.speed, 0, FASTEST)
        _must_be_within("page", self.page, 0, LAST_PAGE)
        _must_be_within("at_seconds", self.at_seconds, 0, LAST_SECOND)
        _must_be_within("clip_seconds", self.clip_seconds, 0, LAST_SECOND)
        _must_be_within("dpi", self.dpi, 0, FINEST_DPI)
        _must(
            _COLOUR.fullmatch(self.background) is not None,
            "background",
            "A colour looks like #ffffff.",
            "format",
        )
        _check_colour(self)
        _check_geometry(self)
        _check_watermark(self.watermark)

    @property
    def press_profile(self) -> str:
        """The name of the profile that CMYK is made with."""
        return self.profile or PRESS_PROFILES[0]

    @property
    def params_digest(self) -> str:
        """64 hexadecimal digits over everything that shapes the bytes; the preset's name is none of it."""
        canonical = json.dumps(_what_matters(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        return self.preset + self.format.extension


def suits(format_: Format, media_type: str) -> bool:
    """Whether such a rendition can be made of such a file at all: of a picture no film is made."""
    return format_ is not Format.MP4 or media_type.startswith("video/") or media_type in _FILMS_OF_OTHER_NAMES


def _what_matters(recipe: Recipe) -> dict[str, Any]:
    """A knob that the format ignores must not split the cache, and what came later counts only where it is used."""
    asked: dict[str, Any] = {
        "version": RECIPE_VERSION,
        "format": recipe.format.value,
        "width": recipe.width,
        "height": recipe.height,
        "fit": recipe.fit.value,
    }
    if recipe.format in _LOSSY:
        asked["quality"] = recipe.quality
    if recipe.format is Format.JPEG:
        asked |= {"background": recipe.background, "progressive": recipe.progressive}
    if recipe.format is Format.AVIF:
        asked["speed"] = recipe.speed
    return asked | _what_came_later(recipe)


def _what_came_later(recipe: Recipe) -> dict[str, Any]:
    used = _of_colours(recipe)
    if recipe.fit is Fit.COVER and recipe.focal is not None:
        used["focal"] = list(recipe.focal)
    elif recipe.fit is Fit.COVER and recipe.seeks:
        used["seeks"] = True
    if recipe.animated and recipe.format in HOLDS_FRAMES:
        used["animated"] = True
    if recipe.metadata is not MetadataPolicy.RIGHTS:
        used["metadata"] = recipe.metadata.value
    if recipe.statement is not None and (written := recipe.statement.written(recipe.metadata)):
        used["statement"] = written
    for name in ("proof", "region", "rotation", "enlarge", "page", "at_seconds", "clip_seconds", "dpi", "watermark"):
        if value := getattr(recipe, name):
            used[name] = list(value) if isinstance(value, tuple) else value
    return used


def _of_colours(recipe: Recipe) -> dict[str, Any]:
    used: dict[str, Any] = {}
    if recipe.format is not Format.JPEG and recipe.background != WHITE and _shows_background(recipe):
        used["background"] = recipe.background
    if recipe.colour is not Colour.SRGB:
        used["colour"] = recipe.colour.value
    if recipe.colour is Colour.CMYK:
        used["profile"] = recipe.press_profile
    return used


def _shows_background(recipe: Recipe) -> bool:
    return recipe.fit is Fit.PAD or recipe.format not in HOLDS_TRANSPARENCY or recipe.colour is Colour.CMYK


def _check_colour(recipe: Recipe) -> None:
    _must(
        recipe.colour is not Colour.CMYK or recipe.format in HOLDS_CMYK,
        "colour",
        f"{recipe.format.name} cannot hold CMYK: take JPEG, TIFF or PDF.",
        "format",
    )
    _must(
        recipe.proof is None or recipe.colour is Colour.SRGB, "proof", "A soft proof is an sRGB picture.", "exclusive"
    )
    for name in ("profile", "proof"):
        _must(
            getattr(recipe, name) is None or getattr(recipe, name) in PRESS_PROFILES,
            name,
            f"Known press profiles: {', '.join(PRESS_PROFILES)}.",
            "unknown",
        )


def _check_geometry(recipe: Recipe) -> None:
    _must(recipe.rotation in TURNS, "rotation", "A picture is turned by 0, 90, 180 or 270 degrees.", "range")
    if recipe.region is not None:
        left, top, width, height = recipe.region
        _must(
            min(left, top) >= 0 and min(width, height) >= 1,
            "region",
            "A region begins inside the picture and is at least one pixel large.",
            "range",
        )
    if recipe.focal is not None:
        _must(all(0 <= part <= 1 for part in recipe.focal), "focal", "A focal point lies within the picture.", "range")


def _check_watermark(watermark: str | None) -> None:
    _must(
        watermark is None or (0 < len(watermark.strip()) <= WATERMARK_LETTERS and watermark.isprintable()),
        "watermark",
        f"A watermark has 1 to {WATERMARK_LETTERS} letters on one line.",
        "length",
    )


def _must_be_within(name: str, value: float, lowest: int, highest: int) -> None:
    _must(
        lowest <= value <= highest,
        name,
        f"{name.replace('_', ' ').capitalize()} lies between {lowest:,} and {highest:,}.",
        "range",
    )


def _must(holds: bool, name: str, sentence: str, constraint: str) -> None:
    if not holds:
        raise refusals.Invalid(sentence, (name,), constraint)


#: What every brand starts with.
SEEDS = (
    Recipe("thumb", Format.WEBP, 320, 320, quality=80),
    Recipe("web", Format.JPEG, 1600, 1600, quality=82, progressive=True),
    Recipe("avif", Format.AVIF, 800, 800, quality=60),
)
