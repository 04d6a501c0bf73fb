"""Exact keyset pages from an engine that sorts by one column and breaks ties as it likes.

Always true here:
- By columns: the engine sorts by the first; documents equal in it are asked for again, sorted by the next,
  down to the id, which is unique. Without ties that is one search.
- By score: the engine ranks; the window is widened until no documents equal in score are cut apart, at most
  to the depth a ranking may be followed.
"""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from tantivy import Occur, Order, Query

from storage.index import ordering
from storage.index.contract import MAX_LIMIT, MAX_RANK, Position, Search, TooDeep
from storage.index.ordering import Column
from storage.index.tantivy_index.asking import Asking

#: Asked for beyond the page, for equals that would be cut apart; and how much wider when that was not enough.
_SPARE: Final = 20
_WIDER: Final = 8
_DEPTH: Final = MAX_RANK + MAX_LIMIT
_END: Final = 2**63 - 1


class Found(NamedTuple):
    address: Any
    id: int
    revision: int
    score: float
    position: Position


class Page(NamedTuple):
    found: list[Found]
    total: int


def by_columns(searcher: Any, asking: Asking, whole: Any, search: Search) -> Page:
    columns = ordering.columns(search.order)
    bounded = _bounded(asking, whole, columns, search)
    wanted = [_reversed(column) for column in columns] if search.backward else columns
    addresses, total = _first(searcher, asking, bounded, wanted, search.limit)
    if search.backward:
        addresses.reverse()
    if bounded is not whole:
        total = _count(searcher, whole)
    if search.order[0].field == "relevance":
        better = total - _count(searcher, _bounded(asking, whole, columns, replace(search, before=None)))
        _check_depth(better, _count(searcher, bounded), search)
    return Page(_found(searcher, search, addresses), total)


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
    addresses = [address for _, _, address in chosen]
    revisions = searcher.fast_field_values("revision", addresses) if addresses else []
    found = [
        Found(address, id_, revision, score, Position((score,), id_))
        for (score, id_, address), revision in zip(chosen, revisions, strict=True)
    ]
    return Page(found, total)


def _first(searcher: Any, asking: Asking, query: Any, columns: list[Column], limit: int) -> tuple[list[Any], int]:
    """The first documents in the order of the columns, and how many the query finds."""
    (name, descending), rest = columns[0], columns[1:]
    order = Order.Desc if descending else Order.Asc
    result = searcher.search(query, limit=limit + 1, order_by_field=name, order=order)
    hits = result.hits
    if not rest:
        return [address for _, address in hits[:limit]], result.count
    addresses: list[Any] = []
    for value, tied in _groups(hits).items():
        room = limit - len(addresses)
        if room and len(tied) > 1:
            same = Query.boolean_query([(Occur.Must, query), (Occur.Must, asking.between(name, value, value))])
            addresses += _first(searcher, asking, same, rest, room)[0]
        else:
            addresses += tied[:room]
    return addresses, result.count


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


def _ranked(searcher: Any, whole: Any, depth: int) -> tuple[list[tuple[float, int, Any]], int]:
    """The best documents as (score, id, address), ties complete and in order of id, and how many there
    are.
    """
    result = searcher.search(whole, limit=depth)
    hits = result.hits
    if len(hits) < result.count and depth < _DEPTH:
        last = hits[-1][0]
        hits = [hit for hit in hits if hit[0] > last]
    ids = searcher.fast_field_values("id", [address for _, address in hits]) if hits else []
    ranked = [(score, id_, address) for (score, address), id_ in zip(hits, ids, strict=True)]
    ranked.sort(key=_best_first)
    return ranked, result.count


def _best_first(row: tuple[float, int, Any]) -> tuple[float, int]:
    return (-row[0], -row[1])


def _kept(ranked: list[tuple[float, int, Any]], search: Search) -> tuple[int, list[tuple[float, int, Any]]]:
    """How many stand at or before `after`, and those strictly between the positions."""
    after = _rank(search.after) if search.after is not None else None
    before = _rank(search.before) if search.before is not None else None
    beyond = [row for row in ranked if _best_first(row) > after] if after else ranked
    return len(ranked) - len(beyond), [row for row in beyond if _best_first(row) < before] if before else beyond


def _rank(position: Position) -> tuple[float, int]:
    return (-ordering.score(position), -position.id)


def _check_depth(better: int, remaining: int, search: Search) -> None:
    first = better + (max(remaining - search.limit, 0) if search.backward else 0)
    if remaining and first >= MAX_RANK:
        raise TooDeep(f"A ranking is followed to its {MAX_RANK:,}th hit; narrow the search or sort by a date.")


def _count(searcher: Any, query: Any) -> int:
    found: int = searcher.search(query, limit=1).count
    return found


def _found(searcher: Any, search: Search, addresses: list[Any]) -> list[Found]:
    if not addresses:
        return []
    names = [column.name for column in ordering.columns(search.order)]
    columns = [searcher.fast_field_values(name, addresses) for name in (*names, "revision")]
    found = []
    for address, *values, id_, revision in zip(addresses, *columns, strict=True):
        key = (0.0,) if search.order[0].field == "relevance" else ordering.keys(search.order, values)
        found.append(Found(address, id_, revision, 0.0, Position(key, id_)))
    return found
