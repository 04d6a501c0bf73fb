"""Where the eye goes first: a simple guess at the point of a picture that crops should keep.

Colours that stand out from the picture's mean (Achanta et al., "Frequency-tuned salient region detection", CVPR 2009)
and dense edges are weighed together, a little more towards the middle; the point is the centre of what weighs most.
It knows nothing of faces or of words: a person who sets the point by hand always knows better.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageFilter

Weights = np.ndarray[Any, np.dtype[np.float64]]

#: Pixels of the longer side that is looked at: more finds no other point.
_SIDE = 128
#: The share of a picture's area that counts as what stands out.
_STANDS_OUT = 0.12
#: A picture in which nothing weighs this many times the mean has no such point, nor has one in which what does is
#: spread farther than this, as a share of its sides.
_CLEAR = 1.5
_SCATTERED = 0.32
#: The weight of the corners beside that of the middle.
_CORNERS = 0.45
_EDGES = 0.5


def warm() -> None:
    """Has numpy load what it loads when that is first needed; call it once before forking."""
    proposed(Image.new("RGB", (_SIDE, _SIDE)))


def proposed(picture: Image.Image) -> tuple[float, float] | None:
    """The point (x, y, each 0 to 1) of an upright picture of any size; None where nothing stands out."""
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    if min(small.size) < 8:  # noqa: PLR2004 - too narrow to have a place in it
        return None
    weights = _weights(small)
    least = np.quantile(weights, 1 - _STANDS_OUT)
    chosen = np.where(weights >= least, weights, 0.0)
    if weights.mean() <= 0 or chosen[chosen > 0].mean() < _CLEAR * weights.mean():
        return None
    rows, columns = np.nonzero(chosen)
    across, down = (columns + 0.5) / weights.shape[1], (rows + 0.5) / weights.shape[0]
    if np.hypot(across.std(), down.std()) > _SCATTERED:
        return None
    heavy = chosen[rows, columns] / chosen.sum()
    return round(float((across * heavy).sum()), 4), round(float((down * heavy).sum()), 4)


def _weights(picture: Image.Image) -> Weights:
    blurred = picture.filter(ImageFilter.GaussianBlur(2))
    colours = np.asarray(blurred.convert("LAB"), dtype=np.float64)
    # Pillow keeps a and b as signed bytes.
    colours[..., 1:] = (colours[..., 1:] + 128) % 256
    standing_out = np.sqrt(((colours - colours.mean(axis=(0, 1))) ** 2).sum(axis=2))
    return (_even(standing_out) + _EDGES * _even(_edges(picture))) * _towards_the_middle(standing_out.shape)


def _edges(picture: Image.Image) -> Weights:
    grey = np.asarray(picture.convert("L"), dtype=np.float64)
    down, across = np.gradient(grey)
    dense = Image.fromarray(np.clip(np.hypot(down, across), 0, 255).astype(np.uint8))
    return np.asarray(dense.filter(ImageFilter.GaussianBlur(4)), dtype=np.float64)


def _even(values: Weights) -> Weights:
    """From 0 to 1, whatever the range was."""
    low, high = values.min(), values.max()
    return np.zeros_like(values) if high <= low else (values - low) / (high - low)


def _towards_the_middle(shape: tuple[int, ...]) -> Weights:
    rows, columns = (np.linspace(-1, 1, side) ** 2 for side in shape)
    away = (rows[:, None] + columns[None, :]) / 2
    return 1 - (1 - _CORNERS) * away
