"""Connections to PostgreSQL: what it prepared lasts as long as they do, and one that it hung up on is replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from storage import snapshots, statements, wire
from storage.database import Database, open_database
from storage.snapshots import Snapshot
from storage.statements import Statement
from storage.tables import OrganisationRow
from storage.wire import Ended, Question
from tests.contracts.job_databases import fresh

#: As often as psycopg wants a statement before it lets the server prepare it, and once more.
OFTEN = 7
COUNTED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%organisation%'"


@pytest.fixture(params=["postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        only = open_database(opened.engine.url.render_as_string(hide_password=False), pool_size=1)
        with only.writing() as session:
            moment = datetime(2026, 1, 1, tzinfo=UTC)
            session.add(OrganisationRow(id=7, name="One", path="/7/", kind="BRAND", created_at=moment))
        yield only
        only.close()


def test_what_is_prepared_for_one_reader_is_there_for_the_next(database: Database) -> None:
    for _ in range(OFTEN):
        with database.reading() as session:
            session.execute(sa.text("SELECT name FROM organisation WHERE id = :id"), {"id": 7})
    with database.reading() as session:
        assert session.scalar(sa.text(COUNTED)) >= 1


def test_what_a_snapshot_prepared_is_there_for_the_next_whatever_was_refused_meanwhile(database: Database) -> None:
    for _ in range(2):
        with snapshots.opened(database) as snapshot:
            assert _name(database).run(snapshot.cursor, wanted=7) == [("One",)]
            assert snapshot.session.scalar(sa.text(COUNTED)) == 1
        with pytest.raises(sa.exc.DataError), database.writing() as session:
            session.execute(sa.text("SELECT 1 / 0"))


def test_what_is_asked_together_is_answered_in_its_order_and_of_one_moment(database: Database) -> None:
    other = open_database(database.engine.url.render_as_string(hide_password=False))
    with snapshots.opened(database) as snapshot:
        first = statements.run_all(
            snapshot.cursor, [(_name(database), {"wanted": 2}), (_name(database), {"wanted": 7})]
        )
        with other.engine.begin() as connection:
            connection.execute(sa.text("UPDATE organisation SET name = 'Another' WHERE id = 7"))
        again = _name(database).run(snapshot.cursor, wanted=7)
        assert snapshot.session.scalar(sa.text("SELECT name FROM organisation WHERE id = 7")) == "One"
    other.close()
    assert (first, again) == ([[], [("One",)]], [("One",)])
    with snapshots.opened(database) as snapshot:
        assert _name(database).run(snapshot.cursor, wanted=7) == [("Another",)]


def test_after_the_last_question_nothing_more_is_asked_of_a_snapshot(database: Database) -> None:
    with snapshots.opened(database) as snapshot:
        statements.run_all(snapshot.cursor, [(_name(database), {"wanted": 7})], last=True)
        with pytest.raises(Ended):
            _name(database).run(snapshot.cursor, wanted=7)
        with pytest.raises(Ended):
            snapshot.session.scalar(sa.text("SELECT 1"))
    with snapshots.opened(database) as snapshot:
        assert snapshot.session.scalar(sa.text("SELECT 1")) == 1
        statements.run_all(snapshot.cursor, [(_name(database), {"wanted": 7})], last=True)
        with pytest.raises(Ended):  # a session that was opened before would read of another moment
            snapshot.session.scalar(sa.text("SELECT 1"))
    again = database.apart.raw_connection()
    assert again.driver_connection is not None
    assert again.driver_connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
    again.close()


def test_a_connection_on_which_something_went_wrong_serves_nobody_else(database: Database) -> None:
    with snapshots.opened(database) as snapshot:
        ((mine,),) = _asked(snapshot, "SELECT pg_backend_pid()")
    with pytest.raises(psycopg.errors.DivisionByZero), snapshots.opened(database) as snapshot:
        _asked(snapshot, "SELECT 1", "SELECT 1 / 0", "SELECT 2")
    with snapshots.opened(database) as snapshot:
        ((other,),) = _asked(snapshot, "SELECT pg_backend_pid()")
    assert other != mine


def test_nor_does_one_on_which_its_session_went_wrong(database: Database) -> None:
    with snapshots.opened(database) as snapshot:
        ((mine,),) = _asked(snapshot, "SELECT pg_backend_pid()")
    with pytest.raises(sa.exc.DataError), snapshots.opened(database) as snapshot:
        snapshot.session.scalar(sa.text("SELECT 1 / 0"))
    with snapshots.opened(database) as snapshot:
        ((other,),) = _asked(snapshot, "SELECT pg_backend_pid()")
        assert snapshot.session.scalar(sa.text("SELECT 1")) == 1
    assert other != mine


def test_what_is_sent_and_what_is_told_are_what_a_session_sends_and_is_told(database: Database) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 5, UTC)
    values = [None, True, -1, 2**40, "ä %s 50 %", moment, date(2026, 2, 28), 0.1, [3, 4], b"\x00"]
    columns = [sa.bindparam(f"v{at}", value, type_=_type(value)) for at, value in enumerate(values)]
    select = sa.select(*columns, sa.literal("100 %").like("%0 %"))
    with snapshots.opened(database) as snapshot:
        told = statements.compiled(select, snapshot.dialect).run(snapshot.cursor)
        assert told == [tuple(row) for row in snapshot.session.execute(select)] == [(*values, True)]


def test_a_text_that_postgresql_cannot_hold_is_refused_before_it_is_sent(database: Database) -> None:
    with pytest.raises(psycopg.DataError), snapshots.opened(database) as snapshot:
        snapshot.cursor.ask([Question(b"SELECT $1::text", [wire.spelt("a\0b")])])


def test_what_is_one_message_is_of_one_moment_and_writes_nothing(database: Database) -> None:
    names = Question(b"SELECT name FROM organisation WHERE id IN (7, 8) ORDER BY id")
    waiting = Question(b"SELECT pg_sleep(0.5)::text")
    other = open_database(database.engine.url.render_as_string(hide_password=False))

    def found() -> None:
        with other.writing() as session:
            moment = datetime(2026, 1, 1, tzinfo=UTC)
            session.add(OrganisationRow(id=8, name="Two", path="/8/", kind="BRAND", created_at=moment))

    with snapshots.opened(database) as snapshot:
        later = threading.Timer(0.1, found)
        later.start()
        before, _, after = snapshot.cursor.ask([names, waiting, names], last=True)
        later.join()
        assert before == after == [("One",)]
        assert snapshot.epoch != database.epochs.now()
    other.close()
    options = {"options": "-c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off"}
    database = open_database(database.engine.url.update_query_dict(options).render_as_string(hide_password=False))
    with snapshots.opened(database) as snapshot:
        assert snapshot.cursor.ask([Question(b"SHOW transaction_isolation")], last=True) == [[("repeatable read",)]]
    with snapshots.opened(database) as snapshot:
        assert snapshot.cursor.ask([names], last=True) == [[("One",), ("Two",)]]
        assert snapshot.epoch == database.epochs.now()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), snapshots.opened(database) as snapshot:
        snapshot.cursor.ask([Question(b"DELETE FROM organisation WHERE id = 8")], last=True)
    database.close()


def test_a_connection_keeps_a_bounded_number_of_statements(database: Database) -> None:
    with snapshots.opened(database) as snapshot:
        for at in range(wire.MOST_PREPARED + 5):
            assert _asked(snapshot, f"SELECT {at}") == [(at,)]
        assert _asked(snapshot, "SELECT 0") == [(0,)]
        assert snapshot.session.scalar(sa.text("SELECT count(*) FROM pg_prepared_statements")) == wire.MOST_PREPARED
        ((mine,),) = _asked(snapshot, "SELECT pg_backend_pid()")
    for at in range(2):  # what begins a snapshot was given up longest ago, and is prepared again
        with snapshots.opened(database) as snapshot:
            assert _asked(snapshot, "SELECT pg_backend_pid()") == [(mine,)]
            assert _asked(snapshot, f"SELECT {at}") == [(at,)]
            assert snapshot.session.scalar(sa.text("SHOW transaction_isolation")) == "repeatable read"


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


def test_a_snapshot_begins_anew_where_the_server_has_closed_its_connection(database: Database) -> None:
    with snapshots.opened(database) as snapshot:
        ((mine,),) = _asked(snapshot, "SELECT pg_backend_pid()")
    with database.engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
    with database.reading() as session:  # it is gone once nobody sees it any more
        while session.scalar(sa.text(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {mine}")):
            session.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
    with snapshots.opened(database) as snapshot:
        ((other,),) = _asked(snapshot, "SELECT pg_backend_pid()")
    assert other != mine


def _name(database: Database) -> Statement:
    select = sa.select(OrganisationRow.name).where(OrganisationRow.id == sa.bindparam("wanted", type_=sa.BigInteger))
    return statements.compiled(select, database.engine.dialect)


def _asked(snapshot: Snapshot, *asked: str) -> list[tuple[Any, ...]]:
    """The rows of the first."""
    found: list[list[tuple[Any, ...]]] = snapshot.cursor.ask([Question(each.encode()) for each in asked])
    return found[0]


def _type(value: object) -> sa.types.TypeEngine[Any]:
    if isinstance(value, datetime):
        return sa.DateTime(timezone=True)
    return sa.ARRAY(sa.BigInteger) if isinstance(value, list) else sa.literal(value).type
