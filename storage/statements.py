"""SELECTs compiled once and run on the raw driver: tuples of what it gives, without rows of our own.

Always true here:
- A statement is text with named values; some are fixed when it is compiled, the others are given at every run.
- Nothing is converted unless a `reader` is asked for: it makes of one raw value what SQLAlchemy would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from storage import hurry, wire
from storage.types import EPOCH, Instant
from storage.wire import Question, Wire

Reader: TypeAlias = Callable[[Any], Any]
Dialect: TypeAlias = sa.Dialect

#: Told of every statement that is run: the driver's own events do not come by here.
heard: Final[list[Callable[[str], None]]] = []
#: The parameter for the keys that are looked up, as `keys` writes them.
KEYS: Final = "keys"
_NUMBERS: Final = sa.ARRAY(sa.BigInteger)
#: What stands in quotes, and a parameter, as SQLite reads them; and its greatest whole number.
_MARKS: Final = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|\?)""")
MOST: Final = 2**63 - 1
#: A percent sign, and a parameter, as psycopg reads them.
_NAMED: Final = re.compile(r"%%|%\((\w+)\)s")


@dataclass(frozen=True)
class Statement:
    sql: str
    #: Per name the value fixed at compilation, ready for the driver.
    fixed: Mapping[str, Any]
    #: The names in the order of the driver's question marks; None where it takes names.
    order: tuple[str, ...] | None
    #: Per name what makes the driver's value of a given one.
    binders: Mapping[str, Reader]
    #: Where the driver takes names: the text as PostgreSQL itself takes it, and what its parameters are, in order.
    numbered: tuple[bytes, tuple[str, ...]] = (b"", ())
    #: Whether its last column is `wire.SEEN`.
    tells_snapshot: bool = False

    @cached_property
    def _spelt(self) -> tuple[bytes, list[Any], list[tuple[int, str, Reader | None]]]:
        """As a `Wire` sends it: the text, what is fixed in its place, and where the rest has to stand."""
        sql, names = self.numbered
        told = [wire.spelt(self.fixed[name]) if name in self.fixed else None for name in names]
        missing = [(at, names[at], self.binders.get(names[at])) for at, known in enumerate(told) if known is None]
        return sql, told, missing

    def run(self, cursor: Any, **given: Any) -> list[tuple[Any, ...]]:
        """All rows, for these values of whatever was not fixed."""
        if isinstance(cursor, Wire):
            return cursor.ask([self.question(given)])[0]
        values = self._values(given)
        if self.order is None:
            # At once, not when it has been run five times on this connection: it is made to be run often.
            cursor.execute(self.sql, values, prepare=True)
        else:
            cursor.execute(self.sql, [values[name] for name in self.order])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _values(self, given: dict[str, Any]) -> dict[str, Any]:
        for name, bind in self.binders.items():
            if name in given:
                given[name] = bind(given[name])
        for hear in heard:
            hear(self.sql)
        return {**self.fixed, **given}

    def question(self, given: dict[str, Any]) -> Question:
        """It, as a `Wire` is asked for these values."""
        for hear in heard:
            hear(self.sql)
        sql, fixed, missing = self._spelt
        told = fixed.copy()
        for at, name, bind in missing:
            value = given[name]
            told[at] = wire.spelt(value if bind is None else bind(value))
        return Question(sql, told, self.tells_snapshot)


def run_all(
    cursor: Any, asked: Sequence[tuple[Statement, dict[str, Any]]], *, last: bool = False
) -> list[list[tuple[Any, ...]]]:
    """The rows of each for these values; on PostgreSQL in one message. Where they are the `last` that is asked of a
    snapshot, it ends with them.
    """
    if isinstance(cursor, Wire):
        return cursor.ask([statement.question(given) for statement, given in asked], last=last)
    return [statement.run(cursor, **given) for statement, given in asked]


def compiled(select: sa.Select[Any], dialect: sa.Dialect) -> Statement:
    """The statement for this kind of database; parameters without a value are given at every run."""
    hurry.takes_time()
    done: Any = select.compile(dialect=dialect)
    given = {name for bound, name in done.bind_names.items() if bound.required}
    state = done.construct_expanded_state(dict.fromkeys(given))
    processors = {name: _bind_processor(bound, dialect) for bound, name in done.bind_names.items()}
    binders = {name: bind for name, bind in {**processors, **state.processors}.items() if callable(bind)}
    told = {name: value for name, value in state.parameters.items() if name not in given}
    fixed = {name: binders[name](value) if name in binders else value for name, value in told.items()}
    needed = {name: binders[name] for name in given if name in binders}
    if state.positiontup is None:
        return Statement(state.statement, fixed, None, needed, _numbered(state.statement))
    sql, order = _settled(state.statement, state.positiontup, fixed)
    return Statement(sql, fixed, order, needed)


@dataclass(frozen=True)
class Typed:
    """A statement whose values become what SQLAlchemy would make of them."""

    statement: Statement
    readers: tuple[Reader | None, ...]

    def run(self, cursor: Any, *, presumed: Hashable = None, **given: Any) -> list[tuple[Any, ...]]:
        """All rows; by that key they may be `presumed`."""
        if presumed is not None and isinstance(cursor, Wire):
            found = cursor.presume(presumed, self.statement.question(given))
        else:
            found = self.statement.run(cursor, **given)
        if not any(self.readers):
            return found
        return [
            tuple(value if read is None else read(value) for value, read in zip(row, self.readers, strict=True))
            for row in found
        ]


def typed(select: sa.Select[Any], dialect: sa.Dialect) -> Typed:
    return Typed(compiled(select, dialect), tuple(reader(column, dialect) for column in select.selected_columns))


def among(column: Any, dialect: sa.Dialect, name: str = KEYS) -> sa.ColumnElement[bool]:
    """That the column is one of the keys in the parameter of this name, however many these are."""
    if _is_postgres(dialect):
        # In a select of its own, so that PostgreSQL plans for any keys and need not plan again for these.
        told = sa.select(sa.cast(sa.bindparam(name, type_=sa.Text), _NUMBERS)).scalar_subquery()
        return column == sa.any_(sa.cast(told, _NUMBERS))  # type: ignore[no-any-return]
    each = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(each.c.value))  # type: ignore[no-any-return]


def keys(wanted: Collection[int], dialect: sa.Dialect) -> str:
    """Keys as `among` takes them."""
    told = ",".join(map(str, wanted))
    return f"{{{told}}}" if _is_postgres(dialect) else f"[{told}]"


def reader(column: Any, dialect: sa.Dialect) -> Reader | None:
    """What makes SQLAlchemy's value of a raw one; None where it is the same."""
    found: Reader | None = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return found


def instant_reader(column: Any, dialect: sa.Dialect) -> Reader | None:
    """What writes a raw moment as RFC 3339 in UTC; None where the column holds no moments."""
    if not isinstance(column.type, Instant):
        return None
    return _spelt if _is_postgres(dialect) else _spelt_microseconds


def is_text(column: Any) -> bool:
    return isinstance(column.type, sa.String)


def is_number(column: Any) -> bool:
    return isinstance(column.type, sa.Integer)


def is_truth(column: Any) -> bool:
    return isinstance(column.type, sa.Boolean)


def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """Text with names, as psycopg takes it, as text with `$1`, and the names in that order."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${names.setdefault(found[1], len(names) + 1)}"

    return _NAMED.sub(number, sql).encode(), tuple(names)


def _settled(sql: str, names: Sequence[str], fixed: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text with the whole numbers that are known already, and the names of what is still asked for.

    SQLite prepares a statement anew, at each run, where a parameter meets an index of whose contents it has statistics:
    it weighs its value. Numbers in the text it weighs once, and it does not look into expressions, as `+?` is one. What
    a partial index names has to stand in the statement itself (`literal_column`), or SQLite does not use the index.
    """
    pieces = _MARKS.split(sql)
    if sum(piece == "?" for piece in pieces) != len(names):
        return sql, tuple(names)
    waiting, order = iter(names), list[str]()
    for at, piece in enumerate(pieces):
        if piece != "?":
            continue
        name = next(waiting)
        value = fixed.get(name)
        if type(value) is int and 0 <= value <= MOST and not pieces[at - 1].endswith("BY "):  # there it is a column's
            pieces[at] = str(value)
        else:
            order.append(name)
            pieces[at] = "+?"
    return "".join(pieces), tuple(order)


def _bind_processor(bound: Any, dialect: sa.Dialect) -> Reader | None:
    found: Reader | None = bound.type.dialect_impl(dialect).bind_processor(dialect)
    return found


def _is_postgres(dialect: sa.Dialect) -> bool:
    return dialect.name == "postgresql"


def _spelt(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _spelt_microseconds(value: int) -> str:
    return (EPOCH + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")
