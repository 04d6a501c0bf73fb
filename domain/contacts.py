"""What in a text says how to reach a person: e-mail addresses and telephone numbers, in the forms that captions use.

A number counts as a telephone's where a word says so, where it begins with its country, or where it is grouped as
numbers are that people dial: years, measures, moments and serial numbers do not.
"""

from __future__ import annotations

import re
from typing import Final

_PART = r"[^\s@＠<>()\[\]{},;:\"'«»„“”]"
_AT = r"(?:\s?[@＠]\s?|\s?[(\[{]\s?(?:at|@)\s?[)\]}]\s?)"
_DOT = r"(?:\.|\s?[(\[{]\s?(?:dot|punkt)\s?[)\]}]\s?)"
_DOMAIN = rf"(?:[\w-]{{1,63}}{_DOT}){{1,8}}(?:xn--[\w-]{{1,59}}|[^\W\d_]{{2,63}})"
_EMAIL = rf"(?:mailto:\s?)?{_PART}{{1,64}}{_AT}{_DOMAIN}(?:\?\S{{0,500}})?|mailto:\s?\S{{1,500}}"

_GAP = r"[ \u00a0\u2009\u202f./()–-]{0,3}"
_DIGITS = rf"\d(?:{_GAP}\d)"
#: With the country first, seven digits or more; E.164 has at most fifteen.
_ABROAD = rf"(?<![\w+])(?:\+|00(?=[1-9]\d{{0,2}}[ \u00a0./(-]))[ (]{{0,2}}{_DIGITS}{{6,14}}(?!\w)"
_LABEL = (
    r"\b(?:telephone|telefon|telefono|teléfono|téléphone|tél|tel|phone|ph|mobile|mobil|cellular|cell|handy|fax"
    r"|whatsapp|телефон|тел|моб|факс)\b"
)
_BETWEEN = r"[ \u00a0]?(?:no|nr|number)?\.?[ \u00a0]{0,2}[:=#]?[ \u00a0]{0,2}"
_LABELLED = rf"{_LABEL}{_BETWEEN}\+?\(?{_DIGITS}{{4,14}}(?!\w)"
_GROUPED = (
    r"(?<![\w.+/-])(?:\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}([.-])\d{3}\1\d{4}"  # as in North America
    r"|\(?0[1-9]\d{1,4}\)?(?: ?/ ?| )\d{3,4}(?:[ -]?\d{2,4}){1,3})(?![\w/-]|\.\d)"  # with the area first, as in Europe
)
_ADDRESS: Final = re.compile(_EMAIL, re.IGNORECASE)
_NUMBER: Final = re.compile(rf"{_LABELLED}|{_ABROAD}|{_GROUPED}", re.IGNORECASE)
#: Words that only announce what was taken out.
_ANNOUNCED: Final = re.compile(
    rf"(?:\be-?mail(?: address)?|\bmail|{_LABEL})[ \u00a0]?\.?[ \u00a0]?[:=]?[ \u00a0]*$", re.IGNORECASE
)
_CUT: Final = "\x00"
_EMPTY: Final = re.compile(rf"[(<\[{{«„“\"'][\s,;:/|{_CUT}–—-]*{_CUT}[\s,;:/|{_CUT}–—-]*[)>\]}}»“”\"']")
_STRAY: Final = rf"[ \t,;:/|{_CUT}–—&+-]"


def is_in(text: str) -> bool:
    return _ADDRESS.search(text) is not None or _NUMBER.search(text) is not None


def without(text: str) -> str:
    """The text with every address and number cut out, brackets and quotes that held nothing else along with it, and
    lines that nothing is left of. One that says no such thing comes back as it is.
    """
    if not is_in(text):
        return text
    marked = _NUMBER.sub(_CUT, _ADDRESS.sub(_CUT, text.replace(_CUT, "")))
    lines = (_tidied(line) if _CUT in line else line for line in marked.split("\n"))
    return "\n".join(line for line in lines if line is not None).strip()


def _tidied(line: str) -> str | None:
    """A line without its cuts; None where only punctuation is left."""
    before = ""
    while before != line:
        before, line = line, _EMPTY.sub(_CUT, line)
    first, *others = line.split(_CUT)
    joined = _ANNOUNCED.sub("", first)
    for other in others:
        joined = _joined(joined, _ANNOUNCED.sub("", other) if other is not others[-1] else other)
    joined = re.sub(rf"^{_STRAY}+|(?<![.\d]){_STRAY}+$", "", joined.strip())
    return joined if re.search(r"\w", joined) else None


def _joined(left: str, right: str) -> str:
    """Both sides of a cut: one separator or space between them, no space before a full stop."""
    left, right = left.rstrip(" \t,;:/|–—&-"), right.lstrip(" \t")
    if right[:1] in {"", ".", ",", ";", ":", "!", "?", ")", "]", "}"}:
        return left + (right if left else right.lstrip(".,;:!? "))
    return f"{left} {right}" if left else right
