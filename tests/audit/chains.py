"""Chains of events for tests: made, tampered with behind the domain's back, and verified without the change staying."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit, history
from domain.hub import Hub
from domain.work import HUB, Viewer, Work
from storage import chain, events
from storage.tables import AuditHeadRow, EventRow

EVENT: Any = EventRow.__table__


class _Undone(Exception):
    pass


def write(hub: Hub, viewer: Viewer, org_id: int, count: int = 1, reason: str | None = None) -> None:
    """Events as the domain records them, not linked yet."""
    with hub.writing(viewer, "request-1") as work:
        for number in range(count):
            told = {"version": number, "sha256": "ab" * 32, "many": [1, {"é": True}, None]}
            history.record(work, "asset.updated", ("Asset", number + 1), told, org_id=org_id, reason=reason)


def link(hub: Hub) -> int:
    """Numbers and links everything that waits; how many events that were."""
    total = 0
    while True:
        with hub.writing(HUB) as work:
            count = events.number(work.session, work.secret)
        if count == 0:
            return total
        total += count


def verified(hub: Hub, org_id: int, **bounds: int) -> audit.Verification:
    with hub.reading(HUB) as work:
        return audit.verify(work, org_id, **bounds)


def told(found: audit.Verification) -> tuple[str, int] | None:
    """What is broken, and where."""
    return None if found.broken is None else (found.broken.fault.value, found.broken.chain_seq)


def is_whole(hub: Hub) -> bool:
    return list(audit.check(hub, lambda _: None)) == []


@contextmanager
def tampering(hub: Hub) -> Iterator[Work]:
    """A unit of work in which nothing guards the events, as for a database's superuser; rolled back in the end."""
    with suppress(_Undone), hub.writing(HUB) as work:
        disarm(work.session)
        yield work
        raise _Undone


def disarm(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        return
    session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
    for name in ("event_frozen", "event_kept"):
        session.execute(sa.text(f"DROP TRIGGER IF EXISTS {name}"))


def rows(hub: Hub, org_id: int) -> list[dict[str, Any]]:
    """The chain of the organisation, in its order."""
    chained = sa.select(EVENT).where(EVENT.c.org_id == org_id, EVENT.c.chain_seq.is_not(None))
    with hub.database.reading() as session:
        return [dict(row) for row in session.execute(chained.order_by(EVENT.c.chain_seq)).mappings()]


def change(session: Session, event_id: int, **values: Any) -> None:
    session.execute(sa.update(EVENT).where(EVENT.c.id == event_id).values(**values))


def remove(session: Session, *event_ids: int) -> None:
    session.execute(sa.delete(EVENT).where(EVENT.c.id.in_(event_ids)))


def forge(session: Session, org_id: int, from_: int) -> None:
    """Writes the hashes of a chain anew from one place on, as somebody would who knows everything but the secret."""
    before = chain.FIRST
    waiting = [each.id for each in session.execute(_ids(org_id))]
    for place, event_id in enumerate(waiting, 1):
        (row,) = chain.rows(session, EventRow.id == event_id, order=EventRow.id, limit=1)
        digest = chain.link(before, chain.spelt(row)) if place >= from_ else chain.hash_of(row)
        change(session, event_id, hash=digest.hex())
        before = digest
    head = session.get_one(AuditHeadRow, org_id)
    session.execute(
        sa.update(AuditHeadRow)
        .where(AuditHeadRow.org_id == org_id)
        .values(hash=before.hex(), mac=hashlib.sha256(head.mac.encode()).hexdigest())
    )
    session.expire_all()


def by_hand(row: dict[str, Any], before: bytes) -> str:
    """The hash of an event as a stranger would compute it from what is documented."""
    names = {
        "id": "id",
        "seq": "seq",
        "chain_seq": "chainSeq",
        "org_id": "organisation",
        "subject_id": "subjectId",
        "actor_id": "actor",
        "on_behalf_of_id": "onBehalfOf",
        "token_id": "token",
    }
    said = {
        "type": row["type"],
        "subjectType": row["subject_type"],
        "origin": row["origin"],
        "requestId": row["request_id"],
        "reasonDigest": row["reason_digest"],
        "payload": row["payload"],
        "occurredAt": row["occurred_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    said |= {name: str(row[column]) for column, name in names.items() if row[column] is not None}
    body = {name: value for name, value in said.items() if value is not None}
    spelt = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(before + spelt.encode()).hexdigest()


def _ids(org_id: int) -> sa.Select[Any]:
    chained = sa.select(EVENT.c.id).where(EVENT.c.org_id == org_id, EVENT.c.chain_seq.is_not(None))
    return chained.order_by(EVENT.c.chain_seq)
