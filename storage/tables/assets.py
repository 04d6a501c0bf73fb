"""Assets, their immutable versions, the blobs these point at, and the metadata read out of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, FetchedValue, ForeignKey, Index, UniqueConstraint
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when
from storage.types import Folded, Json

ASSET_KINDS = (
    "IMAGE",
    "VIDEO",
    "AUDIO",
    "DOCUMENT",
    "TEMPLATE",
    "FONT",
    "LOGO",
    "COPY",
    "ARCHIVE",
    "DATASET",
)
LIFECYCLES = (
    "DRAFT",
    "IN_REVIEW",
    "CHANGES_REQUESTED",
    "APPROVED",
    "PUBLISHED",
    "WITHDRAWN",
    "EXPIRED",
    "ARCHIVED",
    "QUARANTINED",
)
#: Where a title, description or tag came from; a lower one never overwrites a higher one.
ORIGINS = ("FILE_NAME", "METADATA", "FOLDER", "USER")
BLOB_STATES = ("HERE", "GOING", "GONE")
ANALYSIS_STATES = ("QUEUED", "RUNNING", "READY", "FAILED")


def _as_updated(context: ExecutionContext) -> datetime:
    found: datetime = context.get_current_parameters()["updated_at"]  # type: ignore[attr-defined]  # of every default's
    return found


class BlobRow(Row):
    """Bytes in the blob store. References are the foreign keys that point here, so none can dangle."""

    __tablename__ = "blob"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="digest"),
        CheckConstraint("byte_size >= 0", name="size"),
        one_of("state", BLOB_STATES),
        Index("ix_blob_going", "sha256", **only_when("state = 'GOING'")),
    )

    sha256: Mapped[str] = mapped_column(primary_key=True)
    byte_size: Mapped[int]
    created_at: Mapped[datetime]
    #: Whether the store has them: `domain.blobs` says how they go, and come again.
    state: Mapped[str] = mapped_column(default="HERE", server_default="HERE")


class AssetRow(Row):
    __tablename__ = "asset"
    __table_args__ = (
        one_of("kind", ASSET_KINDS),
        one_of("lifecycle", LIFECYCLES),
        one_of("title_origin", ORIGINS),
        one_of("description_origin", ORIGINS),
        Index("ix_asset_newest", "created_at", "id"),
        Index("ix_asset_listed", "id", "lifecycle", "created_at", "org_id", "approved_version_id", "merged_into_id"),
        Index("ix_asset_created", "org_id", "created_at", "id"),
        Index("ix_asset_updated", "org_id", "updated_at", "id"),
        Index("ix_asset_title", "org_id", "title_folded", "id"),
        Index("ix_asset_changed", "org_id", "public_updated_at", "id"),
        Index("ix_asset_latest", "updated_at", "id"),
        Index("ix_asset_latest_change", "public_updated_at", "id"),
        Index("ix_asset_named", "title_folded", "id"),
        Index("ix_asset_lifecycle", "lifecycle"),
        Index("ix_asset_merged", "merged_into_id", **only_when("merged_into_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    title: Mapped[str]
    title_folded: Mapped[str] = mapped_column(Folded)
    title_origin: Mapped[str]
    description: Mapped[str | None]
    description_origin: Mapped[str]
    lifecycle: Mapped[str]
    #: What `assetRestore` goes back to; set exactly while the asset is archived.
    lifecycle_before_archive: Mapped[str | None]
    #: Without a foreign key: the version needs the asset's id first, and a trigger checks the pointer instead.
    current_version_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)
    #: The newest version with a standing approval, as `workflow` keeps it; a trigger checks it like the current one.
    approved_version_id: Mapped[int | None]
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id"))
    #: `updated_at` and `revision` as they read to whoever sees only what is approved. Triggers count what shows in the
    #: asset and its approvals, `domain.public_face` its tags. Never NULL, which SQLite lets no added column promise.
    public_updated_at: Mapped[datetime] = mapped_column(
        nullable=True, default=_as_updated, server_onupdate=FetchedValue()
    )
    public_revision: Mapped[int] = mapped_column(default=1, server_default="1", server_onupdate=FetchedValue())
    #: The asset that this one became part of: its id stands for that one, and it is shown to nobody any more. It is
    #: archived, and its versions have moved. Without a foreign key, which SQLite lets no added column have by name.
    merged_into_id: Mapped[int | None]
    #: Moves, by triggers, with every row that a decision on its rights may read.
    rights_epoch: Mapped[int] = mapped_column(default=0, server_default="0")

    __mapper_args__ = {"version_id_col": revision}


class AssetVersionRow(Row):
    """One set of bytes of an asset. A trigger refuses every change but what analysis finds out."""

    __tablename__ = "asset_version"
    __table_args__ = (
        UniqueConstraint("asset_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        one_of("analysis_state", ANALYSIS_STATES),
        Index("ix_asset_version_sha256", "sha256", "asset_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    byte_size: Mapped[int]
    file_name: Mapped[str]
    media_type: Mapped[str]
    change_note: Mapped[str | None]
    #: The version whose bytes were made current again, if this one is such a return.
    made_from_id: Mapped[int | None] = mapped_column(ForeignKey("asset_version.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))

    analysis_state: Mapped[str] = mapped_column(default="QUEUED")
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    captured_at: Mapped[datetime | None]


class MetadataRow(Row):
    """One thing the file says of itself, such as (`exif`, `Model`)."""

    __tablename__ = "metadata"

    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"), primary_key=True)
    namespace: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
