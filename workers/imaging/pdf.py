"""The first page of a PDF as a picture, and what the document says about itself.

Scripts are never run and forms are never filled: the page is drawn as it was printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

from domain.recipes import FailureCode, Fit, Recipe
from workers.imaging import failures, opening
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset({"application/pdf", "application/illustrator"})

#: pdfium's own numbers.
_PASSWORD_ERROR, _SECURITY_ERROR = 4, 5


@dataclass(frozen=True)
class Document:
    """`width` and `height` of the first page as displayed, in points (1/72 inch)."""

    pages: int
    width: float
    height: float
    information: dict[str, str]


def first_page(source: Path, recipes: Sequence[Recipe], limits: Limits) -> Image.Image:
    """The page drawn on white, exactly as large as the most demanding recipe needs it: a page has no pixels of its own.

    `PictureError` for what is encrypted, damaged, without pages, or has a page of senseless size.
    """
    with _document(source) as document:
        page = document[0]
        width, height = page.get_size()
        opening.check_size(round(width), round(height), limits)
        scale = max(_needed(recipe, width, height) for recipe in recipes)
        opening.check_size(max(1, round(width * scale)), max(1, round(height * scale)), limits)
        bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)
        picture: Image.Image = bitmap.to_pil()
        # pdfium's memory goes when the document is closed.
        return picture.convert("RGB") if picture.mode != "RGB" else picture.copy()


def describe(source: Path) -> Document:
    with _document(source) as document:
        width, height = document[0].get_size()
        return Document(len(document), width, height, document.get_metadata_dict(skip_empty=True))


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


def _needed(recipe: Recipe, width: float, height: float) -> float:
    across, down = recipe.width / width, recipe.height / height
    return min(across, down) if recipe.fit is Fit.CONTAIN else max(across, down)
