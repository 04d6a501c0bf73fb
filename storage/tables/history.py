"""What happened, in the order it became true and chained so that nobody can change it unnoticed; and the answers kept
for repeated requests.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, only_when


class EventRow(Row):
    """One committed change, or one delivery. `seq` is given after commit by one relay, so that a reader by `seq` never
    misses an event that committed late (an id alone would: PostgreSQL hands ids out before commit).

    In the same step it becomes a link of its organisation's chain (`storage.chain`). A trigger keeps what is written:
    `seq`, `chain_seq` and `hash` are set once, `reason` and `reason_salt` may be erased together, nothing else changes.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unnumbered", "id", **only_when("seq IS NULL")),
        #: Numbered before there were chains.
        Index("ix_event_unchained", "seq", **only_when("seq IS NOT NULL AND chain_seq IS NULL")),
        Index("uq_event_chain", "org_id", "chain_seq", unique=True),
        Index("ix_event_subject", "subject_type", "subject_id", "id"),
        Index("ix_event_org", "org_id", "id"),
        Index("ix_event_actor", "actor_id", "id"),
        Index("ix_event_token", "token_id", **only_when("token_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int | None] = mapped_column(unique=True)
    #: In whose chain it stands: the organisation of the subject.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    type: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    #: Ids, digests and words of ours; never personal data, never a fraction, no number beyond 2⁵³.
    payload: Mapped[dict[str, Any]]
    #: None when the hub itself acted: a worker, a sweep.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    request_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    #: For whom the actor acted: whoever made the guest link.
    on_behalf_of_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    #: The token that was shown.
    token_id: Mapped[int | None] = mapped_column(ForeignKey("token.id"))
    #: Where the request came from, as a keyed digest.
    origin: Mapped[str | None]
    #: Why, in somebody's own words, which may name people: it can be erased, the digest of it stays.
    reason: Mapped[str | None]
    #: Random, and erased with the reason: without it nobody can find out by trying what the reason was.
    reason_salt: Mapped[str | None]
    reason_digest: Mapped[str | None]
    #: Its place in its organisation's chain, from 1 and without gaps.
    chain_seq: Mapped[int | None]
    hash: Mapped[str | None]


class AuditHeadRow(Row):
    """The end of an organisation's chain, sealed with the hub's secret: without the secret nobody can cut the end off.

    `org_id` 0 stands for the whole hub: `chain_seq` is the last `seq` given, `hash` is of that event.
    """

    __tablename__ = "audit_head"

    org_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chain_seq: Mapped[int]
    hash: Mapped[str]
    #: Empty once the chain was continued from an end that did not bear our seal, and for ever after.
    mac: Mapped[str]


class IdempotencyRow(Row):
    __tablename__ = "idempotency_key"

    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    mutation: Mapped[str]
    request_digest: Mapped[str]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)
