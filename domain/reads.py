"""Reads that are declared once and answered two ways: as rows, and as statements over just the columns that are wanted.

A declaration says which rows there are, whose they are and in which order. The policy is part of it: whoever declares
it puts the viewer's conditions into `rows`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from domain import pages
from domain.beside import Beside, Found, is_in_set, parts_of
from domain.pages import Key, Paging, Slice
from domain.work import Work
from storage import snapshots, statements
from storage.recent import Recent
from storage.statements import Statement, Typed

#: Statements of `run`: a few for each of the viewers who ask now.
_compiled: Final[Recent[Typed]] = Recent(1_000)
_selects: Final[Recent[Any]] = Recent(1_000)


#: The condition that a column is one of the keys that are looked for.
Among: TypeAlias = Callable[[Any], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class By:
    """Rows of one entity, each found by its `key`."""

    rows: sa.Select[Any]
    key: Any


@dataclass(frozen=True)
class Below:
    """Rows of one entity that belong to a parent whose key is `parent`, in this order.

    With `once`, of the rows of one parent that agree in that column only the first counts.
    """

    rows: sa.Select[Any]
    parent: Any
    order: tuple[Any, ...]
    once: Any = None


@dataclass(frozen=True)
class Ordered:
    """A list: rows of one entity, bound by what the viewer sees, in the order of `keys`."""

    rows: sa.Select[Any]
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Ranked:
    """Rows of one entity that belong to a parent whose key is `parent`, to be read a page of each parent at a time, in
    the order of `keys`. `rows` is bound by what the viewer sees.
    """

    rows: Callable[[Work], sa.Select[Any]]
    parent: Any
    keys: tuple[Key, ...]


def by_id(work: Work, by: By, ids: Iterable[int]) -> dict[int, Any]:
    """Rows whose key is their id, by it."""
    return {row.id: row for row in work.session.scalars(by.rows.where(by.key.in_(set(ids))))}


def grouped(work: Work, below: Below, parents: Iterable[int]) -> dict[int, list[Any]]:
    """Per parent its rows in order; parents without any are left out."""
    extra = [] if below.once is None else [below.once]
    rows = below.rows.add_columns(below.parent, *extra).where(below.parent.in_(set(parents)))
    found: dict[int, list[Any]] = defaultdict(list)
    seen: set[tuple[int, Any]] = set()
    for row, parent, *once in work.session.execute(rows.order_by(below.parent, *below.order)):
        if not once or (parent, once[0]) not in seen:
            seen.update((parent, each) for each in once)
            found[parent].append(row)
    return found


def page(work: Work, listed: Ordered, wanted: Paging) -> Slice[Any]:
    return pages.read_slice(work, listed.rows, listed.keys, wanted)


def count(work: Work, listed: Ordered) -> int:
    return work.session.scalar(counting(listed)) or 0


def counting(listed: Ordered) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(listed.rows.subquery())


def all_of(conditions: Iterable[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    return sa.and_(sa.true(), *conditions)


def run(work: Work, key: Hashable, make: Callable[[sa.Dialect], Any], **given: Any) -> list[Any]:
    """Rows of a select that is the same wherever `key` is; a unit of work that reads compiles it once, for the raw
    driver.

    Parameters without a value are `given`; `keys` as `statements.keys` writes them.
    """
    return _run(work, key, make, None, given)


def lasting(work: Work, key: Hashable, make: Callable[[sa.Dialect], Any], **given: Any) -> list[Any]:
    """`run`, of what is nearly always the same whatever the moment: it may be presumed until anything else is read, so
    nothing that outlasts the unit of work must be made of it alone.
    """
    named = (key, *(given[name] for name in sorted(given) if not isinstance(given[name], datetime)))
    return _run(work, key, make, named, given)


def _run(
    work: Work, key: Hashable, make: Callable[[sa.Dialect], Any], presumed: Hashable, given: dict[str, Any]
) -> list[Any]:
    dialect = work.session.get_bind().dialect
    cursor = snapshots.cursor_of(work.session)
    if cursor is None:
        select = _selects.get((key, dialect.name))
        if select is None:
            select = _selects.put((key, dialect.name), make(dialect))
        return list(work.session.execute(select, given))
    known = _compiled.get((key, dialect.name))
    if known is None:
        known = _compiled.put((key, dialect.name), statements.typed(make(dialect), dialect))
    return known.run(cursor, presumed=presumed, **given)


def found_by(by: By, columns: Sequence[Any], dialect: sa.Dialect, among: Among | None = None) -> Statement:
    """Rows of (key, *columns)."""
    rows = by.rows.with_only_columns(by.key, *columns, maintain_column_froms=True)
    return statements.compiled(rows.where(_wanted(by.key, dialect, among)), dialect)


def found_below(
    below: Below,
    columns: Sequence[Any],
    dialect: sa.Dialect,
    equal: Iterable[tuple[Any, str]] = (),
    among: Among | None = None,
) -> Statement:
    """Rows of (parent, *columns), with a last one where the declaration has `once`; by parent and in order. Of those in
    which each column of `equal` is what the parameter of its name says.
    """
    extra = [] if below.once is None else [below.once]
    rows = below.rows.with_only_columns(below.parent, *columns, *extra, maintain_column_froms=True)
    rows = rows.where(_wanted(below.parent, dialect, among))
    rows = rows.where(*(column == sa.bindparam(name, type_=column.type) for column, name in equal))
    return statements.compiled(rows.order_by(below.parent, *below.order), dialect)


def told_by(column: Any, key: Any, dialect: sa.Dialect) -> Among:
    """Whatever the column says in the rows of the keys that are looked for, as long as that is not known."""
    said = sa.select(column).where(statements.among(key, dialect)).scalar_subquery()
    return lambda found: found == sa.any_(sa.func.array(said, type_=sa.ARRAY(sa.BigInteger)))


def _wanted(key: Any, dialect: sa.Dialect, among: Among | None) -> sa.ColumnElement[bool]:
    return statements.among(key, dialect) if among is None else among(key)


def found_paged(
    ranked: Ranked, work: Work, columns: Sequence[Any], dialect: sa.Dialect, *, backwards: bool
) -> Statement:
    """Rows of (parent, *columns, *keys): of each parent the first `limit` in the direction of reading, by parent and in
    that order.
    """
    turned = [key.column.desc() if key.descending != backwards else key.column.asc() for key in ranked.keys]
    rank = sa.func.row_number().over(partition_by=ranked.parent, order_by=turned).label("rank")
    told = [ranked.parent, *columns, *(key.column for key in ranked.keys)]
    labelled = [each.label(f"column_{at}") for at, each in enumerate(told)]
    rows = ranked.rows(work).with_only_columns(*labelled, rank, maintain_column_froms=True)
    inner = rows.where(statements.among(ranked.parent, dialect)).subquery()
    outer = sa.select(*(inner.c[each.name] for each in labelled))
    limit = sa.bindparam("limit", type_=sa.Integer)
    return statements.compiled(outer.where(inner.c.rank <= limit).order_by(inner.c.column_0, inner.c.rank), dialect)


def counted(ranked: Ranked, work: Work, dialect: sa.Dialect) -> Statement:
    """Rows of (parent, how many); parents without any are left out."""
    rows = ranked.rows(work).with_only_columns(ranked.parent, sa.func.count(), maintain_column_froms=True)
    return statements.compiled(rows.where(statements.among(ranked.parent, dialect)).group_by(ranked.parent), dialect)


def listed(
    rows: sa.Select[Any],
    columns: Sequence[Any],
    keys: Sequence[Key],
    wanted: Paging,
    dialect: sa.Dialect,
    *,
    counted: bool = False,
    beside: Beside | None = None,
) -> Statement:
    """A page of a list, for any numbers that `pages.ordered` leaves open: rows of (*columns, *the keys of its order),
    the first column being the rows' key; `counted` ones end with how many the list holds in all.
    """
    is_of_one = _are_of_one(columns)
    found = beside.found(rows, keys) if beside is not None and is_of_one else None
    total = [sa.func.count().over().label("total")] if counted else []
    if not is_of_one or (found is None and dialect.name != "sqlite" and not counted):
        page = pages.ordered(rows, keys, wanted, open_ended=True)
        places = [key.column for key in keys]
        told = page.with_only_columns(*columns, *places, *total, maintain_column_froms=True)
        return statements.compiled(told, dialect)
    # SQLite sorts whole rows, with what is looked up for each, and whoever counts reads all of them: the page is chosen
    # first, and its rows read then.
    if found is None:
        first = _by_key(rows, columns[0]) if counted and dialect.name != "sqlite" else rows
        found = Found(first, tuple(keys), columns[0], is_plain=False)
    chosen = _counted(found, wanted) if counted else _chosen(found, wanted)
    places = [chosen.c[f"place_{at}"] for at, _ in enumerate(keys)]
    read = sa.select(*columns, *places, *([chosen.c.total] if counted else []))
    read = read.join_from(chosen, columns[0].class_, columns[0] == chosen.c.chosen)
    turned = [key.descending != wanted.backwards for key in keys]
    order = [place.desc() if down else place.asc() for place, down in zip(places, turned, strict=True)]
    return statements.compiled(read.order_by(*order), dialect)


def how_many(total: sa.Select[int], beside: Beside | None, dialect: sa.Dialect) -> Statement:
    """What counts a whole list, given what does so over its rows."""
    found = None if beside is None else beside.found(total, ())
    if found is not None:
        total = sa.select(sa.func.count()).select_from(found.rows.subquery())
    return statements.compiled(total, dialect)


def _chosen(found: Found, wanted: Paging) -> sa.Subquery:
    page = pages.ordered(found.rows, found.keys, wanted, open_ended=True)
    return page.with_only_columns(*_places(found), maintain_column_froms=True).subquery()


def _counted(found: Found, wanted: Paging) -> sa.Subquery:
    """PostgreSQL takes a limit for a promise that few rows need be read, and would go through the order's index; SQLite
    takes as long to count over a window as to find the rows.
    """
    matching = found.rows.with_only_columns(*_places(found), maintain_column_froms=True).cte("matching")
    matching = matching.prefix_with("NOT MATERIALIZED" if found.is_plain else "MATERIALIZED")
    total = sa.select(sa.func.count()).select_from(matching).scalar_subquery().label("total")
    turned = [Key(matching.c[f"place_{at}"], key.descending) for at, key in enumerate(found.keys)]
    return pages.ordered(sa.select(matching, total), turned, wanted, open_ended=True).subquery()


def _places(found: Found) -> list[Any]:
    return [found.key.label("chosen"), *(key.column.label(f"place_{at}") for at, key in enumerate(found.keys))]


def _by_key(rows: sa.Select[Any], key: Any) -> sa.Select[Any]:
    """The same rows, found by their keys where these must be in one set: PostgreSQL thinks that it is faster to look at
    the whole table for them, and takes 7.5 ms instead of 3 for 1,400 of 20,000.
    """
    sets = [each for each in parts_of(rows.whereclause) if is_in_set(each, key)]
    if len(sets) != 1:
        return rows  # an array that the index is not asked with is gone through for each row
    found = key == sa.any_(sa.func.array(sets[0].right, type_=sa.ARRAY(sa.BigInteger)))
    replace: Any = visitors.replacement_traverse
    replaced: sa.Select[Any] = replace(rows, {}, lambda each, **_: found if each is sets[0] else None)
    return replaced


def _are_of_one(columns: Sequence[Any]) -> bool:
    """Whether all of them are read from one table, beside what they look up themselves."""
    return len(sa.select(*columns).get_final_froms()) == 1


def first_only(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Without the last column, and of the rows of one parent that agree in it only the first."""
    seen = set()
    kept = []
    for row in rows:
        mark = row[0], row[-1]
        if mark not in seen:
            seen.add(mark)
            kept.append(row[:-1])
    return kept
