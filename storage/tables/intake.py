"""Bytes on their way in: resumable uploads, and what the folder import has already seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of

UPLOAD_STATES = ("OPEN", "COMPLETE")
OUTCOMES = ("NEW", "DUPLICATE")


class UploadRow(Row):
    """An upload. While OPEN its bytes stand in staging; COMPLETE means they are the blob `sha256`."""

    __tablename__ = "upload"
    __table_args__ = (
        one_of("state", UPLOAD_STATES),
        CheckConstraint("(state = 'COMPLETE') = (sha256 IS NOT NULL)", name="digest"),
        Index("ix_upload_sha256", "sha256"),
    )

    #: Random, unguessable, and the last part of the upload's address.
    id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    state: Mapped[str]
    length: Mapped[int]
    file_name: Mapped[str]
    #: What the client said the whole file's digest would be; checked at the end.
    expected_sha256: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ImportEntryRow(Row):
    """A file that an import has finished with: same path, size and time of change means same bytes."""

    __tablename__ = "import_entry"
    __table_args__ = (one_of("outcome", OUTCOMES),)

    path: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    byte_size: Mapped[int]
    modified_ns: Mapped[int]
    sha256: Mapped[str]
    outcome: Mapped[str]
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    finished_at: Mapped[datetime]
