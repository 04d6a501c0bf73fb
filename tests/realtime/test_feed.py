"""The reader of events: order, nothing lost, nothing twice, memory bounded, and one reading however many listen."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from domain import asking, feed, history
from domain.feed import Feed
from domain.hub import Hub
from domain.refusals import BadCursor
from domain.renditions import RenderVersion
from domain.work import HUB
from storage import events
from storage.tables import EventRow, JobRow
from tests.server.caller import wait_until

TYPES = frozenset({"asset.updated", "tag.updated"})


class Listening:
    """A feed with somebody who listens."""

    def __init__(self, hub: Hub) -> None:
        self.heard: list[set[str]] = []
        self.feed = Feed(hub, self._hear)
        self.place = self.feed.join()

    def _hear(self, types: Collection[str], _jobs_moved: bool) -> None:
        self.heard.append(set(types))

    def taken(self, count: int, types: Collection[str] = TYPES) -> list[int]:
        """The subjects of the next events, once there are as many."""
        found: list[int] = []

        def enough() -> bool:
            taken = self.feed.take(self.place, types)
            assert taken is not None
            self.place = taken.place
            found.extend(each.subject[1] for each in taken.events)
            return len(found) >= count

        wait_until(enough)
        return found


@pytest.fixture
def listening(hub: Hub) -> Iterator[Listening]:
    made = Listening(hub)
    yield made
    made.feed.leave()


def happen(hub: Hub, number: int, type_: str = "asset.updated") -> None:
    with hub.writing(HUB) as work:
        history.record(work, type_, ("Asset", number))


def test_what_happens_is_told_in_order_although_no_worker_numbers_it(hub: Hub, listening: Listening) -> None:
    for number in range(1, 6):
        happen(hub, number)
    assert listening.taken(5) == [1, 2, 3, 4, 5]


def test_other_types_are_passed_over(hub: Hub, listening: Listening) -> None:
    happen(hub, 1, "asset.archived")
    happen(hub, 2, "tag.updated")
    happen(hub, 3)
    assert listening.taken(1, {"asset.updated"}) == [3]


def test_what_happened_before_somebody_listened_is_not_told(hub: Hub) -> None:
    happen(hub, 1)
    with hub.writing(HUB) as work:
        events.number(work.session, work.secret)
    late = Listening(hub)
    happen(hub, 2)
    assert late.taken(1) == [2]
    late.feed.leave()


def test_of_many_writers_at_once_nothing_is_lost_or_told_twice(hub: Hub, listening: Listening) -> None:
    second = Listening(hub)  # as another process would: a reader of its own that numbers, too
    with ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda number: happen(hub, number), range(1, 41)))
    mine, theirs = listening.taken(40), second.taken(40)
    assert mine == theirs
    assert sorted(mine) == list(range(1, 41))
    second.feed.leave()


def test_who_falls_behind_what_is_in_memory_reads_the_table(
    hub: Hub, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEPT", 4)
    monkeypatch.setattr(feed, "BATCH", 5)
    begun = listening.place
    for number in range(1, 21):
        happen(hub, number)
        listening.taken(1)
    assert listening.feed.take(begun, TYPES) is None
    told, place = [], begun
    with hub.reading(HUB) as work:
        while not (taken := feed.read(work, place, TYPES)).is_all:
            told += [each.subject[1] for each in taken.events]
            place = taken.place
    assert told + [each.subject[1] for each in taken.events] == list(range(1, 21))
    assert taken.place == listening.place


def test_one_statement_reads_an_event_for_all_who_listen(hub: Hub) -> None:
    """Counted over the life of a whole engine: the reader's own."""
    read: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM event" in statement and "event.seq >" in statement:
            read.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        shared = Listening(hub)
        places = [shared.feed.join() for _ in range(200)]
        happen(hub, 7)
        shared.taken(1)
        before = len(read)
        for place in places:
            taken = shared.feed.take(place, TYPES)
            assert taken is not None
            assert [each.subject[1] for each in taken.events] == [7]
        assert len(read) == before
        for _ in range(201):
            shared.feed.leave()
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)


def test_nobody_reads_once_everybody_has_left_and_who_comes_then_is_told_again(hub: Hub) -> None:
    first = Listening(hub)
    first.feed.leave()
    wait_until(lambda: not any(thread.name == "feed" for thread in threading.enumerate()))
    happen(hub, 1)
    place = first.feed.join()
    happen(hub, 2)
    first.place = place
    assert first.taken(1)[-1] == 2
    first.feed.leave()


def test_a_watched_job_is_looked_at_until_nobody_watches(hub: Hub, listening: Listening) -> None:
    with hub.writing(HUB) as work:
        job = asking.ask(work, RenderVersion(1))
    assert job is not None
    listening.feed.watch(job)
    wait_until(lambda: listening.feed.steps_of(job) is not None)
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(JobRow).where(JobRow.id == job).values(progress_done=3, progress_total=9))
    wait_until(lambda: (steps := listening.feed.steps_of(job)) is not None and steps.done == 3)
    listening.feed.unwatch(job)
    wait_until(lambda: listening.feed.steps_of(job) is None)


def test_a_cursor_says_where_and_tells_nothing_else(hub: Hub) -> None:
    for number in range(1, 4):
        happen(hub, number)
    with hub.writing(HUB) as work:
        events.number(work.session, work.secret)
        last = events.last(work.session)
        made = [feed.cursor(work.secret, seq) for seq in range(last + 1)]
        assert [feed.place_of(work, each) for each in made] == list(range(last + 1))
        assert len({each[:4] for each in made}) == len({each[-8:] for each in made}) == len(made)
        other = feed.cursor(b"another secret", 1)
        bad = ["", "x", "é", made[1][:-1], made[1][:-2] + "AA", made[1].swapcase(), other, "A" * 10_000]
        for text in bad:
            with pytest.raises(BadCursor):
                feed.place_of(work, text)
        with pytest.raises(BadCursor):  # as after a restore from a backup
            feed.place_of(work, feed.cursor(work.secret, last + 1))
        assert work.session.scalar(sa.select(sa.func.count()).select_from(EventRow)) == last
