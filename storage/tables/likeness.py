"""What pictures look like, which look alike, and what people decided about assets that do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

#: LOOKING: a worker is asked to look. NOTHING: there is no picture, or one so plain that it is like any other.
LOOKING_STATES = ("LOOKING", "READY", "NOTHING", "FAILED")
DECISIONS = ("REUSE", "NEW_VERSION", "MERGE", "DISTINCT")


class LikenessRow(Row):
    """What the picture in these bytes looks like, whichever versions and uploads hold them.

    No foreign key to `blob`: it is known of the bytes and does not keep them.
    """

    __tablename__ = "likeness"
    __table_args__ = (
        one_of("state", LOOKING_STATES),
        CheckConstraint("(state = 'READY') = (number IS NOT NULL)", name="number"),
        CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="failure"),
    )

    sha256: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    algorithm: Mapped[int]
    #: In the order of commits; a picture that is looked at anew gets a new one.
    number: Mapped[int | None] = mapped_column(unique=True)
    hashes: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    proofs: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    mirrored_hashes: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    mirrored_proofs: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    is_page: Mapped[bool] = mapped_column(default=False)
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    updated_at: Mapped[datetime]


class LikenessHeadRow(Row):
    """One row: the last number given, and up to which all pictures have been compared with those before them."""

    __tablename__ = "likeness_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    compared: Mapped[int]


class AlikeRow(Row):
    """Two pictures that look alike; it stands once for each of them."""

    __tablename__ = "alike"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    other: Mapped[str] = mapped_column(primary_key=True)
    distance: Mapped[int]
    is_mirrored: Mapped[bool]


class NearDuplicateRow(Row):
    """Two assets with versions that look alike, and what somebody decided about them, if anybody has."""

    __tablename__ = "near_duplicate"
    __table_args__ = (
        UniqueConstraint("low_asset_id", "high_asset_id"),
        CheckConstraint("low_asset_id < high_asset_id", name="pair"),
        one_of("decision", DECISIONS),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decision <> 'DISTINCT' OR reason IS NOT NULL", name="reason"),
        Index("ix_near_duplicate_high", "high_asset_id"),
        Index("ix_near_duplicate_open", "id", **only_when("decision IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    low_asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    high_asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    found_at: Mapped[datetime]
    decision: Mapped[str | None]
    #: The asset that is to be used; None where both are.
    kept_asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class AssetMergeRow(Row):
    """An asset that was merged into another, for as long as that can be undone: what moved, and how it stood before."""

    __tablename__ = "asset_merge"
    __table_args__ = (Index("ix_asset_merge_into", "into_id"), Index("ix_asset_merge_until", "undo_until"))

    from_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True, autoincrement=False)
    into_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    merged_at: Mapped[datetime]
    merged_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    undo_until: Mapped[datetime]
    trace: Mapped[dict[str, Any]]
