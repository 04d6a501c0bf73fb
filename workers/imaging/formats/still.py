"""What every reader of a kind of file answers: one still picture of it, and what is known about it.

A reader that needs a library which this hub runs without refuses with NOT_INSTALLED and names the extra to install.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from domain.recipes import FailureCode, Fit, Recipe
from workers.imaging import failures

#: What an extra reads, as a refusal says it.
_READS = {
    "jxl": "JPEG XL pictures",
    "raw": "raw pictures of cameras",
    "video": "films and sounds",
    "vips": "vector drawings",
    "provenance": "content credentials",
}
_QUARTER_TURNS = frozenset({90, 270})


@dataclass(frozen=True)
class Still:
    """A decoded picture in a resizable mode, perhaps a reduction of an original of `width` × `height` pixels as
    displayed.

    `orientation` (1–8 as in EXIF) is how `picture` lies. Of what has no pixels of its own (drawings, pages, waveforms)
    `width` × `height` is what was drawn, and `natural` its size at 72 units per inch.
    """

    picture: Image.Image
    width: int
    height: int
    profile: bytes | None = None
    orientation: int = 1
    natural: tuple[float, float] | None = None


@dataclass(frozen=True)
class Known:
    """Size in pixels as displayed; `entries` are (namespace, name, JSON value); `text` is what is found by search."""

    width: int | None = None
    height: int | None = None
    mode: str | None = None
    profile: bytes | None = None
    bit_depth: int | None = None
    has_alpha: bool = False
    frames: int = 1
    orientation: int = 1
    xmp: bytes = b""
    entries: tuple[tuple[str, str, Any], ...] = ()
    text: str = ""
    title: str = ""
    creator: str = ""
    rights: str = ""


def library(name: str, extra: str) -> Any:
    """The module `name`; NOT_INSTALLED where the extra that brings it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise failures.refused(FailureCode.NOT_INSTALLED, not_installed(extra)) from error


def not_installed(extra: str) -> str:
    return f"This hub runs without the extra “{extra}”, which reads {_READS[extra]}."


def enlargement(recipes: Sequence[Recipe], width: float, height: float) -> float:
    """Pixels per unit that the most demanding recipe needs of what can be drawn at any size."""
    return max(_needed(recipe, width, height) for recipe in recipes)


def _needed(recipe: Recipe, width: float, height: float) -> float:
    wanted = (recipe.width, recipe.height)
    if recipe.rotation in _QUARTER_TURNS:
        wanted = wanted[::-1]
    if recipe.region is not None:
        width, height = min(width, recipe.region[2]), min(height, recipe.region[3])
    across, down = wanted[0] / width, wanted[1] / height
    return min(across, down) if recipe.fit in {Fit.CONTAIN, Fit.PAD} else max(across, down)
