"""Reading places of a file's metadata one by one, and keeping where each thing was said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

from domain import contacts
from domain.licensing.proposals import plus
from domain.licensing.proposals.told import Field, Source, Unread
from domain.texts import tidy_line

T = TypeVar("T")
Place: TypeAlias = tuple[str, str]
#: (namespace, name) → what stands there: a text, a list, texts by language, or a structure.
Entries: TypeAlias = Mapping[Place, Any]

#: Letters of a name, a line of credit or an address.
MAX_TEXT: Final = 500
#: Of a constraint in words.
MAX_WORDS: Final = 2_000
#: Values of one place that are looked at.
MOST_VALUES: Final = 20

_DAY: Final = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})(?:T[\d:.+Z-]{1,40})?", re.ASCII)


@dataclass
class Found:
    """What was read so far, and where."""

    entries: Entries
    sources: list[Source] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def all(self, about: Field, places: Iterable[Place], read: Callable[[str], T | None]) -> list[T]:
        """What `read` makes of every text in these places, in their order. None says nothing; a `ValueError` says why
        the text cannot be taken over.
        """
        values = []
        for place in places:
            for text in texts(self.entries.get(place)):
                source = Source(about, *place, text)
                try:
                    value = read(text)
                except ValueError as error:
                    self.unread.append(Unread(source, str(error)))
                    continue
                if value is not None:
                    self.sources.append(source)
                    values.append(value)
        return values

    def structures(self, place: Place) -> list[dict[str, str]]:
        """The structures in a place, their texts by name without prefix."""
        held = self.entries.get(place)
        each = held if isinstance(held, list) else [held]
        return [_structure(value) for value in each[:MOST_VALUES] if isinstance(value, dict)]


def texts(value: Any) -> list[str]:
    """What stands in a place, each on one line: the items of a list, of texts by language the preferred one. Nothing
    of a structure, and nothing that only says how to reach somebody.
    """
    return [said for each in _plain(value, 0)[:MOST_VALUES] if (said := _tidied(each[:MAX_WORDS]))]


def _tidied(text: str) -> str:
    """An address that says how to reach somebody would lead elsewhere without that, so nothing is left of it."""
    if "://" in text and not re.search(r"\s", text) and contacts.is_in(text):
        return ""
    return tidy_line(contacts.without(text))


def short(text: str) -> str:
    return text[:MAX_TEXT]


def address(text: str) -> str:
    """An address of the web, as it stands."""
    parts = urlsplit(text)  # itself a `ValueError` for a host that cannot be one
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or re.search(r"[\s<>\"]", text):
        raise ValueError("An address begins with https:// or http://.")
    if parts.username is not None or len(text) > MAX_TEXT:
        raise ValueError(f"An address has at most {MAX_TEXT} letters, and no name to sign in by.")
    return text


def day(text: str) -> date:
    """A whole date, of whatever follows it nothing."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError("This is no whole date: it does not name one day.")
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError as error:
        raise ValueError("There is no such day.") from error


def coded(known: Mapping[str, T]) -> Callable[[str], T | None]:
    """One of these codes of PLUS; those that ask for nothing say nothing."""

    def read(text: str) -> T | None:
        code = plus.code_of(text)
        if code in plus.SILENT:
            return None
        if code is None or code not in known:
            raise ValueError("PLUS knows no such code here.")
        return known[code]

    return read


def _plain(value: Any, depth: int) -> list[str]:
    """A list may hold texts by language; deeper nothing is sought."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and not depth:
        return [text for each in value[:MOST_VALUES] for text in _plain(each, 1)]
    if isinstance(value, dict) and not any(":" in str(name) for name in value):
        said = value.get("x-default") or next(iter(value.values()), None)
        return [said] if isinstance(said, str) else []
    return []


def _structure(value: dict[str, Any]) -> dict[str, str]:
    named = {str(name).rpartition(":")[2]: texts(each) for name, each in value.items()}
    return {name: said[0] for name, said in named.items() if said}
