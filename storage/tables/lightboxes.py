"""Lightboxes: ordered, described sets of assets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class LightboxRow(Row):
    __tablename__ = "lightbox"
    __table_args__ = (Index("ix_lightbox_created", "org_id", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str]
    description: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class LightboxAssetRow(Row):
    __tablename__ = "lightbox_asset"
    __table_args__ = (
        Index("ix_lightbox_asset_position", "lightbox_id", "position", "asset_id"),
        Index("ix_lightbox_asset_asset", "asset_id", "lightbox_id"),
    )

    lightbox_id: Mapped[int] = mapped_column(ForeignKey("lightbox.id"), primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
    #: Sparse: neighbours stand far apart, so that moving one rewrites one row.
    position: Mapped[int]
    note: Mapped[str | None]
    added_at: Mapped[datetime]
