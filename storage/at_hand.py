"""A connection to SQLite that is always open, for whoever must keep nobody waiting: a server's event loop.

Always true here:
- Nobody waits on it: neither for a lock, nor for another who uses it, nor for a statement that is still running when
  the time is over. All of them are `hurry.TooLong`.
- It only reads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import pysqlite3.dbapi2

from storage import hurry

#: Seconds from the beginning after which a statement is broken off.
MOST_SECONDS: Final = 0.025
#: Steps of SQLite's machine between two looks at the clock: some 50 microseconds, if its pages are in memory.
STEPS: Final = 4_000
#: Statements that a connection to SQLite keeps prepared. Where there is no room the driver gives up the one that came
#: last, not the one used longest ago: with its own 128 whatever came later was prepared at every run.
PREPARED: Final = 1_000
#: Seconds after which a connection to SQLite is made anew, for in days any room is filled.
FRESH_SECONDS: Final = 1_800


class AtHand:
    def __init__(self, path: str | None) -> None:
        self._path = path
        self._connection: Any = None
        self._lock = threading.Lock()
        self._until = self._since = 0.0

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The raw connection, in a transaction that sees one snapshot."""
        if not self._lock.acquire(blocking=False):
            raise hurry.TooLong
        try:
            with self._begun() as connection:
                yield connection
        except pysqlite3.dbapi2.Error as error:
            self._drop()
            raise hurry.TooLong from error
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._drop()

    @contextmanager
    def _begun(self) -> Iterator[Any]:
        if time.monotonic() - self._since > FRESH_SECONDS:
            self._drop()
        if self._connection is None:
            self._connection, self._since = self._connected(), time.monotonic()
        self._until = time.perf_counter() + MOST_SECONDS
        self._connection.execute("BEGIN")
        try:
            yield self._connection
        finally:
            self._connection.execute("COMMIT")

    def _connected(self) -> Any:
        # pysqlite3 like the pool: a second SQLite library in the process drops the first one's file locks.
        connection = pysqlite3.dbapi2.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=PREPARED
        )
        for pragma in ("query_only=ON", "temp_store=MEMORY", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        connection.set_progress_handler(self._is_over, STEPS)
        return connection

    def _is_over(self) -> bool:
        return time.perf_counter() > self._until

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(pysqlite3.dbapi2.Error):
                self._connection.close()
        self._connection = None
