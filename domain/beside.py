"""Lists of what one set names, read where the set keeps what they ask of each row: nothing is looked up row by row.

Always true here:
- It is the same list. What asks anything else of a row, or asks it inside another question, is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors

from domain.pages import Key


@dataclass(frozen=True)
class Found:
    rows: sa.Select[Any]
    keys: tuple[Key, ...]
    #: What is the rows' key elsewhere.
    key: Any
    #: Whether reading them twice costs less than keeping them: each comes once, and nothing is looked up for it.
    is_plain: bool


@dataclass(frozen=True)
class Beside:
    """`link` says in each row of a set which row it names; `columns` are what is kept of both, by what it is there."""

    key: Any
    link: Any
    columns: Mapping[Any, Any]

    def found(self, rows: sa.Select[Any], keys: Sequence[Key]) -> Found | None:
        """The rows of a list and its order beside the one set that they must be in; None where it cannot be read so."""
        parts = list(parts_of(rows.whereclause))
        sets = [part for part in parts if is_in_set(part, self.key)]
        if len(sets) != 1 or self._is_of_others(rows) or not self._is_ours(inner := sets[0].right.element):
            return None
        try:
            named = self._moved(inner.whereclause)
            bounds = [self._moved(part) for part in parts if part is not sets[0]]
            order = tuple(replace(key, column=self._moved(key.column)) for key in keys)
        except _AsksMore:
            return None
        key, is_once = self._moved(self.key), _names_one(named)
        select = sa.select(key).where(named, *bounds)
        looks_up = any(self._is_of_others(each) for bound in bounds for each in _selects(bound))
        return Found(select if is_once else select.distinct(), order, key, is_once and not looks_up)

    def _is_of_others(self, select: Any) -> bool:
        """Whether it reads anything but the rows' own table."""
        return _tables(select) != [self.key.expression.table.name]

    @cached_property
    def _places(self) -> dict[tuple[str, str], Any]:
        return {_named(column.expression): kept.expression for column, kept in self.columns.items()}

    def _is_ours(self, inner: Any) -> bool:
        told = list(inner.selected_columns)
        return len(told) == 1 and _named(told[0]) == _named(self.link.expression) and inner.whereclause is not None

    def _moved(self, said: Any) -> Any:
        """The same over what is kept. Raises `_AsksMore`."""
        ours = {table for table, _ in self._places}
        outer, inner = _columns(said.expression)
        if any(_named(each) not in self._places for each in outer) or any(_named(each)[0] in ours for each in inner):
            raise _AsksMore
        traverse: Any = visitors.replacement_traverse
        return traverse(said.expression, {}, self._place)

    def _place(self, each: Any, **_: Any) -> Any:
        return self._places.get(_named(each)) if isinstance(each, sa.Column) else None


class _AsksMore(Exception):
    pass


def parts_of(condition: Any) -> Iterator[Any]:
    """What must hold together for it to hold."""
    if isinstance(condition, sa.BooleanClauseList) and condition.operator is operators.and_:
        for each in condition.clauses:
            yield from parts_of(each)
    elif condition is not None:
        yield condition


def is_in_set(condition: Any, key: Any) -> bool:
    if not isinstance(condition, sa.BinaryExpression) or condition.operator is not operators.in_op:
        return False
    return isinstance(condition.right, sa.ScalarSelect) and bool(key.compare(condition.left))


def _named(column: Any) -> tuple[str, str]:
    """Table and name; of an alias' column none that a table has."""
    table = column.table
    return (table.name if isinstance(table, sa.Table) else "", column.name)


def _columns(said: Any) -> tuple[list[Any], list[Any]]:
    """Those that it speaks of itself, and those that questions inside it do."""
    if isinstance(said, sa.Column):
        return [said], []
    if isinstance(said, sa.SelectBase):
        return [], [each for each in visitors.iterate(said) if isinstance(each, sa.Column)]
    told = [_columns(each) for each in said.get_children()]
    return [each for outer, _ in told for each in outer], [each for _, inner in told for each in inner]


def _selects(said: Any) -> list[Any]:
    return [each for each in visitors.iterate(said) if isinstance(each, sa.Select)]


def _tables(select: Any) -> list[str]:
    """What it reads, a join as one of no name."""
    found = (getattr(each, "element", each) for each in select.get_final_froms())
    return [each.name if isinstance(each, sa.Table) else "" for each in found]


def _names_one(condition: Any) -> bool:
    """Whether it is one value that something has to be among."""
    told = [each for each in visitors.iterate(condition) if isinstance(each, sa.BindParameter)]
    return len(told) == 1 and told[0].expanding and len(told[0].value or ()) == 1
