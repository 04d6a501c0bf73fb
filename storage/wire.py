"""One snapshot of PostgreSQL asked through libpq itself: several questions in one message, each prepared once for as
long as its connection lasts.

Always true here:
- What is asked on one `Wire` is of one and the same moment, that of the first question, and nothing is written.
- A connection on which anything went wrong is closed: what it had prepared, and where it stood, is not known any more.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import psycopg
import sqlalchemy as sa
from psycopg import adapt, errors, generators, pq
from psycopg.abc import PQGen

from storage.epochs import SNAPSHOT
from storage.recent import Recent

#: Statements that one connection keeps prepared; the server holds some hundred kilobytes for the largest.
MOST_PREPARED: Final = 100
#: Rows of one answer that are presumed another time; and how often in turn, where nothing was asked that proved them.
MOST_PRESUMED: Final = 100
MOST_DOUBTS: Final = 8

#: A parameter as it is sent, the server's number for its type (0: it is to find out), and whether it is sent as it is
#: kept (1) or as text (0).
Spelt: TypeAlias = tuple[bytes | None, int, int]


class Ended(Exception):
    """The snapshot was given up with the last questions that were foreseen, and more is asked; `is_usual` where that is
    so of whatever is asked like this.
    """

    is_usual = True


class EndedOnce(Ended):
    is_usual = False


class Mistaken(Exception):
    """What was presumed is not so (any more): whatever was made of it is to be thrown away."""


@dataclass(frozen=True)
class Question:
    #: With parameters as `$1`.
    sql: bytes
    parameters: Sequence[Spelt] = ()
    #: Whether the last column of each row says what is seen, so that nobody has to ask for that.
    tells_snapshot: bool = False


@dataclass
class Presumed:
    """What a question was answered last."""

    rows: list[tuple[Any, ...]]
    #: How often that was believed since without a proof.
    doubts: int = 0


@dataclass
class Prepared:
    """What one connection has prepared: names by statement and types, those asked for longest ago first; and what
    makes Python's values of what it is told.
    """

    names: OrderedDict[Any, bytes] = field(default_factory=OrderedDict)
    made: int = 0
    loading: Any = None


#: What is seen, as a column.
SEEN: Final[sa.ColumnElement[str]] = sa.literal_column(SNAPSHOT, sa.Text)
_BEGIN: Final = Question(b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_SNAPSHOT: Final = Question(f"SELECT {SNAPSHOT}".encode())
_COMMIT: Final = Question(b"COMMIT")
_PLANNED: Final = {
    False: Question(b"SET LOCAL plan_cache_mode = auto"),
    True: Question(b"SET LOCAL plan_cache_mode = force_generic_plan"),
}
#: What its connections are opened with, beside what all are.
OPTIONS: Final = "-c plan_cache_mode=force_generic_plan"
#: What each is told when it is made, whatever its options say: one message is one transaction of this kind.
MADE: Final = b"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class Wire:
    """Begins with its first questions, in the same message."""

    def __init__(self, connection: psycopg.Connection[Any], prepared: Prepared, presumed: Recent[Presumed]) -> None:
        self._connection = connection
        self._prepared = prepared
        self._for_any_values = True  # as the connection was opened
        #: What is seen; None where that was not told.
        self._snapshot: str | None = None
        self._has_begun = self._is_over = self._has_failed = False
        #: Whether what is asked next is planned once for any values, or anew for these.
        self.for_any_values = True
        #: Whether whoever reads is prepared for `Mistaken`.
        self.may_presume = False
        self._presumed = presumed
        #: What was presumed, to be asked with the first questions: its key, the question, and the rows.
        self._unproved: list[tuple[Hashable, Question, Presumed]] = []

    def presume(self, key: Hashable, question: Question) -> list[tuple[Any, ...]]:
        """Its rows: before anything was asked, those that it had when this key was last asked for. They are proved
        with the first questions, in the same snapshot, and nothing is told of these where they were wrong.
        """
        known = self._presumed.get(key) if self.may_presume and not self._has_begun else None
        if known is not None and known.doubts < MOST_DOUBTS:
            self._unproved.append((key, question, known))
            return known.rows
        (rows,) = self.ask([question])
        self._remember(key, rows)
        return rows

    def _remember(self, key: Hashable, rows: list[tuple[Any, ...]]) -> None:
        if len(rows) <= MOST_PRESUMED:
            self._presumed.put(key, Presumed(rows))
        else:
            self._presumed.drop(key)

    def ask(self, questions: Sequence[Question], *, last: bool = False) -> list[list[tuple[Any, ...]]]:
        """The rows of each. After the `last` nothing more can be asked (`Ended`). Raises `Mistaken`."""
        if self._is_over:
            raise Ended
        if self._has_begun and not questions and not last:
            return []
        is_first = not self._has_begun
        before = self._before()
        # What is one message is one transaction, of the kind that the connection was MADE for.
        is_all = is_first and last and not before
        teller = next((at for at, each in enumerate(questions) if each.tells_snapshot), None)
        told = before
        if is_first:
            unproved = [question for _, question, _ in self._unproved]
            told = [*([] if is_all else [_BEGIN]), *([_SNAPSHOT] if teller is None else []), *unproved, *before]
        found = self._answered([*told, *questions, *([_COMMIT] if last and not is_all else [])])
        self._is_over, self._has_begun = last, True
        answers = found[len(told) : len(told) + len(questions)]
        if is_first:
            said = found[told.index(_SNAPSHOT)] if teller is None else answers[teller]
            self._snapshot = said[0][-1] if said else None
            self._prove(found[len(told) - len(before) - len(unproved) :])
        return answers

    def snapshot(self) -> str | None:
        """What PostgreSQL calls what is seen, where it was told; begins where nothing was asked yet."""
        if not self._has_begun:
            self.ask([])
        return self._snapshot

    def _prove(self, found: list[list[tuple[Any, ...]]]) -> None:
        """Whether each has the rows that were presumed, in whatever order."""
        proved = list(zip(self._unproved, found, strict=False))
        self._unproved.clear()
        wrong = [(key, now) for (key, _, known), now in proved if Counter(now) != Counter(known.rows)]
        for key, now in wrong:
            self._remember(key, now)
        if wrong:
            raise Mistaken
        for (_, _, known), _ in proved:
            known.doubts = 0

    def end(self) -> None:
        for _, _, known in self._unproved:  # it led to something before anything could be asked
            known.doubts += 1
        if self._has_begun and not self._is_over and self.is_sound:
            self.ask([], last=True)

    @property
    def is_sound(self) -> bool:
        """Whether nothing went wrong, so that the connection is good for others."""
        if self._has_failed or self._connection.pgconn.pipeline_status != pq.PipelineStatus.OFF:
            return False
        return self._status in {pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS}

    @property
    def _status(self) -> int:
        return self._connection.pgconn.transaction_status

    def _before(self) -> list[Question]:
        """What has to be said before anything else is asked."""
        if self._for_any_values == self.for_any_values:
            return []
        self._for_any_values = self.for_any_values
        return [_PLANNED[self.for_any_values]]

    def _answered(self, questions: Sequence[Question]) -> list[list[tuple[Any, ...]]]:
        pgconn = self._connection.pgconn
        #: Of each result that comes whether it holds what was asked for.
        expected: list[bool] = []
        pgconn.enter_pipeline_mode()
        for question in questions:
            self._send(question, expected)
        pgconn.pipeline_sync()
        results = self._connection.wait(_received(pgconn, len(expected)))
        pgconn.exit_pipeline_mode()
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                self._has_failed = True
                raise errors.error_from_result(result)
        return [self._rows(result) for result, holds in zip(results, expected, strict=True) if holds]

    def _send(self, question: Question, expected: list[bool]) -> None:
        pgconn, names = self._connection.pgconn, self._prepared.names
        types = [type_ for _, type_, _ in question.parameters]
        key = question.sql, *types
        name = names.get(key)
        if name is None:
            self._prepared.made += 1
            name = names[key] = b"wire%d" % self._prepared.made
            pgconn.send_prepare(name, question.sql, types)
            expected.append(False)
        names.move_to_end(key)
        formats = [kept for _, _, kept in question.parameters]
        pgconn.send_query_prepared(name, [value for value, _, _ in question.parameters], formats)
        expected.append(True)
        # Only now: BEGIN may be what was just prepared, and has to come before whatever looks at anything.
        if len(names) > MOST_PREPARED:
            pgconn.send_query_params(b"DEALLOCATE " + names.popitem(last=False)[1], None)
            expected.append(False)

    def _rows(self, result: Any) -> list[tuple[Any, ...]]:
        count = result.ntuples
        if not count:
            return []
        loading = self._prepared.loading
        if loading is None:
            loading = self._prepared.loading = adapt.Transformer(self._connection)
        loading.set_pgresult(result)
        rows: list[tuple[Any, ...]] = loading.load_rows(0, count, tuple)
        return rows


def spelt(value: Any) -> Spelt:  # noqa: PLR0911  # one for each kind of value
    """A value as a parameter, of a type that does not depend on how large it is: one statement serves them all."""
    match value:
        case None:
            return None, 0, 0
        case bool():
            return (b"t" if value else b"f"), 16, 0
        case int():
            return b"%d" % value, 20, 0
        case str():
            if "\0" in value:
                raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
            return value.encode(), 0, 0
        case datetime():
            return value.isoformat().encode(), 1184, 0
        case date():
            return value.isoformat().encode(), 1082, 0
        case float():
            return repr(value).encode(), 701, 0
        case bytes():
            return value, 17, 1
    told = adapt.Transformer()
    (sent,) = told.dump_sequence([value], [adapt.PyFormat.TEXT])
    return None if sent is None else bytes(sent), (told.types or (0,))[0], 0


def _received(pgconn: Any, count: int) -> PQGen[list[Any]]:
    """Generator as psycopg's connections wait for: the first result of each of so many questions."""
    yield from generators.send(pgconn)
    found = []
    for _ in range(count):
        results = yield from generators.fetch_many(pgconn)
        found.append(results[0])
    yield from generators.fetch_many(pgconn)  # that the server has come to the end of the message
    return found
