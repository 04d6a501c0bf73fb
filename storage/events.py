"""The one order of what happened: committed events get gapless numbers and become links of a chain, and readers follow
the numbers.

An id is handed out before its transaction commits, so a reader by id misses whatever commits late. A `seq`
is given after commit, under a lock, in one committed step: whoever read up to `seq` n missed nothing below. In the same
step an event is linked to the one before it in its organisation (`storage.chain`), and the ends of the chains are
sealed anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import chain, wakeups
from storage.tables import AuditHeadRow, EventRow

#: Most events numbered in one transaction: bounds how long other writers of SQLite wait.
BATCH = 1_000
#: Key of the advisory lock that numbering holds: "imprimat" in ASCII.
LOCK = int.from_bytes(b"imprimat", "big")


def add(session: Session, event: EventRow) -> None:
    """Adds the event to the transaction; whoever listens to `wakeups.EVENTS` hears of it on commit."""
    session.add(event)
    wakeups.announce(session, wakeups.EVENTS)


def number(session: Session, secret: bytes) -> int:
    """Numbers and links what has been committed, in the order of ids, and says how many: after `BATCH`, call again.

    Events that were numbered before there were chains are linked first. Any number of processes may do this. Needs a
    writing session: its isolation on PostgreSQL (read committed) lets the statements behind the lock see what its
    previous holder committed. An end of a chain that does not bear the seal of `secret` is continued, but never sealed
    again: what happened to it stays to be found.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    waiting = _waiting(session)
    if not waiting:
        return 0
    ends = {org_id: _end(session, secret, org_id) for org_id in {row.org_id for row in waiting}}
    hub = _end_of_hub(session, secret)
    fresh = itertools.count(max(hub.place, last(session)) + 1)
    links = [_linked(row, ends[row.org_id], hub, fresh) for row in waiting]
    event: Any = EventRow.__table__
    given = sa.update(event).where(event.c.id == sa.bindparam("event_id"))
    session.connection().execute(
        given.values(seq=sa.bindparam("n"), chain_seq=sa.bindparam("place"), hash=sa.bindparam("digest")), links
    )
    _keep(session, secret, [*ends.values(), hub])
    wakeups.announce(session, wakeups.EVENTS)
    return len(waiting)


def after(session: Session, seq: int, limit: int) -> list[EventRow]:
    """Events numbered above `seq`, in order."""
    found = sa.select(EventRow).where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)
    return list(session.scalars(found))


def last(session: Session) -> int:
    """The highest number given so far; 0 when there is none."""
    return session.scalar(sa.select(sa.func.max(EventRow.seq))) or 0


@dataclass
class _End:
    """Where a chain ends while it is being continued."""

    org_id: int
    place: int = 0
    hash: bytes = field(default=chain.FIRST)
    is_sealed: bool = True


def _waiting(session: Session) -> list[chain.Stored]:
    """Numbered before there were chains, then not numbered yet."""
    old = EventRow.seq.is_not(None) & EventRow.chain_seq.is_(None)
    found = list(chain.rows(session, old, order=EventRow.seq, limit=BATCH))
    if len(found) < BATCH:
        fresh = EventRow.seq.is_(None) & EventRow.chain_seq.is_(None)
        found += chain.rows(session, fresh, order=EventRow.id, limit=BATCH - len(found))
    return found


def _linked(row: chain.Stored, end: _End, hub: _End, fresh: Iterator[int]) -> dict[str, Any]:
    seq = next(fresh) if row.seq is None else row.seq
    end.place += 1
    end.hash = chain.link(end.hash, chain.spelt(row, seq=seq, chain_seq=end.place))
    if seq > hub.place:
        hub.place, hub.hash = seq, end.hash
    return {"event_id": row.id, "n": seq, "place": end.place, "digest": end.hash.hex()}


def _end(session: Session, secret: bytes, org_id: int) -> _End:
    """Behind the sealed end; where there are links without one or beyond it, behind the last, unsealed."""
    head = session.get(AuditHeadRow, org_id)
    of_org = sa.select(EventRow.chain_seq, EventRow.hash).where(EventRow.org_id == org_id)
    reached = of_org.where(EventRow.chain_seq.is_not(None)).order_by(EventRow.chain_seq.desc()).limit(1)
    place, digest = session.execute(reached).one_or_none() or (0, None)
    if head is None or head.chain_seq < (place or 0):
        return _End(org_id, place or 0, _bytes(digest), is_sealed=place == 0)
    return _End(org_id, head.chain_seq, _bytes(head.hash), is_sealed=chain.is_sealed(secret, head))


def _end_of_hub(session: Session, secret: bytes) -> _End:
    head = session.get(AuditHeadRow, chain.HUB)
    if head is None:
        begun = session.scalar(sa.select(EventRow.id).where(EventRow.chain_seq.is_not(None)).limit(1))
        return _End(chain.HUB, is_sealed=begun is None)
    return _End(chain.HUB, head.chain_seq, _bytes(head.hash), chain.is_sealed(secret, head))


def _bytes(digest: str | None) -> bytes:
    """An end that somebody spoilt is continued from nothing."""
    try:
        return chain.bytes32(digest or "")
    except ValueError:
        return chain.FIRST


def _keep(session: Session, secret: bytes, ends: Iterable[_End]) -> None:
    for end in ends:
        digest = end.hash.hex()
        mac = chain.seal(secret, end.org_id, end.place, digest) if end.is_sealed else chain.BROKEN
        session.merge(AuditHeadRow(org_id=end.org_id, chain_seq=end.place, hash=digest, mac=mac))
    session.flush()
