"""Units of work: commit or nothing, no lost update, one snapshot for a reader; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import jobs
from storage.database import Database, open_database
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
