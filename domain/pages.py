"""Keyset paging: cursors that say where in an order a row stands, so that inserts never shift a page.

A cursor is opaque, signed, and bound to the list, filter and order it came from: one of another query is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

import orjson
import sqlalchemy as sa

from domain.refusals import BadCursor, PageTooLarge
from domain.work import Work
from storage.types import EPOCH, microseconds

DEFAULT_PAGE = 20
MAX_PAGE = 100
MAC_BYTES = 12

T = TypeVar("T")

#: Values of a row in the order's fields, its id last.
Position = tuple[Any, ...]


@dataclass(frozen=True)
class Paging:
    """Which page is wanted: `limit` rows beyond `position`, forwards or backwards, as GraphQL's arguments said."""

    limit: int
    backwards: bool
    position: Position | None
    scope: str

    def shared(self) -> Paging:
        """The same page of whichever list, so that the like pages of many lists are read together."""
        return replace(self, scope="")


@dataclass(frozen=True)
class Key:
    """One field of an order; `column` must never be NULL."""

    column: sa.ColumnElement[Any] | sa.orm.InstrumentedAttribute[Any]
    descending: bool


@dataclass(frozen=True)
class Slice(Generic[T]):
    """A page: its rows in the list's order, where each stands, and what lies around it.

    `ends` is where a page begins and ends whose reading went further than the rows it kept.
    """

    rows: list[T]
    positions: list[Position]
    has_next: bool
    has_previous: bool
    scope: str
    ends: tuple[Position, Position] | None = None


def paging(
    work: Work,
    scope: str,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Paging:
    """Reads GraphQL's paging arguments; `scope` names the list together with its filter and order."""
    if first is not None and last is not None:
        raise PageTooLarge("Ask for `first` or for `last`, not for both.", ("first",))
    if after is not None and before is not None:
        raise BadCursor("Page on with `after` or back with `before`, not with both.", ("after",))
    backwards = last is not None or (before is not None and first is None)
    if (backwards and after is not None) or (not backwards and before is not None):
        raise BadCursor("`first` goes with `after`, and `last` goes with `before`.", ("after",))
    name, asked = ("last", last) if backwards else ("first", first)
    limit = DEFAULT_PAGE if asked is None else asked
    if not 0 <= limit <= MAX_PAGE:
        raise PageTooLarge(f"`{name}` must lie between 0 and {MAX_PAGE}; {limit} was asked for.", (name,))
    cursor = before if backwards else after
    position = None if cursor is None else _decode(work, scope, cursor, "before" if backwards else "after")
    return Paging(limit, backwards, position, scope)


def scope_of(name: str, *parts: Any) -> str:
    """A short name for a list with this filter and order."""
    spelled = orjson.dumps([name, *parts], default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(spelled).hexdigest()[:16]


def cursor(work: Work, scope: str, position: Position) -> str:
    body = orjson.dumps([_plain(value) for value in position])
    return base64.urlsafe_b64encode(_mac(work, scope, body) + body).decode().rstrip("=")


def ordered(
    statement: sa.Select[Any], keys: Sequence[Key], wanted: Paging, *, open_ended: bool = False
) -> sa.Select[Any]:
    """`statement` from where the page begins, in the direction of reading, one row further than the page is long.

    `open_ended` leaves the numbers to parameters: `limit`, and `position_0` and on.
    """
    turned = [Key(key.column, key.descending != wanted.backwards) for key in keys]
    if wanted.position is not None:
        if len(wanted.position) != len(keys):
            raise BadCursor("This cursor belongs to another query.")
        given = enumerate(keys)
        names = tuple(sa.bindparam(f"position_{at}", type_=key.column.type) for at, key in given)
        statement = statement.where(_beyond(turned, names if open_ended else wanted.position))
    statement = statement.order_by(*(key.column.desc() if key.descending else key.column.asc() for key in turned))
    return statement.limit(sa.bindparam("limit", type_=sa.Integer) if open_ended else wanted.limit + 1)


def read_slice(work: Work, statement: sa.Select[Any], keys: Sequence[Key], wanted: Paging) -> Slice[Any]:
    """Runs `statement` (one entity per row) for one page in the order of `keys`, in one SQL statement."""
    statement = ordered(statement, keys, wanted).add_columns(*(key.column for key in keys))
    found = work.session.execute(statement).all()
    return sliced([row[0] for row in found], [tuple(row[1:]) for row in found], wanted)


def sliced(rows: list[T], positions: list[Position], wanted: Paging) -> Slice[T]:
    """Makes a page of up to `limit + 1` rows that were read in the direction of reading."""
    more = len(rows) > wanted.limit
    rows, positions = rows[: wanted.limit], positions[: wanted.limit]
    came_from = wanted.position is not None
    if wanted.backwards:
        rows, positions = rows[::-1], positions[::-1]
        return Slice(rows, positions, has_next=came_from, has_previous=more, scope=wanted.scope)
    return Slice(rows, positions, has_next=more, has_previous=came_from, scope=wanted.scope)


def _beyond(keys: Sequence[Key], position: Position) -> sa.ColumnElement[bool]:
    if len({key.descending for key in keys}) == 1:  # one direction: a row comparison, which an index can serve
        columns, values = sa.tuple_(*(key.column for key in keys)), sa.tuple_(*_bound(keys, position))
        return columns < values if keys[0].descending else columns > values
    alternatives = []
    for at, key in enumerate(keys):
        same = [earlier.column == value for earlier, value in zip(keys[:at], position, strict=False)]
        past = key.column < position[at] if key.descending else key.column > position[at]
        alternatives.append(sa.and_(*same, past))
    return sa.or_(*alternatives)


def _bound(keys: Sequence[Key], position: Position) -> list[sa.BindParameter[Any]]:
    return [
        value if isinstance(value, sa.BindParameter) else sa.literal(value, key.column.type)
        for key, value in zip(keys, position, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": microseconds(value)}
    return {"d": value.toordinal()} if isinstance(value, date) else value


def _rich(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return date.fromordinal(value["d"]) if "d" in value else EPOCH + timedelta(microseconds=value["t"])


def _mac(work: Work, scope: str, body: bytes) -> bytes:
    return hmac.digest(work.secret, b"cursor\0" + scope.encode() + b"\0" + body, "sha256")[:MAC_BYTES]


def _decode(work: Work, scope: str, text: str, name: str) -> Position:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raw = b""
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not body or not hmac.compare_digest(mac, _mac(work, scope, body)):
        raise BadCursor("This cursor was not given out for this query: start again without it.", (name,))
    return tuple(_rich(value) for value in orjson.loads(body))
