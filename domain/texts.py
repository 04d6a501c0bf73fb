"""What counts as clean text: NFC, no control characters, bounded, never HTML."""

from __future__ import annotations

import re
import unicodedata

from domain.refusals import Invalid

MAX_TITLE = 300
MAX_DESCRIPTION = 10_000
MAX_NOTE = 2_000
MAX_TAG = 100

#: Characters that turn the reading direction around and so can disguise what a text says.
BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def line(text: str, limit: int, path: tuple[str, ...]) -> str:
    """One line of text, surrounding and doubled white space removed; empty or too long is refused."""
    cleaned = tidy_line(text)
    if not cleaned:
        raise Invalid("This text must not be empty.", path, "required")
    return _bounded(cleaned, limit, path)


def paragraphs(text: str | None, limit: int, path: tuple[str, ...]) -> str | None:
    """Several lines of text; nothing but white space counts as none."""
    if text is None:
        return None
    cleaned = _clean(text.replace("\r\n", "\n").replace("\r", "\n"), keep="\n\t").strip()
    return _bounded(cleaned, limit, path) or None


def tidy_line(text: str) -> str:
    return re.sub(r"\s+", " ", _clean(text, keep="\t\n\r")).strip()


def fold(text: str) -> str:
    """The form in which two spellings of one name are equal and titles are sorted: compatibility form, case folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _clean(text: str, keep: str) -> str:
    def stays(character: str) -> bool:
        if character in keep:
            return True
        return unicodedata.category(character) not in {"Cc", "Cs"} and character not in BIDI_OVERRIDES

    # Composed last: a character taken out may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", "".join(character for character in text if stays(character)))


def _bounded(text: str, limit: int, path: tuple[str, ...]) -> str:
    if len(text) > limit:
        raise Invalid(f"This text has {len(text)} characters; at most {limit} are taken.", path, "length")
    return text
