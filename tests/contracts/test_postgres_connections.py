"""Connections to PostgreSQL: what it prepared lasts as long as they do, and one that it hung up on is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import snapshots
from storage.database import Database, open_database
from tests.contracts.job_databases import fresh

#: As often as psycopg wants a statement before it lets the server prepare it, and once more.
OFTEN = 7
COUNTED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%organisation%'"


@pytest.fixture(params=["postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        only = open_database(opened.engine.url.render_as_string(hide_password=False), pool_size=1)
        yield only
        only.close()


def test_what_is_prepared_for_one_reader_is_there_for_the_next(database: Database) -> None:
    for _ in range(OFTEN):
        with snapshots.opened(database) as snapshot:
            snapshot.cursor.execute("SELECT id FROM organisation WHERE id = %s", (1,))
        with database.reading() as session:
            session.execute(sa.text("SELECT name FROM organisation WHERE id = :id"), {"id": 1})
    with database.reading() as session:
        assert session.scalar(sa.text(COUNTED)) >= 2


def test_a_snapshot_names_its_epoch_as_whoever_asks_afterwards_is_told_it(database: Database) -> None:
    with snapshots.opened(database) as before:
        assert before.epoch == database.epochs.now()
        other = open_database(database.engine.url.render_as_string(hide_password=False))
        with other.engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE something (id int)"))
        other.close()
        assert before.epoch != database.epochs.now()
    with snapshots.opened(database) as after:
        assert after.epoch == database.epochs.now()


def test_a_connection_that_the_server_has_closed_is_replaced_before_it_is_used(database: Database) -> None:
    with database.reading() as session:
        (mine,) = session.execute(sa.text("SELECT pg_backend_pid()")).one()
    other = open_database(database.engine.url.render_as_string(hide_password=False))
    with other.engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
    with other.reading() as session:  # it is gone once nobody sees it any more
        while session.scalar(sa.text(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {mine}")):
            session.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
    other.close()
    with database.reading() as session:
        assert session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() != mine
