"""What one organisation lets another, or a guest, see."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

SHARE_ACCESSES = ("READ", "CONTRIBUTE")
GUEST_PURPOSES = ("VIEW", "UPLOAD")

_OF_ASSET = "ended_at IS NULL AND lightbox_id IS NULL"
_OF_LIGHTBOX = "ended_at IS NULL AND lightbox_id IS NOT NULL"


class ShareRow(Row):
    """An asset or a lightbox opened to another organisation, until it ends by itself or is ended."""

    __tablename__ = "share"
    __table_args__ = (
        one_of("access", SHARE_ACCESSES),
        CheckConstraint("(asset_id IS NULL) <> (lightbox_id IS NULL)", name="subject"),
        Index("ix_share_asset", "asset_id", "to_org_id"),
        Index("ix_share_lightbox", "lightbox_id", "to_org_id"),
        Index("ix_share_to", "to_org_id", "ends_at"),
        Index("ix_share_one", "to_org_id", "access", "ends_at", "asset_id", **only_when(_OF_ASSET)),
        Index("ix_share_box", "to_org_id", "lightbox_id", **only_when(_OF_LIGHTBOX)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The organisation that shares.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    to_org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    lightbox_id: Mapped[int | None] = mapped_column(ForeignKey("lightbox.id"))
    access: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    #: When it stops by itself; None for never.
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class GuestLinkRow(Row):
    """A way in for somebody without an account: to look at one lightbox or asset, or to bring files."""

    __tablename__ = "guest_link"
    __table_args__ = (
        one_of("purpose", GUEST_PURPOSES),
        CheckConstraint(
            "CASE purpose WHEN 'VIEW' THEN (asset_id IS NULL) <> (lightbox_id IS NULL) "
            "ELSE asset_id IS NULL AND lightbox_id IS NULL END",
            name="subject",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    #: The guest itself, who can do nothing else.
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), unique=True)
    name: Mapped[str]
    purpose: Mapped[str]
    lightbox_id: Mapped[int | None] = mapped_column(ForeignKey("lightbox.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    #: Most files that may be brought.
    max_files: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
