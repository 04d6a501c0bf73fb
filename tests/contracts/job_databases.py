"""A fresh, migrated database of either kind, and the small acts that tests of jobs repeat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import database, jobs, migrate
from storage.tables import EventRow, JobRow
from tests.servers import postgres

KINDS = ("sqlite", "postgresql")
_TEMPLATE = pytest.StashKey[str]()


class _Trouble(Exception):
    pass


@contextmanager
def fresh(request: pytest.FixtureRequest, folder: Path) -> Iterator[database.Database]:
    """The kind is the fixture's parameter."""
    with _address(request, folder) as url, _migrated(url) as opened:
        yield opened


def ask(opened: database.Database, kind: str = "test", **wishes: Any) -> int | None:
    """Asks in a transaction of its own."""
    with opened.writing() as session:
        return ask_in(session, kind, **wishes)


def ask_in(session: Session, kind: str = "test", **wishes: Any) -> int | None:
    return jobs.ask(session, kind, wishes.pop("payload", {}), org_id=1, now=datetime.now(UTC), **wishes)


def claim(opened: database.Database, worker: str = "w1", limit: int = 1, **wishes: Any) -> list[jobs.Claimed]:
    with opened.writing() as session:
        return jobs.claim(session, wishes.pop("queues", ("default",)), worker, limit, **wishes)


def claim_one(opened: database.Database, worker: str = "w1") -> jobs.Claimed:
    (claimed,) = claim(opened, worker)
    return claimed


@contextmanager
def rolled_back(opened: database.Database) -> Iterator[Session]:
    """A unit of work that ends in trouble."""
    with suppress(_Trouble), opened.writing() as session:
        yield session
        raise _Trouble


def job(opened: database.Database, job_id: int | None) -> JobRow:
    with opened.reading() as session:
        return session.get_one(JobRow, job_id)


def change(opened: database.Database, job_id: int | None, **values: Any) -> None:
    """Bends time: moves a lease or a due moment instead of waiting for it."""
    with opened.writing() as session:
        session.execute(sa.update(JobRow).where(JobRow.id == job_id).values(**values))


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def expire_lease(opened: database.Database, job_id: int) -> None:
    change(opened, job_id, lease_until=long_ago())


def make_due(opened: database.Database, job_id: int | None) -> None:
    change(opened, job_id, run_at=long_ago())


def result(subject_id: int, type_: str = "test.result") -> EventRow:
    """A row that stands for what a job writes in the domain."""
    return EventRow(
        org_id=1,
        type=type_,
        subject_type="Test",
        subject_id=subject_id,
        payload={},
        occurred_at=datetime.now(UTC),
    )


def results(opened: database.Database) -> list[int]:
    with opened.reading() as session:
        return list(session.scalars(sa.select(EventRow.subject_id).order_by(EventRow.id)))


@contextmanager
def _address(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'hub.sqlite'}"
        return
    server = request.getfixturevalue("postgres_url")
    with postgres.fresh_database(server, template=_template(request, server)) as url:
        yield url


def _template(request: pytest.FixtureRequest, server: str) -> str:
    """The name of a migrated database, made once per run: a copy takes a tenth of the time."""
    if _TEMPLATE not in request.config.stash:
        kept = ExitStack()
        request.session.addfinalizer(kept.close)  # before the server stops, for its fixture began earlier
        url = kept.enter_context(postgres.fresh_database(server))
        with _migrated(url):
            request.config.stash[_TEMPLATE] = sa.make_url(url).database or ""
    return request.config.stash[_TEMPLATE]


@contextmanager
def _migrated(url: str) -> Iterator[database.Database]:
    opened = database.open_database(url)
    try:
        migrate.ensure(opened, upgrade=True)
        yield opened
    finally:
        opened.close()
