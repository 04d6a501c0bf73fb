"""How hits are ordered, in numbers: every sort key becomes 64-bit integers that compare as the key does.

Always true here:
- A missing value is MISSING, smaller than any value a document may hold.
- A title sorts by the first TITLE_BYTES bytes of its folded form's UTF-8, cut between characters.
- Ties are broken by the id, in the direction of the last field.
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from storage.index import analyser
from storage.index.conditions import Value
from storage.index.contract import MAX_LIMIT, MAX_REVISIONS, Document, OrderBy, Position, Search, SearchRefused

MISSING: Final = -(2**62)
TITLE_COLUMNS: Final = tuple(f"title{i}" for i in range(6))
TITLE_BYTES: Final = 8 * len(TITLE_COLUMNS)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TITLE: Final = struct.Struct(f">{len(TITLE_COLUMNS)}Q")
_HALF: Final = 2**63


class Column(NamedTuple):
    """One integer column to sort by."""

    name: str
    descending: bool


def columns(order: tuple[OrderBy, ...]) -> list[Column]:
    """The columns an order compares, most important first and the id last; relevance has none of its own."""
    found: list[Column] = []
    for by in order:
        if by.field == "title":
            found += [Column(name, by.descending) for name in TITLE_COLUMNS]
        elif by.field != "relevance":
            found.append(Column(by.field, by.descending))
    return [*found, Column("id", order[-1].descending)]


def numbers(order: tuple[OrderBy, ...], position: Position) -> list[int]:
    """A position's keys as `columns` compares them; refuses a position of another order."""
    if len(position.key) != len(order):
        raise SearchRefused("This position belongs to another order.")
    found: list[int] = []
    for by, key in zip(order, position.key, strict=True):
        if by.field == "title":
            if not isinstance(key, str):
                raise SearchRefused("This position belongs to another order.")
            found += title_numbers(key)
        elif by.field == "relevance":
            score(position)
        else:
            if key is not None and not isinstance(key, int):
                raise SearchRefused("This position belongs to another order.")
            found.append(MISSING if key is None else key)
    return [*found, position.id]


def score(position: Position) -> float:
    """The score a position in a ranking stands at; refuses a position of another order."""
    key = position.key[0] if len(position.key) == 1 else None
    if not isinstance(key, float | int):
        raise SearchRefused("This position belongs to another order.")
    return float(key)


def keys(order: tuple[OrderBy, ...], values: list[int]) -> tuple[int | str | None, ...]:
    """The reverse of `numbers`, without the id."""
    found: list[int | str | None] = []
    at = 0
    for by in order:
        if by.field == "title":
            found.append(title_text(values[at : at + len(TITLE_COLUMNS)]))
            at += len(TITLE_COLUMNS)
        else:
            found.append(None if values[at] == MISSING else values[at])
            at += 1
    return tuple(found)


def check(search: Search) -> None:
    """Refuse an order that means nothing and a page that is too large."""
    fields = [by.field for by in search.order]
    if not fields or len(set(fields)) < len(fields):
        raise SearchRefused("An order needs at least one field and none twice.")
    if "relevance" in fields and search.order != (OrderBy("relevance"),):
        raise SearchRefused("Relevance orders alone, the best first.")
    if not 1 <= search.limit <= MAX_LIMIT:
        raise SearchRefused(f"A page holds 1 to {MAX_LIMIT} hits; {search.limit} were asked for.")


def check_revisions(limit: int) -> None:
    """Refuse to tell more revisions at once than fit well into memory."""
    if not 1 <= limit <= MAX_REVISIONS:
        raise SearchRefused(f"1 to {MAX_REVISIONS:,} revisions are told at once; {limit:,} were asked for.")


def microseconds(moment: datetime | None) -> int:
    """Since 1970, exactly; MISSING for None."""
    return MISSING if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def title_numbers(title: str) -> list[int]:
    """A title, or the sort key of one, as TITLE_COLUMNS hold it."""
    raw = analyser.fold(title).encode()[:TITLE_BYTES]
    whole = raw.decode(errors="ignore").encode()
    return [number - _HALF for number in _TITLE.unpack(whole.ljust(TITLE_BYTES, b"\0"))]


def title_text(values: list[int]) -> str:
    """The sort key again, as text."""
    return _TITLE.pack(*(value + _HALF for value in values)).rstrip(b"\0").decode(errors="ignore")


def year(document: Document) -> int:
    """The year a document belongs to: when it was captured, else when it was created."""
    return (document.captured_at or document.created_at).astimezone(UTC).year


def number(value: Value) -> int:
    """A number, or an instant as `microseconds`."""
    if isinstance(value, datetime):
        return microseconds(value)
    return int(value)


def attributes(document: Document) -> dict[str, int]:
    """Everything about a document that is a number, and its title as numbers to sort by."""
    return {
        "id": document.id,
        "org_id": document.org_id,
        "revision": document.revision,
        "width": _present(document.width),
        "height": _present(document.height),
        "byte_size": _present(document.byte_size),
        "created_at": microseconds(document.created_at),
        "updated_at": microseconds(document.updated_at),
        "captured_at": microseconds(document.captured_at),
        "year": year(document),
    } | dict(zip(TITLE_COLUMNS, title_numbers(document.title), strict=True))


def title_key(title: str) -> str:
    """The part of a folded title that it sorts by."""
    return title_text(title_numbers(title))


def _present(value: int | None) -> int:
    return MISSING if value is None else value
