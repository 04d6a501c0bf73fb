"""What becomes of assets: the trash, legal holds, and what one asset is to another."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

#: Read from one asset to the other: "is derived from", "has as its source file", "is a language variant of",
#: "is printed as what the web shows as".
RELATIONS = ("DERIVED_FROM", "SOURCE_FILE", "LANGUAGE_VARIANT", "PRINT_WEB")


class AssetTrashRow(Row):
    """An asset in the trash, which is archived all the while; once `purged_at` is set its bytes are gone for good.

    Triggers keep anything under a legal hold out of here, and from being purged.
    """

    __tablename__ = "asset_trash"
    __table_args__ = (Index("ix_asset_trash_due", "purge_after", **only_when("purged_at IS NULL")),)

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True, autoincrement=False)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    trashed_at: Mapped[datetime]
    trashed_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    #: Whether it was archived before it was thrown away, and goes back to that.
    was_archived: Mapped[bool]
    purge_after: Mapped[datetime]
    purged_at: Mapped[datetime | None]


class LegalHoldRow(Row):
    """It stands until `lifted_at`. Why it was placed and lifted stands in the audit, where it can be erased."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        Index("uq_legal_hold_standing", "asset_id", "matter", unique=True, **only_when("lifted_at IS NULL")),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    #: The case it is held for, by a name of the lawyers'.
    matter: Mapped[str]
    placed_at: Mapped[datetime]
    placed_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class AssetRelationRow(Row):
    __tablename__ = "asset_relation"
    __table_args__ = (
        one_of("kind", RELATIONS),
        CheckConstraint("from_asset_id <> to_asset_id", name="ends"),
        UniqueConstraint("from_asset_id", "to_asset_id", "kind"),
        Index("ix_asset_relation_to", "to_asset_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of the asset it is read from.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    from_asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    to_asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
