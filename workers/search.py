"""The one process per search index that keeps it in step with what happened.

It leads by holding the index's writer lock, which the kernel lets go if the process dies; others of its role wait.
An index that is missing, was made by another analyser or is ahead of the rows is built anew first, and so is one that
`reindex` asks for; the old one goes on answering meanwhile. Once a night the index is compared with the rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from domain import hub, search
from storage import jobs, wakeups
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


@dataclass
class Nights:
    """Each night's comparing of the index with the rows: once per index, in a turn of its own of the cron slots.

    A night begins at midnight UTC; who starts to lead at noon takes the turn of the night before, if nobody has.
    """

    tools: Tools
    #: The night last looked at by this process: only another one is worth asking the database about.
    seen: datetime | None = None

    def reconcile(self, stop: Stop) -> bool:
        """Compares and mends unless it has been done this night; true when anything had to be mended.

        The caller leads.
        """
        tonight = self.tools.hub.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        if tonight == self.seen:
            return False
        self.seen = tonight
        return self._takes(tonight) and _reconciled(self.tools, stop)

    def _takes(self, night: datetime) -> bool:
        """By the name of this index, for each machine has its own; it goes with the index's files."""
        name, _ = hub.kept_secret(self.tools.hub.settings.index_dir / "name")
        with self.tools.writing() as work:
            return jobs.take_slot(work.session, f"reconcile index {name}", night)


def _lead(tools: Tools, stop: Stop) -> None:
    with tools.hub.index.writer_lock(), wakeups.listening(tools.hub.database, wakeups.EVENTS) as ears:
        tools.log.info("indexer.leads")
        if search.is_astray(tools.hub):
            _rebuild(tools)
        nights, watch = Nights(tools), search.Watch(tools.hub)
        changed_at: float | None = None
        while not stop.is_asked:
            with search.reindex_was_asked(tools.hub) as asked:
                if asked:
                    _rebuild(tools)
            caught_up, mended = watch.catch_up(), nights.reconcile(stop)
            if caught_up or mended:
                changed_at = time.monotonic()
            elif changed_at is not None and time.monotonic() - changed_at > QUIET_SECONDS:
                tools.hub.index.optimise()
                changed_at = None
            ears.wait(IDLE_SECONDS)


def _rebuild(tools: Tools) -> None:
    count = search.rebuild(tools.hub, leading=True)
    tools.log.info("index.rebuilt", documents=count)


def _reconciled(tools: Tools, stop: Stop) -> bool:
    """True when anything had to be mended, of which the log warns: no event told of it."""

    def keep_on() -> bool:
        catch_up(tools)
        return not stop.is_asked

    found = search.reconcile(tools.hub, keep_on)
    tell = tools.log.warning if found.mended else tools.log.info
    tell("index.reconciled", **asdict(found))
    return found.mended > 0
