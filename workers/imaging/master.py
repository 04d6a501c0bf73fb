"""The decoded original that renditions are made from: as much of it as they need, and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFile

from domain.recipes import Recipe
from workers.imaging import depth, failures, formats, geometry, opening, pdf
from workers.imaging.limits import Limits

#: JPEG's own reductions, and how many times the largest picture must then still be left for a real filter: halving is
#: as good as averaging, but by four and by eight leaves traces (0.003 to 0.004 of SSIM where 1.25 times is left).
_REDUCTIONS = ((8, 2.0), (4, 2.0), (2, 1.25))
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


def opened(source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Master:
    """What all these recipes, which are of one page, can be made from; `PictureError` when there is no picture."""
    if media_type in pdf.MEDIA_TYPES:
        return _of_still(pdf.drawn(source, recipes, limits))
    if (reader := formats.reader_of(source, media_type)) is not None:
        return _of_still(formats.still(reader, source, media_type, recipes, limits))
    with opening.opened(source, media_type, limits, page=recipes[0].page) as picture:
        orientation = opening.turn_left_to_do(picture)
        width, height = picture.size[::-1] if orientation in ON_ITS_SIDE else picture.size
        _ask_for_less(picture, recipes, width, height, turned=orientation in ON_ITS_SIDE)
        opening.decode(picture, source, media_type)
        profile = picture.info.get("icc_profile")
        try:
            usable = depth.resizable(picture)
        except (OSError, ValueError) as error:
            raise failures.translated(error, source, media_type) from error
        return Master(usable, width, height, profile, orientation)


def _of_still(still: formats.Still) -> Master:
    drawn = still.width / still.natural[0] if still.natural else 1.0
    return Master(still.picture, still.width, still.height, still.profile, still.orientation, drawn)


def _ask_for_less(
    picture: ImageFile.ImageFile, recipes: Sequence[Recipe], width: int, height: int, *, turned: bool
) -> None:
    """Only JPEG can: other readers take no notice."""
    scales = []
    for recipe in recipes:
        try:
            scales.append(geometry.framing(recipe, width, height).scale)
        except ValueError:  # its region lies outside: it asks for nothing
            continue
    scale = min(max(scales, default=1.0), 1.0)
    factor = _reduction(scale, width, height)
    if factor > 1:
        wanted = max(1, width // factor), max(1, height // factor)
        picture.draft("RGB", wanted[::-1] if turned else wanted)


def _reduction(scale: float, width: int, height: int) -> int:
    """The largest that leaves enough for a picture of `scale`, 1 for none."""
    for factor, margin in _REDUCTIONS:
        if all(int(side * scale * margin) <= side // factor for side in (width, height)):
            return factor
    return 1
