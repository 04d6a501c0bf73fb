"""A page of a PDF as a picture, its words, and what the document says about itself.

Scripts are never run and forms are never filled: the page is drawn as it was printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures, opening
from workers.imaging.embedded import letters
from workers.imaging.formats.still import Still, enlargement
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset({"application/pdf", "application/illustrator"})

#: pdfium's own numbers.
_PASSWORD_ERROR, _SECURITY_ERROR = 4, 5


@dataclass(frozen=True)
class Document:
    """`width` and `height` of the first page as displayed, in points (1/72 inch); `text` is that of the first pages."""

    pages: int
    width: float
    height: float
    information: dict[str, str]
    text: str


def drawn(source: Path, recipes: Sequence[Recipe], limits: Limits) -> Still:
    """The page, on which the recipes agree, on white and exactly as large as the most demanding one needs it: a page
    has no pixels of its own.

    `PictureError` for what is encrypted, damaged, without such a page, or has one of senseless size.
    """
    with _document(source) as document:
        number = recipes[0].page
        if 0 < len(document) <= number:
            raise failures.refused(FailureCode.OUT_OF_RANGE, f"The document has no page {number + 1}.")
        page = document[number]
        width, height = page.get_size()
        opening.check_size(round(width), round(height), limits)
        scale = enlargement(recipes, width, height)
        opening.check_size(max(1, round(width * scale)), max(1, round(height * scale)), limits)
        bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)
        picture: Image.Image = bitmap.to_pil()
        # pdfium's memory goes when the document is closed.
        kept = picture.convert("RGB") if picture.mode != "RGB" else picture.copy()
        return Still(kept, *kept.size, natural=(width, height))


def describe(source: Path, limits: Limits) -> Document:
    with _document(source) as document:
        width, height = document[0].get_size()
        about = document.get_metadata_dict(skip_empty=True)
        return Document(len(document), width, height, about, _words(document, limits))


def _words(document: Any, limits: Limits) -> str:
    """Page by page; a page that cannot be read has no words."""
    pieces: list[str] = []
    room = limits.text_letters
    for number in range(min(len(document), limits.text_pages)):
        with suppress(pypdfium2.PdfiumError):
            pieces.append(_words_of(document[number], room))
            room -= len(pieces[-1])
        if room <= 0:
            break
    return letters.bounded("\n".join(piece for piece in pieces if piece), limits.text_letters)


def _words_of(page: Any, room: int) -> str:
    with closing(page), closing(page.get_textpage()) as text:
        # Pdfium marks a word divided at the end of its line; for search it is one.
        said: str = text.get_text_range(0, min(text.count_chars(), room))
        return said.replace("\ufffe\r\n", "").replace("\ufffe", "").strip()


@contextmanager
def _document(source: Path) -> Iterator[Any]:
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    _forget_the_last_error()
    try:
        with pypdfium2.PdfDocument(source) as document:
            yield document
    except pypdfium2.PdfiumError as error:
        raise _explained(error, source) from error


def _forget_the_last_error() -> None:
    """Pdfium keeps its last error for ever: without this, an empty document after a locked one would seem locked."""
    with suppress(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(b"no document")


def _explained(error: pypdfium2.PdfiumError, source: Path) -> failures.PictureError:
    if error.err_code in {_PASSWORD_ERROR, _SECURITY_ERROR}:
        return failures.refused(FailureCode.ENCRYPTED)
    return failures.translated(error, source, "application/pdf")
