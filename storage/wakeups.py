"""Waiting until something was committed, without asking the tables again and again.

`announce` belongs to a transaction: it is heard when that transaction commits and never when it rolls back.
A wake-up means only "look again": several may fold into one, one may come for nothing, and whoever waits must
look at least once after `listening` began and again whenever `wait` returns, whatever it returned.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import psycopg
import pysqlite3.dbapi2
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.database import Database

#: Jobs were asked for.
JOBS: Final = "imprimatur_jobs"
#: Events were recorded, or numbered.
EVENTS: Final = "imprimatur_events"
#: Seconds between two looks at a SQLite file.
POLL_SECONDS = 0.05
#: Seconds within which a file system may tell two writes by the same time.
SAME_TIME = 0.1
#: Seconds before a lost PostgreSQL connection is tried again.
RECONNECT_SECONDS = 1.0


class Wakeups(Protocol):
    def wait(self, timeout: float) -> bool:
        """Blocks for at most `timeout` seconds; true when something was committed since the last call.

        Signal handlers run while it waits. On SQLite any commit to the file counts, also the caller's own.
        """
        ...


def announce(session: Session, topic: str) -> None:
    """Wakes whoever listens to `topic` once this transaction commits; on SQLite the commit itself does."""
    if session.get_bind().dialect.name != "postgresql" or _was_announced(session, topic):
        return
    session.execute(sa.select(sa.func.pg_notify(topic, "")))
    if not session.in_nested_transaction():  # a savepoint that is rolled back takes its notice with it
        session.info[topic] = session.get_transaction()


@contextmanager
def listening(database: Database, *topics: str) -> Iterator[Wakeups]:
    """Listens on a connection of its own until the block ends; one thread at a time may wait."""
    connect = _listen if database.is_postgres else _watch
    ears: _Notices | _FileChanges = connect(database, topics)
    try:
        yield ears
    finally:
        ears.close()


def _was_announced(session: Session, topic: str) -> bool:
    transaction = session.get_transaction()
    return transaction is not None and session.info.get(topic) is transaction


def _listen(database: Database, topics: tuple[str, ...]) -> _Notices:
    words, options = database.engine.dialect.create_connect_args(database.engine.url)
    return _Notices(lambda: psycopg.connect(*words, autocommit=True, **options), topics)


def _watch(database: Database, _topics: tuple[str, ...]) -> _FileChanges:
    # pysqlite3 like the pool: a second SQLite library in the process drops the first one's file locks.
    connect, path = pysqlite3.dbapi2.connect, str(database.engine.url.database)
    return _FileChanges(connect(path, isolation_level=None, check_same_thread=False), f"{path}-wal")


class _Notices:
    """LISTEN on PostgreSQL; a lost connection is made anew and counts as a wake-up: notices may be lost."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], topics: tuple[str, ...]) -> None:
        self._connect = connect
        self._topics = topics
        self._connection: psycopg.Connection[Any] | None = self._open()

    def wait(self, timeout: float) -> bool:
        try:
            if self._connection is None:
                self._connection = self._open()
                return True
            return bool(list(self._connection.notifies(timeout=timeout, stop_after=1)))
        except psycopg.OperationalError:
            self.close()
            time.sleep(min(timeout, RECONNECT_SECONDS))
            return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        for topic in self._topics:
            connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(topic)))
        return connection


class _FileChanges:
    """`PRAGMA data_version` changes when another connection, of any process, committed to the file. It is asked only
    where the log, into which all commits go first, was written to since: to see that costs a tenth.
    """

    def __init__(self, connection: Any, log: str) -> None:
        self._connection = connection
        self._log = log
        self._written: object = None
        self._seen = self._version()

    def wait(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while (version := self._version() if self._is_written() else self._seen) == self._seen:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, POLL_SECONDS))
        self._seen = version
        return True

    def close(self) -> None:
        self._connection.close()

    def _is_written(self) -> bool:
        """Whether the log may have been written to since this was last asked."""
        try:
            told = os.stat(self._log)  # noqa: PTH116  # many times a second
        except OSError:
            return True
        before, self._written = self._written, (told.st_ino, told.st_mtime_ns, told.st_size)
        return self._written != before or time.time() - told.st_mtime < SAME_TIME

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
