"""Leases and fences: a worker that died or hung loses its job, and a zombie its result; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import jobs
from storage.database import Database
from tests.contracts.job_databases import (
    KINDS,
    ask,
    claim,
    claim_one,
    expire_lease,
    fresh,
    job,
    make_due,
    result,
    results,
    rolled_back,
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


def _reap(database: Database) -> list[jobs.Claimed]:
    with database.writing() as session:
        return jobs.reap(session)


def _finish_with_result(database: Database, claimed: jobs.Claimed, subject: int) -> None:
    with database.writing() as session:
        session.add(result(subject))
        jobs.finish(session, claimed)


def _taken_over(database: Database, *, max_attempts: int = 5) -> tuple[jobs.Claimed, jobs.Claimed]:
    """A zombie's attempt, and the attempt of the worker that has the job now."""
    ask(database, max_attempts=max_attempts)
    zombie = claim_one(database, "zombie")
    expire_lease(database, zombie.id)
    assert _reap(database) == []
    make_due(database, zombie.id)
    return zombie, claim_one(database, "successor")


def test_a_claimed_job_is_leased_for_the_time_asked(database: Database) -> None:
    ask(database)
    before = datetime.now(UTC)
    (claimed,) = claim(database, lease=timedelta(seconds=90))
    until = job(database, claimed.id).lease_until
    assert until is not None
    assert timedelta(seconds=85) < until - before < timedelta(seconds=120)


def test_a_job_within_its_lease_is_not_taken_away(database: Database) -> None:
    ask(database)
    claimed = claim_one(database)
    assert _reap(database) == []
    assert job(database, claimed.id).state == "RUNNING"


def test_a_job_whose_lease_ended_waits_for_its_back_off_and_says_why(database: Database) -> None:
    ask(database)
    claimed = claim_one(database)
    expire_lease(database, claimed.id)
    before = datetime.now(UTC)
    assert _reap(database) == []
    row = job(database, claimed.id)
    assert (row.state, row.attempt, row.failure_code) == ("READY", 1, "LEASE_EXPIRED")
    assert (row.worker, row.lease_until) == (None, None)
    assert row.run_at >= before + jobs.FIRST_BACK_OFF * 0.4


def test_a_beat_prolongs_the_lease(database: Database) -> None:
    ask(database)
    claimed = claim_one(database)
    expire_lease(database, claimed.id)
    with database.writing() as session:
        jobs.beat(session, claimed)
    assert _reap(database) == []
    assert job(database, claimed.id).state == "RUNNING"


def test_a_zombies_finish_takes_its_result_with_it(database: Database) -> None:
    zombie, successor = _taken_over(database)
    _finish_with_result(database, successor, 1)
    with pytest.raises(jobs.LostLease):
        _finish_with_result(database, zombie, 2)
    assert results(database) == [1]
    assert job(database, zombie.id).state == "DONE"


def test_a_zombie_that_is_first_to_finish_still_keeps_nothing(database: Database) -> None:
    zombie, successor = _taken_over(database)
    with pytest.raises(jobs.LostLease):
        _finish_with_result(database, zombie, 2)
    _finish_with_result(database, successor, 1)
    assert results(database) == [1]


def test_a_zombie_neither_beats_nor_fails_nor_gives_back_nor_tells_progress(database: Database) -> None:
    zombie, successor = _taken_over(database)
    before = job(database, zombie.id)
    with pytest.raises(jobs.LostLease), database.writing() as session:
        jobs.beat(session, zombie)
    with pytest.raises(jobs.LostLease), database.writing() as session:
        jobs.fail(session, zombie, "BROKEN", "It broke.", retryable=False)
    with pytest.raises(jobs.LostLease), database.writing() as session:
        jobs.release(session, zombie)
    with pytest.raises(jobs.LostLease), database.writing() as session:
        jobs.progress(session, zombie, 1, 2)
    after = job(database, successor.id)
    assert (after.state, after.worker, after.attempt) == ("RUNNING", "successor", 2)
    assert (after.lease_until, after.progress_done) == (before.lease_until, 0)


def test_the_same_worker_is_fenced_from_its_own_earlier_attempt(database: Database) -> None:
    ask(database)
    first = claim_one(database, "w1")
    expire_lease(database, first.id)
    _reap(database)
    make_due(database, first.id)
    second = claim_one(database, "w1")
    with pytest.raises(jobs.LostLease):
        _finish_with_result(database, first, 1)
    _finish_with_result(database, second, 2)
    assert results(database) == [2]


def test_a_finished_job_cannot_be_finished_again(database: Database) -> None:
    ask(database)
    claimed = claim_one(database)
    _finish_with_result(database, claimed, 1)
    with pytest.raises(jobs.LostLease):
        _finish_with_result(database, claimed, 2)
    assert results(database) == [1]


def test_a_job_whose_last_attempt_was_killed_is_dead_and_its_owner_is_told_in_the_same_transaction(
    database: Database,
) -> None:
    asked = ask(database, "render", max_attempts=1, payload={"version": 7})
    claimed = claim_one(database)
    expire_lease(database, claimed.id)
    with rolled_back(database) as session:  # the consequence could not be written: nor is the death
        assert [dead.id for dead in jobs.reap(session)] == [asked]
    assert job(database, asked).state == "RUNNING"
    with database.writing() as session:
        (dead,) = jobs.reap(session)
        session.add(result(dead.payload["version"]))
    assert (dead.kind, dead.attempt, dead.worker) == ("render", 1, "w1")
    assert (job(database, asked).state, job(database, asked).failure_code) == ("DEAD", "LEASE_EXPIRED")
    assert results(database) == [7]


def test_two_reapers_take_an_expired_lease_back_once(database: Database) -> None:
    for _ in range(10):
        ask(database, max_attempts=1)
    for claimed in claim(database, limit=10):
        expire_lease(database, claimed.id)
    with ThreadPoolExecutor(4) as reapers:
        dead = [one.id for found in reapers.map(lambda _: _reap(database), range(4)) for one in found]
    assert len(dead) == 10
    assert len(set(dead)) == 10


def test_a_zombie_finishing_while_the_reaper_looks_either_wins_or_loses_everything(database: Database) -> None:
    """Twenty races of a late finish against the reaper: the result is there exactly when the job is DONE."""
    for round_ in range(20):
        asked = ask(database, max_attempts=1)
        claimed = claim_one(database)
        expire_lease(database, claimed.id)
        with ThreadPoolExecutor(2) as racers:
            finishing = racers.submit(_finish_with_result, database, claimed, round_)
            reaping = racers.submit(_reap, database)
            reaped = reaping.result()
        if finishing.exception() is None:
            assert (job(database, asked).state, reaped) == ("DONE", [])
            assert results(database)[-1] == round_
        else:
            assert isinstance(finishing.exception(), jobs.LostLease)
            assert (job(database, asked).state, len(reaped)) == ("DEAD", 1)
            assert round_ not in results(database)
