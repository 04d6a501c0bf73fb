"""What moves whenever something shown of an asset changes: kept by triggers, so by every write there is.

Whoever keeps what they made of an asset asks in the same snapshot whether it still holds (docs/decisions/0021).
"""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class AssetStampRow(Row):
    """Moves with the asset, its versions, their metadata and renditions, its tags and its approvals. None: 0."""

    __tablename__ = "asset_stamp"

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True, autoincrement=False)
    stamp: Mapped[int]


class TableEpochRow(Row):
    """Moves with any change to the rows of a small table that assets show: tags, rendition presets."""

    __tablename__ = "table_epoch"

    name: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
