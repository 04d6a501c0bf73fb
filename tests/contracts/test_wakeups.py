"""Being woken by what others commit; on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import wakeups
from storage.database import Database
from tests.contracts.job_databases import KINDS, ask, ask_in, fresh, rolled_back

#: Longer than any wake-up takes, so that a wait that answers true was woken.
PATIENCE = 20.0
ON_POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


def test_nothing_committed_means_no_wake_up(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears:
        assert not ears.wait(0.2)


def test_a_commit_before_the_wait_is_not_missed(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears:
        ask(database)
        assert ears.wait(PATIENCE)
        assert not ears.wait(0.2)


def test_a_commit_during_the_wait_ends_it(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears, ThreadPoolExecutor(1) as listener:
        waiting = listener.submit(ears.wait, PATIENCE)
        time.sleep(0.1)
        ask(database)
        assert waiting.result()


def test_many_commits_fold_into_one_wake_up(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears:
        for _ in range(5):
            ask(database)
        woken = 0
        while ears.wait(0.3):
            woken += 1
        assert 1 <= woken <= 5


def test_what_is_rolled_back_wakes_nobody(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears:
        with rolled_back(database) as session:
            ask_in(session)
        assert not ears.wait(0.2)


def test_a_rolled_back_savepoint_does_not_silence_the_transaction_around_it(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears:
        with database.writing() as session:
            with session.begin_nested() as savepoint:
                ask_in(session)
                savepoint.rollback()
            ask_in(session)
        assert ears.wait(PATIENCE)


@ON_POSTGRES
def test_a_transaction_that_asks_for_many_jobs_sends_one_notice(database: Database) -> None:
    sent = []

    def note(*call: object) -> None:
        sent.append("pg_notify" in str(call[2]))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    with database.writing() as session:
        for _ in range(5):
            ask_in(session)
    assert sum(sent) == 1


@ON_POSTGRES
def test_a_topic_nobody_listens_to_wakes_nobody(database: Database) -> None:
    with wakeups.listening(database, wakeups.EVENTS) as ears:
        ask(database)
        assert not ears.wait(0.2)


@ON_POSTGRES
def test_a_lost_connection_is_made_anew_and_counts_as_a_wake_up(database: Database) -> None:
    with wakeups.listening(database, wakeups.JOBS) as ears:
        with database.engine.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(query, 'LISTEN')"
            assert connection.exec_driver_sql(others).scalar()
        assert ears.wait(0.1)  # the loss itself
        assert ears.wait(0.1)  # the new connection
        assert not ears.wait(0.2)
        ask(database)
        assert ears.wait(PATIENCE)
