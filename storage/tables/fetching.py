"""Many files that come together: what they have in common, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of

SOURCES = ("UPLOADS", "URLS", "ZIP", "BUCKET")
SESSION_STATES = ("OPEN", "RUNNING", "DONE", "FAILED", "CANCELLED")
ITEM_STATES = ("WAITING", "CREATED", "DUPLICATE", "REFUSED")


class UploadSessionRow(Row):
    """OPEN takes uploads; RUNNING is a worker's; in every other state nothing more comes."""

    __tablename__ = "upload_session"
    __table_args__ = (
        one_of("source", SOURCES),
        one_of("state", SESSION_STATES),
        CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="failure"),
        Index("ix_upload_session_principal", "principal_id", "id"),
        Index("ix_upload_session_state", "state", "org_id"),
        Index("ix_upload_session_sha256", "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    #: Whoever opened it, and the token they came with (none in a session): files come with their rights.
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("token.id"))
    source: Mapped[str]
    state: Mapped[str]
    name: Mapped[str]
    #: What every asset of it is to have.
    description: Mapped[str | None]
    tags: Mapped[list[Any]]
    home_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    #: Whether it is declared to be their organisation's own.
    is_own_work: Mapped[bool] = mapped_column(server_default=sa.false())
    #: What fields say of each, and what each is called elsewhere.
    said: Mapped[list[Any]] = mapped_column(server_default="[]")
    words: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    #: Whether a file is refused of which less is said than its template's gate asks for.
    requires_complete: Mapped[bool] = mapped_column(server_default=sa.false())
    #: Of a ZIP its bytes, kept while they are needed.
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    #: Of a bucket its name among the settings, and what the keys begin with.
    bucket: Mapped[str | None]
    prefix: Mapped[str | None]
    #: The last key, or entry, that stands among the items; None before the first.
    position: Mapped[str | None]
    #: Whether all items are there.
    is_listed: Mapped[bool]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class UploadItemRow(Row):
    """One file of a session; REFUSED says why. A DUPLICATE names the asset that its bringer may see, if any."""

    __tablename__ = "upload_item"
    __table_args__ = (
        one_of("state", ITEM_STATES),
        UniqueConstraint("session_id", "number"),
        CheckConstraint("(state = 'REFUSED') = (reason IS NOT NULL)", name="reason"),
        Index("ix_upload_item_state", "session_id", "state", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("upload_session.id"))
    number: Mapped[int]
    #: As people know it: a file name, a path in a ZIP, an address without its query.
    name: Mapped[str]
    title: Mapped[str | None]
    #: Where it is fetched; forgotten as soon as it was, for it may open more than this file.
    address: Mapped[str | None]
    state: Mapped[str]
    #: How often somebody began to fetch it: whoever is killed by it again and again gives it up.
    attempts: Mapped[int] = mapped_column(default=0)
    byte_size: Mapped[int | None]
    sha256: Mapped[str | None]
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    reason: Mapped[str | None]
    sentence: Mapped[str | None]
    finished_at: Mapped[datetime | None]
