"""What comes round again: chores asked for once per slot of time, and the cleaning of what nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from domain import asking
from domain.identity import invitations, sessions
from domain.work import Work
from storage import jobs
from storage.jobs import Claimed
from workers.registry import Chore, Tools

#: How long finished jobs, and turns taken by chores, are kept for whoever asks what happened.
KEPT_DAYS: Final = 7
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PurgeFinishedJobs:
    """Forget jobs that were done, and turns that were taken, more than `KEPT_DAYS` days ago."""

    kind: ClassVar[str] = "purge_finished_jobs"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class RefreshStatistics:
    """Let the database look at tables that have grown."""

    kind: ClassVar[str] = "refresh_statistics"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 2

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class ForgetWaysIn:
    """Forget sessions and invitations that were long over."""

    kind: ClassVar[str] = "forget_ways_in"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def ask_due(work: Work, chores: Iterable[Chore]) -> list[str]:
    """Asks for every chore whose present slot nobody has taken yet, and names them.

    A chore still waiting or running from the slot before is not asked for twice: its message has a unique key.
    """
    due = [chore for chore in chores if jobs.take_slot(work.session, chore.name, _slot(chore, work.now))]
    for chore in due:
        asking.ask(work, chore.message)
    return [chore.name for chore in due]


def purge_finished_jobs(tools: Tools, _job: Claimed) -> Callable[[Work], None]:
    before = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    removed = jobs.PURGE_BATCH
    while removed == jobs.PURGE_BATCH:
        tools.tick()
        with tools.writing() as work:
            removed = jobs.purge(work.session, before)
    return lambda work: _forget_slots(work, before)


def refresh_statistics(tools: Tools, _job: Claimed) -> Callable[[Work], None]:
    tools.hub.database.refresh_statistics()
    return lambda _: None


def forget_ways_in(tools: Tools, _job: Claimed) -> Callable[[Work], None]:
    for forget, at_once in ((sessions.forget, sessions.SWEPT_AT_ONCE), (invitations.forget, invitations.SWEPT_AT_ONCE)):
        removed = at_once
        while removed == at_once:
            tools.tick()
            with tools.writing() as work:
                removed = forget(work)
    return lambda _: None


def _forget_slots(work: Work, before: datetime) -> None:
    jobs.purge_slots(work.session, before)


def _slot(chore: Chore, now: datetime) -> datetime:
    return now - (now - EPOCH) % chore.every


HANDLERS = {
    PurgeFinishedJobs.kind: purge_finished_jobs,
    RefreshStatistics.kind: refresh_statistics,
    ForgetWaysIn.kind: forget_ways_in,
}
CHORES = (
    Chore("purge finished jobs", timedelta(days=1), PurgeFinishedJobs()),
    Chore("forget ways in", timedelta(days=1), ForgetWaysIn()),
    Chore("refresh statistics", timedelta(minutes=15), RefreshStatistics()),
)
