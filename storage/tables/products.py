"""What the organisations make or sell, by their own codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row


class ProductRow(Row):
    """Its code and whose it is never change, and it is never deleted: triggers see to that, for licences name it."""

    __tablename__ = "product"
    __table_args__ = (Index("uq_product_code", "org_id", "code_folded", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    #: Such as a stock number or a GTIN, as the organisation writes it.
    code: Mapped[str]
    #: The same in capital letters: two that differ in these alone are one.
    code_folded: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}
