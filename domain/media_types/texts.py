"""The formats made of letters: plain text and what is written in it."""

from __future__ import annotations

import codecs
import json
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: Tab, line feed, form feed, carriage return and escape stand in texts; the other control characters do not.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_PROLOGUE = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE\s+svg.*?(?:\[.*?\]\s*)?>\s*)*", re.DOTALL | re.IGNORECASE
)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_HTML = re.compile(
    r"<!doctype\s+html|<(?:html|head|body|script|iframe|title|div|p|a|b|h1|br|table|style)\b", re.IGNORECASE
)
#: A legacy one-byte encoding may put any byte above 0x7f into a text; a picture has far more of them.
_LEGACY_SHARE = 0.9
#: A shorter head is the whole file.
_WHOLE_BELOW = 8192


def recognise(head: bytes, extension: str) -> str | None:
    text = _as_text(head)
    if text is None:
        return None
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _marked_up(start, extension)
    if start.startswith("#!"):
        return "text/x-script"
    if start.startswith("WEBVTT"):
        return "text/vtt"
    return "application/json" if _is_json(start, whole=len(head) < _WHOLE_BELOW) else "text/plain"


def _marked_up(start: str, extension: str) -> str:
    body = _PROLOGUE.sub("", start, count=1)
    element = _ELEMENT.match(body)
    name = element[1].lower() if element else ""
    if name == "svg":
        return "image/svg+xml"
    if _HTML.match(body):
        return "text/html"
    if name in {"xmpmeta", "rdf"}:
        return "application/rdf+xml"
    return "application/xml" if start.startswith("<?xml") or extension == "xml" else "text/plain"


def _is_json(start: str, *, whole: bool) -> bool:
    if not start.startswith(("{", "[")):
        return False
    try:
        json.loads(start)
    except (ValueError, RecursionError):
        return not whole and bool(re.match(r'[{\[]\s*["{\[\d]', start))
    return True


def _as_text(head: bytes) -> str | None:
    """The head as text, or None when it is none; a letter cut in two at the end does not count against it."""
    if not head:
        return None
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return _clean(codecs.getincrementaldecoder(encoding)("replace").decode(head))
    try:
        return _clean(codecs.getincrementaldecoder("utf-8")("strict").decode(head))
    except UnicodeDecodeError:
        return _legacy(head)


def _legacy(head: bytes) -> str | None:
    beyond_ascii = len(head) - len(head.decode("ascii", "ignore"))
    return _clean(head.decode("latin-1")) if beyond_ascii < len(head) * _LEGACY_SHARE else None


def _clean(text: str) -> str | None:
    return None if _CONTROL.search(text) else text
