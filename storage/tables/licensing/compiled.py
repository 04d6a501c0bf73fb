"""What may be delivered where, when, how and by whom, compiled from the terms that versions are under.

All of it is made of other rows and can be made again; what is out of date is told by epochs, and listed as due by
triggers.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class DeliverableReachRow(Row):
    """All that is allowed under some terms. Versions of which the same is allowed share one, by its digest.

    It never changes, its number is never given again, and those with lower numbers were committed before.
    """

    __tablename__ = "deliverable_reach"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: SHA-256 of its parts.
    digest: Mapped[str] = mapped_column(unique=True)


class DeliverablePartRow(Row):
    """One part of a reach: every use passes whose party, action and purpose, channel and territories are among these,
    and whose days lie from `first` to `last`, beginning at `first_to` at the latest. A use passes only where one part
    has it as a whole.

    Sets are bits, in the order of `domain.licensing.compiled.alphabet`; days are ordinals.
    """

    __tablename__ = "deliverable_part"
    __table_args__ = ({"sqlite_with_rowid": False},)

    reach_id: Mapped[int] = mapped_column(ForeignKey("deliverable_reach.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: 0: anybody.
    party: Mapped[int]
    uses: Mapped[int]
    channels_0: Mapped[int]
    channels_1: Mapped[int]
    first: Mapped[int]
    first_to: Mapped[int]
    last: Mapped[int]
    #: Whole countries.
    places_0: Mapped[int]
    places_1: Mapped[int]
    places_2: Mapped[int]
    places_3: Mapped[int]
    #: Parts of countries that the terms name, and all others of such countries; None: they name none.
    subdivisions: Mapped[str | None]


class DeliverableVersionRow(Row):
    """What is allowed of one version: good while the asset, its epoch and the rules of compiling are these."""

    __tablename__ = "deliverable_version"
    __table_args__ = (
        Index("ix_deliverable_version_rules", "rules"),
        Index("ix_deliverable_version_reach", "reach_id"),
        Index("ix_deliverable_version_newest", "listed_at", "asset_id", "reach_id"),
    )

    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"), primary_key=True, autoincrement=False)
    asset_id: Mapped[int]
    epoch: Mapped[int]
    rules: Mapped[int]
    #: None: nothing.
    reach_id: Mapped[int | None] = mapped_column(ForeignKey("deliverable_reach.id"))
    #: When the asset came, by which lists are ordered.
    listed_at: Mapped[datetime]


class DeliverableDueRow(Row):
    """An asset whose rights, or whose shown versions, have changed since they were compiled."""

    __tablename__ = "deliverable_due"

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True, autoincrement=False)
    #: Moves with every further change.
    times: Mapped[int]
