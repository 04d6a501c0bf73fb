"""The durable job table: work that exists if and only if the transaction that asked for it committed.

- A claimed job belongs to one worker until its lease ends; `beat` keeps the lease, `reap` takes it away.
- `finish` is fenced by worker, attempt and state and stands in the transaction that holds the job's result:
  a worker that lost its lease loses its result too, so kill -9 anywhere leaves exactly one result.
- Leases are measured by the database's clock on PostgreSQL, where workers stand on several machines, and by
  this machine's on SQLite.
- No function commits; the caller's transaction does.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage import wakeups
from storage.database import Database
from storage.glances import Glance
from storage.tables import CronSlotRow, JobRow
from storage.types import Instant

#: How long a claimed job stays with a worker that gives no sign of life.
LEASE: Final = timedelta(seconds=30)
#: The wait after attempt n is 2^(n-1) of these, at most the longest, times a jitter of 0.5 to 1.5.
FIRST_BACK_OFF: Final = timedelta(seconds=1)
LONGEST_BACK_OFF: Final = timedelta(minutes=5)
#: Leases taken back, and rows purged, in one transaction: bounds how long other writers of SQLite wait.
REAP_BATCH: Final = 20
PURGE_BATCH: Final = 2_000
#: The condition of the unique index.
ACTIVE_WITH_KEY: Final = "state IN ('READY', 'RUNNING') AND unique_key IS NOT NULL"
#: Code and sentence of an attempt whose worker died or hung.
LEASE_EXPIRED: Final = ("LEASE_EXPIRED", "The worker stopped giving signs of life.")


class LostLease(Exception):
    """The job is somebody else's by now, or over: whatever this attempt produced must not be kept."""


class KeyTaken(Exception):
    """Another job with the same unique key is waiting or running; `job_id` is which."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"Job {job_id} holds the same unique key.")
        self.job_id = job_id


@dataclass(frozen=True)
class Claimed:
    """One attempt at a job: `attempt` counts from 1 and, with `worker`, fences what it writes."""

    id: int
    org_id: int
    queue: str
    kind: str
    payload: dict[str, Any]
    #: When it became due; the row's moves on when the job is asked for again while this attempt runs.
    run_at: datetime
    attempt: int
    max_attempts: int
    worker: str


def ask(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    org_id: int,
    now: datetime,
    queue: str = "default",
    priority: int = 0,
    run_at: datetime | None = None,
    max_attempts: int = 5,
    unique_key: str | None = None,
) -> int | None:
    """Adds a job, due at once or at `run_at`; larger priorities go first. Answers its id.

    None when a job with `unique_key` is there already, and then no request is lost: a waiting one starts only
    after this transaction has ended, and a running one, which may have looked too early, runs once more.
    """
    insert = postgresql.insert if _is_postgres(session) else sqlite.insert
    job = insert(JobRow).values(
        org_id=org_id,
        queue=queue,
        kind=kind,
        payload=payload,
        state="READY",
        priority=priority,
        run_at=_clock(session) if run_at is None else run_at,
        attempt=0,
        max_attempts=max_attempts,
        unique_key=unique_key,
        progress_done=0,
        created_at=now,
    )
    asked = session.execute(_or_again(session, job).returning(JobRow.id, JobRow.state)).one_or_none()
    wakeups.announce(session, wakeups.JOBS)
    if asked is not None and asked.state == "READY":
        return int(asked.id)
    _raise_priority(session, unique_key, priority)
    return None


def are_due(database: Database, queues: Sequence[str]) -> bool:
    """Whether `claim` may find anything. Asked in one statement that locks nothing: most wake-ups are for others."""
    if database.is_postgres:
        return _due_by_database(tuple(queues)).row(database) is not None
    return _due_by_us(tuple(queues)).row(database, now=datetime.now(UTC)) is not None


def claim(
    session: Session,
    queues: Sequence[str],
    worker: str,
    limit: int = 1,
    *,
    lease: timedelta = LEASE,
) -> list[Claimed]:
    """Takes up to `limit` due jobs for `worker`, a name no other living process uses, and starts an attempt.

    Queues are emptied in the order given; within one, by priority, then by how long a job has been due.
    """
    taken: list[Claimed] = []
    for queue in queues:
        if len(taken) < limit:
            taken += _claim_from(session, queue, worker, limit - len(taken), lease)
    return taken


def beat(session: Session, job: Claimed, *, lease: timedelta = LEASE) -> None:
    """Prolongs the lease to `lease` from now; raises `LostLease`."""
    _fenced(session, job, lease_until=_clock(session) + _span(session, lease))


def progress(session: Session, job: Claimed, done: int, total: int | None) -> None:
    """Keeps how far the attempt is, for whoever watches; raises `LostLease`."""
    _fenced(session, job, progress_done=done, progress_total=total)


def finish(session: Session, job: Claimed) -> None:
    """Ends the job as DONE, or as READY when it was asked for again meanwhile; raises `LostLease`.

    Called last in the transaction, so that the lease also guards the result, and because a lock on the job's
    row held while the result is written could deadlock with a request that changes the same subject.
    """
    ended = {"state": "DONE", "lease_until": None, "failure_code": None, "failure_message": None}
    once = sa.update(JobRow).where(*_fence(job), JobRow.run_at == job.run_at)
    if _count(session, once.values(**ended, finished_at=_clock(session))) == 1:
        return
    row = _mine(session, job)
    row.failure_code = row.failure_message = None
    _begin_again(session, row)
    session.flush()


def fail(session: Session, job: Claimed, code: str, message: str, *, retryable: bool) -> bool:
    """Ends the attempt: back to READY after a back-off, or DEAD (true) if permanent or the last one allowed.

    `code` is for programs, `message` a sentence for people; both are kept. A job that was asked for again
    meanwhile does not die. Raises `LostLease`.
    """
    row = _mine(session, job)
    row.failure_code, row.failure_message = code, message
    if row.run_at == job.run_at:
        _end_attempt(session, row, retryable=retryable)
    else:
        _begin_again(session, row)
    session.flush()
    return row.state == "DEAD"


def release(session: Session, job: Claimed) -> None:
    """Gives an unfinished job back, due at once and with its attempt unspent; raises `LostLease`."""
    _fenced(session, job, state="READY", attempt=job.attempt - 1, worker=None, lease_until=None)
    wakeups.announce(session, wakeups.JOBS)


def reap(session: Session, limit: int = REAP_BATCH) -> list[Claimed]:
    """Takes back up to `limit` expired leases and answers the jobs that died of it: no attempt was left.

    The rest wait for their back-off and are tried again.
    """
    expired = sa.select(JobRow).where(_state_is("RUNNING"), JobRow.lease_until < _clock(session))
    expired = expired.order_by(JobRow.lease_until).limit(limit).with_for_update(skip_locked=True)
    taken_back = [(row, _claimed(row)) for row in session.scalars(expired).all()]
    for row, _ in taken_back:
        row.failure_code, row.failure_message = LEASE_EXPIRED
        _end_attempt(session, row, retryable=True)
    session.flush()
    return [attempt for row, attempt in taken_back if row.state == "DEAD"]


def retry(session: Session, job_id: int) -> bool:
    """Makes a DEAD job READY with all its attempts; false when it is not DEAD. Raises `KeyTaken`."""
    row = session.get(JobRow, job_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != "DEAD":
        return False
    try:
        with session.begin_nested():
            _begin_again(session, row)
    except sa.exc.IntegrityError:
        raise KeyTaken(_holder(session, row.unique_key)) from None
    return True


def purge(session: Session, before: datetime, limit: int = PURGE_BATCH) -> int:
    """Removes up to `limit` jobs DONE before that moment and says how many. Dead letters stay."""
    old = sa.select(JobRow.id).where(_state_is("DONE"), JobRow.finished_at < before)
    return _count(session, sa.delete(JobRow).where(JobRow.id.in_(old.order_by(JobRow.finished_at).limit(limit))))


def waiting(session: Session) -> dict[str, int]:
    """How many jobs are READY, RUNNING and DEAD; finished ones are history, not load."""
    counted = {}
    for state in ("READY", "RUNNING", "DEAD"):
        counted[state] = session.scalar(sa.select(sa.func.count()).select_from(JobRow).where(_state_is(state))) or 0
    return counted


def take_slot(session: Session, name: str, slot: datetime) -> bool:
    """True for exactly one caller per periodic task and slot, if its transaction commits."""
    insert = postgresql.insert if _is_postgres(session) else sqlite.insert
    turn = insert(CronSlotRow).values(name=name, slot=slot).on_conflict_do_nothing()
    return session.scalar(turn.returning(CronSlotRow.name)) is not None


def purge_slots(session: Session, before: datetime) -> int:
    """Forgets turns taken for slots before that moment, and says how many."""
    return _count(session, sa.delete(CronSlotRow).where(CronSlotRow.slot < before))


def _or_again(session: Session, job: Any) -> Any:
    """Inserts, or tells the RUNNING holder of the key that it was asked for again: its `run_at` moves.

    The holder's row is locked either way, on PostgreSQL also where the condition is false.
    """
    return job.on_conflict_do_update(
        index_elements=[JobRow.unique_key],
        index_where=sa.text(ACTIVE_WITH_KEY),
        set_={"run_at": _clock(session)},
        where=_state_is("RUNNING"),
    )


def _raise_priority(session: Session, unique_key: str | None, priority: int) -> None:
    holder = sa.update(JobRow).where(JobRow.unique_key == unique_key, _is_active(), JobRow.priority < priority)
    _count(session, holder.values(priority=priority))


def _claim_from(session: Session, queue: str, worker: str, limit: int, lease: timedelta) -> list[Claimed]:
    due = sa.select(JobRow.id).where(_state_is("READY"), JobRow.queue == queue, JobRow.run_at <= _clock(session))
    due = due.order_by(JobRow.priority.desc(), JobRow.run_at, JobRow.id).limit(limit)
    # A CTE, because PostgreSQL may run a plain subquery more than once and so take more rows than the limit.
    picked = due.with_for_update(skip_locked=True).cte("picked")
    taking = (
        sa.update(JobRow)
        .where(JobRow.id.in_(sa.select(picked.c.id)))
        .values(
            state="RUNNING",
            worker=worker,
            attempt=JobRow.attempt + 1,
            lease_until=_clock(session) + _span(session, lease),
        )
        .returning(JobRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    rows = session.scalars(taking).all()
    return [_claimed(row) for row in sorted(rows, key=lambda row: (-row.priority, row.run_at, row.id))]


def _claimed(row: JobRow) -> Claimed:
    return Claimed(
        id=row.id,
        org_id=row.org_id,
        queue=row.queue,
        kind=row.kind,
        payload=row.payload,
        run_at=row.run_at,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        worker=row.worker or "",
    )


def _fenced(session: Session, job: Claimed, **values: Any) -> None:
    if _count(session, sa.update(JobRow).where(*_fence(job)).values(**values)) != 1:
        raise LostLease(f"Job {job.id} is no longer attempt {job.attempt} of {job.worker}.")


def _mine(session: Session, job: Claimed) -> JobRow:
    mine = sa.select(JobRow).where(*_fence(job)).with_for_update()
    row = session.scalar(mine.execution_options(populate_existing=True))
    if row is None:
        raise LostLease(f"Job {job.id} is no longer attempt {job.attempt} of {job.worker}.")
    return row


def _fence(job: Claimed) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        JobRow.id == job.id,
        JobRow.worker == job.worker,
        JobRow.attempt == job.attempt,
        _state_is("RUNNING"),
    )


def _end_attempt(session: Session, row: JobRow, *, retryable: bool) -> None:
    row.worker = row.lease_until = None
    if retryable and row.attempt < row.max_attempts:
        row.state, row.run_at = "READY", _clock(session) + _span(session, _back_off(row.attempt))
    else:
        row.state, row.finished_at = "DEAD", _clock(session)


def _begin_again(session: Session, row: JobRow) -> None:
    row.state, row.attempt, row.run_at = "READY", 0, _clock(session)
    row.worker = row.lease_until = row.finished_at = row.progress_total = None
    row.progress_done = 0
    wakeups.announce(session, wakeups.JOBS)


def _back_off(attempt: int) -> timedelta:
    wait = min(FIRST_BACK_OFF * (1 << min(attempt - 1, 30)), LONGEST_BACK_OFF)
    return wait * random.uniform(0.5, 1.5)  # noqa: S311  # spreads retries apart; nothing secret


def _holder(session: Session, unique_key: str | None) -> int:
    return session.scalars(sa.select(JobRow.id).where(JobRow.unique_key == unique_key, _is_active())).one()


def _is_active() -> sa.ColumnElement[bool]:
    """Spelt as the condition of the unique index, so that the index is used."""
    return sa.literal_column(f"({ACTIVE_WITH_KEY})", sa.Boolean)


def _state_is(state: str) -> sa.ColumnElement[bool]:
    # Spelt out, not bound: a partial index is only used when its condition is visible in the statement.
    return JobRow.state == sa.literal_column(f"'{state}'")


@functools.cache
def _due_by_database(queues: tuple[str, ...]) -> Glance:
    return Glance(_due_before(queues, sa.func.statement_timestamp(type_=Instant())))


@functools.cache
def _due_by_us(queues: tuple[str, ...]) -> Glance:
    return Glance(_due_before(queues, sa.bindparam("now", type_=Instant())))


def _due_before(queues: tuple[str, ...], moment: sa.ColumnElement[datetime]) -> sa.Select[int]:
    return sa.select(JobRow.id).where(_state_is("READY"), JobRow.queue.in_(queues), JobRow.run_at <= moment).limit(1)


def _clock(session: Session) -> sa.ColumnElement[datetime]:
    """This statement's moment, constant within it."""
    if _is_postgres(session):
        return sa.func.statement_timestamp(type_=Instant())
    return sa.literal(datetime.now(UTC), Instant())


def _span(session: Session, span: timedelta) -> sa.ColumnElement[Any]:
    if _is_postgres(session):
        return sa.literal(span, sa.Interval())
    return sa.literal(span // timedelta(microseconds=1), sa.BigInteger())


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _count(session: Session, change: sa.Update | sa.Delete) -> int:
    done = session.execute(change.execution_options(synchronize_session=False))
    return cast("sa.CursorResult[Any]", done).rowcount
