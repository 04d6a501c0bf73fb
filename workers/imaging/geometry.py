"""Which part of a picture, as it is displayed, a recipe shows, and in how many pixels. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from domain.recipes import Fit, Recipe

Box = tuple[float, float, float, float]
Size = tuple[int, int]

_MIDDLE = (0.5, 0.5)


@dataclass(frozen=True)
class Framing:
    """`scale` is pixels made per pixel of the original; `box` (left, top, right, bottom) is what is shown of it.

    `size` is what is made of the box, before it is put on a `canvas` (None: it fills its own) and turned.
    """

    scale: float
    size: Size
    box: Box
    is_whole: bool
    canvas: Size | None = None


def framing(recipe: Recipe, width: int, height: int) -> Framing:
    """How `recipe` frames an upright picture of `width` × `height`; `ValueError` where its region shows nothing."""
    shown = _region(recipe, width, height)
    whole = shown == (0, 0, width, height)
    most = float("inf") if recipe.enlarge else 1.0
    wanted = (recipe.width, recipe.height)
    if recipe.fit is Fit.COVER:
        return _covered(wanted, shown, _focal(recipe, width, height), most)
    if recipe.fit is Fit.EXACT:
        return _squeezed(wanted, shown, most, whole=whole)
    return _contained(wanted, shown, most, whole=whole, canvas=wanted if recipe.fit is Fit.PAD else None)


def stored(box: Box, orientation: int, width: int, height: int) -> Box:
    """A box of the displayed picture as the same part of the stored one.

    `width` × `height` is the displayed picture's size; `orientation` is EXIF's, 1 to 8.
    """
    left, top, right, bottom = box
    across, down = (width - right, width - left), (height - bottom, height - top)
    xs, ys = {
        1: ((left, right), (top, bottom)),
        2: (across, (top, bottom)),
        3: (across, down),
        4: ((left, right), down),
        5: ((top, bottom), (left, right)),
        6: ((top, bottom), across),
        7: (down, across),
        8: (down, (left, right)),
    }[orientation]
    return xs[0], ys[0], xs[1], ys[1]


def within(size: Size, side: int) -> Size:
    """The same shape with this longer side."""
    scale = side / max(size)
    return _at_least_one(size[0] * scale, size[1] * scale)


def _region(recipe: Recipe, width: int, height: int) -> Box:
    if recipe.region is None:
        return 0, 0, width, height
    left, top, across, down = recipe.region
    if left >= width or top >= height:
        raise ValueError
    return left, top, min(left + across, width), min(top + down, height)


def _focal(recipe: Recipe, width: int, height: int) -> tuple[float, float]:
    across, down = recipe.focal or _MIDDLE
    return across * width, down * height


def _contained(wanted: Size, shown: Box, most: float, *, whole: bool, canvas: Size | None) -> Framing:
    width, height = _sides(shown)
    scale = min(wanted[0] / width, wanted[1] / height, most)
    return Framing(scale, _at_least_one(width * scale, height * scale), shown, whole, canvas)


def _squeezed(wanted: Size, shown: Box, most: float, *, whole: bool) -> Framing:
    """Each side by itself; the larger scale is the one that needs the pixels."""
    width, height = _sides(shown)
    across, down = min(wanted[0] / width, most), min(wanted[1] / height, most)
    size = _at_least_one(width * across, height * down)
    return Framing(max(across, down), size, shown, whole and across == down)


def _covered(wanted: Size, shown: Box, focal: tuple[float, float], most: float) -> Framing:
    """The largest part in the shape of the box, its middle as near to the focal point as the picture goes.

    Smaller originals give that part at their own size.
    """
    left, top, right, bottom = shown
    width, height = _sides(shown)
    shape = wanted[0] / wanted[1]
    across, down = min(width, height * shape), min(height, width / shape)
    x = left if across == width else min(max(focal[0] - across / 2, left), right - across)
    y = top if down == height else min(max(focal[1] - down / 2, top), bottom - down)
    scale = min(wanted[0] / across, most)
    size = wanted if scale < most or wanted[0] == across else _at_least_one(across, down)
    return Framing(scale, size, (x, y, x + across, y + down), is_whole=False)


def _sides(box: Box) -> tuple[float, float]:
    left, top, right, bottom = box
    return right - left, bottom - top


def _at_least_one(width: float, height: float) -> Size:
    return max(1, round(width)), max(1, round(height))
