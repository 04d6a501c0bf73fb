"""Presets (how to make a rendition), renditions (what was made of a version), and what of an asset shapes these."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when
from storage.types import Json

STATES = ("QUEUED", "RUNNING", "READY", "FAILED")
FORMATS = ("WEBP", "JPEG", "AVIF", "PNG", "GIF", "TIFF", "PDF", "MP4")
FITS = ("CONTAIN", "COVER", "PAD", "EXACT")
COLOURS = ("SRGB", "GREY", "CMYK")
POLICIES = ("STRIP", "RIGHTS", "ALL")
CHANNELS = ("WEB", "SOCIAL", "EMAIL", "MOBILE", "PRINT")
ORIGINS = ("PROPOSED", "MANUAL")


class RenditionPresetRow(Row):
    __tablename__ = "rendition_preset"
    __table_args__ = (
        one_of("format", FORMATS),
        one_of("fit", FITS),
        CheckConstraint("width BETWEEN 1 AND 16383 AND height BETWEEN 1 AND 16383", name="box"),
        CheckConstraint("quality BETWEEN 1 AND 100", name="quality"),
        one_of("colour", COLOURS),
        one_of("metadata_policy", POLICIES),
        one_of("channel", CHANNELS),
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
    colour: Mapped[str] = mapped_column(default="SRGB", server_default=text("'SRGB'"))
    #: The press profile of CMYK, and the one that an sRGB picture imitates.
    profile: Mapped[str | None]
    proof: Mapped[str | None]
    #: From 0; of what has pages.
    page: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    at_seconds: Mapped[float] = mapped_column(Double, default=0.0, server_default=text("0"))
    #: All frames where the format holds them.
    is_animated: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: How much of a film is kept in motion; 0 is all of it.
    clip_seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    #: 0: nothing is said.
    dpi: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    metadata_policy: Mapped[str] = mapped_column(default="RIGHTS", server_default=text("'RIGHTS'"))
    #: What stands across previews of what is not approved or no longer licensed.
    watermark: Mapped[str | None]
    #: What the set it belongs to is for.
    channel: Mapped[str | None]
    #: How often what it makes was changed, from 1: its versions.
    number: Mapped[int] = mapped_column(default=1, server_default=text("1"))

    __mapper_args__ = {"version_id_col": revision}


class RenditionPresetVersionRow(Row):
    """What a preset made from one change to the next."""

    __tablename__ = "rendition_preset_version"

    preset_id: Mapped[int] = mapped_column(ForeignKey("rendition_preset.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    params_digest: Mapped[str]
    recipe: Mapped[dict[str, Any]] = mapped_column(Json)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


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
        Index("ix_rendition_marked", "marked_sha256", **only_when("marked_sha256 IS NOT NULL")),
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
    #: Over the whole recipe, with what of the asset shaped it; NULL: the preset's alone.
    made_digest: Mapped[str | None]
    #: The same picture with the preset's watermark, for those who see no more.
    marked_sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    marked_byte_size: Mapped[int | None]


class FocalPointRow(Row):
    """What crops of a version keep: a point of the picture as displayed, both parts 0 to 1."""

    __tablename__ = "focal_point"
    __table_args__ = (
        one_of("origin", ORIGINS),
        CheckConstraint("x BETWEEN 0 AND 1 AND y BETWEEN 0 AND 1", name="inside"),
    )

    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"), primary_key=True, autoincrement=False)
    x: Mapped[float] = mapped_column(Double)
    y: Mapped[float] = mapped_column(Double)
    origin: Mapped[str]
    set_at: Mapped[datetime]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class AssetStatementRow(Row):
    """What the renditions of an asset say of whose it is and on what terms."""

    __tablename__ = "asset_statement"

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True, autoincrement=False)
    creator: Mapped[str]
    credit: Mapped[str]
    notice: Mapped[str]
    terms: Mapped[str]
    web_statement: Mapped[str]
    #: The last day of use.
    expires: Mapped[date | None] = mapped_column(index=True)
    #: By the last part of PLUS's address.
    data_mining: Mapped[str | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}
