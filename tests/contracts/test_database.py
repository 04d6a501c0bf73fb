"""Units of work: commit or nothing, no lost update, one snapshot for a reader; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import jobs
from storage.database import LOCK_SECONDS, Contended, Database, Full, open_database
from storage.tables import OrganisationRow
from storage.types import EPOCH
from tests.contracts.job_databases import KINDS, ask, fresh, job, rolled_back


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


def _names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(sa.select(OrganisationRow.name).order_by(OrganisationRow.id)))


def test_four_threads_that_read_and_then_write_lose_no_increment(database: Database) -> None:
    """Each reads a counter, adds one in Python and writes it back, 50 times: the sum must be 200.

    On PostgreSQL the reader says that it will write; on SQLite the transaction itself begins as a writer.
    """
    counter = ask(database)

    def increment(_thread: int) -> None:
        for _ in range(50):
            with database.writing() as session:
                text = f"SELECT priority FROM job WHERE id = {counter}"
                seen = session.execute(sa.text(text + " FOR UPDATE" * database.is_postgres)).scalar_one()
                session.execute(sa.text(f"UPDATE job SET priority = {seen + 1} WHERE id = {counter}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(increment, range(4)))
    assert job(database, counter).priority == 200


def test_a_unit_of_work_that_raises_leaves_nothing_behind(database: Database) -> None:
    with rolled_back(database) as session:
        session.add(OrganisationRow(name="Half", path="/2/", created_at=EPOCH))
        session.flush()
    assert "Half" not in _names(database)


def test_a_reader_sees_one_snapshot_throughout(database: Database) -> None:
    counted = sa.select(sa.func.count()).select_from(OrganisationRow)
    with database.reading() as reader:
        before = reader.scalar(counted)
        with database.writing() as writer:
            writer.add(OrganisationRow(name="Late", path="/2/", created_at=EPOCH))
        assert reader.scalar(counted) == before
    assert "Late" in _names(database)


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as writer:
        writer.add(OrganisationRow(name="Open", path="/2/", created_at=EPOCH))
        writer.flush()
        assert "Open" not in _names(database)


def test_a_job_of_an_organisation_that_does_not_exist_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.writing() as session:
        jobs.ask(session, "test", {}, org_id=99, now=EPOCH)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "IMPRIMATUR_DATABASE_URL is not a database URL."),
        ("mysql://x/y", "mysql is not supported: use sqlite:///… or postgresql://…."),
        ("sqlite://", "SQLite needs a file: several processes share it."),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace(".", r"\.")):
        open_database(url)


def test_a_full_database_is_named_whatever_it_is(database: Database) -> None:
    """PostgreSQL is told to say so itself; SQLite's file may not grow."""
    with pytest.raises(Full), database.writing() as session:
        _overfill(session, on_postgres=database.is_postgres)
    assert "Too long" not in _names(database)


def test_of_two_that_wait_for_each_other_one_hears_that_it_may_repeat(database: Database) -> None:
    """On SQLite the second waits before it has begun, so that both succeed."""
    jobs_of = (ask(database), ask(database))
    both = threading.Barrier(2)

    def change(order: tuple[int | None, ...]) -> bool | None:
        try:
            with database.writing() as session:
                for number, job_id in enumerate(order):
                    session.execute(sa.text(f"UPDATE job SET priority = 1 WHERE id = {job_id}"))
                    if number == 0 and database.is_postgres:
                        both.wait(30)
        except Contended as contended:
            return contended.may_repeat
        return None

    with ThreadPoolExecutor(2) as threads:
        heard = list(threads.map(change, (jobs_of, jobs_of[::-1])))
    assert sorted(heard, key=str) == ([None, True] if database.is_postgres else [None, None])


def test_whoever_waits_too_long_for_a_lock_hears_that_repeating_at_once_is_in_vain(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.LOCK_SECONDS", 1)
    url = database.engine.url.render_as_string(hide_password=False)
    impatient = open_database(url)
    held = ask(database)
    touch = sa.text(f"UPDATE job SET priority = 1 WHERE id = {held}")
    with database.writing() as holder:
        holder.execute(touch)
        with pytest.raises(Contended) as heard, impatient.writing() as session:
            session.execute(touch)
    impatient.close()
    assert not heard.value.may_repeat


def test_every_session_on_postgresql_thinks_in_utc_and_waits_as_long_as_on_sqlite(database: Database) -> None:
    if not database.is_postgres:
        pytest.skip("SQLite knows no time zones, and the driver is told how long it waits")
    with database.reading() as session:
        shown = [session.execute(sa.text(f"SHOW {name}")).scalar_one() for name in ("timezone", "lock_timeout")]
    assert shown == ["UTC", f"{LOCK_SECONDS}s"]


def test_an_error_tells_no_values(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as error, database.writing() as session:
        session.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})
    assert "hunter2" not in str(error.value)


def _overfill(session: Session, *, on_postgres: bool) -> None:
    session.add(OrganisationRow(name="Too long", path="/2/", created_at=EPOCH))
    session.flush()
    if on_postgres:
        session.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = '53100'; END $$"))
    session.execute(sa.text("PRAGMA max_page_count = 1"))
    session.execute(sa.text(f"UPDATE organisation SET name = '{'x' * 100_000}' WHERE path = '/2/'"))
