"""The kinds of file that need a reader of their own, each giving a still picture and what is known about it.

Pillow's readers stand in `workers.imaging.opening`, PDF's in `workers.imaging.pdf`. Readers whose library is an
extra refuse with NOT_INSTALLED where it is missing, and never before they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures
from workers.imaging.formats import archives, film, fonts, jxl, office, photoshop, raw, svg, waveform, written
from workers.imaging.formats.still import Known, Still
from workers.imaging.limits import Limits

__all__ = ["KINDS", "Known", "Reader", "Still", "known", "reader_of", "still"]

_Still = Callable[[Path, str, Sequence[Recipe], Limits], Still]
_Known = Callable[[Path, str, Limits], Known]


@dataclass(frozen=True)
class Reader:
    """`still` is None for what can only be read, not shown."""

    still: _Still | None
    known: _Known


_SHOWN = {
    archives.MEDIA_TYPES: Reader(archives.still, archives.known),
    film.MEDIA_TYPES: Reader(film.still, film.known),
    fonts.MEDIA_TYPES: Reader(fonts.still, fonts.known),
    jxl.MEDIA_TYPES: Reader(jxl.still, jxl.known),
    office.MEDIA_TYPES: Reader(None, office.known),
    raw.MEDIA_TYPES: Reader(raw.still, raw.known),
    film.SOUND_TYPES: Reader(waveform.still, film.known),
    svg.MEDIA_TYPES: Reader(svg.still, svg.known),
    written.MEDIA_TYPES: Reader(None, written.known),
}
_PHOTOSHOP = Reader(photoshop.still, photoshop.known)
#: By media type.
KINDS = {name: reader for names, reader in _SHOWN.items() for name in names}


def reader_of(source: Path, media_type: str) -> Reader | None:
    """None for what other readers open. Of Photoshop's files only those that Pillow refuses are meant."""
    if media_type == photoshop.MEDIA_TYPE:
        head = photoshop.header(source)
        return None if head is None or head.is_for_pillow else _PHOTOSHOP
    return KINDS.get(media_type)


def still(reader: Reader, source: Path, media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    """One picture that all these recipes can be made from; whatever a library raises is a `PictureError`."""
    if reader.still is None:
        raise failures.refused(FailureCode.UNSUPPORTED_FORMAT)
    if recipes[0].page:
        raise failures.refused(FailureCode.OUT_OF_RANGE, f"The file has no page {recipes[0].page + 1}.")
    with _told(source, media_type):
        return reader.still(source, media_type, recipes, limits)


def known(reader: Reader, source: Path, media_type: str, limits: Limits) -> Known:
    with _told(source, media_type):
        return reader.known(source, media_type, limits)


@contextmanager
def _told(source: Path, media_type: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise failures.translated(error, source, media_type) from error
