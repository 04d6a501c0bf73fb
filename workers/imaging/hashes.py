"""What a picture looks like, in a few hundred bits that stay nearly the same when it is resized, recompressed,
cropped a little, framed, turned grey or written on.

A likeness is nine difference hashes and nine proofs, the signs of the low frequencies: of the whole picture, four crops
of its middle and four crops of one side. Two pictures are candidates when a hash of one is near a hash of the other,
and alike when the proofs of the same parts are near as well. Pages of text look alike to hashes, so a likeness says
whether it is one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from domain.looks import Likeness
from domain.recipes import Format, Recipe
from workers.imaging import failures, render
from workers.imaging.limits import Limits

Grey = np.ndarray[Any, np.dtype[np.float32]]
#: Left, top, right and bottom.
Part = tuple[float, float, float, float]

#: Pixels of the longer side that is looked at.
SIDE: Final = 256
RECIPE: Final = Recipe("likeness", Format.PNG, SIDE, SIDE)
#: Shares of width and height that are cut off, and where the rest lies: 0 left or top, 1 right or bottom.
CROPS: Final = (
    (0.0, 0.0, 0.0, 0.0),
    (0.05, 0.05, 0.5, 0.5),
    (0.1, 0.1, 0.5, 0.5),
    (0.15, 0.15, 0.5, 0.5),
    (0.2, 0.2, 0.5, 0.5),
    (0.1, 0.0, 0.0, 0.0),
    (0.1, 0.0, 1.0, 0.0),
    (0.0, 0.1, 0.0, 0.0),
    (0.0, 0.1, 0.0, 1.0),
)
#: The same crops of the mirrored picture: left and right have changed places.
MIRRORED: Final = (0, 1, 2, 3, 4, 6, 5, 7, 8)
HASH_BYTES: Final = 16
PROOF_BYTES: Final = 32

_CELLS = 8
_WAVES = 16
_SAMPLES = 64
#: A frame is even within this many levels, and differs by more from what it frames.
_EVEN, _BEGINS = 6.0, 14.0
#: Most of a side that a frame may take.
_WIDEST_FRAME = 0.3
#: Less contrast than this says nothing about a picture, in levels of 255.
_PLAIN = 6.0
_PAPER, _INK = 225.0, 110.0
_MOSTLY_PAPER, _FEW_BETWEEN = 0.5, 0.25
_PALE = 215.0


def likeness(source: Path, media_type: str, out_dir: Path, limits: Limits | None = None) -> Likeness | None:
    """Of a file, by its first frame or page; None for a picture without contrast, which is like any other of its kind.

    `PictureError` where there is no picture to look at. Needs an empty folder of its own for a small file.
    """
    made = render.render(source, media_type, [RECIPE], out_dir, limits)
    if RECIPE.preset in made.failed:
        raise failures.PictureError(made.failed[RECIPE.preset])
    with Image.open(out_dir / RECIPE.file_name, formats=["PNG"]) as small:
        return of_picture(small)


def of_picture(picture: Image.Image) -> Likeness | None:
    """Of a small upright picture, at least a few dozen pixels on a side; None as `likeness` says."""
    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    grey = unframed(_grey(small))
    if float(grey.std()) < _PLAIN:
        return None
    surface = Image.fromarray(grey)
    parts = [_box(surface, *crop) for crop in CROPS]
    grids = [_grids(surface, part) for part in parts]
    waves = [_waves(surface, part) for part in parts]
    return Likeness(
        hashes=b"".join(_differences(across, down) for across, down in grids),
        proofs=b"".join(map(_signs, waves)),
        mirrored_hashes=b"".join(_differences(grids[at][0][:, ::-1], grids[at][1][:, ::-1]) for at in MIRRORED),
        mirrored_proofs=b"".join(_signs(waves[at] * _TURNED) for at in MIRRORED),
        is_page=_is_page(grey),
    )


def unframed(grey: Grey) -> Grey:
    """Without an even frame on any of its sides, if there is one that ends abruptly; a bare sky is no frame."""
    top, bottom = _frame(grey), _frame(grey[::-1])
    left, right = _frame(grey.T), _frame(grey.T[::-1])
    height, width = grey.shape
    return np.ascontiguousarray(grey[top : height - bottom, left : width - right])


def _grey(picture: Image.Image) -> Grey:
    """Levels from 0 to 255; what is transparent shows white behind it, or black where white would hide it all."""
    if "transparency" not in picture.info and picture.mode not in {"RGBA", "LA", "PA", "La", "RGBa"}:
        return np.asarray(picture.convert("L"), np.float32)
    whole = picture.convert("RGBA")
    alpha = np.asarray(whole.getchannel("A"), np.float32) / 255
    levels = np.asarray(whole.convert("RGB").convert("L"), np.float32)
    shown = float((levels * alpha).sum() / max(float(alpha.sum()), 1.0))
    ground = 0.0 if shown > _PALE else 255.0
    return (levels * alpha + ground * (1 - alpha)).astype(np.float32)


def _frame(grey: Grey) -> int:
    """How many lines from the first on are frame."""
    lines = grey[: int(len(grey) * _WIDEST_FRAME)]
    if not len(lines):
        return 0
    low, high = np.percentile(lines, (3, 97), axis=1)
    level = float(np.median(lines[0]))
    even = (high - low <= _EVEN) & (np.abs((high + low) / 2 - level) <= _EVEN)
    if even.all() or not even[0]:
        return 0
    ends = int(np.argmin(even))
    inside = grey[min(ends + 2, len(grey) - 1)]
    begins = float((np.abs(inside - level) > _BEGINS).mean()) > 1 / 2
    return ends + 1 if begins else 0  # the line between is a mixture of both


def _box(surface: Image.Image, narrower: float, lower: float, across: float, down: float) -> Part:
    width, height = surface.width * (1 - narrower), surface.height * (1 - lower)
    left, top = (surface.width - width) * across, (surface.height - height) * down
    return left, top, left + width, top + height


def _grids(surface: Image.Image, part: Part) -> tuple[Grey, Grey]:
    """The part in 9 × 8 and in 8 × 9 cells."""
    return _cells(surface, (_CELLS + 1, _CELLS), part), _cells(surface, (_CELLS, _CELLS + 1), part)


def _cells(surface: Image.Image, size: tuple[int, int], part: Part) -> Grey:
    return np.asarray(surface.resize(size, Image.Resampling.LANCZOS, box=part), np.float32)


def _differences(across: Grey, down: Grey) -> bytes:
    """Whether each cell is lighter than the one before it: 64 bits across, 64 down."""
    rightwards = across[:, 1:] > across[:, :-1]
    downwards = down[1:] > down[:-1]
    return np.packbits(np.concatenate((rightwards.ravel(), downwards.ravel()))).tobytes()


def _waves(surface: Image.Image, part: Part) -> Grey:
    """The 16 × 16 lowest frequencies of the discrete cosine transform (DCT-II), across in the columns."""
    size = (_SAMPLES, _SAMPLES)
    levels = np.asarray(surface.resize(size, Image.Resampling.BOX, box=part), np.float32)
    cosines = _cosines()
    return (cosines @ levels @ cosines.T).astype(np.float32)


def _signs(waves: Grey) -> bytes:
    """One bit per frequency: above the middle of them or not; the mean level says nothing and is left out."""
    ranked = waves.copy()
    ranked[0, 0] = 0
    return np.packbits(ranked > np.median(ranked)).tobytes()


@cache
def _cosines() -> Grey:
    places = np.arange(_SAMPLES) * 2 + 1
    return np.cos(np.outer(np.arange(_WAVES), places) * np.pi / (2 * _SAMPLES)).astype(np.float32)


#: What mirroring does to a frequency: odd ones across change their sign.
_TURNED: Final = np.where(np.arange(_WAVES) % 2 == 1, -1, 1).astype(np.float32)[None, :]


def _is_page(grey: Grey) -> bool:
    """Mostly paper, and little between paper and ink."""
    paper = float((grey >= _PAPER).mean())
    between = float(((grey > _INK) & (grey < _PAPER)).mean())
    return paper > _MOSTLY_PAPER and between < _FEW_BETWEEN
