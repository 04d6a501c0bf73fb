"""What happens, as it is told to whoever in this process listens: one reader of the event table, however many listen.

Always true here:
- Events are told in the order of their numbers. A listener holds a place in them and no queue: what it has not taken
  yet waits in one ring for all, and what has left the ring is read from the table again, so nobody loses or repeats
  anything and memory stays bounded.
- A cursor says where in that order somebody stands. It is sealed: it tells nothing of how much happened between two of
  them that its holder may not know of, and nobody makes one up.
- While nobody listens nothing is read. Who listens hears of events also where no worker numbers them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.hub import Hub
from domain.refusals import BadCursor
from domain.work import Work
from storage import database, events, wakeups
from storage.tables import EventRow, JobRow

#: Events kept in memory for those who have not taken them yet; older ones are read again.
KEPT: Final = 2_000
#: Events read at once, from the table or for one listener.
BATCH: Final = 200
#: Seconds between two looks when nothing wakes the reader, and while somebody watches a job, whose steps wake nobody.
IDLE_SECONDS: Final = 1.0
WATCHING_SECONDS: Final = 0.25
#: Seconds until a database that could not be read is tried again.
TROUBLE_SECONDS: Final = 1.0

#: Called from a thread of the feed's when there may be something to take: types of events, and whether a job moved.
Heard: TypeAlias = Callable[[Collection[str], bool], None]

_TAG_BYTES, _SEQ_BYTES = 12, 8
_log = logging.getLogger("imprimatur.feed")


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, apart from its row."""

    seq: int
    type: str
    subject: tuple[str, int]
    payload: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True)
class Taken:
    """What was there to take, and the place behind it."""

    events: list[Happened]
    place: int
    #: Whether nothing more was there at that moment.
    is_all: bool


@dataclass(frozen=True)
class Steps:
    """How far a job is; two that are equal look the same to whoever watches."""

    state: str
    attempt: int
    done: int
    total: int | None
    failure: str | None


def cursor(secret: bytes, seq: int) -> str:
    """Where somebody stands who was told everything up to `seq`."""
    plain = seq.to_bytes(_SEQ_BYTES, "big")
    tag = _tag(secret, plain)
    return base64.urlsafe_b64encode(tag + _masked(secret, tag, plain)).decode()


def place_of(work: Work, text: str) -> int:
    """The place that a cursor of ours stands for; `BadCursor` for any other text, and for one beyond what happened: the
    database was put back to an earlier state since.
    """
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        sealed = b""
    tag, masked = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
    plain = _masked(work.secret, tag, masked) if len(masked) == _SEQ_BYTES else b""
    if not plain or not hmac.compare_digest(tag, _tag(work.secret, plain)):
        raise BadCursor("This is no cursor of an event here.", ("after",))
    seq = int.from_bytes(plain, "big")
    if seq > events.last(work.session):
        raise BadCursor("This cursor is ahead of everything that happened here: begin anew.", ("after",))
    return seq


class Feed:
    """One per process."""

    def __init__(self, hub: Hub, heard: Heard) -> None:
        self._hub, self._heard = hub, heard
        self._starting, self._lock = threading.Lock(), threading.Lock()
        self._listeners = 0
        self._reader: _Reader | None = None
        self._watched: Counter[int] = Counter()

    def join(self) -> int:
        """Keeps the reader going until `leave`; the place at which it stands: what happens from now on lies behind it.

        Reads from the database when nobody listened before: to be called on a database thread.
        """
        with self._starting:
            with self._lock:
                self._listeners += 1
                reader = self._reader
            try:
                return self._started().last if reader is None else reader.last
            except BaseException:
                self.leave()
                raise

    def leave(self) -> None:
        """The last one who leaves sends the reader home; never waits."""
        with self._lock:
            self._listeners -= 1
            if self._listeners == 0 and self._reader is not None:
                self._reader.stop()
                self._reader = None

    def take(self, place: int, types: Collection[str]) -> Taken | None:
        """Events of these types behind the place that are in memory; None where some may have left it: `read` them."""
        reader = self._reader
        return None if reader is None else reader.take(place, types)

    def watch(self, job_id: int) -> None:
        with self._lock:
            self._watched[job_id] += 1

    def unwatch(self, job_id: int) -> None:
        with self._lock:
            self._watched[job_id] -= 1
            if self._watched[job_id] <= 0:
                del self._watched[job_id]

    def steps_of(self, job_id: int) -> Steps | None:
        """How far the job was when it was looked at last; None where it is not known yet, or no more."""
        reader = self._reader
        return None if reader is None else reader.steps.get(job_id)

    def _started(self) -> _Reader:
        reader = _Reader(self._hub, self._heard, self._watched)
        reader.start()
        with self._lock:
            self._reader = reader
        return reader


def read(work: Work, place: int, types: Collection[str]) -> Taken:
    """The next events of these types behind the place, from the table, at most `BATCH`."""
    last = events.last(work.session)
    found = sa.select(EventRow).where(EventRow.seq > place, EventRow.type.in_(types))
    rows = list(work.session.scalars(found.order_by(EventRow.seq).limit(BATCH)))
    told = [_happened(row) for row in rows]
    if len(told) == BATCH:
        return Taken(told, told[-1].seq, is_all=False)
    return Taken(told, max(place, last), is_all=True)


def steps_now(work: Work, job_id: int) -> Steps | None:
    """How far the job is, whoever may know of it; None where there is none."""
    row = work.session.get(JobRow, job_id)
    return None if row is None else _steps(row)


@dataclass
class _Ring:
    """The newest events. Everything above `floor` is here."""

    floor: int
    rows: list[Happened] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.rows[-1].seq if self.rows else self.floor

    def add(self, fresh: list[Happened]) -> None:
        """A new list each time: whoever reads the old one goes on undisturbed."""
        rows = self.rows + fresh
        if len(rows) > 2 * KEPT:
            self.floor = rows[-KEPT - 1].seq
            rows = rows[-KEPT:]
        self.rows = rows


class _Reader:
    """The thread that reads, on a connection of its own: it never keeps one from those who answer requests."""

    def __init__(self, hub: Hub, heard: Heard, watched: Counter[int]) -> None:
        self._secret, self._heard, self._watched = hub.secret, heard, watched
        self._database = database.open_database(hub.database.url, pool_size=1)
        self._stopped = threading.Event()
        self._ring_lock = threading.Lock()
        self._ring = _Ring(floor=0)
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.steps: dict[int, Steps] = {}

    @property
    def last(self) -> int:
        return self._ring.last

    def start(self) -> None:
        try:
            self._number()  # what was committed before is not what happens from now on
            with self._database.reading() as session:
                self._ring = _Ring(floor=events.last(session))
        except BaseException:
            self._database.close()
            raise
        self._thread.start()

    def stop(self) -> None:
        """It ends within a look or two; nobody waits for it."""
        self._stopped.set()

    def take(self, place: int, types: Collection[str]) -> Taken | None:
        with self._ring_lock:
            floor, rows = self._ring.floor, self._ring.rows
        if place < floor:
            return None
        fitting: list[Happened] = []
        for event in rows[bisect_right(rows, place, key=lambda each: each.seq) :]:
            if event.type in types:
                fitting.append(event)
                if len(fitting) == BATCH:
                    return Taken(fitting, event.seq, is_all=False)
        return Taken(fitting, max(place, rows[-1].seq if rows else floor), is_all=True)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    self._follow()
                except Exception:  # noqa: BLE001  # whatever it is, the next look may go well
                    _log.exception("the events cannot be read")
                    self._stopped.wait(TROUBLE_SECONDS)
        finally:
            self._database.close()

    def _follow(self) -> None:
        with wakeups.listening(self._database, wakeups.EVENTS) as ears:
            while not self._stopped.is_set():
                self._number()
                types, moved = self._catch_up(), self._look_at_jobs()
                if types or moved:
                    self._heard(types, moved)
                ears.wait(WATCHING_SECONDS if self._watched else IDLE_SECONDS)

    def _number(self) -> None:
        """Where nothing waits, as mostly, nothing is locked."""
        with self._database.reading() as session:
            waiting = _is_waiting(session)
        while waiting:
            with self._database.writing() as session:
                waiting = events.number(session, self._secret) == events.BATCH

    def _catch_up(self) -> set[str]:
        """The types of what is new."""
        types: set[str] = set()
        while True:
            with self._database.reading() as session:
                fresh = [_happened(row) for row in events.after(session, self._ring.last, BATCH)]
            if fresh:
                with self._ring_lock:
                    self._ring.add(fresh)
                types.update(event.type for event in fresh)
            if len(fresh) < BATCH:
                return types

    def _look_at_jobs(self) -> bool:
        """One statement for all that are watched; whether any of them moved."""
        watched = list(self._watched)
        if not watched:
            self.steps = {}
            return False
        with self._database.reading() as session:
            found = {row.id: _steps(row) for row in session.scalars(sa.select(JobRow).where(JobRow.id.in_(watched)))}
        moved, self.steps = found != self.steps, found
        return moved


def _is_waiting(session: Session) -> bool:
    return session.scalar(sa.select(EventRow.id).where(EventRow.seq.is_(None)).limit(1)) is not None


def _happened(row: EventRow) -> Happened:
    assert row.seq is not None, "only what has a number is told"
    return Happened(row.seq, row.type, (row.subject_type, row.subject_id), row.payload, row.occurred_at)


def _steps(row: JobRow) -> Steps:
    return Steps(row.state, row.attempt, row.progress_done, row.progress_total, row.failure_code)


def _tag(secret: bytes, plain: bytes) -> bytes:
    return hmac.new(secret, b"imprimatur/event cursor/" + plain, hashlib.sha256).digest()[:_TAG_BYTES]


def _masked(secret: bytes, tag: bytes, text: bytes) -> bytes:
    """Hides or shows: the pad depends on the tag, which is another for every place."""
    pad = hmac.new(secret, b"imprimatur/event place/" + tag, hashlib.sha256).digest()
    return bytes(a ^ b for a, b in zip(text, pad, strict=False))
