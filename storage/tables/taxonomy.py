"""Tags, their hierarchy and synonyms, and which assets carry them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.assets import ORIGINS
from storage.tables.row import Row, one_of
from storage.types import Folded


class TagRow(Row):
    __tablename__ = "tag"
    __table_args__ = (
        CheckConstraint("parent_id <> id", name="own_parent"),
        Index("ix_tag_name", "org_id", "folded", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    folded: Mapped[str] = mapped_column(Folded)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tag.id"), index=True)
    #: Set when the tag was merged away; its id then stands for the one it was merged into.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("tag.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class TagSynonymRow(Row):
    """Every spelling that means a tag, its own name among them: one spelling means one tag in an organisation."""

    __tablename__ = "tag_synonym"
    __table_args__ = (UniqueConstraint("org_id", "folded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), index=True)
    text: Mapped[str]
    folded: Mapped[str]


class AssetTagRow(Row):
    __tablename__ = "asset_tag"
    __table_args__ = (one_of("origin", ORIGINS), Index("ix_asset_tag_tag", "tag_id", "asset_id"))

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True)
    origin: Mapped[str]
    created_at: Mapped[datetime]


class TagListingRow(Row):
    """What lists ask of an asset, beside each tag that it carries: kept by triggers, so by every write there is."""

    __tablename__ = "tag_listing"
    __table_args__ = (
        Index(
            "ix_tag_listing_newest",
            "tag_id",
            "created_at",
            "asset_id",
            "lifecycle",
            "org_id",
            "approved_version_id",
            "kind",
        ),
        {"sqlite_with_rowid": False},
    )

    asset_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tag_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime]
    lifecycle: Mapped[str]
    org_id: Mapped[int]
    approved_version_id: Mapped[int | None]
    kind: Mapped[str]
