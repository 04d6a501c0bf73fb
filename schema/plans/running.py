"""A plan is run: its root fields read, one after the other, from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import Any

import orjson

from domain import pages, reads
from domain.global_ids import decode, number_of
from domain.pages import Position
from domain.refusals import NotFound
from domain.work import Work
from schema.mapped import MAX_NODES, TABLES, Listing
from schema.plans.connecting import connection
from schema.plans.planning import Compiled, Connection, Found, Plan
from schema.plans.run import Run
from schema.plans.shape import Constant, Total, Unplannable
from storage import statements
from storage.wire import Ended, EndedOnce


def data(run: Run, plan: Plan) -> bytes:
    """The answer's `data` as JSON."""
    whole: dict[str, Any] = {}
    for root in plan.roots:
        last = root is plan.roots[-1]
        match root:
            case Constant(key, value):
                whole[key] = value
            case Found():
                whole[root.key] = _all(run, root) if root.many else _one(run, root, last=last)
            case Connection():
                whole[root.key] = _Page(run, root, last=last).value()
    return orjson.dumps(whole)


def _one(run: Run, root: Found, *, last: bool) -> Any:
    named = run.arguments[root.arguments]["id"]
    try:
        if len(root.entities) == 1:
            (type_,) = root.entities
            number = number_of(type_, named)
        else:
            type_, number = decode(named)
    except NotFound:
        raise Unplannable("an id of nothing") from None
    return _fragments(run, root, type_, [number], last=last).get(number)


def _all(run: Run, root: Found) -> list[Any]:
    if len(run.arguments[root.arguments]["ids"]) > MAX_NODES:
        raise Unplannable("too many ids")
    try:
        named = [decode(each) for each in run.arguments[root.arguments]["ids"]]
    except NotFound:
        raise Unplannable("an id of nothing") from None
    by_type = defaultdict(list)
    for type_, number in named:
        by_type[type_].append(number)
    found = {type_: _fragments(run, root, type_, numbers) for type_, numbers in by_type.items()}
    return [found[type_].get(number) for type_, number in named]


def _fragments(
    run: Run, root: Found, type_: str, numbers: list[int], *, last: bool = False
) -> dict[int, orjson.Fragment]:
    entity = root.entities.get(type_)
    if entity is None:
        raise Unplannable(f"{type_} is not mapped")
    heads, ahead = entity.find(run, numbers, last=last)
    redirects, missing = TABLES[type_].redirects, set(numbers) - heads.keys()
    values = entity.values(run, heads, ahead, last=last and not missing)
    if missing and redirects is not None and _stand_for_others(run, redirects, missing):
        raise Unplannable("an id stands for another one")
    return {number: orjson.Fragment(value) for number, value in values.items()}


def _stand_for_others(run: Run, redirects: Callable[[Work, set[int]], Any], missing: set[int]) -> bool:
    try:
        return bool(redirects(run.work, missing))
    except Ended:
        raise EndedOnce from None  # other ids will be found


class _Page:
    """One page of a list, while it is being written."""

    def __init__(self, run: Run, root: Connection, *, last: bool) -> None:
        self.run = run
        self.is_last = last
        self.root = root
        listing = root.mapped.prepare(run.work, **run.arguments[root.arguments])
        if listing is None:
            raise Unplannable("only the resolver can answer this list")
        self.listing: Listing = listing
        #: How many all of them are, where the page tells it.
        self.total: int | None = None

    def value(self) -> dict[str, Any]:
        self._read()
        return connection(self.root.parts, self.slice, self._node, self._mark, self._total)

    def _read(self) -> None:
        run, root, listing = self.run, self.root, self.listing
        self.slice: pages.Slice[Any] = pages.sliced([], [], listing.wanted)
        if all(isinstance(part, Constant | Total) for part in root.parts):
            return
        wanted = listing.wanted
        given = {f"position_{at}": value for at, value in enumerate(wanted.position or ())} | {**listing.given}
        statement, self.readers = root.pages.get(self._key()) or root.pages.put(self._key(), self._compiled())
        run.snapshot.plan(for_any_values=self._tells_total())  # then it reads all of them whatever the limit is
        found = statement.run(run.cursor, **run.given, limit=wanted.limit + 1, **given)
        run.snapshot.plan(for_any_values=True)
        if self._tells_total():
            self.total = found[0][-1] if found else 0
            found = [row[:-1] for row in found]
        self.slice = pages.sliced(found, [row[-len(self.readers) :] for row in found], wanted)
        self.values: list[dict[int, orjson.Fragment]] = []
        start = 1
        for entity in root.entities:
            end = start + entity.width(run)
            last = self.is_last and entity is root.entities[-1] and (self._tells_total() or not self._counts())
            values = entity.values(run, {row[0]: row[start:end] for row in self.slice.rows}, last=last)
            self.values.append({id_: orjson.Fragment(value) for id_, value in values.items()})
            start = end

    def _key(self) -> Hashable:
        run, wanted = self.run, self.listing.wanted
        return (
            run.dialect.name,
            run.likeness,
            run.guards,
            self.listing.like,
            wanted.backwards,
            wanted.position is None,
            self._tells_total(),
        )

    def _tells_total(self) -> bool:
        narrow = self.listing.is_narrow and self.listing.wanted.position is None
        return narrow and self._counts()

    def _counts(self) -> bool:
        return any(isinstance(part, Total) for part in self.root.parts)

    def _compiled(self) -> Compiled:
        run, listing = self.run, self.listing
        rows, keys = listing.rows()
        heads = [head for entity in self.root.entities for head in entity.heads(run)]
        columns = [TABLES[self.root.mapped.type].key, *heads]
        readers = [statements.reader(key.column, run.dialect) for key in keys]
        counted = self._tells_total()
        page = reads.listed(rows, columns, keys, listing.wanted, run.dialect, counted=counted, beside=listing.beside)
        return page, readers

    def _total(self) -> int:
        if self.total is not None:
            return self.total
        run = self.run
        key = (run.dialect.name, run.likeness, self.listing.like)
        statement = self.root.totals.get(key)
        if statement is None:
            counted = reads.how_many(self.listing.total(), self.listing.beside, run.dialect)
            statement = self.root.totals.put(key, counted)
        run.snapshot.plan(for_any_values=False)
        ((total,),) = statement.run(run.cursor, **self.listing.given)
        run.snapshot.plan(for_any_values=True)
        return int(total)

    def _node(self, number: int, row: Any) -> orjson.Fragment:
        return self.values[number][row[0]]

    def _mark(self, position: Position) -> str:
        pairs = zip(position, self.readers, strict=True)
        plain = tuple(value if reader is None else reader(value) for value, reader in pairs)
        return pages.cursor(self.run.work, self.listing.wanted.scope, plain)
