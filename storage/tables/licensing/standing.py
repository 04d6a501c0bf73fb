"""What stands against using an asset, whatever its licences say: embargoes, takedowns, and exclusivity given away."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Text, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

TAKEDOWN_STATUSES = ("OPEN", "ENFORCED", "LIFTED")
EXCLUSIVITY_DIRECTIONS = ("OUTGOING", "INCOMING")


class EmbargoRow(Row):
    """Nothing of the asset is out before `ends_at`. Why it was placed stands in the audit, where it can be erased."""

    __tablename__ = "embargo"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="window"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted"),
        Index("ix_embargo_asset", "asset_id", **only_when("lifted_at IS NULL")),
        Index("ix_embargo_starts", "starts_at", **only_when("lifted_at IS NULL AND starts_at IS NOT NULL")),
        Index("ix_embargo_ends", "ends_at", **only_when("lifted_at IS NULL AND ends_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    #: None: since ever, and until it is lifted.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    legal_ref: Mapped[str | None]
    placed_at: Mapped[datetime]
    placed_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class TakedownRow(Row):
    """From OPEN to LIFTED nothing of the asset leaves. ENFORCED: somebody saw that it is gone where it was out."""

    __tablename__ = "takedown"
    __table_args__ = (
        one_of("status", TAKEDOWN_STATUSES),
        CheckConstraint("(status = 'LIFTED') = (lifted_at IS NOT NULL)", name="lifted"),
        CheckConstraint("status <> 'ENFORCED' OR enforced_at IS NOT NULL", name="enforced"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifter"),
        Index("ix_takedown_asset", "asset_id", **only_when("status <> 'LIFTED'")),
        Index("ix_takedown_org", "org_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    status: Mapped[str]
    legal_ref: Mapped[str | None]
    opened_at: Mapped[datetime]
    opened_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    enforced_at: Mapped[datetime | None]
    enforced_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


#: That nothing of the asset leaves. With a parameter SQLite would not know that the index of these is good for it.
TAKEDOWN_STANDS: Final[ColumnElement[bool]] = TakedownRow.status != literal_column("'LIFTED'", Text)


class ExclusivityRow(Row):
    """OUTGOING: while it stands, nobody but the holder uses the asset so. INCOMING: it was promised to us, and we watch
    when that ends.
    """

    __tablename__ = "exclusivity"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="window"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        one_of("direction", EXCLUSIVITY_DIRECTIONS),
        Index("ix_exclusivity_asset", "asset_id", **only_when("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    direction: Mapped[str]
    #: Who alone may use it.
    holder_org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    #: Empty lists are all of them.
    channels: Mapped[list[Any]]
    territories: Mapped[list[Any]]
    industries: Mapped[list[Any]]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    #: IANA.
    zone: Mapped[str]
    groups_as_of: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
