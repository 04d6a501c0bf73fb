"""Plain texts and tables: their words for search; and lines of text drawn as a page, for what has no picture."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures, opening
from workers.imaging.embedded import letters
from workers.imaging.formats.still import Known, Still, enlargement
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset(
    {
        "text/plain",
        "text/markdown",
        "text/csv",
        "text/tab-separated-values",
        "text/vtt",
        "application/x-subrip",
        "application/json",
        "application/yaml",
    }
)

#: A page of A5 in points, its margin, and its lines: what is shown small had better be written large.
_WIDTH, _HEIGHT, _MARGIN = 420, 595, 30
_SIZE, _LINE = 12, 17
_LINES = (_HEIGHT - 2 * _MARGIN) // _LINE
_LETTERS = 80
#: How wide a column of amounts is, and what lies between it and the names.
_COLUMN, _GAP = 60, 12
#: Has Greek, Cyrillic, Arabic and Hebrew; where the machine has it not, Pillow's own font writes Latin only.
_TYPEFACE = "DejaVuSans.ttf"
_PAPER, _INK = "#ffffff", "#1a1a1a"
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    return Known(text=letters.bounded(_text(source, limits.text_letters * 4), limits.text_letters))


def page(lines: Sequence[str | tuple[str, str]], recipes: Sequence[Recipe], limits: Limits) -> Still:
    """The lines on white paper, as many as stand on one page, each cut at its margin; of a pair the first stands at the
    right of a column of its own.
    """
    scale = max(1.0, enlargement(recipes, _WIDTH, _HEIGHT))  # letters of a few pixels are drawn badly, reduced well
    width, height = max(1, round(_WIDTH * scale)), max(1, round(_HEIGHT * scale))
    opening.check_size(width, height, limits)
    picture = Image.new("RGB", (width, height), _PAPER)
    font = _font(max(1.0, _SIZE * scale))
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines[:_LINES]):
        left, top = _MARGIN * scale, (_MARGIN + number * _LINE) * scale
        beside, text = line if isinstance(line, tuple) else (None, line)
        if beside is not None:
            draw.text((left + _COLUMN * scale - font.getlength(beside), top), beside, font=font, fill=_INK)
            left += (_COLUMN + _GAP) * scale
        draw.text((left, top), letters.bounded(text.expandtabs(4), _LETTERS), font=font, fill=_INK)
    draw.rectangle(((_WIDTH - _MARGIN) * scale, 0, width, height), fill=_PAPER)
    return Still(picture, width, height, natural=(_WIDTH, _HEIGHT))


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype(_TYPEFACE, size)
    except OSError:
        return ImageFont.load_default(size)


def _text(source: Path, most: int) -> str:
    with source.open("rb") as file:
        raw = file.read(most)
    if not raw:
        raise failures.refused(FailureCode.EMPTY)
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return raw.decode(encoding, "replace")
    try:
        # Not `letters.decoded` at once: a letter cut in two where the reading ends would make the whole text another.
        return codecs.getincrementaldecoder("utf-8")("strict").decode(raw)
    except UnicodeDecodeError:
        return letters.decoded(raw)
