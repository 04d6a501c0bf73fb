"""The one process per search index that keeps it in step with what happened.

It leads by holding the index's writer lock, which the kernel lets go if the process dies; others of its role wait.
An index that is missing, was made by another analyser or is ahead of the rows is built anew first, and so is one that
`reindex` asks for; the old one goes on answering meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from domain import search
from storage import wakeups
from storage.index.contract import NotLeading
from workers.registry import Stop, Tools

#: Seconds between two looks when nothing wakes it.
IDLE_SECONDS = 1.0
#: Seconds between two tries to lead while another process does.
STANDBY_SECONDS = 2.0
#: Seconds without changes after which small segments are merged.
QUIET_SECONDS = 20.0


def main(open_tools: Callable[[], Tools], stop: Stop) -> None:
    """Feeds the index until asked to stop."""
    tools = open_tools()
    try:
        while not stop.is_asked:
            try:
                _lead(tools, stop)
            except NotLeading:
                time.sleep(STANDBY_SECONDS)
            except Exception:
                tools.log.exception("indexer.trouble")
                time.sleep(STANDBY_SECONDS)
    finally:
        tools.hub.close()


def catch_up(tools: Tools) -> int:
    """Everything that has happened until now; how many events that were. The caller holds the writer lock."""
    total = 0
    while count := search.catch_up(tools.hub):
        total += count
    return total


def _lead(tools: Tools, stop: Stop) -> None:
    with tools.hub.index.writer_lock(), wakeups.listening(tools.hub.database, wakeups.EVENTS) as ears:
        tools.log.info("indexer.leads")
        if search.is_astray(tools.hub):
            _rebuild(tools)
        changed_at: float | None = None
        while not stop.is_asked:
            with search.reindex_was_asked(tools.hub) as asked:
                if asked:
                    _rebuild(tools)
            if catch_up(tools):
                changed_at = time.monotonic()
            elif changed_at is not None and time.monotonic() - changed_at > QUIET_SECONDS:
                tools.hub.index.optimise()
                changed_at = None
            ears.wait(IDLE_SECONDS)


def _rebuild(tools: Tools) -> None:
    count = search.rebuild(tools.hub, leading=True)
    tools.log.info("index.rebuilt", documents=count)
