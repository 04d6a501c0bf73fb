"""Operations on many assets at once: what was asked, what became of each asset, and what it was before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when
from storage.types import NullableJson

STATES = ("QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED")
ITEM_STATES = ("WAITING", "CHANGED", "UNCHANGED", "REFUSED")


class BulkOperationRow(Row):
    """`undoes_id` is set where it takes another one back; of these one at most comes to its end."""

    __tablename__ = "bulk_operation"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="failure"),
        CheckConstraint("changed >= 0 AND unchanged >= 0 AND refused >= 0", name="counts"),
        CheckConstraint("changed + unchanged + refused <= total", name="total"),
        CheckConstraint("state <> 'DONE' OR changed + unchanged + refused = total", name="done"),
        CheckConstraint("(undoes_id IS NULL) = (changes IS NOT NULL)", name="changes"),
        Index("ix_bulk_operation_principal", "principal_id", "id"),
        Index(
            "uq_bulk_operation_undoes",
            "undoes_id",
            unique=True,
            **only_when("state <> 'FAILED' AND state <> 'CANCELLED'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    #: Whoever asked, and the token they asked with (none in a session): it is done with their rights.
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("token.id"))
    #: Without a foreign key: finished jobs are forgotten sooner.
    job_id: Mapped[int | None]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("bulk_operation.id"))
    #: As `domain.bulk` keeps them.
    changes: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)
    reason: Mapped[str | None]
    state: Mapped[str]
    total: Mapped[int]
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BulkItemRow(Row):
    """One asset of an operation. `before` and `after` hold, of what was changed, what it was and what it became."""

    __tablename__ = "bulk_item"
    __table_args__ = (
        one_of("state", ITEM_STATES),
        CheckConstraint("(state = 'CHANGED') = (before IS NOT NULL)", name="before"),
        CheckConstraint("(state = 'CHANGED') = (after IS NOT NULL)", name="after"),
        CheckConstraint("(state = 'REFUSED') = (code IS NOT NULL)", name="code"),
        Index("ix_bulk_item_state", "operation_id", "state", "asset_id"),
    )

    operation_id: Mapped[int] = mapped_column(ForeignKey("bulk_operation.id"), primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
    state: Mapped[str]
    code: Mapped[str | None]
    message: Mapped[str | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)
    after: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)
