"""One snapshot read on the raw driver: for answers that cost less than making a session.

Always true here:
- Whatever is read, on the cursor or by the session, is of one and the same moment, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.database import BEGUN, Database, naming_failures
from storage.epochs import SNAPSHOT

#: Both in one message.
_BEGIN: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT {SNAPSHOT}"


class Snapshot:
    """An open snapshot; `session` is made when first asked for."""

    def __init__(self, database: Database, raw: Any) -> None:
        self.dialect = database.engine.dialect
        self.cursor: Any = raw.cursor()
        self.session: Any = Later(self)
        #: The epoch of what is read; None where only `Epochs.now` before and after tells it.
        self.epoch: Hashable = None
        self._database = database
        self._raw = raw
        self._opened: tuple[sa.Connection, Session] | None = None

    def open(self) -> Session:
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
    """Raises like `Database.reading`."""
    with naming_failures():
        raw = database.engine.raw_connection()
        try:
            snapshot = Snapshot(database, raw)
            driver: Any = raw.driver_connection
            try:
                if database.is_postgres:
                    driver.autocommit = True  # it would ask to begin by itself, in a message of its own
                    snapshot.cursor.execute(_BEGIN)
                    snapshot.cursor.nextset()
                    snapshot.epoch = database.epochs.of(snapshot.cursor.fetchone()[0])
                else:
                    snapshot.cursor.execute("BEGIN")
                yield snapshot
            finally:
                # Before the connection goes back, from where another thread may take it; nothing was written, and with
                # ROLLBACK psycopg would throw away all that PostgreSQL has prepared.
                driver.commit()
                if database.is_postgres:
                    driver.autocommit = False
                snapshot.close()
        finally:
            raw.close()
