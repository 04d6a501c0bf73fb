"""What was made of a file because somebody asked for it by its address, kept for as long as there is room."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of

STATES = ("QUEUED", "RUNNING", "READY", "FAILED")
#: A picture made of the original; a part of its pyramid, made of tiles; the pyramid itself.
KINDS = ("PICTURE", "PART", "PYRAMID")


class TransformRow(Row):
    """What a recipe makes of certain bytes, whichever versions hold them; READY exactly when there are bytes.

    Nothing is lost with a row: it is made anew when it is asked for again.
    """

    __tablename__ = "transform"
    __table_args__ = (
        UniqueConstraint("source_sha256", "kind", "params_digest"),
        one_of("kind", KINDS),
        one_of("state", STATES),
        CheckConstraint("(state = 'READY') = (sha256 IS NOT NULL)", name="bytes"),
        CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="failure"),
        Index("ix_transform_used_at", "used_at"),
        Index("ix_transform_sha256", "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: No foreign key: when the original's bytes go, they do not wait for this.
    source_sha256: Mapped[str]
    kind: Mapped[str]
    #: Both empty for a pyramid.
    params_digest: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    state: Mapped[str]
    media_type: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    byte_size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    #: Of a pyramid: where the list of its tiles begins in its bytes.
    index_at: Mapped[int | None]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    updated_at: Mapped[datetime]
    #: When it was asked for last, to the hour.
    used_at: Mapped[datetime]
