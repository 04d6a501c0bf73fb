"""Jobs: rows that exist if and only if the transaction that asked for them committed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

STATES = ("READY", "RUNNING", "DONE", "DEAD")


class JobRow(Row):
    __tablename__ = "job"
    __table_args__ = (
        one_of("state", STATES),
        Index("ix_job_ready", "queue", sa.text("priority DESC"), "run_at", "id", **only_when("state = 'READY'")),
        Index("ix_job_lease", "lease_until", **only_when("state = 'RUNNING'")),
        Index(
            "uq_job_unique_key",
            "unique_key",
            unique=True,
            **only_when("state IN ('READY', 'RUNNING') AND unique_key IS NOT NULL"),
        ),
        Index("ix_job_ended", "state", "finished_at", **only_when("state = 'DONE' OR state = 'DEAD'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    queue: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str]
    priority: Mapped[int]
    run_at: Mapped[datetime]
    attempt: Mapped[int]
    max_attempts: Mapped[int]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    #: At most one READY or RUNNING job holds a given key.
    unique_key: Mapped[str | None]
    progress_done: Mapped[int]
    progress_total: Mapped[int | None]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class CronSlotRow(Row):
    """A periodic task's turn; whoever inserts the row takes it."""

    __tablename__ = "cron_slot"

    name: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
