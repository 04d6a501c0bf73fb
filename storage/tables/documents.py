"""GraphQL documents that were registered to be run by their digest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class TrustedDocumentRow(Row):
    """A document as it was written; only when it ends ever changes."""

    __tablename__ = "trusted_document"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the text in UTF-8.
    sha256: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]
    #: None for the hub itself: on the machine's own command line.
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    #: From when on it does not run any more; None for never.
    retires_at: Mapped[datetime | None]
