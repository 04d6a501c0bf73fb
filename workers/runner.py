"""One process that does jobs, one after another, and takes back those of workers that died.

It has a single thread, so that a handler may fork a child for dangerous work; whoever does long work calls
`tick`, which keeps the lease. A job it cannot end is given back, failed or left to the reaper, never lost:
every way out of an attempt is written down in `_attempt`.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from domain.asking import INSIDE, QUEUES
from domain.refusals import Refusal, StorageFull, StorageUnavailable
from domain.work import Work
from storage import jobs, wakeups
from storage.jobs import Claimed
from storage.wakeups import Wakeups
from workers import registry, upkeep
from workers.registry import Duties, Interrupted, JobFailed, Stop, Tools

#: Seconds between two looks for work when nothing wakes the runner: jobs become due without a commit.
IDLE_SECONDS: Final = 1.0
#: Seconds a runner rests after trouble that is not a job's, such as a database that is away.
REST_SECONDS: Final = 1.0


def main(open_tools: Callable[[], Tools], stop: Stop) -> None:
    """Does jobs of every kind until asked to stop."""
    tools = open_tools()
    try:
        Runner(tools, registry.collect(), stop, queues=INSIDE).run()
    finally:
        tools.hub.close()


def worker_name() -> str:
    """Unique among all workers there ever were: the name is part of the fence around a job's result."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass
class Runner:
    tools: Tools
    duties: Duties
    stop: Stop
    queues: tuple[str, ...] = QUEUES
    lease: timedelta = jobs.LEASE
    name: str = field(default_factory=worker_name)
    #: What the log calls it.
    role: str = "runner"
    #: What wakes it, where somebody listens for several at once; else it listens itself.
    ears: Wakeups | None = None
    _rounds_due: float = 0.0

    def run(self) -> None:
        """Until asked to stop; the job in hand is then ended, or given back unspent after a few seconds."""
        for warm in self.duties.warm:
            warm()
        began, ended = f"{self.role}.started", f"{self.role}.stopped"
        self.tools.log.info(began, worker=self.name)
        with self._listening() as ears:
            while not self.stop.is_asked:
                if not self._step():
                    ears.wait(IDLE_SECONDS)
        self.tools.log.info(ended, worker=self.name)

    def _listening(self) -> AbstractContextManager[Wakeups]:
        if self.ears is not None:
            return nullcontext(self.ears)
        return wakeups.listening(self.tools.hub.database, wakeups.JOBS)

    def _step(self) -> bool:
        """True when there may be more to do at once."""
        try:
            self._make_rounds()
            return self._run_one()
        except Exception:
            self.tools.log.exception("runner.trouble", worker=self.name)
            time.sleep(REST_SECONDS)
            return False

    def _make_rounds(self) -> None:
        """Every half lease: takes back expired leases and asks for chores that are due."""
        if time.monotonic() < self._rounds_due:
            return
        self._rounds_due = time.monotonic() + self.lease.total_seconds() / 2
        with self.tools.writing() as work:
            for job in jobs.reap(work.session):
                self.tools.log.warning("job.died", job=job.id, kind=job.kind, code=jobs.LEASE_EXPIRED[0])
                self._bury(work, job, *jobs.LEASE_EXPIRED)
        for look in self.duties.rounds:
            look(self.tools)
        with self.tools.writing() as work:
            for name in upkeep.ask_due(work, self.duties.chores):
                self.tools.log.info("chore.asked", chore=name)

    def _run_one(self) -> bool:
        if not jobs.are_due(self.tools.hub.database, self.queues):
            return False
        with self.tools.writing() as work:
            claimed = jobs.claim(work.session, self.queues, self.name, 1, lease=self.lease)
        for job in claimed:
            self._attempt(job)
        return bool(claimed)

    def _attempt(self, job: Claimed) -> None:
        tools = self._tools_for(job)
        try:
            self._do(tools, job)
        except jobs.LostLease:
            tools.log.warning("job.lease_lost")
        except Interrupted:
            self._give_back(tools, job)
        except JobFailed as failed:
            self._fail(tools, job, failed)
        except Refusal as refused:
            retryable = isinstance(refused, StorageFull | StorageUnavailable)
            self._fail(tools, job, JobFailed(refused.code, refused.message, retryable=retryable))
        except Exception:
            reference = secrets.token_hex(4)
            tools.log.exception("job.crashed", reference=reference)
            sentence = f"The job ended in an unexpected way; the log has the reason under {reference}."
            self._fail(tools, job, JobFailed("INTERNAL", sentence, retryable=True))

    def _do(self, tools: Tools, job: Claimed) -> None:
        started = time.monotonic()
        handle = self.duties.handlers.get(job.kind)
        if handle is None:  # a newer program asked; a worker of that version may take it after the back-off
            raise JobFailed("UNKNOWN_KIND", f"This worker does not know how to {job.kind}.", retryable=True)
        write = handle(tools, job)
        with tools.writing() as work:
            write(work)
            jobs.finish(work.session, job)
        tools.log.info("job.done", seconds=round(time.monotonic() - started, 3))

    def _fail(self, tools: Tools, job: Claimed, failed: JobFailed) -> None:
        try:
            with tools.writing() as work:
                dead = jobs.fail(work.session, job, failed.code, failed.sentence, retryable=failed.retryable)
                if dead:
                    self._bury(work, job, failed.code, failed.sentence)
        except jobs.LostLease:
            tools.log.warning("job.lease_lost", code=failed.code)
        else:
            tools.log.warning("job.died" if dead else "job.failed", code=failed.code, sentence=failed.sentence)

    def _bury(self, work: Work, job: Claimed, code: str, sentence: str) -> None:
        """Writes what the death means for the domain; when that fails the job is dead all the same."""
        owner = self.duties.exhausted.get(job.kind)
        if owner is None:
            return
        try:
            with work.session.begin_nested():
                owner(work, job, code, sentence)
        except Exception:
            self.tools.log.exception("job.consequence_failed", job=job.id, kind=job.kind)

    def _give_back(self, tools: Tools, job: Claimed) -> None:
        try:
            with tools.writing() as work:
                jobs.release(work.session, job)
        except jobs.LostLease:
            tools.log.warning("job.lease_lost")
        else:
            tools.log.info("job.given_back")

    def _tools_for(self, job: Claimed) -> Tools:
        return replace(
            self.tools,
            log=self.tools.log.bind(job=job.id, kind=job.kind, attempt=job.attempt),
            tick=self._pulse(job),
            progress=lambda done, total: self._tell(job, done, total),
            cause=f"job-{job.id}",
        )

    def _pulse(self, job: Claimed) -> Callable[[], None]:
        every = self.lease.total_seconds() / 3
        due = time.monotonic() + every

        def tick() -> None:
            nonlocal due
            if self.stop.is_overdue:
                raise Interrupted
            if time.monotonic() >= due:
                due = time.monotonic() + every
                self._beat(job)

        return tick

    def _beat(self, job: Claimed) -> None:
        try:
            with self.tools.writing() as work:
                jobs.beat(work.session, job, lease=self.lease)
        except jobs.LostLease:
            raise
        except Exception as error:  # noqa: BLE001  # a missed beat is no reason to drop good work: `finish` decides
            self.tools.log.warning("job.beat_missed", job=job.id, error=str(error))

    def _tell(self, job: Claimed, done: int, total: int | None) -> None:
        with self.tools.writing() as work:
            jobs.progress(work.session, job, done, total)
