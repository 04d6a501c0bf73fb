"""Text of unknown encoding and unknown length, made fit to be kept.

What comes out is valid Unicode in NFC without control characters, of bounded size, and JSON can carry it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from workers.imaging.limits import Limits

#: What a metadata entry may hold: text, numbers, lists of them, and texts by language.
Value = str | int | float | bool | list[Any] | dict[str, Any]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: Three capital or small Cyrillic letters in a row, as cp1251 writes them. Western text has single ones there.
_CYRILLIC_RUN = re.compile(rb"[\xc0-\xff\xa8\xb8]{3}")
_DEEPEST = 4


def decoded(raw: bytes) -> str:
    """`raw` read as UTF-8, else as what it most resembles: cp1251 where letters stand in runs, cp1252 otherwise."""
    raw = raw.rstrip(b"\x00 ")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "cp1251" if _CYRILLIC_RUN.search(raw) else "cp1252"
        return raw.decode(encoding, "replace")


def clean(text: str, limits: Limits) -> str:
    """Without control characters and surrounding blanks, cut at the longest allowed value."""
    visible = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", visible[: limits.value_letters]).strip()


def bounded(text: str, most: int) -> str:
    """Likewise, but with its blanks and of another length: whole texts, not values."""
    return unicodedata.normalize("NFC", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:most])


def clean_value(value: Any, limits: Limits, depth: int = 0) -> Value | None:
    """`value` as JSON can carry it, cut to size; None when nothing is left of it."""
    if isinstance(value, str):
        return clean(value, limits) or None
    if isinstance(value, bool | int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if depth >= _DEEPEST:
        return None
    if isinstance(value, list | tuple):
        return _clean_list(value, limits, depth) or None
    return (_clean_dict(value, limits, depth) or None) if isinstance(value, dict) else None


def _clean_list(values: list[Any] | tuple[Any, ...], limits: Limits, depth: int) -> list[Any]:
    cleaned = (clean_value(value, limits, depth + 1) for value in values[: limits.list_values])
    return [value for value in cleaned if value is not None]


def _clean_dict(values: dict[Any, Any], limits: Limits, depth: int) -> dict[str, Any]:
    pairs = list(values.items())[: limits.list_values]
    cleaned = {clean(str(key), limits): clean_value(value, limits, depth + 1) for key, value in pairs}
    return {key: value for key, value in cleaned.items() if key and value is not None}
