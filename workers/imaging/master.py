"""The decoded original that renditions are made from: as much of it as they need, and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageFile

from domain.recipes import Recipe
from workers.imaging import depth, failures, formats, geometry, opening, pdf, reductions
from workers.imaging.limits import Limits
from workers.imaging.reductions import Reduction, Shelf

#: JPEG's own reductions, and how many times the largest picture must then still be left for a real filter: halving is
#: as good as averaging, but by four and by eight leaves traces (0.003 to 0.004 of SSIM where 1.25 times is left).
_REDUCTIONS = ((8, 2.0), (4, 2.0), (2, 1.25))
_JPEG = "image/jpeg"
ON_ITS_SIDE = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class Master:
    """`width` × `height` are the displayed original's; `picture` may be a reduction, still lying as it was stored."""

    picture: Image.Image
    width: int
    height: int
    profile: bytes | None = None
    orientation: int = 1
    #: Pixels per unit of what has none of its own: a drawing's, or a page's points.
    drawn: float = 1.0


def opened(
    source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits, shelf: Shelf | None = None
) -> Master:
    """What all these recipes, which are of one page, can be made from; `PictureError` when there is no picture.

    A JPEG's reduction is taken from the shelf, or laid on it.
    """
    if media_type in pdf.MEDIA_TYPES:
        return _of_still(pdf.drawn(source, recipes, limits))
    if (reader := formats.reader_of(source, media_type)) is not None:
        return _of_still(formats.still(reader, source, media_type, recipes, limits))
    if media_type != _JPEG:
        shelf = None
    if shelf is not None and (kept := reductions.find(shelf, partial(_wanted, recipes))) is not None:
        return Master(kept.picture, kept.width, kept.height, kept.profile, kept.orientation)
    with opening.opened(source, media_type, limits, page=recipes[0].page) as picture:
        orientation = opening.turn_left_to_do(picture)
        width, height = picture.size[::-1] if orientation in ON_ITS_SIDE else picture.size
        factor = _wanted(recipes, width, height)
        _ask_for_less(picture, factor)
        opening.decode(picture, source, media_type)
        profile = picture.info.get("icc_profile")
        try:
            usable = depth.resizable(picture)
        except (OSError, ValueError) as error:
            raise failures.translated(error, source, media_type) from error
        if shelf is not None and factor > 1:
            reductions.lay(shelf, factor, Reduction(usable, width, height, profile, orientation))
        return Master(usable, width, height, profile, orientation)


def _of_still(still: formats.Still) -> Master:
    drawn = still.width / still.natural[0] if still.natural else 1.0
    return Master(still.picture, still.width, still.height, still.profile, still.orientation, drawn)


def _wanted(recipes: Sequence[Recipe], width: int, height: int) -> int:
    """How much smaller the displayed original may be decoded for all of these."""
    scales = []
    for recipe in recipes:
        try:
            scales.append(geometry.framing(recipe, width, height).scale)
        except ValueError:  # its region lies outside: it asks for nothing
            continue
    return _reduction(min(max(scales, default=1.0), 1.0), width, height)


def _ask_for_less(picture: ImageFile.ImageFile, factor: int) -> None:
    """Only JPEG can: other readers take no notice."""
    if factor > 1:
        picture.draft("RGB", (max(1, picture.width // factor), max(1, picture.height // factor)))


def _reduction(scale: float, width: int, height: int) -> int:
    """The largest that leaves enough for a picture of `scale`, 1 for none."""
    for factor, margin in _REDUCTIONS:
        if all(int(side * scale * margin) <= side // factor for side in (width, height)):
            return factor
    return 1
