"""What was assessed of assets: the licences and releases they are under, and what composites are made of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

COVERAGES = ("WHOLE", "COMPONENT")
ENDINGS = ("WITHDRAWN", "SUPERSEDED", "MERGED")
_STANDING = "ended_at IS NULL"


class AssetRightsRow(Row):
    """An assessment: of the whole asset, or of one version where that is named. It is ended, never changed.

    Without licence and release it only says who or what can be recognised.
    """

    __tablename__ = "asset_rights"
    __table_args__ = (
        one_of("coverage", COVERAGES),
        one_of("ending", ENDINGS),
        CheckConstraint("license_id IS NULL OR release_id IS NULL", name="subject"),
        CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended"),
        Index("ix_asset_rights_asset", "asset_id", **only_when(_STANDING)),
        Index("ix_asset_rights_version", "version_id", **only_when("version_id IS NOT NULL")),
        Index("ix_asset_rights_license", "license_id", "asset_id", **only_when(_STANDING)),
        Index("ix_asset_rights_release", "release_id", "asset_id", **only_when(_STANDING)),
        Index(
            "uq_asset_rights_license",
            "asset_id",
            "license_id",
            unique=True,
            **only_when("ended_at IS NULL AND version_id IS NULL AND license_id IS NOT NULL"),
        ),
        Index(
            "uq_asset_rights_release",
            "asset_id",
            "release_id",
            unique=True,
            **only_when("ended_at IS NULL AND version_id IS NULL AND release_id IS NOT NULL"),
        ),
        Index(
            "uq_asset_rights_version_license",
            "version_id",
            "license_id",
            unique=True,
            **only_when("ended_at IS NULL AND version_id IS NOT NULL AND license_id IS NOT NULL"),
        ),
        Index(
            "uq_asset_rights_version_release",
            "version_id",
            "release_id",
            unique=True,
            **only_when("ended_at IS NULL AND version_id IS NOT NULL AND release_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("asset_version.id"))
    license_id: Mapped[int | None] = mapped_column(ForeignKey("license.id"))
    release_id: Mapped[int | None] = mapped_column(ForeignKey("release.id"))
    coverage: Mapped[str]
    assessed_at: Mapped[datetime]
    assessed_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    #: None: nobody has looked.
    recognisable_people: Mapped[bool | None]
    recognisable_property: Mapped[bool | None]
    ended_at: Mapped[datetime | None]
    ending: Mapped[str | None]


class ComponentRow(Row):
    """One version is part of another; what is made of parts is never freer than any of them. A trigger keeps out what
    would contain itself.
    """

    __tablename__ = "component"
    __table_args__ = (
        CheckConstraint("composite_version_id <> part_version_id", name="itself"),
        Index("uq_component_part", "composite_version_id", "part_version_id", unique=True),
        Index("ix_component_part", "part_version_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    composite_version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    part_version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
