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

#: By whether it is for any values.
_PLANNED: Final = {
    False: "SET LOCAL plan_cache_mode = auto",
    True: "SET LOCAL plan_cache_mode = force_generic_plan",
}
#: All in one message.
_BEGIN: Final = {
    planned: f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {said}; SELECT {SNAPSHOT}"
    for planned, said in _PLANNED.items()
}


class Snapshot:
    """An open snapshot; `session` is made when first asked for."""

    def __init__(self, database: Database, raw: Any, *, for_any_values: bool) -> None:
        self.dialect = database.engine.dialect
        self.cursor: Any = raw.cursor()
        self.session: Any = Later(self)
        #: The epoch of what is read; None where only `Epochs.now` before and after tells it.
        self.epoch: Hashable = None
        self._database = database
        self._raw = raw
        self._opened: tuple[sa.Connection, Session] | None = None
        self._for_any_values = for_any_values

    def plan(self, *, for_any_values: bool) -> None:
        """How PostgreSQL plans what is asked from here on: once for any values, as it is read whose rows are named by
        keys, or anew for those of a page, whose length it should know to read no more than that.
        """
        if self.dialect.name == "postgresql" and for_any_values != self._for_any_values:
            self.cursor.execute(_PLANNED[for_any_values])
            self._for_any_values = for_any_values

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
def opened(database: Database, *, for_any_values: bool = False) -> Iterator[Snapshot]:
    """Raises like `Database.reading`. It begins with what is read `for_any_values`, or a page (`Snapshot.plan`)."""
    with naming_failures():
        raw = database.engine.raw_connection()
        try:
            snapshot = Snapshot(database, raw, for_any_values=for_any_values)
            driver: Any = raw.driver_connection
            try:
                if database.is_postgres:
                    driver.autocommit = True  # it would ask to begin by itself, in a message of its own
                    snapshot.cursor.execute(_BEGIN[for_any_values])
                    snapshot.cursor.nextset()
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
