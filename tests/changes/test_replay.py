"""Whoever does as the feed says holds what a full export would show them: from any cursor, whatever happened since."""

from __future__ import annotations

import copy as copying
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain import founding
from domain.changes import feed, places
from domain.changes.holders import digest
from domain.grants import Where
from domain.hub import Hub, open_hub
from domain.sharing import Subject
from tests.changes import leaving, merging
from tests.changes.world import Copy, Held, World
from tests.conftest import settings_at
from tests.servers import postgres

asset = st.integers(1, 6)
box = st.integers(1, 3)
some = st.lists(asset, min_size=1, max_size=3, unique=True)
version = st.integers(0, 2)
key = st.sampled_from(merging.KEYS)
words = st.lists(st.sampled_from(["sea", "summer", "logo"]), max_size=2, unique=True)
hours = st.none() | st.integers(1, 4)
which = st.integers(0, 11)
reader = st.sampled_from(["admin", "partner", "agency", "onlooker", "librarian", "guest", "photographer"])
holder = st.sampled_from(["partner", "agency", "onlooker", "librarian"])
place = st.builds(lambda id_: Where(asset_id=id_), asset) | st.builds(lambda id_: Where(lightbox_id=id_), box)
anywhere = place | place | st.builds(lambda id_: Where(org_id=id_), st.integers(1, 3))
#: All of them are read to the end at last.
MOST_COPIES = 14
size = st.sampled_from([1, 2, 3, 100])


class Histories(RuleBasedStateMachine):
    """`resyncs` counts how often anybody was told to begin anew, and `reads` how often somebody read on."""

    counted: dict[str, int]

    def __init__(self, opened: Callable[[], Any]) -> None:
        super().__init__()
        self.opening = opened()
        self.world = World(self.opening.__enter__())
        merging.found_fields(self.world)
        leaving.found_terms(self.world)
        self.copies = [(name, self.world.copied(name)) for name in self.world.people]
        self.close = [(name, self.world.copied(name)) for name in self.world.people]
        self.half: dict[str, Copy] = {}

    def teardown(self) -> None:
        try:
            self.world.number()
            for name, copy in [*self.copies, *((name, self.world.copied(name)) for name in self.world.people)]:
                self.counted["resyncs"] += self.world.follow(name, copy, 3)
                self.counted["reads"] += 1
                assert_same(name, copy.held, self.world.export(name))
            for name in self.world.people:  # and from the very beginning
                with self.world.hub.reading(self.world.viewer(name)) as work:
                    start = _start(work)
                fresh = Copy(start, {}, "")
                assert not self.world.follow(name, fresh, 100)
                assert_same(name, fresh.held, self.world.export(name))
        finally:
            self.opening.__exit__(None, None, None)

    @rule(who=st.sampled_from(["admin", "admin", "librarian", "agency", "photographer"]), tags=words)
    def create(self, who: str, tags: list[str]) -> None:
        self.world.create(who, [] if who in {"photographer", "agency"} else tags)

    @rule(id_=asset, tags=words)
    def change(self, id_: int, tags: list[str]) -> None:
        self.world.retag(id_, tags) if tags else self.world.rename(id_)

    @rule(id_=asset)
    def add_version(self, id_: int) -> None:
        self.world.add_version(id_)

    @rule(id_=asset, at=version)
    def approve(self, id_: int, at: int) -> None:
        self.world.approve(id_, at)

    @rule(id_=asset, at=version)
    def revoke(self, id_: int, at: int) -> None:
        self.world.revoke(id_, at)

    @rule(id_=asset, back=st.booleans())
    def archive_or_restore(self, id_: int, back: bool) -> None:
        (self.world.restore if back else self.world.archive)(id_)

    @rule(id_=asset, back=st.booleans())
    def throw_away_or_bring_back(self, id_: int, back: bool) -> None:
        (self.world.bring_back if back else self.world.throw_away)(id_)

    @rule(really=st.sampled_from([False, False, True]))
    def purge(self, really: bool) -> None:
        if really:
            self.world.purge()

    @rule(id_=asset, other=asset)
    def relate(self, id_: int, other: int) -> None:
        self.world.relate(id_, other)

    @rule(id_=asset, at=version)
    def render(self, id_: int, at: int) -> None:
        self.world.render(id_, at)

    @rule(id_=asset, other=asset, newest=st.booleans())
    def absorb(self, id_: int, other: int, newest: bool) -> None:
        merging.absorb(self.world, id_, other, newest=newest)

    @rule(at=which)
    def give_back(self, at: int) -> None:
        merging.give_back(self.world, at)

    @rule(id_=asset, key=key, other=asset)
    def say(self, id_: int, key: str, other: int) -> None:
        merging.say(self.world, id_, key, other)

    @rule(key=key)
    def turn_field(self, key: str) -> None:
        merging.turn(self.world, key)

    @rule(id_=asset, accepts=st.booleans())
    def judge(self, id_: int, accepts: bool) -> None:
        self.world.judge(id_, accepts)

    @rule(who=st.sampled_from(["admin", "librarian"]))
    def select(self, who: str) -> None:
        self.world.select(who)

    @rule(id_=box, inside=some)
    def put_in(self, id_: int, inside: list[int]) -> None:
        self.world.place(id_, inside)

    @rule(id_=box, inside=some)
    def take_out(self, id_: int, inside: list[int]) -> None:
        self.world.take_out(id_, inside)

    @rule(id_=box, really=st.sampled_from([False, False, True]))
    def put_away(self, id_: int, really: bool) -> None:
        if really:
            self.world.put_away(id_)

    @rule(id_=asset, contribute=st.booleans(), until=hours)
    def share_asset(self, id_: int, contribute: bool, until: int | None) -> None:
        self.world.share(Subject(id_, None), contribute, until)

    @rule(id_=box, contribute=st.booleans(), until=hours)
    def share_box(self, id_: int, contribute: bool, until: int | None) -> None:
        self.world.share(Subject(None, id_), contribute, until)

    @rule(at=which)
    def end_share(self, at: int) -> None:
        self.world.end_share(at)

    @rule(who=holder, where=anywhere, until=hours, is_denial=st.sampled_from([False, False, True]))
    def grant(self, who: str, where: Where, until: int | None, is_denial: bool) -> None:
        self.world.grant(who, where, until, is_denial)

    @rule(at=which)
    def take_back(self, at: int) -> None:
        self.world.take_back(at)

    @rule(at=which, below=which)
    def move_tag(self, at: int, below: int) -> None:
        self.world.move_tag(at, below)

    @rule(one=which, into=which)
    def merge_tags(self, one: int, into: int) -> None:
        self.world.merge(one, into)

    @rule(at=which)
    def respell_tag(self, at: int) -> None:
        self.world.respell(at)

    @rule(id_=asset, at=which, up=st.booleans())
    def take_down_or_put_up(self, id_: int, at: int, up: bool) -> None:
        leaving.put_up(self.world, at) if up else leaving.take_down(self.world, id_)

    @rule(id_=asset, begins=hours, lasts=hours)
    def hold_back(self, id_: int, begins: int | None, lasts: int | None) -> None:
        leaving.hold_back(self.world, id_, begins, lasts)

    @rule(at=which)
    def let_go(self, at: int) -> None:
        leaving.let_go(self.world, at)

    @rule(id_=asset, at=which, of=st.none() | version, release=st.booleans())
    def assess(self, id_: int, at: int, of: int | None, release: bool) -> None:
        leaving.assess(self.world, id_, at, of, of_release=release)

    @rule(at=which)
    def withdraw(self, at: int) -> None:
        leaving.withdraw(self.world, at)

    @rule(at=which, how=st.sampled_from(["suspend", "resume", "terminate", "supersede"]))
    def move_license(self, at: int, how: str) -> None:
        leaving.move_license(self.world, at, how)

    @rule(at=which)
    def revoke_release(self, at: int) -> None:
        leaving.revoke_release(self.world, at)

    @rule(id_=asset, other=asset, at=which, out=st.sampled_from([False, False, True]))
    def build_in(self, id_: int, other: int, at: int, out: bool) -> None:
        leaving.build_in(self.world, id_, other, at, out=out)

    @rule()
    def wait_long(self) -> None:
        """So that days end, in one zone and in another."""
        self.world.pass_time(11)

    @rule(more=st.integers(1, 3))
    def wait(self, more: int) -> None:
        self.world.pass_time(more)

    @rule()
    def number(self) -> None:
        self.world.number()

    @rule()
    def look_closely(self) -> None:
        """Everybody who reads often holds what they should at every such step."""
        self.world.number()
        for name, copy in self.close:
            self.counted["resyncs"] += self.world.follow(name, copy, 100)
            self.counted["reads"] += 1
            assert_same(name, copy.held, self.world.export(name))

    @rule(page_size=size)
    def look_hastily(self, page_size: int) -> None:
        """Before anything has its number, and not to the end."""
        for name, copy in self.close:
            self.world.follow(name, copy, page_size, 1)

    @rule(name=reader)
    def copy(self, name: str) -> None:
        self.copies.append((name, self.world.copied(name)))

    @rule(at=which, pages=st.integers(1, 3), page_size=size, keep=st.booleans())
    def read_on(self, at: int, pages: int, page_size: int, keep: bool) -> None:
        """From any of the copies; the older one may stay, to be read on from again."""
        if not self.copies:
            return
        name, copy = self.copies[at % len(self.copies)]
        if keep and len(self.copies) < MOST_COPIES:
            copy = copying.deepcopy(copy)
            self.copies.append((name, copy))
        self.counted["resyncs"] += self.world.follow(name, copy, page_size, pages)
        self.counted["reads"] += 1

    @rule(name=reader)
    def export_slowly(self, name: str) -> None:
        """Half of an export now, the other half when this rule comes again."""
        begun = self.half.pop(name, None)
        if begun is None:
            copy = self.world.copied(name)
            copy.held = {key: line for key, line in copy.held.items() if key[1] <= 2}
            self.half[name] = copy
            return
        now = self.world.copied(name)
        if now.digest == begun.digest:  # else it is begun anew
            begun.held |= {key: line for key, line in now.held.items() if key[1] > 2}
            self.copies.append((name, begun))

    @invariant()
    def everybody_is_noted(self) -> None:
        self.world.note()


def assert_same(name: str, held: Held, exported: Held) -> None:
    wrong = {key: (held.get(key), exported.get(key)) for key in held | exported if held.get(key) != exported.get(key)}
    assert wrong == {}, f"{name} holds, and should hold: {wrong}"


def _start(work: Any) -> str:
    return places.cursor(work, places.start(tuple(feed.SUBJECTS), digest(work.viewer)))


@contextmanager
def on_sqlite(template: Path) -> Iterator[Hub]:
    folder = Path(tempfile.mkdtemp(prefix="replay-"))
    shutil.copy(template, folder / "imprimatur.sqlite")
    hub = open_hub(settings_at(folder))
    try:
        founding.found(hub)
        yield hub
    finally:
        hub.close()
        shutil.rmtree(folder)


@contextmanager
def on_postgres(server: str, template: str) -> Iterator[Hub]:
    folder = Path(tempfile.mkdtemp(prefix="replay-"))
    with postgres.fresh_database(server, template=template) as url:
        hub = open_hub(settings_at(folder, database_url=url))
        try:
            founding.found(hub)
            yield hub
        finally:
            hub.close()
            shutil.rmtree(folder)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_copy_that_follows_the_feed_is_a_full_export(
    store: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "WINDOW", 7)  # so that a history has many
    monkeypatch.setattr(feed, "CHUNK", 3)
    if store == "sqlite":
        opened = partial(on_sqlite, request.getfixturevalue("sqlite_template"))
        examples, steps = 6, 30
    else:
        server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template")
        opened = partial(on_postgres, server, template)
        examples, steps = 4, 30
    Histories.counted = {"resyncs": 0, "reads": 0}
    bounds = settings(
        max_examples=int(os.environ.get("IMPRIMATUR_REPLAY_HISTORIES", examples)),
        stateful_step_count=steps,
        deadline=None,
        phases=(Phase.generate,),
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    begin: Any = partial(Histories, opened)  # a factory will do; the signature asks for a class
    run_state_machine_as_test(begin, settings=bounds)
    assert 0 < Histories.counted["resyncs"] < Histories.counted["reads"] / 3, Histories.counted
