"""What happened, in the order it became true, and the answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, only_when


class EventRow(Row):
    """One committed change. `seq` is given after commit by one relay, so that a reader by `seq` never misses
    an event that committed late (an id alone would: PostgreSQL hands ids out before commit).
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unnumbered", "id", **only_when("seq IS NULL")),
        Index("ix_event_subject", "subject_type", "subject_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int | None] = mapped_column(unique=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    type: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    payload: Mapped[dict[str, Any]]
    #: None when the hub itself acted: a worker, a sweep.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    request_id: Mapped[str | None]
    occurred_at: Mapped[datetime]


class IdempotencyRow(Row):
    __tablename__ = "idempotency_key"

    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    mutation: Mapped[str]
    request_digest: Mapped[str]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)
