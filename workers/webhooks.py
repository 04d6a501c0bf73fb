"""Sending webhooks: a process of its own with a few threads, so that slow receivers keep nothing else waiting.

Each thread is a runner of the queue `outside`, which takes one webhook at a time for one turn.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from domain import egress, webhooks
from domain.asking import OUTSIDE, message_of
from domain.webhooks import SendWebhooks, TendWebhooks, WakeWebhook
from domain.work import HUB, Work
from storage import jobs, wakeups
from storage.jobs import Claimed
from storage.tables import WebhookRow
from workers import registry
from workers.registry import Chore, Exhausted, Handler, Stop, Tools, Write
from workers.runner import IDLE_SECONDS, REST_SECONDS, Runner

#: Webhooks that have their turn at once, in one process.
SENDERS: Final = 4
#: After a job that died again and again, its webhook's next turn.
PAUSE: Final = timedelta(minutes=10)


def main(open_tools: Callable[[], Tools], stop: Stop) -> None:
    """Sends until asked to stop."""
    tools = open_tools()
    bell = _Bell()
    duties = replace(registry.collect(), warm=(), rounds=())
    senders = [Runner(tools, duties, stop, queues=OUTSIDE, role="sender", ears=bell) for _ in range(SENDERS)]
    threads = [threading.Thread(target=sender.run, name=f"sender-{place}") for place, sender in enumerate(senders)]
    try:
        for thread in threads:
            thread.start()
        while not stop.is_asked:
            _listen(tools, stop, bell)
        for thread in threads:
            thread.join()
    finally:
        tools.hub.close()


class _Bell:
    """Wakes one of those who wait each time it is rung, or the next one who comes to wait; more than all are not rung
    for.
    """

    def __init__(self) -> None:
        self._rung: queue.Queue[None] = queue.Queue(SENDERS)

    def wait(self, timeout: float) -> bool:
        try:
            self._rung.get(timeout=timeout)
        except queue.Empty:
            return False
        return True

    def ring(self) -> None:
        with suppress(queue.Full):
            self._rung.put_nowait(None)


def _listen(tools: Tools, stop: Stop, bell: _Bell) -> None:
    """Most of what is committed is nothing to be sent: one looks for all, and wakes one where there is something."""
    try:
        with wakeups.listening(tools.hub.database, wakeups.JOBS) as ears:
            while not stop.is_asked:
                if jobs.are_due(tools.hub.database, OUTSIDE):
                    bell.ring()
                ears.wait(IDLE_SECONDS)
    except Exception:
        tools.log.exception("sender.trouble")
        time.sleep(REST_SECONDS)


def send(tools: Tools, job: Claimed) -> Write:
    wanted = message_of(SendWebhooks, job.payload)
    webhooks.send_due(tools.hub, wanted.webhook_id, egress.of_settings(tools.hub.settings), tools.tick)
    return lambda work: webhooks.ask_for_the_rest(work, wanted.webhook_id)


def wake(_tools: Tools, job: Claimed) -> Write:
    wanted = message_of(WakeWebhook, job.payload)

    def write(work: Work) -> None:
        row = work.session.get(WebhookRow, wanted.webhook_id)
        if row is not None:
            webhooks.ask_sending(work, row)

    return write


def tend(tools: Tools, _job: Claimed) -> Write:
    removed = webhooks.PURGE_BATCH
    while removed == webhooks.PURGE_BATCH:
        tools.tick()
        with tools.hub.writing(HUB, tools.cause) as work:
            removed = webhooks.purge(work)
    return webhooks.tend


def sending_died(work: Work, job: Claimed, _code: str, _sentence: str) -> None:
    row = work.session.get(WebhookRow, message_of(SendWebhooks, job.payload).webhook_id)
    if row is not None:
        webhooks.ask_waking(work, row, work.now + PAUSE)


HANDLERS: dict[str, Handler] = {SendWebhooks.kind: send, WakeWebhook.kind: wake, TendWebhooks.kind: tend}
EXHAUSTED: dict[str, Exhausted] = {SendWebhooks.kind: sending_died}
CHORES = (Chore("tend webhooks", timedelta(minutes=5), TendWebhooks()),)
