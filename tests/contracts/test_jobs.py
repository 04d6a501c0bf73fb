"""The job table, as everybody may rely on it: asking, claiming, ending; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import jobs
from storage.database import Database
from storage.tables import JobRow
from tests.contracts.job_databases import (
    KINDS,
    ask,
    ask_in,
    change,
    claim,
    claim_one,
    fresh,
    job,
    long_ago,
    make_due,
    result,
    results,
    rolled_back,
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


#: On SQLite nobody else writes, and so nobody claims, while an asker's transaction is open.
ON_POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def _finish(database: Database, claimed: jobs.Claimed) -> None:
    with database.writing() as session:
        jobs.finish(session, claimed)


def _fail(database: Database, claimed: jobs.Claimed, *, retryable: bool = True) -> bool:
    with database.writing() as session:
        return jobs.fail(session, claimed, "BROKEN", "It broke.", retryable=retryable)


def test_a_job_asked_for_is_claimed_with_its_payload_and_ends_as_done(database: Database) -> None:
    asked = ask(database, "render", payload={"version": 7, "text": "Ünïcödé"})
    claimed = claim_one(database)
    assert (claimed.id, claimed.kind, claimed.payload) == (asked, "render", {"version": 7, "text": "Ünïcödé"})
    assert (claimed.attempt, claimed.worker, claimed.org_id) == (1, "w1", 1)
    _finish(database, claimed)
    ended = job(database, asked)
    assert (ended.state, ended.lease_until) == ("DONE", None)
    assert ended.finished_at is not None
    assert claim(database) == []


def test_a_job_whose_asker_rolled_back_never_existed(database: Database) -> None:
    with rolled_back(database) as session:
        assert ask_in(session) is not None
    assert claim(database) == []


@ON_POSTGRES
def test_a_job_is_not_seen_by_workers_before_its_asker_committed(database: Database) -> None:
    with database.writing() as asking:
        ask_in(asking)
        assert claim(database) == []
    assert len(claim(database)) == 1


def test_no_job_is_claimed_twice_by_four_workers_at_once(database: Database) -> None:
    with database.writing() as session:
        asked = [ask_in(session) for _ in range(60)]

    def work(name: str) -> list[int]:
        mine: list[int] = []
        while taken := claim(database, name, 3):
            mine += [one.id for one in taken]
        return mine

    with ThreadPoolExecutor(4) as workers:
        claimed = [job_id for mine in workers.map(work, ["a", "b", "c", "d"]) for job_id in mine]
    assert sorted(claimed) == asked


def test_claiming_never_takes_more_than_the_limit_and_says_them_in_order(database: Database) -> None:
    low, high, middle = (ask(database, priority=priority) for priority in (0, 9, 5))
    first = claim(database, limit=2)
    assert [one.id for one in first] == [high, middle]
    assert [one.id for one in claim(database, limit=2)] == [low]


def test_larger_priorities_go_first_and_among_equals_the_longest_due(database: Database) -> None:
    late, early, urgent = ask(database), ask(database), ask(database, priority=1)
    make_due(database, early)
    assert [claim_one(database).id for _ in range(3)] == [urgent, early, late]


def test_queues_are_emptied_in_the_order_given_and_others_left_alone(database: Database) -> None:
    slow, quick, other = (ask(database, queue=queue) for queue in ("media", "default", "upkeep"))
    taken = claim(database, limit=5, queues=("default", "media"))
    assert [one.id for one in taken] == [quick, slow]
    assert job(database, other).state == "READY"


def test_a_job_for_later_is_left_until_it_is_due(database: Database) -> None:
    later = ask(database, run_at=datetime.now(UTC) + timedelta(hours=1))
    assert claim(database) == []
    make_due(database, later)
    assert claim_one(database).id == later


def test_whether_anything_is_due_is_known_without_claiming_it(database: Database) -> None:
    assert not jobs.are_due(database, ("default",))
    ask(database, "later", run_at=datetime.now(UTC) + timedelta(hours=1))
    assert not jobs.are_due(database, ("default",))
    asked = ask(database, "now")
    assert jobs.are_due(database, ("other", "default"))
    assert not jobs.are_due(database, ("other",))
    claimed = claim_one(database)
    assert not jobs.are_due(database, ("default",))
    _fail(database, claimed)
    assert not jobs.are_due(database, ("default",))
    make_due(database, asked)
    assert jobs.are_due(database, ("default",))


def test_the_askers_clock_does_not_decide_when_a_job_that_is_due_at_once_starts(database: Database) -> None:
    with database.writing() as session:
        future = datetime.now(UTC) + timedelta(days=300)
        asked = jobs.ask(session, "test", {}, org_id=1, now=future)
    assert claim_one(database).id == asked
    assert job(database, asked).created_at == future


def test_while_a_job_waits_or_runs_its_unique_key_makes_no_second_one(database: Database) -> None:
    first = ask(database, unique_key="render:7")
    assert first is not None
    assert ask(database, unique_key="render:7") is None
    other = ask(database, unique_key="render:8")
    claimed = claim_one(database)
    assert claimed.id == first
    assert ask(database, unique_key="render:7") is None
    with database.reading() as session:
        assert list(session.scalars(sa.select(JobRow.id).order_by(JobRow.id))) == [first, other]


def test_when_a_job_is_done_its_unique_key_is_free(database: Database) -> None:
    ask(database, unique_key="render:7")
    _finish(database, claim_one(database))
    assert ask(database, unique_key="render:7") is not None


def test_a_job_asked_for_again_while_it_runs_runs_once_more(database: Database) -> None:
    asked = ask(database, unique_key="render:7")
    claimed = claim_one(database)
    assert ask(database, unique_key="render:7") is None
    _finish(database, claimed)
    assert (job(database, asked).state, job(database, asked).attempt) == ("READY", 0)
    again = claim_one(database)
    assert (again.id, again.attempt) == (asked, 1)
    _finish(database, again)
    assert job(database, asked).state == "DONE"


def test_a_job_asked_for_again_during_its_last_attempt_does_not_die_of_that_attempt(database: Database) -> None:
    asked = ask(database, unique_key="render:7", max_attempts=1)
    claimed = claim_one(database)
    ask(database, unique_key="render:7")
    assert not _fail(database, claimed, retryable=False)
    assert (job(database, asked).state, job(database, asked).attempt) == ("READY", 0)


def test_asking_again_with_a_larger_priority_raises_it_and_a_smaller_one_does_not_lower_it(
    database: Database,
) -> None:
    asked = ask(database, unique_key="render:7", priority=1)
    ask(database, unique_key="render:7", priority=10)
    ask(database, unique_key="render:7", priority=0)
    assert job(database, asked).priority == 10


@ON_POSTGRES
def test_a_waiting_job_asked_for_again_cannot_start_before_that_asker_has_committed(database: Database) -> None:
    asked = ask(database, unique_key="render:7")
    with database.writing() as again:
        ask_in(again, unique_key="render:7")
        assert claim(database) == []
    assert claim_one(database).id == asked


def test_many_askers_of_one_key_make_one_job(database: Database) -> None:
    with ThreadPoolExecutor(4) as askers:
        answers = list(askers.map(lambda _: ask(database, unique_key="render:7"), range(20)))
    assert len([answer for answer in answers if answer is not None]) == 1


def test_a_failed_attempt_waits_for_a_back_off_that_grows_and_is_never_the_same_for_all(
    database: Database,
) -> None:
    asked = ask(database, max_attempts=9)
    waits = []
    for attempt in (1, 2, 3, 4):
        claimed = claim_one(database)
        assert claimed.attempt == attempt
        before = datetime.now(UTC)
        assert not _fail(database, claimed)
        row = job(database, asked)
        assert (row.state, row.failure_code, row.failure_message) == ("READY", "BROKEN", "It broke.")
        assert claim(database) == []
        waits.append((row.run_at - before) / jobs.FIRST_BACK_OFF)
        make_due(database, asked)
    for attempt, wait in enumerate(waits):
        assert 0.4 * 2**attempt <= wait <= 1.6 * 2**attempt + 5


def test_the_back_off_has_a_ceiling(database: Database) -> None:
    asked = ask(database, max_attempts=5_000)
    change(database, asked, attempt=4_000)
    _fail(database, claim_one(database))
    assert job(database, asked).run_at < datetime.now(UTC) + 2 * jobs.LONGEST_BACK_OFF


def test_a_job_whose_attempts_are_used_up_is_dead_and_keeps_why(database: Database) -> None:
    asked = ask(database, max_attempts=2)
    assert not _fail(database, claim_one(database))
    make_due(database, asked)
    assert _fail(database, claim_one(database))
    dead = job(database, asked)
    assert (dead.state, dead.failure_code, dead.failure_message) == ("DEAD", "BROKEN", "It broke.")
    assert dead.finished_at is not None
    assert claim(database) == []


def test_a_permanent_failure_is_dead_at_once(database: Database) -> None:
    asked = ask(database, max_attempts=5)
    assert _fail(database, claim_one(database), retryable=False)
    assert (job(database, asked).state, job(database, asked).attempt) == ("DEAD", 1)


def test_a_success_after_a_failure_forgets_the_failure(database: Database) -> None:
    asked = ask(database)
    _fail(database, claim_one(database))
    make_due(database, asked)
    _finish(database, claim_one(database))
    assert (job(database, asked).state, job(database, asked).failure_code) == ("DONE", None)


def test_a_dead_job_that_is_retried_has_all_its_attempts_again(database: Database) -> None:
    asked = ask(database, max_attempts=1)
    assert asked is not None
    _fail(database, claim_one(database))
    with database.writing() as session:
        assert jobs.retry(session, asked)
    claimed = claim_one(database)
    assert (claimed.id, claimed.attempt) == (asked, 1)


def test_only_a_dead_job_is_retried(database: Database) -> None:
    asked = ask(database)
    assert asked is not None
    with database.writing() as session:
        assert not jobs.retry(session, asked)
        assert not jobs.retry(session, 999_999)
    _finish(database, claim_one(database))
    with database.writing() as session:
        assert not jobs.retry(session, asked)
    assert job(database, asked).state == "DONE"


def test_a_dead_job_is_not_retried_while_another_holds_its_key(database: Database) -> None:
    dead = ask(database, unique_key="render:7", max_attempts=1)
    assert dead is not None
    _fail(database, claim_one(database))
    holder = ask(database, unique_key="render:7")
    with database.writing() as session:
        with pytest.raises(jobs.KeyTaken) as refused:
            jobs.retry(session, dead)
        session.add(result(1))  # the transaction is still good
    assert refused.value.job_id == holder
    assert job(database, dead).state == "DEAD"
    assert results(database) == [1]


def test_progress_is_kept_for_watchers(database: Database) -> None:
    asked = ask(database)
    claimed = claim_one(database)
    with database.writing() as session:
        jobs.progress(session, claimed, 3, 10)
    assert (job(database, asked).progress_done, job(database, asked).progress_total) == (3, 10)


def test_a_released_job_is_due_at_once_with_its_attempt_unspent(database: Database) -> None:
    asked = ask(database, max_attempts=1)
    claimed = claim_one(database)
    with database.writing() as session:
        jobs.release(session, claimed)
    again = claim_one(database, "w2")
    assert (again.id, again.attempt) == (asked, 1)
    with pytest.raises(jobs.LostLease):
        _finish(database, claimed)


def test_purging_removes_old_finished_jobs_and_nothing_else(database: Database) -> None:
    old, recent, dead, ready = ask(database), ask(database), ask(database), ask(database)
    for claimed in claim(database, limit=2):
        _finish(database, claimed)
    _fail(database, claim_one(database), retryable=False)
    change(database, old, finished_at=long_ago())
    change(database, dead, finished_at=long_ago())
    with database.writing() as session:
        assert jobs.purge(session, before=datetime.now(UTC) - timedelta(minutes=1)) == 1
    with database.reading() as session:
        assert list(session.scalars(sa.select(JobRow.id).order_by(JobRow.id))) == [recent, dead, ready]


def test_purging_stops_at_its_limit(database: Database) -> None:
    for _ in range(3):
        ask(database)
    for claimed in claim(database, limit=3):
        _finish(database, claimed)
    with database.writing() as session:
        before = datetime.now(UTC) + timedelta(minutes=1)
        assert [jobs.purge(session, before, limit=2) for _ in range(3)] == [2, 1, 0]


def test_what_waits_is_counted_per_state(database: Database) -> None:
    for _ in range(4):
        ask(database)
    running, failing, _ = claim(database, limit=3)
    _fail(database, failing, retryable=False)
    with database.reading() as session:
        assert jobs.waiting(session) == {"READY": 1, "RUNNING": 2, "DEAD": 1}
    _finish(database, running)
    with database.reading() as session:
        assert jobs.waiting(session) == {"READY": 1, "RUNNING": 1, "DEAD": 1}


def test_claiming_reads_the_index_of_ready_jobs_only(database: Database) -> None:
    """Else every look for work would walk through all jobs there ever were."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        statements.append((text, values))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    claim(database)
    sa.event.remove(database.engine, "before_cursor_execute", note)
    text, values = next(seen for seen in statements if "picked" in seen[0])
    with database.writing() as session:
        if database.is_postgres:  # the table is empty: reading all of it would be right
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
            session.execute(sa.text("SET LOCAL enable_sort = off"))
        explain = "EXPLAIN " if database.is_postgres else "EXPLAIN QUERY PLAN "
        plan = session.connection().exec_driver_sql(explain + text, values).all()
    assert "ix_job_ready" in str(plan)
    assert "Sort" not in str(plan)
    assert "TEMP B-TREE" not in str(plan)
