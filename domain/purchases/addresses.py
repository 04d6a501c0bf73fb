r"""What an address at a supplier's shows: the item's number, found by patterns that the brand keeps as data.

A pattern is a host, which speaks for those below it too, and a regular expression of a small, safe kind for the path:
plain characters, `\d`, `\w`, classes and `.`, each repeated by `+ * ?` or `{m,n}` or not at all, and one group,
`(?P<item>…)`, which is the item. With at most three repetitions over at most 300 characters no address takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from domain.refusals import Invalid

MAX_PATTERNS: Final = 20
MAX_PATTERN: Final = 200
MAX_REPETITIONS: Final = 3
MAX_ADDRESS: Final = 2_000
#: Of the path with its query, beyond which an address shows nothing.
MAX_PATH: Final = 300
MAX_ITEM: Final = 100

#: How suppliers number what they sell: nothing that could be taken for anything else.
ITEM: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_ITEM - 1}}}")
_HOST: Final = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_ATOM: Final = r"(?:\\[dw./?-]|\[\^?[A-Za-z0-9_/.%=&-]+\]|[A-Za-z0-9/_%=&~.-])"
_TIMES: Final = r"(?:[+*?]|\{\d{1,2}(?:,\d{1,2})?\})?"
_SAFE: Final = re.compile(rf"(?:{_ATOM}{_TIMES})*\(\?P<item>(?:{_ATOM}{_TIMES})+\)(?:{_ATOM}{_TIMES})*")
_REPEATED: Final = re.compile(r"\\.|\[[^\]]*\]|(\(\?P<item>)|([+*?{])")


@dataclass(frozen=True)
class Pattern:
    host: str
    path: str


def checked(wanted: Sequence[Pattern], path: tuple[str, ...]) -> list[dict[str, Any]]:
    """The patterns as they are kept. `Invalid` for a host or a path that is none of ours."""
    if len(wanted) > MAX_PATTERNS:
        raise Invalid(f"A supplier has at most {MAX_PATTERNS} patterns.", path, "length")
    for each in wanted:
        if not _HOST.fullmatch(each.host.lower()):
            raise Invalid("A host looks like stock.example.com.", path, "host")
        _check_path(each.path, path)
    return [{"host": each.host.lower(), "path": each.path} for each in wanted]


def patterns(kept: Iterable[Mapping[str, Any]]) -> list[Pattern]:
    return [Pattern(each["host"], each["path"]) for each in kept]


def item_of(address: str, kept: Iterable[Mapping[str, Any]]) -> str | None:
    """The item that the address shows by the first pattern that fits; None where none does."""
    if len(address) > MAX_ADDRESS:
        return None
    try:
        told = urlsplit(address.strip())
        host = (told.hostname or "").rstrip(".").lower()
    except ValueError:
        return None
    plain = unquote(told.path)
    whole = f"{plain}?{told.query}" if told.query else plain
    if told.scheme not in {"http", "https"}:
        return None
    for each in patterns(kept):
        if host == each.host or host.endswith(f".{each.host}"):
            for text in (plain, whole):
                found = _compiled(each.path).fullmatch(text) if len(text) <= MAX_PATH else None
                if found is not None and ITEM.fullmatch(found["item"]):
                    return found["item"]
    return None


def item(text: str, path: tuple[str, ...]) -> str:
    """A supplier's number for something, as it is kept."""
    told = text.strip()
    if not ITEM.fullmatch(told):
        sentence = f"An item is named by up to {MAX_ITEM} letters, digits, points, hyphens and underscores."
        raise Invalid(sentence, path, "format")
    return told


def _check_path(text: str, path: tuple[str, ...]) -> None:
    if len(text) > MAX_PATTERN or not _SAFE.fullmatch(text):
        sentence = (
            "A path is made of plain characters, \\d, \\w, classes and points, each repeated or not, and one group "
            f"(?P<item>…); at most {MAX_PATTERN} characters."
        )
        raise Invalid(sentence, path, "pattern")
    if sum(1 for found in _REPEATED.finditer(text) if found[2]) > MAX_REPETITIONS:
        raise Invalid(f"A path repeats at most {MAX_REPETITIONS} things.", path, "pattern")
    try:
        _compiled(text)
    except re.error:
        raise Invalid("This path is no pattern: a class or a repetition runs backwards.", path, "pattern") from None


@lru_cache(maxsize=256)
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)
