"""A thread beside the requests that finds the words for webhooks whenever something has happened.

Every server process has one; `domain.webhooks.following` lets them work side by side. What it adds, senders among the
workers send.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from domain.hub import Hub
from domain.webhooks import Follower
from schema import rendering
from server import logs
from storage import wakeups

#: Seconds between two looks when nothing was numbered: claims of others end without a commit.
IDLE_SECONDS = 1.0
#: Seconds of rest after trouble, such as a database that is away.
REST_SECONDS = 1.0


@contextmanager
def following(hub: Hub) -> Iterator[None]:
    """Webhooks are told of what happens while the block runs."""
    stopping = threading.Event()
    thread = threading.Thread(target=_follow, args=(hub, stopping), name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _follow(hub: Hub, stopping: threading.Event) -> None:
    follower = Follower(hub, rendering.render)
    while not stopping.is_set():
        try:
            with wakeups.listening(hub.database, wakeups.EVENTS) as ears:
                looked = 0.0
                while not stopping.is_set():
                    if follower.has_news() or time.monotonic() - looked >= IDLE_SECONDS:
                        while not stopping.is_set() and follower.look():
                            pass
                        looked = time.monotonic()
                    ears.wait(IDLE_SECONDS)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next look may go well
            logs.log.error("finding words for webhooks failed", exc_info=error)
            stopping.wait(REST_SECONDS)
