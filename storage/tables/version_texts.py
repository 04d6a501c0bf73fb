"""The words that stand in a file, for search: of a document its text, of an archive the names in it."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class VersionTextRow(Row):
    """Absent where there are no words."""

    __tablename__ = "version_text"

    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"), primary_key=True, autoincrement=False)
    body: Mapped[str]
