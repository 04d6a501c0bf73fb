"""Exact keyset pages from an engine that sorts by one column and breaks ties as it likes.

Always true here:
- By columns: the engine sorts by the first; documents equal in it are asked for again, sorted by the next,
  down to the id, which is unique. Without ties that is one search.
- By score: the engine ranks; the window is widened until no documents equal in score are cut apart, at most
  to the depth a ranking may be followed.
"""

from dataclasses import replace
from itertools import repeat
from typing import Any, Final, NamedTuple

from tantivy import Occur, Order, Query

from storage.index import ordering
from storage.index.contract import MAX_LIMIT, MAX_RANK, Hit, Position, Search, TooDeep
from storage.index.ordering import Column
from storage.index.tantivy_index.asking import Asking

#: Asked for beyond the page, for equals that would be cut apart; and how much wider when that was not enough.
_SPARE: Final = 12
_WIDER: Final = 8
_DEPTH: Final = MAX_RANK + MAX_LIMIT
_END: Final = 2**63 - 1

#: score, id, address: compared as a tuple, the best is the greatest, and no two share an id.
Ranked = tuple[float, int, Any]


class Page(NamedTuple):
    """The hits, where the engine keeps each, and how many there are in all."""

    hits: list[Hit]
    addresses: list[Any]
    total: int


def by_columns(searcher: Any, asking: Asking, whole: Any, search: Search) -> Page:
    columns = ordering.columns(search.order)
    bounded = _bounded(asking, whole, columns, search)
    wanted = [_reversed(column) for column in columns] if search.backward else columns
    placed, remaining = _first(searcher, asking, bounded, wanted, search.limit)
    if search.backward:
        placed.reverse()
    total = remaining if bounded is whole else _count(searcher, whole)
    if search.order[0].field == "relevance":
        beyond = total if search.after is None else remaining
        if search.after is not None and search.before is not None:
            beyond = _count(searcher, _bounded(asking, whole, columns, replace(search, before=None)))
        _check_depth(total - beyond, remaining, search)
    addresses = [address for _, address in placed]
    return Page(_hits(searcher, search, columns, placed, addresses), addresses, total)


def by_score(searcher: Any, whole: Any, search: Search) -> Page:
    depth = search.limit + _SPARE
    while True:
        ranked, total = _ranked(searcher, whole, depth)
        complete = len(ranked) == total or depth >= _DEPTH
        better, kept = _kept(ranked, search)
        if complete or (len(kept) >= search.limit and not search.backward):
            break
        depth = min(_DEPTH, depth * _WIDER)
    remaining = total - better if len(ranked) < total and search.before is None else len(kept)
    _check_depth(better, remaining, search)
    chosen = kept[-search.limit :] if search.backward else kept[: search.limit]
    if not chosen:
        return Page([], [], total)
    scores, ids, addresses = map(list, zip(*chosen, strict=True))
    positions = map(Position._make, zip(zip(scores, strict=True), ids, strict=True))
    revisions = searcher.fast_field_values("revision", addresses)
    return Page(list(map(Hit._make, zip(ids, revisions, scores, positions, repeat(())))), addresses, total)


def revisions(searcher: Any, asking: Asking, after_id: int, limit: int) -> list[tuple[int, int]]:
    """Id and revision of the first `limit` assets beyond that id."""
    beyond = asking.visible([(Occur.Must, asking.between("id", after_id + 1, _END))])
    hits = searcher.search(beyond, limit=limit, count=False, order_by_field="id", order=Order.Asc).hits
    if not hits:
        return []
    ids, addresses = zip(*hits, strict=True)
    return list(zip(ids, searcher.fast_field_values("revision", addresses), strict=True))


def _first(
    searcher: Any, asking: Asking, query: Any, columns: list[Column], limit: int
) -> tuple[list[tuple[int, Any]], int]:
    """The first documents in the order of the columns, each with its value in the first, and how many the
    query finds.
    """
    (name, descending), rest = columns[0], columns[1:]
    order = Order.Desc if descending else Order.Asc
    result = searcher.search(query, limit=limit + 1, order_by_field=name, order=order)
    hits = result.hits
    if not rest or len({value for value, _ in hits}) == len(hits):
        return hits[:limit], result.count
    placed: list[tuple[int, Any]] = []
    for value, tied in _groups(hits).items():
        room = limit - len(placed)
        if room and len(tied) > 1:
            same = Query.boolean_query([(Occur.Must, query), (Occur.Must, asking.between(name, value, value))])
            placed += [(value, address) for _, address in _first(searcher, asking, same, rest, room)[0]]
        else:
            placed += [(value, address) for address in tied[:room]]
    return placed, result.count


def _groups(hits: list[tuple[int, Any]]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for value, address in hits:
        groups.setdefault(value, []).append(address)
    return groups


def _bounded(asking: Asking, whole: Any, columns: list[Column], search: Search) -> Any:
    clauses = [(Occur.Must, whole)]
    if search.after is not None:
        clauses.append((Occur.Must, _beyond(asking, columns, ordering.numbers(search.order, search.after))))
    if search.before is not None:
        backwards = [_reversed(column) for column in columns]
        clauses.append((Occur.Must, _beyond(asking, backwards, ordering.numbers(search.order, search.before))))
    return whole if len(clauses) == 1 else Query.boolean_query(clauses)


def _beyond(asking: Asking, columns: list[Column], bound: list[int]) -> Any:
    """Documents strictly after a position: the first column that differs decides."""
    readings = []
    equal: list[tuple[Any, Any]] = []
    for (name, descending), value in zip(columns, bound, strict=True):
        low, high = (-_END, value - 1) if descending else (value + 1, _END)
        if low <= high:
            readings.append(Query.boolean_query([*equal, (Occur.Must, asking.between(name, low, high))]))
        equal = [*equal, (Occur.Must, asking.between(name, value, value))]
    return Query.boolean_query([(Occur.Should, reading) for reading in readings])


def _reversed(column: Column) -> Column:
    return Column(column.name, not column.descending)


def _ranked(searcher: Any, whole: Any, depth: int) -> tuple[list[Ranked], int]:
    """The best documents, ties complete and in order of id, and how many there are."""
    result = searcher.search(whole, limit=depth)
    hits = result.hits
    if len(hits) < result.count and depth < _DEPTH:
        last = hits[-1][0]
        hits = [hit for hit in hits if hit[0] > last]
    if not hits:
        return [], result.count
    scores, addresses = zip(*hits, strict=True)
    ids = searcher.fast_field_values("id", addresses)
    return sorted(zip(scores, ids, addresses, strict=True), reverse=True), result.count


def _kept(ranked: list[Ranked], search: Search) -> tuple[int, list[Ranked]]:
    """How many stand at or before `after`, and those strictly between the positions."""
    kept = ranked
    if search.after is not None:
        after = _rank(search.after)
        kept = [row for row in kept if row[:2] < after]
    better = len(ranked) - len(kept)
    if search.before is not None:
        before = _rank(search.before)
        kept = [row for row in kept if row[:2] > before]
    return better, kept


def _rank(position: Position) -> tuple[float, int]:
    return (ordering.score(position), position.id)


def _check_depth(better: int, remaining: int, search: Search) -> None:
    first = better + (max(remaining - search.limit, 0) if search.backward else 0)
    if remaining and first >= MAX_RANK:
        raise TooDeep(f"A ranking is followed to its {MAX_RANK:,}th hit; narrow the search or sort by a date.")


def _count(searcher: Any, query: Any) -> int:
    found: int = searcher.search(query, limit=1).count
    return found


def _hits(
    searcher: Any, search: Search, columns: list[Column], placed: list[tuple[int, Any]], addresses: list[Any]
) -> list[Hit]:
    if not placed:
        return []
    first = [value for value, _ in placed]
    values = [first, *(searcher.fast_field_values(column.name, addresses) for column in columns[1:])]
    revisions = searcher.fast_field_values("revision", addresses)
    ids = values.pop()
    if search.order[0].field == "relevance":
        keys: Any = repeat((0.0,))
    elif len(values) == 1 and ordering.MISSING not in first:
        keys = zip(first, strict=True)
    else:
        keys = [ordering.keys(search.order, list(row)) for row in zip(*values, strict=True)]
    positions = map(Position._make, zip(keys, ids, strict=False))
    return list(map(Hit._make, zip(ids, revisions, repeat(0.0), positions, repeat(()))))
