"""One door to the rows, on SQLite or PostgreSQL.

A unit of work is `writing()` or `reading()`: a session in one transaction that commits when the block ends and
rolls back when it raises. On SQLite a writer takes its lock at the start (`BEGIN IMMEDIATE`): every other mode
lost updates or failed at once under four writers (docs/decisions/0003). A reader sees one snapshot throughout.
A full disk is `Full` and a lock that was not to be had `Contended`, whichever database it is.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psycopg
import pysqlite3.dbapi2
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

from storage import wire
from storage.at_hand import FRESH_SECONDS, PREPARED, AtHand
from storage.epochs import Epochs
from storage.recent import Recent

#: Seconds a statement waits for another writer before it fails.
LOCK_SECONDS = 30
#: Connections held open, and so how many threads may be inside the database at once.
POOL_SIZE = 8

# Codes of PostgreSQL (SQLSTATE) and SQLite. The shared-memory index beside a SQLite file needs room as well.
_FULL: frozenset[object] = frozenset({"53100", pysqlite3.dbapi2.SQLITE_FULL, 4874})  # 4874: SQLITE_IOERR_SHMSIZE
_LOST: frozenset[object] = frozenset({"40001", "40P01"})
_WAITED: frozenset[object] = frozenset({"55P03", pysqlite3.dbapi2.SQLITE_BUSY})


#: Execution options of a connection on which a transaction has begun already.
BEGUN: Final = {"begun": True}


class Full(Exception):
    """The database's disk took no more; the unit of work left nothing behind."""


class Contended(Exception):
    """Others held what this unit of work needed; it left nothing behind.

    `may_repeat` where the database broke a tie: the same once more finds the way free. Otherwise it has waited for
    LOCK_SECONDS already.
    """

    def __init__(self, *, may_repeat: bool) -> None:
        super().__init__("Others are changing the same things at this moment: try again.")
        self.may_repeat = may_repeat


@dataclass(frozen=True)
class Database:
    """An opened database; share one per process and close it at the end."""

    url: str
    engine: sa.Engine

    @property
    def is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Raises `Full` and `Contended`."""
        with naming_failures(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one snapshot and must not write (PostgreSQL refuses; SQLite would ask for a lock)."""
        with naming_failures(), Session(self.reader, expire_on_commit=False, autoflush=False) as session:
            yield session
            session.commit()  # with ROLLBACK psycopg would throw away all that PostgreSQL has prepared

    @contextmanager
    def aside(self) -> Iterator[Session]:
        """`writing`, for whoever holds a connection to read by: one of its own, for among many who each wait for
        another's nobody would come on.
        """
        with naming_failures(), Session(self._aside, expire_on_commit=False) as session, session.begin():
            yield session

    @cached_property
    def _aside(self) -> sa.Engine:
        return open_database(self.url, pool_size=1).engine

    @cached_property
    def reader(self) -> sa.Engine:
        if self.is_postgres:
            return self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return self.engine.execution_options(readonly=True)

    @cached_property
    def apart(self) -> sa.Engine:
        """Connections to PostgreSQL on which nothing but snapshots is read (`storage.snapshots`): what they prepared
        outlasts the refusals of others, for with any ROLLBACK psycopg throws it away.
        """
        size = self.engine.pool.size()  # type: ignore[attr-defined]  # it is a queue's
        engine = _postgres(sa.make_url(self.url), size, wire.OPTIONS, autocommit=True)
        event.listen(engine, "connect", _set_apart)
        return engine

    @cached_property
    def presumed(self) -> Recent[wire.Presumed]:
        """What PostgreSQL answered last to questions that nearly always have the same answer (`storage.wire`)."""
        return Recent(2_000)

    @cached_property
    def epochs(self) -> Epochs:
        """Whether anything was committed in between."""
        return Epochs(self.engine)

    @cached_property
    def at_hand(self) -> AtHand:
        """Where reading keeps nobody waiting; of SQLite alone."""
        return AtHand(self.engine.url.database)

    def refresh_statistics(self) -> None:
        """Lets SQLite look at tables that have grown: without it, a page's cost grew with the number of assets.

        PostgreSQL does so by itself. The indexes of a table that has grown tenfold are read whole, and nobody writes
        meanwhile.
        """
        if not self.is_postgres:
            with naming_failures(), self.engine.begin() as connection:
                _look_at_tables(connection)

    def close(self) -> None:
        if "at_hand" in self.__dict__:
            self.at_hand.close()
        if "epochs" in self.__dict__:
            self.epochs.close()
        for name in ("_aside", "apart"):
            if name in self.__dict__:
                self.__dict__[name].dispose()
        self.engine.dispose()


def _look_at_tables(connection: sa.Connection) -> None:
    before = _statistics(connection)
    connection.exec_driver_sql("PRAGMA optimize=0x10002")
    if _statistics(connection) != before:
        # Connections that are open look at statistics again when a table comes or goes.
        connection.exec_driver_sql("CREATE TABLE statistics_were_refreshed (at INTEGER)")
        connection.exec_driver_sql("DROP TABLE statistics_were_refreshed")


def _statistics(connection: sa.Connection) -> list[Any]:
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").all():
        return []
    return list(connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2"))


def open_database(url: str, *, pool_size: int = POOL_SIZE) -> Database:
    """Opens `url`; creates the folder of a SQLite file. Unknown kinds of database → ValueError with a sentence."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError("IMPRIMATUR_DATABASE_URL is not a database URL.") from None
    match parsed.get_backend_name():
        case "sqlite":
            return Database(url, _sqlite(parsed, pool_size))
        case "postgresql":
            return Database(url, _postgres(parsed, pool_size))
        case other:
            raise ValueError(f"{other} is not supported: use sqlite:///… or postgresql://….")


def _postgres(url: sa.URL, pool_size: int, more: str = "", *, autocommit: bool = False) -> sa.Engine:
    theirs = url.query.get("options", "")  # what comes last counts, so an operator may say otherwise
    # Compiling a plan costs milliseconds, which a page never gets back.
    # Pages lie on disks without arms, and mostly in memory: reading one here and there costs little more than in order.
    ours = f"-c timezone=UTC -c lock_timeout={LOCK_SECONDS}s -c jit=off -c random_page_cost=1.1"
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={
            "options": " ".join([ours, more, *([theirs] if isinstance(theirs, str) else theirs)]).strip(),
            "autocommit": autocommit,
        },
    )
    event.listen(engine, "checkout", _look)
    return engine


def _set_apart(connection: DBAPIConnection, _record: object) -> None:
    driver: Any = connection
    driver.execute(wire.MADE)


def _look(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
    """Raises `DisconnectionError`, at which the pool connects anew, where the server has hung up. Nothing is asked of a
    server that says nothing, for asking takes as long as what is asked for.
    """
    driver: Any = connection
    waiting = select.poll()
    try:
        waiting.register(driver.fileno(), select.POLLIN)
        if waiting.poll(0):
            driver.execute("SELECT 1")
            driver.rollback()
    except psycopg.Error as error:
        raise sa.exc.DisconnectionError from error


def _sqlite(url: sa.URL, pool_size: int) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file: several processes share it.")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        module=pysqlite3.dbapi2,
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_recycle=FRESH_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": LOCK_SECONDS, "cached_statements": PREPARED},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: DBAPIConnection, _record: object) -> None:
    driver: Any = connection
    driver.isolation_level = None  # the driver must not open transactions on its own: `_begin` does
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-65536",
    ):
        driver.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    told = connection.get_execution_options()
    reads = told.get("readonly", False)
    if "begun" in told:
        return
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def naming_failures() -> Iterator[None]:
    """What a driver gives up on is raised as `Full` or `Contended`."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Contended(may_repeat=False) from error
    except (sa.exc.DBAPIError, psycopg.Error, pysqlite3.dbapi2.Error) as error:
        told = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        code = getattr(told, "sqlstate", None) or getattr(told, "sqlite_errorcode", None)
        if code in _FULL:
            raise Full("The database is full.") from error
        if code in _LOST | _WAITED:
            raise Contended(may_repeat=code in _LOST) from error
        raise
