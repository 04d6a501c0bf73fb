"""Several processes find words for the same events, and are killed: one delivery for each event and webhook."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.webhooks import Follower, Words
from domain.webhooks.following import LAG
from domain.work import HUB, Viewer
from schema import rendering
from storage.tables import EventRow, WebhookRow
from tests.assets import acts
from tests.webhooks.house import House
from tests.working import at_once, index_all, wait

KILLS = 3
EVENTS = 120


def happen(house: House, count: int) -> None:
    asset = house.asset()
    for number in range(count):
        asset = acts.accepted(acts.change(house.client, "assetUpdate", asset, title=f"Title {number}"))["asset"]
    index_all(house.hub)


def told(house: House) -> Counter[tuple[int, int | None]]:
    return Counter((each.webhook_id, each.event_id) for each in house.deliveries())


def expected(house: House) -> Counter[tuple[int, int | None]]:
    with house.hub.reading(HUB) as work:
        hooks = list(work.session.scalars(sa.select(WebhookRow.id)))
        events = list(work.session.scalars(sa.select(EventRow.id).where(EventRow.type == "asset.updated")))
    return Counter((hook, event) for hook in hooks for event in events)


def test_several_who_follow_at_once_tell_each_event_once(house: House) -> None:
    for _ in range(2):
        house.made(events=["ASSET_UPDATED"])
    happen(house, 30)

    def follow() -> None:
        follower = Follower(house.hub, rendering.render)
        for _ in range(6):
            follower.look()

    at_once([follow] * 4)
    Follower(house.hub, rendering.render).look()
    house.follow()
    assert told(house) == expected(house)


def test_one_who_claimed_and_was_never_heard_of_again_is_followed_by_another(house: House) -> None:
    hook = house.made(events=["ASSET_UPDATED"])
    happen(house, 2)

    def dies(*_: object) -> Sequence[Words | None]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Follower(house.hub, dies).look()
    assert house.row(hook).claimed_by is not None
    assert Follower(house.hub, rendering.render).look() == 0
    house.later(seconds=61)
    assert Follower(house.hub, rendering.render).look() == 2
    assert told(house) == expected(house)


def test_words_found_for_a_webhook_that_was_changed_meanwhile_are_found_anew(house: House) -> None:
    hook = house.made(events=["ASSET_UPDATED"])
    happen(house, 1)

    def changing(hub: Hub, viewer: Viewer, row: WebhookRow, events: Sequence[EventRow]) -> Sequence[Words | None]:
        house.changed(hook, document="{ me { name } }")
        return rendering.render(hub, viewer, row, events)

    assert Follower(house.hub, changing).look() == 0
    assert house.deliveries() == []
    house.later(seconds=61)
    house.tell()
    assert [each["data"] for each in house.bodies] == [{"me": {"name": "Administrator"}}]


def test_a_cursor_does_not_lag_behind_what_concerns_it_not(house: House) -> None:
    hook = house.made(events=["TAG_MERGED"])
    before = house.row(hook).cursor
    follower = Follower(house.hub, rendering.render)
    happen(house, 3)
    assert follower.look() == 0
    assert house.row(hook).cursor == before
    with house.hub.writing(HUB) as work:
        work.session.execute(sa.update(WebhookRow).values(cursor=before - LAG))
    follower.look()
    assert house.row(hook).cursor > before


def test_nothing_is_lost_or_told_twice_although_those_who_follow_are_killed(house: House) -> None:
    for _ in range(2):
        house.made(events=["ASSET_UPDATED"])
    happen(house, EVENTS)
    chance = random.Random(7)
    killed_at: list[int] = []
    for _ in range(KILLS):
        if len(house.deliveries()) == 2 * EVENTS:
            break  # a quick machine has told everything before it could be killed again
        child = started(house)
        done = len(house.deliveries())
        try:
            wait(partial(told_more, house, done))
            time.sleep(chance.uniform(0.0, 0.05))
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        killed_at.append(len(house.deliveries()))
        let_claims_end(house)
        counted = told(house)
        assert set(counted.values()) <= {1}
    assert killed_at[0] < 2 * EVENTS, "they were killed too late to prove anything"
    house.follow()
    assert told(house) == expected(house)
    house.send()
    assert Counter(each.headers["webhook-id"] for each in house.there.got).most_common(1)[0][1] == 1
    assert len(house.there.got) == 2 * EVENTS


def started(house: House) -> subprocess.Popen[bytes]:
    settings = house.hub.settings
    environment = {
        **os.environ,
        "IMPRIMATUR_DATA_DIR": str(settings.data_dir),
        "IMPRIMATUR_DATABASE_URL": settings.database_url,
        "IMPRIMATUR_BLOB_URL": settings.blob_url,
        "IMPRIMATUR_SECRET_KEY": settings.secret_key,
    }
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "ignore", "-m", "tests.webhooks.one_follower"]
    return subprocess.Popen(command, cwd=root, env=environment)


def told_more(house: House, done: int) -> bool:
    return len(house.deliveries()) > done


def let_claims_end(house: House) -> None:
    """What a minute would do, without waiting for it."""
    with house.hub.database.writing() as session:
        session.execute(sa.update(WebhookRow).values(claimed_by=None, claimed_until=None))
