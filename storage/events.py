"""The one order of what happened: committed events get gapless numbers, and readers follow the numbers.

An id is handed out before its transaction commits, so a reader by id misses whatever commits late. A `seq`
is given after commit, under a lock, in one committed step: whoever read up to `seq` n missed nothing below.
"""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import wakeups
from storage.tables import EventRow

#: Most events numbered in one transaction: bounds how long other writers of SQLite wait.
BATCH = 10_000
#: Key of the advisory lock that numbering holds: "imprimat" in ASCII.
LOCK = int.from_bytes(b"imprimat", "big")


def add(session: Session, event: EventRow) -> None:
    """Adds the event to the transaction; whoever listens to `wakeups.EVENTS` hears of it on commit."""
    session.add(event)
    wakeups.announce(session, wakeups.EVENTS)


def number(session: Session) -> int:
    """Numbers what has been committed, in the order of ids, and says how many: after `BATCH`, call again.

    Any number of processes may do this. Needs a writing session: its isolation on PostgreSQL (read committed)
    lets the second statement see what the previous holder of the lock committed.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    numbered = cast("sa.CursorResult[Any]", session.execute(_give_numbers())).rowcount
    if numbered:
        wakeups.announce(session, wakeups.EVENTS)
    return numbered


def after(session: Session, seq: int, limit: int) -> list[EventRow]:
    """Events numbered above `seq`, in order."""
    found = sa.select(EventRow).where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)
    return list(session.scalars(found))


def last(session: Session) -> int:
    """The highest number given so far; 0 when there is none."""
    return session.scalar(sa.select(sa.func.max(EventRow.seq))) or 0


def _give_numbers() -> sa.Update:
    highest = sa.select(sa.func.coalesce(sa.func.max(EventRow.seq), 0)).scalar_subquery()
    batch = sa.select(EventRow.id).where(EventRow.seq.is_(None)).order_by(EventRow.id).limit(BATCH).cte("batch")
    place = sa.func.row_number().over(order_by=batch.c.id)
    fresh = sa.select(batch.c.id, (highest + place).label("seq")).cte("fresh")
    numbering = sa.update(EventRow).where(EventRow.id == fresh.c.id).values(seq=fresh.c.seq)
    return numbering.execution_options(synchronize_session=False)
