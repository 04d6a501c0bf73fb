"""Exports: what somebody asked to be written down, how far that has come, and the file that came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of

STATES = ("QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED")


class BulkExportRow(Row):
    """DONE exactly while there is, or was, a file; `expires_at` is when that is thrown away."""

    __tablename__ = "bulk_export"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="failure"),
        Index("ix_bulk_export_principal", "principal_id", "id"),
        Index("ix_bulk_export_state", "state", "org_id"),
        Index("ix_bulk_export_expires", "expires_at"),
        Index("ix_bulk_export_sha256", "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    #: Whoever asked, and the token they asked with (none in a session): it is written with their rights.
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("token.id"))
    #: Without a foreign key: finished jobs are forgotten sooner.
    job_id: Mapped[int | None]
    subjects: Mapped[list[Any]]
    #: A filter of assets and the fields of their lines, as `domain.exports` keeps them.
    condition: Mapped[list[Any] | None]
    fields: Mapped[list[Any] | None]
    state: Mapped[str]
    #: A digest of what the owner held while it was written; it opens only while that is so.
    held: Mapped[str | None]
    #: Of the change feed, from before the first line.
    cursor: Mapped[str | None]
    #: The place in `subjects`, the last id of it that was written, and how many parts that made.
    subject: Mapped[int] = mapped_column(default=0)
    last_id: Mapped[int] = mapped_column(default=0)
    parts: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    byte_size: Mapped[int | None]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class BulkExportPartRow(Row):
    """Lines that are written and kept until the file is whole, so that a killed worker's work is not done again."""

    __tablename__ = "bulk_export_part"
    __table_args__ = (Index("ix_bulk_export_part_sha256", "sha256"),)

    export_id: Mapped[int] = mapped_column(ForeignKey("bulk_export.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
