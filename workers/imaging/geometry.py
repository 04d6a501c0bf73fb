"""Which part of a picture a recipe shows, and in how many pixels. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from domain.recipes import Fit, Recipe


@dataclass(frozen=True)
class Framing:
    """`scale` is pixels made per pixel of the original, at most 1; `box` is what is shown of the original."""

    scale: float
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    is_whole: bool


def framing(recipe: Recipe, width: int, height: int, *, turned: bool = False) -> Framing:
    """How `recipe` frames a stored picture of `width` × `height`; `turned` when it is displayed lying on its side.

    The result is in the stored picture's own directions: what is asked for is turned, not the picture.
    """
    wanted = (recipe.height, recipe.width) if turned else (recipe.width, recipe.height)
    return (_contained if recipe.fit is Fit.CONTAIN else _covered)(wanted, width, height)


def _contained(wanted: tuple[int, int], width: int, height: int) -> Framing:
    scale = min(wanted[0] / width, wanted[1] / height, 1.0)
    return Framing(scale, _at_least_one(width * scale, height * scale), (0, 0, width, height), is_whole=True)


def _covered(wanted: tuple[int, int], width: int, height: int) -> Framing:
    """The largest centred part in the shape of the box; smaller originals give that part at their own size."""
    shape = wanted[0] / wanted[1]
    shown = (min(width, height * shape), min(height, width / shape))
    left, top = (width - shown[0]) / 2, (height - shown[1]) / 2
    scale = min(wanted[0] / shown[0], 1.0)
    size = wanted if scale < 1.0 else _at_least_one(*shown)
    return Framing(scale, size, (left, top, left + shown[0], top + shown[1]), is_whole=False)


def _at_least_one(width: float, height: float) -> tuple[int, int]:
    return max(1, round(width)), max(1, round(height))
