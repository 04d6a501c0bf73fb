"""Territory groups that an organisation defined itself, and since when each of their members belongs to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class TerritoryGroupRow(Row):
    """Codes that everybody knows, such as EU, stand in the domain and are never given again."""

    __tablename__ = "territory_group"
    __table_args__ = (UniqueConstraint("org_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class TerritoryGroupMemberRow(Row):
    """Both days included; None: since ever, still."""

    __tablename__ = "territory_group_member"
    __table_args__ = (
        CheckConstraint("last_on >= first_on", name="window"),
        Index("ix_territory_group_member_group", "group_id", "territory", "first_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("territory_group.id"))
    territory: Mapped[str]
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
