"""The runner: every way out of an attempt, and what is kept after it; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from domain.hub import Hub
from domain.refusals import NotFound, StorageFull
from domain.work import Work
from storage import index, jobs, wakeups
from storage.blobs import MemoryBlobs
from storage.database import Database
from storage.jobs import Claimed
from storage.settings import Settings
from tests.contracts.job_databases import (
    KINDS,
    ask,
    claim_one,
    expire_lease,
    fresh,
    job,
    make_due,
    result,
    results,
)
from workers import registry
from workers.registry import Duties, Handler, Interrupted, JobFailed, Stop, Tools, Write
from workers.runner import Runner


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


@pytest.fixture
def tools(database: Database, tmp_path: Path) -> Iterator[Tools]:
    settings = Settings(data_dir=tmp_path)
    kept = index.open_index("whoosh", tmp_path / "index")
    hub = Hub(settings, database, MemoryBlobs(), kept, b"secret")
    yield Tools(hub=hub, log=structlog.get_logger())
    kept.close()


def _runner(tools: Tools, handler: Handler, *, stop: Stop | None = None, lease: float = 30) -> Runner:
    duties = Duties({"test": handler}, {"test": _mourn})
    return Runner(tools, duties, stop or Stop(), lease=timedelta(seconds=lease))


def _mourn(work: Work, died: Claimed, code: str, sentence: str) -> None:
    work.session.add(result(died.id, f"died: {code}: {sentence}"))


def _writes(number: int) -> Write:
    return lambda work: work.session.add(result(number))


def _raises(error: BaseException) -> Handler:
    def handler(_tools: Tools, _job: Claimed) -> Write:
        raise error

    return handler


def _deaths(tools: Tools) -> list[str]:
    with tools.reading() as work:
        return [row.type for row in work.session.query(type(result(0))) if row.type.startswith("died")]


def test_the_result_and_the_end_of_the_job_are_kept_together(tools: Tools, database: Database) -> None:
    asked = ask(database, payload={"number": 7})
    runner = _runner(tools, lambda _tools, job: _writes(job.payload["number"]))
    assert runner._step()
    assert job(database, asked).state == "DONE"
    assert results(database) == [7]
    assert not runner._step()


def test_a_result_that_cannot_be_written_leaves_nothing_and_the_job_is_tried_again(
    tools: Tools, database: Database
) -> None:
    def handler(_tools: Tools, _job: Claimed) -> Write:
        def write(work: Work) -> None:
            work.session.add(result(7))
            work.session.flush()
            raise ZeroDivisionError

        return write

    asked = ask(database)
    with capture_logs() as logs:
        _runner(tools, handler)._step()
    row = job(database, asked)
    assert (row.state, row.failure_code) == ("READY", "INTERNAL")
    assert results(database) == []
    reference = next(line["reference"] for line in logs if line["event"] == "job.crashed")
    assert row.failure_message == f"The job ended in an unexpected way; the log has the reason under {reference}."


def test_an_expected_failure_keeps_its_code_and_sentence(tools: Tools, database: Database) -> None:
    asked = ask(database)
    _runner(tools, _raises(JobFailed("AWAY", "The printer is away.", retryable=True)))._step()
    row = job(database, asked)
    assert (row.state, row.failure_code, row.failure_message) == ("READY", "AWAY", "The printer is away.")
    assert _deaths(tools) == []


def test_a_permanent_failure_tells_the_owner_in_the_same_transaction(tools: Tools, database: Database) -> None:
    asked = ask(database)
    _runner(tools, _raises(JobFailed("CORRUPT", "This is no picture.", retryable=False)))._step()
    assert job(database, asked).state == "DEAD"
    assert _deaths(tools) == ["died: CORRUPT: This is no picture."]


def test_the_last_attempt_allowed_tells_the_owner_too(tools: Tools, database: Database) -> None:
    asked = ask(database, max_attempts=2)
    runner = _runner(tools, _raises(JobFailed("AWAY", "The printer is away.", retryable=True)))
    runner._step()
    assert _deaths(tools) == []
    make_due(database, asked)
    runner._step()
    assert job(database, asked).state == "DEAD"
    assert _deaths(tools) == ["died: AWAY: The printer is away."]


def test_a_job_that_killed_its_last_worker_tells_the_owner_by_way_of_the_reaper(
    tools: Tools, database: Database
) -> None:
    asked = ask(database, max_attempts=1)
    killed = claim_one(database, "killed")
    expire_lease(database, killed.id)
    _runner(tools, _raises(AssertionError()))._step()
    assert job(database, asked).state == "DEAD"
    assert _deaths(tools) == ["died: LEASE_EXPIRED: The worker stopped giving signs of life."]


def test_a_consequence_that_fails_does_not_keep_the_job_alive(tools: Tools, database: Database) -> None:
    def trip(work: Work, died: Claimed, _code: str, _sentence: str) -> None:
        work.session.add(result(died.id))
        work.session.flush()
        raise ZeroDivisionError

    asked = ask(database)
    duties = Duties({"test": _raises(JobFailed("CORRUPT", "No.", retryable=False))}, {"test": trip})
    with capture_logs() as logs:
        Runner(tools, duties, Stop())._step()
    assert job(database, asked).state == "DEAD"
    assert results(database) == []
    assert "job.consequence_failed" in [line["event"] for line in logs]


def test_what_the_domain_refuses_is_not_tried_again_unless_the_disk_was_full(tools: Tools, database: Database) -> None:
    asked = ask(database)
    _runner(tools, _raises(NotFound("There is no such version.")))._step()
    row = job(database, asked)
    assert (row.state, row.failure_code, row.failure_message) == ("DEAD", "NOT_FOUND", "There is no such version.")
    asked = ask(database)
    _runner(tools, _raises(StorageFull()))._step()
    assert (job(database, asked).state, job(database, asked).failure_code) == ("READY", "STORAGE_FULL")


def test_a_kind_nobody_knows_waits_for_a_worker_that_does(tools: Tools, database: Database) -> None:
    asked = ask(database, "from the future")
    _runner(tools, _raises(AssertionError()))._step()
    assert (job(database, asked).state, job(database, asked).failure_code) == ("READY", "UNKNOWN_KIND")


def test_ticking_keeps_the_lease_of_work_that_takes_longer(tools: Tools, database: Database) -> None:
    seen = []

    def handler(mine: Tools, claimed: Claimed) -> Write:
        until = job(database, claimed.id).lease_until
        while (now := job(database, claimed.id).lease_until) == until:
            mine.tick()
        seen.append((until, now))
        return _writes(1)

    ask(database)
    _runner(tools, handler, lease=0.3)._step()
    ((first, second),) = seen
    assert first is not None
    assert second is not None
    assert second > first
    assert results(database) == [1]


def test_a_worker_that_lost_its_job_lets_go_at_the_next_tick(tools: Tools, database: Database) -> None:
    def handler(mine: Tools, claimed: Claimed) -> Write:
        expire_lease(database, claimed.id)
        with database.writing() as session:
            jobs.reap(session)
        while True:
            mine.tick()

    asked = ask(database)
    with capture_logs() as logs:
        assert _runner(tools, handler, lease=0.3)._step()
    assert "job.lease_lost" in [line["event"] for line in logs]
    assert (job(database, asked).state, job(database, asked).failure_code) == ("READY", "LEASE_EXPIRED")


def test_a_worker_that_lost_its_job_without_noticing_keeps_no_result(tools: Tools, database: Database) -> None:
    def handler(_tools: Tools, claimed: Claimed) -> Write:
        expire_lease(database, claimed.id)
        with database.writing() as session:
            jobs.reap(session)
        return _writes(1)

    asked = ask(database)
    _runner(tools, handler)._step()
    assert results(database) == []
    assert job(database, asked).state == "READY"


def test_watchers_see_how_far_a_job_is_while_it_runs(tools: Tools, database: Database) -> None:
    seen = []

    def handler(mine: Tools, claimed: Claimed) -> Write:
        mine.progress(3, 10)
        row = job(database, claimed.id)
        seen.append((row.state, row.progress_done, row.progress_total))
        return _writes(1)

    ask(database)
    _runner(tools, handler)._step()
    assert seen == [("RUNNING", 3, 10)]


def test_events_that_a_job_records_name_the_job_as_their_cause(tools: Tools, database: Database) -> None:
    causes = []

    def handler(_tools: Tools, _job: Claimed) -> Write:
        return lambda work: causes.append(work.request_id)

    asked = ask(database)
    _runner(tools, handler)._step()
    assert causes == [f"job-{asked}"]


def test_trouble_that_is_not_a_jobs_does_not_end_the_runner(
    tools: Tools, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runner.REST_SECONDS", 0)
    ask(database)
    runner = _runner(tools, lambda _tools, _job: _writes(1))
    with database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE job RENAME TO elsewhere")
    with capture_logs() as logs:
        assert not runner._step()
    assert [line["event"] for line in logs] == ["runner.trouble"]
    with database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE elsewhere RENAME TO job")
    runner._step()
    assert results(database) == [1]


@contextmanager
def _running(runner: Runner) -> Iterator[None]:
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield
    finally:
        runner.stop.ask()
        thread.join(60)
    assert not thread.is_alive()


def _wait(until: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2_000):
        if until():
            return
        pause.wait(0.02)
    raise AssertionError("It did not happen within 40 seconds.")


def test_a_running_runner_does_what_is_asked_while_it_waits(tools: Tools, database: Database) -> None:
    with _running(_runner(tools, lambda _tools, job: _writes(job.id))):
        first = ask(database)
        _wait(lambda: results(database) == [first])
        second = ask(database)
        _wait(lambda: results(database) == [first, second])


def test_a_stopping_runner_ends_the_job_in_hand_and_takes_no_other(tools: Tools, database: Database) -> None:
    started, go_on = threading.Event(), threading.Event()

    def handler(mine: Tools, claimed: Claimed) -> Write:
        started.set()
        go_on.wait(30)
        mine.tick()
        return _writes(claimed.id)

    first, second = ask(database), ask(database)
    runner = _runner(tools, handler)
    with _running(runner):
        assert started.wait(30)
        runner.stop.ask()
        go_on.set()
    assert (job(database, first).state, job(database, second).state) == ("DONE", "READY")
    assert results(database) == [first]


def test_a_stopping_runner_gives_back_what_it_cannot_end_and_spends_no_attempt(
    tools: Tools, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DRAIN_SECONDS", 0.2)
    started = threading.Event()

    def handler(mine: Tools, _job: Claimed) -> Write:
        started.set()
        while True:
            mine.tick()

    asked = ask(database, max_attempts=1)
    with _running(_runner(tools, handler)):
        assert started.wait(30)
    row = job(database, asked)
    assert (row.state, row.attempt, row.worker) == ("READY", 0, None)
    with wakeups.listening(database, wakeups.JOBS):
        assert claim_one(database).id == asked


def test_an_interruption_is_nothing_that_a_handler_catches_by_accident() -> None:
    assert not issubclass(Interrupted, Exception)
