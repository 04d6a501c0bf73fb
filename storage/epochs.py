"""Whether anything at all was committed since: so that an answer that was right can be known to be right still.

Always true here:
- Two equal epochs of one `Epochs` mean that between the two moments no transaction of any process changed the
  database. Unequal ones mean nothing: also what was rolled back, or changed elsewhere on the same server, moves it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable
from typing import Any, Final

import psycopg
import pysqlite3.dbapi2
import sqlalchemy as sa

#: What PostgreSQL calls what a statement sees: the transactions that it does not.
SNAPSHOT: Final = "pg_current_snapshot()::text"


class Epochs:
    """Asked on a connection of its own, by any number of threads."""

    def __init__(self, engine: sa.Engine) -> None:
        is_postgres = engine.dialect.name == "postgresql"
        #: Whether telling costs microseconds: nobody is asked over a network.
        self.are_at_hand = not is_postgres
        self._connect: Callable[[], Any] = _postgres(engine) if is_postgres else _sqlite(engine)
        self._ask = f"SELECT {SNAPSHOT}" if is_postgres else "PRAGMA data_version"
        self._connection: Any = None
        self._lock = threading.Lock()
        #: A new connection counts anew.
        self._era = 0

    def now(self) -> Hashable:
        """The present epoch; None when it cannot be told, which equals nothing."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    self._era += 1
                return self._era, self._connection.execute(self._ask).fetchone()[0]
            except (psycopg.Error, pysqlite3.dbapi2.Error):
                self._drop()
                return None

    def of(self, snapshot: Hashable) -> Hashable:
        """The epoch in which `now` would be told this by PostgreSQL; None, which equals nothing, where nobody told."""
        if snapshot is None:
            return None
        if self._connection is None:
            self.now()
        return self._era, snapshot

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error, pysqlite3.dbapi2.Error):
                self._connection.close()
        self._connection = None


def _sqlite(engine: sa.Engine) -> Callable[[], Any]:
    # pysqlite3 like the pool: a second SQLite library in the process drops the first one's file locks.
    path = engine.url.database
    return lambda: pysqlite3.dbapi2.connect(path, isolation_level=None, check_same_thread=False)


def _postgres(engine: sa.Engine) -> Callable[[], Any]:
    # As long as the transactions that it does not see are the same, so is what it sees.
    words, options = engine.dialect.create_connect_args(engine.url)
    return lambda: psycopg.connect(*words, autocommit=True, **options)
