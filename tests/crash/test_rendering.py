"""Workers are killed while they render: every picture ends READY, whole, and nothing unfinished is ever to be seen."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from domain import asking, delivery, founding, identity
from domain.hub import Hub, open_hub
from domain.work import HUB
from storage.tables import EventRow, JobRow, RenditionRow
from tests.asking import Client
from tests.conftest import settings_at
from tests.imaging import made
from tests.working import wait, work_off, workers
from workers import renditions as working

PICTURES = 20
KILLS = 4


def test_twenty_pictures_are_all_made_whole_although_workers_are_killed_again_and_again(tmp_path: Path) -> None:
    settings = settings_at(tmp_path / "data")
    hub = open_hub(settings)
    try:
        founding.found(hub)
        with hub.writing(HUB) as work:
            client = Client(hub, identity.administrator(work))
        for number in range(PICTURES):
            picture = made.photo_like(1200, 800, seed=number)
            client.create(made.encoded(picture, "JPEG", quality=80), f"{number}.jpg")
        log, chance = tmp_path / "log", random.Random(11)
        with workers(settings, log) as foreman:
            for _ in range(KILLS):
                wait(lambda: _runner(log) and _at_work(hub) and any(_scratch(hub).glob("*")))
                time.sleep(chance.uniform(0.0, 0.5))
                victim = _runner(log)
                assert victim is not None
                os.kill(victim, signal.SIGKILL)
                wait(lambda victim=victim: _runner(log) not in {victim, None})  # type: ignore[misc]
                _check_everything_shown(hub, client)
                _let_leases_expire(hub)
            wait(lambda: _ready(hub) and _at_work(hub) and any(_scratch(hub).glob("*")))
            foreman.kill()
            foreman.wait()
        _check_everything_shown(hub, client)
        assert len(_ready(hub)) < 3 * PICTURES, "the workers were killed too late to prove anything"
        _let_leases_expire(hub)
        with workers(settings, log) as foreman:
            wait(lambda: len(_ready(hub)) == 3 * PICTURES)
            foreman.terminate()
            assert foreman.wait(30) == 0
        _check_everything_shown(hub, client)
        _check_each_was_made_once(hub)
        _check_scratch_is_swept(hub)
    finally:
        hub.close()


def _runner(log: Path) -> int | None:
    """The process that does jobs now, as the foreman's log tells."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    started = [line["pid"] for line in lines if line["event"] == "child.started" and line["role"] == "runner"]
    died = sum(line["event"] == "child.died" for line in lines)
    return started[-1] if len(started) > died else None


def _scratch(hub: Hub) -> Path:
    return hub.settings.data_dir / "scratch"


def _at_work(hub: Hub) -> bool:
    with hub.database.reading() as session:
        return session.scalar(sa.select(JobRow.id).where(JobRow.state == "RUNNING").limit(1)) is not None


def _ready(hub: Hub) -> list[RenditionRow]:
    with hub.database.reading() as session:
        return list(session.scalars(sa.select(RenditionRow).where(RenditionRow.state == "READY")))


def _let_leases_expire(hub: Hub) -> None:
    """What half a minute would do, without waiting for it."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with hub.database.writing() as session:
        session.execute(sa.update(JobRow).where(JobRow.state == "RUNNING").values(lease_until=long_ago))


def _check_everything_shown(hub: Hub, client: Client) -> None:
    """Whatever is READY opens, with exactly the bytes it says; and every blob has its digest."""
    for row in _ready(hub):
        with hub.reading(client.viewer) as work:
            signed = delivery.rendition_url(work, row)
            assert signed is not None
            opened = delivery.open_door(work, signed.url.rpartition("/")[2])
        with hub.blobs.open(opened.sha256) as stream:
            data = stream.read()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (opened.byte_size, row.sha256)
    assert all(hub.blobs.verify(sha256) for sha256 in hub.blobs.keys())  # noqa: SIM118  # a store is no mapping


def _check_each_was_made_once(hub: Hub) -> None:
    with hub.database.reading() as session:
        told = [
            rendition
            for payload in session.scalars(sa.select(EventRow.payload).where(EventRow.type == "rendition.ready"))
            for rendition in payload["renditions"]
        ]
        dead = session.scalar(sa.select(sa.func.count()).where(JobRow.state == "DEAD"))
    assert sorted(told) == sorted(row.id for row in _ready(hub))
    assert dead == 0


def _check_scratch_is_swept(hub: Hub) -> None:
    """Killed workers left folders behind, and the sweep takes them once they are old."""
    scratch = _scratch(hub)
    left = list(scratch.iterdir())
    assert left, "workers killed in the middle of a picture leave their scratch"
    with hub.writing(HUB) as work:
        asking.ask(work, working.SweepScratch())
    work_off(hub)
    assert sorted(scratch.iterdir()) == sorted(left)
    for folder in left:
        os.utime(folder, (0, 0))
    with hub.writing(HUB) as work:
        asking.ask(work, working.SweepScratch())
    work_off(hub)
    assert list(scratch.iterdir()) == []
