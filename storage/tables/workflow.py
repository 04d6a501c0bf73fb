"""Approvals: who approved which bytes, and who took it back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, only_when


class ApprovalRow(Row):
    """Approval of exactly the bytes named by `sha256`; at most one stands per version."""

    __tablename__ = "approval"
    __table_args__ = (Index("uq_approval_standing", "version_id", unique=True, **only_when("revoked_at IS NULL")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    sha256: Mapped[str]
    note: Mapped[str | None]
    approved_at: Mapped[datetime]
    approved_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
