"""Presets (how to make a rendition) and renditions (what was made of a version)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

STATES = ("QUEUED", "RUNNING", "READY", "FAILED")
FORMATS = ("WEBP", "JPEG", "AVIF", "PNG")
FITS = ("CONTAIN", "COVER")


class RenditionPresetRow(Row):
    __tablename__ = "rendition_preset"
    __table_args__ = (
        one_of("format", FORMATS),
        one_of("fit", FITS),
        CheckConstraint("width BETWEEN 1 AND 16383 AND height BETWEEN 1 AND 16383", name="box"),
        CheckConstraint("quality BETWEEN 1 AND 100", name="quality"),
        Index("uq_rendition_preset_name", "org_id", "name", unique=True, **only_when("archived_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    format: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    fit: Mapped[str]
    quality: Mapped[int]
    #: `#rrggbb`: what stands behind transparency in a format without it.
    background: Mapped[str]
    #: Made for every new version without being asked.
    is_default: Mapped[bool]
    params_digest: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class RenditionRow(Row):
    """What a preset's parameters make of one version; READY exactly when there are bytes."""

    __tablename__ = "rendition"
    __table_args__ = (
        UniqueConstraint("version_id", "preset_id", "params_digest"),
        one_of("state", STATES),
        CheckConstraint("(state = 'READY') = (sha256 IS NOT NULL)", name="bytes"),
        CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="failure"),
        Index("ix_rendition_preset", "preset_id", "params_digest"),
        Index("ix_rendition_sha256", "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    preset_id: Mapped[int] = mapped_column(ForeignKey("rendition_preset.id"))
    params_digest: Mapped[str]
    state: Mapped[str]
    media_type: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    byte_size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    updated_at: Mapped[datetime]
