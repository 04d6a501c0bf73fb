"""The decoded original that renditions are made from: as much of it as they need, and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import ImageFile

from domain import studio
from domain.recipes import Recipe
from workers.imaging import depth, failures, formats, opening, pdf, pictures, reductions
from workers.imaging.limits import Limits
from workers.imaging.pictures import Master
from workers.imaging.reductions import Reduction, Shelf


def opened(
    source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits, shelf: Shelf | None = None
) -> Master:
    """What all these recipes, which are of one page, can be made from; `PictureError` when there is no picture.

    The reduction of a JPEG's first picture is taken from the shelf, or laid on it.
    """
    if media_type in pdf.MEDIA_TYPES:
        return _of_still(pdf.drawn(source, recipes, limits))
    if (reader := formats.reader_of(source, media_type)) is not None:
        return _of_still(formats.still(reader, source, media_type, recipes, limits))
    if media_type != studio.MEDIA_TYPE or recipes[0].page:
        shelf = None
    if shelf is not None and (kept := reductions.find(shelf, recipes)) is not None:
        return Master(kept.picture, kept.width, kept.height, kept.profile, kept.orientation)
    with opening.opened(source, media_type, limits, page=recipes[0].page) as picture:
        orientation = opening.turn_left_to_do(picture)
        width, height = picture.size[::-1] if orientation in pictures.ON_ITS_SIDE else picture.size
        factor = reductions.factor(recipes, width, height)
        _ask_for_less(picture, factor)
        opening.decode(picture, source, media_type)
        profile = picture.info.get("icc_profile")
        try:
            usable = depth.resizable(picture)
        except (OSError, ValueError) as error:
            raise failures.translated(error, source, media_type) from error
        if shelf is not None:
            reductions.lay(shelf, factor, Reduction(usable, width, height, profile, orientation))
        return Master(usable, width, height, profile, orientation)


def _of_still(still: formats.Still) -> Master:
    drawn = still.width / still.natural[0] if still.natural else 1.0
    return Master(still.picture, still.width, still.height, still.profile, still.orientation, drawn)


def _ask_for_less(picture: ImageFile.ImageFile, factor: int) -> None:
    """Only JPEG can: other readers take no notice."""
    if factor > 1:
        picture.draft("RGB", (max(1, picture.width // factor), max(1, picture.height // factor)))
