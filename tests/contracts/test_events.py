"""Numbering what happened: gapless, in commit-safe order, whoever does it; on both databases."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import events
from storage.database import Database
from storage.tables import EventRow
from tests.contracts.job_databases import KINDS, fresh, result, rolled_back


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


SECRET = b"for tests only"
ON_POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def _record(database: Database, *subjects: int) -> None:
    with database.writing() as session:
        for subject in subjects:
            events.add(session, result(subject))


def _number(database: Database) -> int:
    with database.writing() as session:
        return events.number(session, SECRET)


def _read(database: Database, seq: int = 0, limit: int = 1_000) -> list[tuple[int, int]]:
    with database.reading() as session:
        return [(event.seq or 0, event.subject_id) for event in events.after(session, seq, limit)]


def test_events_are_numbered_from_one_in_the_order_of_their_ids(database: Database) -> None:
    _record(database, 11, 12)
    _record(database, 13)
    assert _number(database) == 3
    assert _read(database) == [(1, 11), (2, 12), (3, 13)]


def test_numbering_goes_on_where_it_stopped_and_moves_nothing(database: Database) -> None:
    _record(database, 11)
    _number(database)
    _record(database, 12)
    assert _number(database) == 1
    assert _number(database) == 0
    assert _read(database) == [(1, 11), (2, 12)]


def test_the_last_number_is_zero_before_the_first_event(database: Database) -> None:
    with database.reading() as session:
        assert events.last(session) == 0
    _record(database, 11)
    with database.reading() as session:
        assert events.last(session) == 0  # recorded, not numbered yet
    _number(database)
    with database.reading() as session:
        assert events.last(session) == 1


def test_a_reader_follows_from_any_number_in_bites(database: Database) -> None:
    _record(database, *range(10))
    _number(database)
    assert [seq for seq, _ in _read(database, 4, 3)] == [5, 6, 7]
    assert _read(database, 10) == []


def test_what_was_rolled_back_leaves_no_gap(database: Database) -> None:
    _record(database, 11)
    with rolled_back(database) as session:
        events.add(session, result(12))
        session.flush()
    _record(database, 13)
    _number(database)
    assert _read(database) == [(1, 11), (2, 13)]


def test_a_numbering_that_rolls_back_is_done_again(database: Database) -> None:
    _record(database, 11)
    with rolled_back(database) as session:
        assert events.number(session, SECRET) == 1
    assert _number(database) == 1
    assert _read(database) == [(1, 11)]


def test_a_backlog_is_numbered_in_batches_without_a_gap(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BATCH", 4)
    _record(database, *range(10))
    assert [_number(database) for _ in range(4)] == [4, 4, 2, 0]
    assert _read(database) == [(subject + 1, subject) for subject in range(10)]


@ON_POSTGRES
def test_an_event_that_commits_after_a_later_one_is_numbered_after_it_and_not_lost(database: Database) -> None:
    with Session(database.engine) as slow, slow.begin():
        events.add(slow, result(1))
        slow.flush()  # has its id, which is smaller than the next one's
        _record(database, 2)
        assert _number(database) == 1
        assert _read(database) == [(1, 2)]
    assert _number(database) == 1
    assert _read(database, 1) == [(2, 1)]
    with database.reading() as session:
        assert list(session.scalars(sa.select(EventRow.subject_id).order_by(EventRow.id))) == [1, 2]


@ON_POSTGRES
def test_a_second_numbering_waits_for_the_first_and_continues_behind_it(database: Database) -> None:
    _record(database, 11)
    with ThreadPoolExecutor(1) as other, database.writing() as session:
        assert events.number(session, SECRET) == 1
        _record(database, 12)
        waiting = other.submit(_number, database)
        session.flush()
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        session.commit()
        assert waiting.result(timeout=20) == 1
    assert _read(database) == [(1, 11), (2, 12)]


def test_a_reader_that_follows_the_numbers_misses_nothing_and_sees_nothing_twice(database: Database) -> None:
    """Four writers of 30 transactions each commit in another order than their ids; two number, one follows."""
    total, over = 4 * 30, threading.Event()
    seen: list[tuple[int, int]] = []

    def write(writer: int) -> None:
        pause = random.Random(writer)
        for turn in range(30):
            with database.writing() as session:
                events.add(session, result(writer * 1_000 + turn))
                session.flush()
                over.wait(pause.uniform(0, 0.004))

    def relay() -> None:
        while not over.is_set():
            _number(database)
            over.wait(0.002)

    def follow() -> None:
        while len(seen) < total:
            seen.extend(_read(database, seen[-1][0] if seen else 0, 7))
            over.wait(0.002)

    with ThreadPoolExecutor(7) as threads:
        try:
            relays = [threads.submit(relay) for _ in range(2)]
            following = threads.submit(follow)
            list(threads.map(write, range(4)))
            following.result(timeout=60)
        finally:
            over.set()
        for one in relays:
            one.result()
    assert [seq for seq, _ in seen] == list(range(1, total + 1))
    assert sorted(subject for _, subject in seen) == sorted(w * 1_000 + t for w in range(4) for t in range(30))
