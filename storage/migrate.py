"""Bringing a database to the present schema: forward only, and safe when several processes start at once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.database import Database

SCRIPTS = Path(__file__).parent / "migrations"
#: PostgreSQL advisory lock held while migrating; any constant will do as long as nobody else uses it.
MIGRATION_LOCK = 0x1_4D_50_52


class Behind(Exception):
    """The database's schema is not the one this program needs; `str()` says what to do."""


def ensure(database: Database, *, upgrade: bool) -> None:
    """Returns with the schema at the newest revision, or raises `Behind` where it may not upgrade."""
    found, wanted = current(database), newest()
    if found == wanted:
        return
    if found is not None and found not in known():
        raise Behind("The database was made by a newer version of this program: update the program.")
    if not upgrade:
        raise Behind("The database is behind this program: run `python -m server migrate` first.")
    _upgrade(database)


def current(database: Database) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    return _newest(SCRIPTS)


@lru_cache(maxsize=2)  # looking through all of them takes 25 ms
def _newest(_scripts: Path) -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _upgrade(database: Database) -> None:
    with database.engine.begin() as connection:  # on SQLite this alone keeps a second starter waiting
        if database.is_postgres:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another's migration may take its time
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    # What migrations asked fills what a SQLite connection keeps prepared, and makes no room for what comes later.
    database.engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    return config
