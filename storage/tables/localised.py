"""Titles and alternative texts of assets in other languages."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of

PURPOSES = ("TITLE", "ALT")


class AssetTextRow(Row):
    """`locale` is `und` for whatever the language; the empty text in no language at all says that a picture is only
    decoration.
    """

    __tablename__ = "asset_text"
    __table_args__ = (
        one_of("purpose", PURPOSES),
        CheckConstraint("(text = '') = (locale = '')", name="decoration"),
        CheckConstraint("locale <> '' OR purpose = 'ALT'", name="decorated"),
    )

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
