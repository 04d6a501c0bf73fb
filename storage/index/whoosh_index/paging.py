"""Which of the found documents make the page asked for: keyset paging over numpy columns."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.index import ordering
from storage.index.contract import MAX_RANK, Position, Search, TooDeep
from storage.index.whoosh_index.segment import Mask
from storage.index.whoosh_index.snapshot import Snapshot

#: Up to so many documents per wanted one, sorting them all is cheaper than first finding the best.
_SORT_ALL: Final = 40
_AFTER: Final = 0
_BEFORE: Final = 1


class Found(NamedTuple):
    id: int
    revision: int
    score: float
    position: Position


@dataclass(frozen=True, slots=True)
class _Key:
    """A column to sort by, laid out so that the first comes lowest."""

    values: NDArray[Any]
    bound: NDArray[Any]


def page(
    snapshot: Snapshot, search: Search, masks: list[Mask], scores: list[NDArray[np.float32]] | None
) -> list[Found]:
    """The page's documents in the order asked; raises TooDeep and SearchRefused."""
    rows = _Rows(snapshot, masks, scores)
    keys = _keys(rows, search)
    beyond = _compare(keys, _AFTER) if search.after else np.ones(rows.count, np.bool_)
    kept = beyond & _compare(keys, _BEFORE) if search.before else beyond
    if search.order[0].field == "relevance":
        _check_depth(rows.count - int(np.count_nonzero(beyond)), int(np.count_nonzero(kept)), search)
    chosen = _first(keys, kept, search.limit, backward=search.backward)
    return rows.found(search, chosen)


class _Rows:
    """The found documents of all shares, as one table whose columns are gathered when asked for."""

    def __init__(self, snapshot: Snapshot, masks: list[Mask], scores: list[NDArray[np.float32]] | None) -> None:
        self._tables = [share.segment.columns for share in snapshot.shares]
        self._masks = masks
        self._scores = scores
        self._columns: dict[str, NDArray[np.int64]] = {}
        self.count = sum(int(np.count_nonzero(mask)) for mask in masks)

    def column(self, name: str) -> NDArray[np.int64]:
        known = self._columns.get(name)
        if known is None:
            parts = [table[name][mask] for table, mask in zip(self._tables, self._masks, strict=True)]
            known = self._columns[name] = np.concatenate(parts) if parts else np.empty(0, np.int64)
        return known

    def scores(self) -> NDArray[np.float32]:
        if not self._scores:
            return np.zeros(self.count, np.float32)
        return np.concatenate([score[mask] for score, mask in zip(self._scores, self._masks, strict=True)])

    def found(self, search: Search, rows: NDArray[np.int64]) -> list[Found]:
        """These rows with what a hit says of them."""
        scores = self.scores()[rows].tolist()
        names = [name for name, _ in ordering.columns(search.order)]
        columns = np.array([self.column(name)[rows] for name in names]).T.tolist()
        revisions = self.column("revision")[rows].tolist()
        hits = []
        for values, score, revision in zip(columns, scores, revisions, strict=True):
            key = (score,) if search.order[0].field == "relevance" else ordering.keys(search.order, values[:-1])
            hits.append(Found(values[-1], revision, score, Position(key, values[-1])))
        return hits


def _keys(rows: _Rows, search: Search) -> list[_Key]:
    bounds = [
        None if position is None else ordering.numbers(search.order, position)
        for position in (search.after, search.before)
    ]
    keys = [_score_key(rows, search)] if search.order[0].field == "relevance" else []
    for at, (name, descending) in enumerate(ordering.columns(search.order)):
        values = rows.column(name)
        bound = np.array([0 if numbers is None else numbers[at] for numbers in bounds], np.int64)
        # The complement reverses the order without the overflow a minus sign has at the smallest number.
        keys.append(_Key(~values, ~bound) if descending else _Key(values, bound))
    return keys


def _score_key(rows: _Rows, search: Search) -> _Key:
    bounds = (search.after, search.before)
    bound = [0.0 if position is None else ordering.score(position) for position in bounds]
    return _Key(-rows.scores(), -np.array(bound, np.float32))


def _compare(keys: list[_Key], which: int) -> Mask:
    """The rows strictly after, or strictly before, a position: the first key that differs decides."""
    decided = np.zeros(len(keys[-1].values), np.bool_)
    equal = ~decided
    for key in keys:
        bound = key.bound[which]
        decided |= equal & ((key.values > bound) if which == _AFTER else (key.values < bound))
        equal &= key.values == bound
    return decided


def _check_depth(better: int, remaining: int, search: Search) -> None:
    """Refuse a page whose first hit has MAX_RANK better ones."""
    first = better + (max(remaining - search.limit, 0) if search.backward else 0)
    if remaining and first >= MAX_RANK:
        raise TooDeep(f"A ranking is followed to its {MAX_RANK:,}th hit; narrow the search or sort by a date.")


def _first(keys: list[_Key], kept: Mask, limit: int, *, backward: bool) -> NDArray[np.int64]:
    """The first (backward: last) rows of those kept, in order."""
    rows = np.flatnonzero(kept)
    if len(rows) > _SORT_ALL * limit:
        primary = keys[0].values[rows]
        at = len(rows) - limit if backward else limit - 1
        edge = np.partition(primary, at)[at]
        rows = rows[primary >= edge if backward else primary <= edge]
    order = np.lexsort([key.values[rows] for key in reversed(keys)])
    chosen: NDArray[np.int64] = rows[order[-limit:] if backward else order[:limit]]
    return chosen
