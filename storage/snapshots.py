"""One snapshot read on the raw driver: for answers that cost less than making a session.

Always true here:
- Whatever is read, on the cursor or by the session, is of one and the same moment, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import hurry
from storage.database import BEGUN, Database, naming_failures
from storage.wire import Prepared, Wire


class Snapshot:
    """An open snapshot; `session` is made when first asked for."""

    def __init__(self, database: Database, raw: Any, cursor: Any) -> None:
        self.dialect = database.engine.dialect
        #: What statements are run on.
        self.cursor = cursor
        self.session: Any = Later(self)
        self._database = database
        self._raw = raw
        self._opened: tuple[sa.Connection, Session] | None = None

    @property
    def epoch(self) -> Hashable:
        """The epoch of what is read; None where only `Epochs.now` before and after tells it."""
        return self._database.epochs.of(self.cursor.snapshot()) if isinstance(self.cursor, Wire) else None

    @property
    def asks_together(self) -> bool:
        """Whether several statements cost less when they are asked at once (`statements.run_all`)."""
        return isinstance(self.cursor, Wire)

    def plan(self, *, for_any_values: bool) -> None:
        """How PostgreSQL plans what is asked from here on: once for any values, as it begins, or anew for those of a
        page, whose length it should know to read no more than that.
        """
        if isinstance(self.cursor, Wire):
            self.cursor.for_any_values = for_any_values

    def presume(self) -> None:
        """Whoever reads is prepared for `storage.wire.Mistaken`."""
        if isinstance(self.cursor, Wire):
            self.cursor.may_presume = True

    def open(self) -> Session:
        hurry.takes_time()
        if isinstance(self.cursor, Wire):
            self.cursor.ask([])  # it has to have begun, and must not have ended
        if self._opened is None:
            # Not the reader's engine: it would set what the transaction is while there is one already.
            connection = sa.Connection(self._database.engine.execution_options(**BEGUN), connection=self._raw)
            self._opened = connection, Session(connection, expire_on_commit=False, autoflush=False)
        return self._opened[1]

    @property
    def reader(self) -> sa.Engine:
        return self._database.reader

    def close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened[0].close()


class Later:
    """Stands for a session that most answers never need, and knows what is asked of every session."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.info: dict[Any, Any] = {}
        self.cursor = snapshot.cursor
        self._snapshot = snapshot

    def __getattr__(self, name: str) -> Any:
        return self._bind if name == "get_bind" else getattr(self._snapshot.open(), name)

    def _bind(self) -> sa.Engine:
        return self._snapshot.reader


def cursor_of(session: Any) -> Any:
    """A raw cursor of a session that reads; None of one that may write: what it is about to write must be read."""
    if isinstance(session, Later):
        return session.cursor
    return session.connection().connection.cursor() if is_reading(session) else None


def is_reading(session: Any) -> bool:
    """Whether nothing that is read can change until the session ends."""
    options = session.get_bind().get_execution_options()
    return bool(options.get("readonly") or options.get("postgresql_readonly"))


@contextmanager
def opened(database: Database) -> Iterator[Snapshot]:
    """Raises like `Database.reading`; on PostgreSQL it is of the moment of the first question."""
    with naming_failures():
        if database.is_postgres:
            yield from _on_a_wire(database)
        else:
            yield from _on_a_cursor(database)


@contextmanager
def opened_at_hand(database: Database) -> Iterator[Snapshot]:
    """On SQLite, for whoever keeps nobody waiting. Raises `hurry.TooLong`; a session of it is not to be had."""
    with database.at_hand.opened() as raw:
        yield Snapshot(database, raw, raw.cursor())


def _on_a_wire(database: Database) -> Iterator[Snapshot]:
    raw = database.apart.raw_connection()
    try:
        driver: Any = raw.driver_connection
        wire = Wire(driver, raw.info.setdefault(Prepared, Prepared()), database.presumed)
        snapshot = Snapshot(database, raw, wire)
        try:
            yield snapshot
        finally:
            try:
                wire.end()
            finally:
                if not wire.is_sound:
                    raw.invalidate()
                snapshot.close()
    finally:
        raw.close()


def _on_a_cursor(database: Database) -> Iterator[Snapshot]:
    raw = database.engine.raw_connection()
    try:
        snapshot = Snapshot(database, raw, raw.cursor())
        driver: Any = raw.driver_connection
        try:
            snapshot.cursor.execute("BEGIN")
            yield snapshot
        finally:
            driver.commit()  # before the connection goes back, from where another thread may take it
            snapshot.close()
    finally:
        raw.close()
