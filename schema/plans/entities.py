"""Values of one type as a document wants them: found, read and written to bytes, or kept from before.

Always true here:
- What the viewer decides (which rows, which version) is asked of the database every time. Kept are only bytes that
  depend on nothing but what their key says: the value's stamps, what was decided, and the arguments.
- All of one run is read from one snapshot.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from domain import reads
from domain.permissions import Permission
from domain.reads import Below, By
from schema.mapped import TABLES, Made, Turning
from schema.plans import writing
from schema.plans.paging import Pager
from schema.plans.run import Run
from schema.plans.shape import Leaf, Link, Pages, Shape, Total, Unplannable, walk
from schema.plans.writing import Reading, Written
from storage import statements
from storage.recent import Recent, Shelf
from storage.statements import Dialect, Statement
from storage.wire import SEEN

#: Statements of all documents, for all the viewers who ask them; some ten kilobytes each.
STATEMENTS: Final[Recent[Any]] = Recent(4_000)

#: Characters of arguments under which values are kept.
LONGEST_ARGUMENTS: Final = 1_000

_serial = itertools.count()


@dataclass(frozen=True)
class Asked:
    """Statements of a reading, for these keys, with what is given to them, and what makes its rows of theirs."""

    reading: Reading
    wanted: Collection[int]
    statements: list[tuple[Statement, dict[str, Any]]]
    told: Callable[[list[list[tuple[Any, ...]]]], list[tuple[Any, ...]]]


@dataclass
class Ahead:
    """What hangs on the one row that is looked for, asked for together with it."""

    asked: list[Asked]
    #: The rows of each of their statements, once they are known.
    rows: list[list[tuple[Any, ...]]] = field(default_factory=list)


@dataclass(eq=False)
class Entity:
    shape: Shape
    serial: int = field(default_factory=lambda: next(_serial))

    def __post_init__(self) -> None:
        self.table = TABLES[self.shape.type]
        self._written: dict[str, Written] = {}
        self._hanging: dict[str, list[tuple[Reading, int | None]] | None] = {}
        self._finding: Shelf[Statement] = Shelf(STATEMENTS)
        self._paging: Shelf[Statement] = Shelf(STATEMENTS)
        self._counting: Shelf[Statement] = Shelf(STATEMENTS)
        self._reading: Shelf[tuple[Statement, bool]] = Shelf(STATEMENTS)
        slots: set[int] = set()
        turns: dict[Turning, None] = {}
        links: list[Link] = []

        def note(each: Any) -> None:
            if isinstance(each, Link | Pages) and each.arguments is not None:
                slots.add(each.arguments)
            if isinstance(each, Link):
                links.append(each)
            if isinstance(each, Leaf) and isinstance(each.mapped, Made) and each.mapped.turns is not None:
                turns[each.mapped.turns] = None

        walk(self.shape, note)
        self._slots = tuple(sorted(slots))
        self._turns = tuple(each.next for each in turns)
        #: Beside the type's own, for values are kept only where there are such, and they move with all that is shown.
        stamps = self.table.stamps if all(each.mapped.stamped for each in links) else ()
        self._stamps = stamps and (*stamps, *(each.last for each in turns))
        #: Whether the last value that was wanted had not been kept.
        self._was_missing = True
        #: Whether what the viewer may see decides of more than the value itself.
        self._is_sighted = any(TABLES[each].sight for each in _types(links) if each in TABLES)

    def heads(self, run: Run) -> list[Any]:
        """What is read of each row beside its id: stamps, what the viewer decides, whether they may, then columns."""
        held, written = self.table.held, self._of(run.dialect)
        if self._guards(run) and held is None:
            raise Unplannable(f"{self.shape.type} says nothing of permissions")
        guards = [] if held is None else [held(run.work, permission) for permission in self._guards(run)]
        decided = [decide(run.work) for decide in written.decided]
        return [*self._stamps, *decided, *guards, *self._turns, *written.readings[0].columns]

    def width(self, run: Run) -> int:
        """How many `heads` there are."""
        written = self._of(run.dialect)
        return self._before(run) + len(written.readings[0].columns)

    def find(
        self, run: Run, ids: Collection[int], *, last: bool = False
    ) -> tuple[dict[int, tuple[Any, ...]], Ahead | None]:
        """Of these ids the heads of those that the viewer sees; and what was read of them ahead, for `values`."""
        key = (run.dialect.name, run.likeness, run.guards)
        statement = self._finding.get(key)
        if statement is None:
            statement = self._finding.put(key, self._found(run))
        given = {**run.given, statements.KEYS: statements.keys(ids, run.dialect)}
        is_wanted = self._was_missing or not self._is_kept(run)
        ahead = self._ahead(run, ids) if run.snapshot.asks_together and len(ids) == 1 and is_wanted else None
        end = -1 if statement.tells_snapshot else None
        if ahead is None:
            return {row[0]: row[1:end] for row in statement.run(run.cursor, **given)}, None
        asked = [(statement, given), *(each for asked in ahead.asked for each in asked.statements)]
        rows, *ahead.rows = statements.run_all(run.cursor, asked, last=last and run.may_end)
        return {row[0]: row[1:end] for row in rows}, ahead

    def _found(self, run: Run) -> Statement:
        columns = self.heads(run)
        if not run.snapshot.asks_together:
            return reads.found_by(self._seen(run), columns, run.dialect)
        return replace(reads.found_by(self._seen(run), [*columns, SEEN], run.dialect), tells_snapshot=True)

    def values(
        self, run: Run, heads: Mapping[int, tuple[Any, ...]], ahead: Ahead | None = None, *, last: bool = False
    ) -> dict[int, bytes]:
        """The finished bytes of each; `last` where nothing else is to be read then."""
        if not heads:
            return {}
        written, stamps = self._of(run.dialect), len(self._stamps)
        decided = stamps + len(written.decided)
        guards = len(self._guards(run))
        if guards and not all(all(head[decided : decided + guards]) for head in heads.values()):
            raise Unplannable("a permission does not hold for each of them")
        self._note_turns(run, heads)
        if not self._is_kept(run):
            return self._read(run, heads, ahead, last=last)
        arguments = tuple(tuple(run.arguments[slot].items()) for slot in self._slots)
        if len(repr(arguments)) > LONGEST_ARGUMENTS:
            return self._read(run, heads, ahead, last=last)
        sight = (run.likeness, run.guards) if self._is_sighted else None
        scope = (self.serial, arguments, run.viewer if written.is_for_viewer else None, sight)
        keys = {id_: (scope, id_, head[:decided]) for id_, head in heads.items()}
        found = run.kept.find(keys)
        self._was_missing = len(found) < len(heads)
        if self._was_missing:
            fresh = self._read(run, {id_: heads[id_] for id_ in heads.keys() - found.keys()}, ahead, last=last)
            run.kept.keep((keys[id_], value) for id_, value in fresh.items())
            found |= fresh
        return found

    def _is_kept(self, run: Run) -> bool:
        """Whether values are, for this viewer."""
        return bool(self._stamps) and not (run.is_bound and self._of(run.dialect).is_for_viewer)

    def _read(
        self, run: Run, heads: Mapping[int, tuple[Any, ...]], ahead: Ahead | None, *, last: bool
    ) -> dict[int, bytes]:
        written, stamps = self._of(run.dialect), len(self._stamps)
        end, start = stamps + len(written.decided), self._before(run)
        decided = {id_: head[stamps:end] for id_, head in heads.items()}
        rows: list[list[tuple[Any, ...]]] = [[(id_, *head[start:]) for id_, head in heads.items()]]
        connected: dict[int, Callable[..., Any]] = {}
        waiting: list[Asked] = []
        keys: dict[int, list[Any]] = {}
        if ahead is not None:
            _told(ahead.asked, iter(ahead.rows), rows)
            return self._spelt(run, written, rows, decided, connected)
        for reading in written.readings[1:]:
            if reading.place < 0:
                wanted = {each[~reading.place] for each in decided.values()}
            elif reading.is_of_found and reading.parent in keys:
                wanted = set(keys[reading.parent])
            else:
                if reading.parent >= len(rows):
                    self._answer(run, waiting, rows)
                wanted = {row[reading.place] for row in rows[reading.parent]}
            keys[reading.number] = [each for each in wanted if each is not None]
            if isinstance(reading.found, Pages):
                pager = Pager(run, reading.found)
                connected[reading.number] = pager.value
                waiting.append(self._page(run, reading, pager, keys[reading.number]))
            else:
                waiting.append(self._rows(run, reading, keys[reading.number]))
        self._answer(run, waiting, rows, last=last and run.may_end)
        return self._spelt(run, written, rows, decided, connected)

    def _spelt(self, run: Run, written: Written, rows: Any, decided: Any, connected: Any) -> dict[int, bytes]:
        return written.write(rows, decided, [made.make(run.work, run.ends.append) for made in written.made], connected)

    def _ahead(self, run: Run, ids: Collection[int]) -> Ahead | None:
        """All that hangs on the row of this id, where it can be asked for before that row is known."""
        dialect = run.dialect.name
        if dialect not in self._hanging:
            self._hanging[dialect] = self._hangs(self._of(run.dialect))
        hanging = self._hanging[dialect]
        if hanging is None:
            return None
        return Ahead([self._rows(run, reading, ids, place) for reading, place in hanging])

    def _hangs(self, written: Written) -> list[tuple[Reading, int | None]] | None:
        """The readings below the first with what says their keys there: a place as `Reading.place` has it, by which the
        database itself finds them, or None for the id itself. None where one hangs on anything else.
        """
        found = list[tuple[Reading, int | None]]()
        keys: dict[int, int | None] = {}
        for reading in written.readings[1:]:
            table = TABLES.get(reading.type)
            if isinstance(reading.found, Pages) or (table is not None and table.redirects is not None):
                return None
            if reading.is_of_found and reading.parent in keys:
                keys[reading.number] = keys[reading.parent]
            elif reading.place < 0:
                keys[reading.number] = reading.place
            elif reading.parent == 0:
                is_id = written.readings[0].columns[reading.place - 1] is self.table.key
                keys[reading.number] = None if is_id else reading.place
            else:
                return None
            found.append((reading, keys[reading.number]))
        return found

    def _answer(self, run: Run, waiting: list[Asked], rows: list[list[tuple[Any, ...]]], *, last: bool = False) -> None:
        """Appends the rows of each that is waiting."""
        asking = [each for asked in waiting for each in asked.statements]
        _told(waiting, iter(statements.run_all(run.cursor, asking, last=last)), rows)
        waiting.clear()

    def _before(self, run: Run) -> int:
        """How many of the heads stand before the columns."""
        written = self._of(run.dialect)
        return len(self._stamps) + len(written.decided) + len(self._guards(run)) + len(self._turns)

    def _guards(self, run: Run) -> tuple[Permission, ...]:
        """Permissions that this value needs and the viewer does not hold everywhere."""
        return tuple(each for each in run.guards if each in self.shape.needs)

    def _note_turns(self, run: Run, heads: Mapping[int, tuple[Any, ...]]) -> None:
        """They are the same of all rows."""
        end = self._before(run)
        for head in itertools.islice(heads.values(), 1):
            for column, moment in zip(self._turns, head[end - len(self._turns) : end], strict=True):
                read = statements.reader(column, run.dialect)
                if moment is not None:
                    run.ends.append(moment if read is None else read(moment))

    def _page(self, run: Run, reading: Reading, pager: Pager, wanted: Collection[int]) -> Asked:
        """Rows of a page of each parent's list; and how long each list is, where that is wanted."""
        if not wanted:
            return Asked(reading, wanted, [], lambda _: [])
        ranked, backwards = pager.pages.mapped.ranked, pager.wanted.backwards
        keys = {statements.KEYS: statements.keys(wanted, run.dialect)}
        key = (reading.number, run.dialect.name, run.likeness)
        known = self._paging.get((*key, backwards))
        if known is None:
            made = reads.found_paged(ranked, run.work, reading.columns, run.dialect, backwards=backwards)
            known = self._paging.put((*key, backwards), made)
        page = (known, {**run.given, "limit": pager.wanted.limit + 1, **keys})
        if not any(isinstance(part, Total) for part in pager.pages.parts):
            return Asked(reading, wanted, [page], lambda rows: rows[0])
        known = self._counting.get(key)
        if known is None:
            known = self._counting.put(key, reads.counted(ranked, run.work, run.dialect))

        def told(rows: list[list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
            pager.totals = dict(rows[1])
            return rows[0]

        return Asked(reading, wanted, [page, (known, {**keys})], told)

    def _rows(self, run: Run, reading: Reading, wanted: Collection[int], place: int | None = None) -> Asked:
        """Its rows by these keys; or by what stands in that `place` of the row of this id."""
        if not wanted:
            return Asked(reading, wanted, [], lambda _: [])
        statement, has_once = self._statement(run, reading, place)
        given = {} if reading.arguments is None else run.arguments[reading.arguments]
        where = {name: given[name] for name, _ in reading.where}
        if any("\0" in value for value in where.values() if isinstance(value, str)):
            raise Unplannable("PostgreSQL takes no U+0000")

        def told(found: list[list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
            rows = reads.first_only(found[0]) if has_once else found[0]
            _check_redirects(run, reading, wanted, rows)
            if reading.most is not None and len(rows) > reading.most:
                _check_most(rows, reading.most)
            return _allowed(rows) if _guarding(run, reading) else rows

        keys = statements.keys(wanted, run.dialect)
        return Asked(reading, wanted, [(statement, {**run.given, **where, statements.KEYS: keys})], told)

    def _statement(self, run: Run, reading: Reading, place: int | None) -> tuple[Statement, bool]:
        found, guards = reading.found, _guarding(run, reading)
        assert found is not None, "whoever asks has found the rows of the first"
        assert not isinstance(found, Pages), "pages are read otherwise"
        is_viewers = callable(found) or guards or place is not None
        key = (reading.number, run.dialect.name, run.likeness if is_viewers else None, guards, place)
        known = self._reading.get(key)
        if known is None:
            declared: By | Below = found(run.work) if callable(found) else found
            columns = [*reading.columns, *_held(run, reading, guards)]
            among = None if place is None else self._among(run, place)
            if isinstance(declared, By):
                made, once = reads.found_by(declared, columns, run.dialect, among), False
            else:
                equal = [(column, name) for name, column in reading.where]
                made, once = reads.found_below(declared, columns, run.dialect, equal, among), declared.once is not None
            known = self._reading.put(key, (made, once))
        return known

    def _among(self, run: Run, place: int) -> reads.Among:
        """That a column is what stands in that place of the rows of some ids."""
        written = self._of(run.dialect)
        said = written.decided[~place](run.work) if place < 0 else written.readings[0].columns[place - 1]
        return reads.told_by(said, self.table.key, run.dialect)

    def _of(self, dialect: Dialect) -> Written:
        known = self._written.get(dialect.name)
        if known is None:
            known = self._written[dialect.name] = writing.written(self.shape, dialect)
        return known

    def _seen(self, run: Run) -> By:
        seen = self.table.seen
        return seen(run.work) if callable(seen) else seen


def _told(waiting: Iterable[Asked], found: Iterator[list[tuple[Any, ...]]], rows: list[list[tuple[Any, ...]]]) -> None:
    """Appends the rows of each. Below a row that was looked for and is not there nothing counts."""
    for asked in waiting:
        told = [next(found) for _ in asked.statements]
        reading = asked.reading
        if reading.is_of_found and len(rows[reading.parent]) < len(asked.wanted):
            there = {row[0] for row in rows[reading.parent]}
            told = [[row for row in each if row[0] in there] for each in told]
        rows.append(asked.told(told))


def _types(links: Iterable[Link]) -> Iterator[str]:
    return (each.inside.type for each in links)


def _guarding(run: Run, reading: Reading) -> tuple[Permission, ...]:
    return tuple(each for each in run.guards if each in reading.needs)


def _held(run: Run, reading: Reading, guards: Iterable[Permission]) -> list[Any]:
    """As the last column, whether all of them hold for the row."""
    if not guards:
        return []
    held = TABLES[reading.type].held
    assert held is not None, "whatever is asked for permissions of its own says of them"
    return [reads.all_of(held(run.work, permission) for permission in guards)]


def _allowed(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    if not all(row[-1] for row in rows):
        raise Unplannable("a permission does not hold for each of them")
    return [row[:-1] for row in rows]


def _check_most(rows: Iterable[tuple[Any, ...]], most: int) -> None:
    if max(Counter(row[0] for row in rows).values()) > most:
        raise Unplannable("there are more than are told")


def _check_redirects(run: Run, reading: Reading, wanted: Collection[int], rows: Collection[tuple[Any, ...]]) -> None:
    table = TABLES.get(reading.type)
    if table is None or table.redirects is None or len(rows) == len(wanted):
        return
    missing = set(wanted) - {row[0] for row in rows}
    if missing and table.redirects(run.work, missing):
        raise Unplannable("an id stands for another one")
