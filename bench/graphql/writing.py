"""Somebody else who writes, in a process of their own: so many assets a second get another title."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any

from domain import assets, identity
from domain.assets import Changes
from domain.hub import open_hub
from domain.work import HUB
from storage.settings import Settings
from storage.tables import AssetRow

PER_SECOND = 20


@contextmanager
def writer(told: dict[str, Any], count: int) -> Iterator[Event]:
    """A process that writes while the event is set; `told` are its settings."""
    spawned = multiprocessing.get_context("spawn")
    on, ended = spawned.Event(), spawned.Event()
    process = spawned.Process(target=_write, args=(told, count, on, ended), daemon=True)
    process.start()
    try:
        yield on
    finally:
        ended.set()
        on.set()
        process.join()
        if process.exitcode:
            raise SystemExit("The writer failed.")


def _write(told: dict[str, Any], count: int, on: Event, ended: Event) -> None:
    chance = random.Random(5)
    hub = open_hub(Settings.model_validate(told))
    with hub.reading(HUB) as work:
        viewer = identity.administrator(work)
    try:
        while on.wait() and not ended.is_set():
            begun = time.monotonic()
            with hub.writing(viewer) as work:
                row = work.session.get_one(AssetRow, chance.randint(1, count))
                if row.lifecycle != "ARCHIVED":
                    title = Changes(title=f"asset {chance.randrange(10**6):06} of {row.id}")
                    assets.update(work, row.id, title, row.revision)
            time.sleep(max(0.0, begun + 1 / PER_SECOND - time.monotonic()))
    finally:
        hub.close()
