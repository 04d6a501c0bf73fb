"""Suppliers of pictures, what is bought from them, and what was not spent because it was there already."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when
from storage.types import NullableJson

PURCHASE_STATES = ("REQUESTED", "APPROVED", "ORDERED", "LICENSED", "REJECTED", "CANCELLED")
#: While a purchase is in one of these, nobody asks for the same again.
UNDER_WAY = "state IN ('REQUESTED', 'APPROVED', 'ORDERED')"
#: What made a purchase needless.
AVOIDED_BY = ("ALREADY_LICENSED", "PENDING", "SAME_PICTURE_OTHER_SUPPLIER", "OWNED_ALTERNATIVE")


class SupplierRow(Row):
    """Whom pictures are bought from; its key never changes."""

    __tablename__ = "supplier"
    __table_args__ = (Index("uq_supplier_key", "org_id", "key", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    key: Mapped[str]
    name: Mapped[str]
    #: How addresses of its pages name what they show: objects with `host` and `path`.
    url_patterns: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class StockPurchaseRow(Row):
    """One picture to be bought under one tier of the supplier's terms. Triggers keep what was asked for as it was
    asked, and the state to its arrows.
    """

    __tablename__ = "stock_purchase"
    __table_args__ = (
        one_of("state", PURCHASE_STATES),
        CheckConstraint("(fee_minor IS NULL) = (fee_currency IS NULL)", name="fee"),
        CheckConstraint("fee_minor >= 0", name="fee_sign"),
        CheckConstraint("(state = 'LICENSED') = (license_id IS NOT NULL)", name="license"),
        Index(
            "uq_stock_purchase_under_way",
            "supplier_id",
            "supplier_item_id",
            "license_tier",
            unique=True,
            **only_when(UNDER_WAY),
        ),
        Index("ix_stock_purchase_item", "supplier_id", "supplier_item_id", "state"),
        Index("ix_stock_purchase_org", "org_id", "id"),
        Index("ix_stock_purchase_license", "license_id"),
        Index("ix_stock_purchase_asset", "asset_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    #: As the supplier numbers it.
    supplier_item_id: Mapped[str]
    #: As the supplier names its terms, in upper case: STANDARD, EXTENDED.
    license_tier: Mapped[str]
    state: Mapped[str]
    title: Mapped[str | None]
    #: What it costs by the request, in minor units.
    fee_minor: Mapped[int | None]
    fee_currency: Mapped[str | None]
    #: What it is wanted for, as `domain.purchases` spells it.
    intended_use: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)
    #: Of the supplier's preview, by which look-alikes are found again; it keeps no bytes.
    preview_sha256: Mapped[str | None]
    #: Assets that looked alike and were acknowledged by whoever asked.
    acknowledged: Mapped[list[Any]]
    requested_at: Mapped[datetime]
    requested_by: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    order_ref: Mapped[str | None]
    license_id: Mapped[int | None] = mapped_column(ForeignKey("license.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    ended_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}


class PurchaseSubscriberRow(Row):
    """Who wants the same picture and waits for what becomes of the purchase."""

    __tablename__ = "purchase_subscriber"
    __table_args__ = (Index("ix_purchase_subscriber_principal", "principal_id"),)

    purchase_id: Mapped[int] = mapped_column(ForeignKey("stock_purchase.id"), primary_key=True, autoincrement=False)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True, autoincrement=False)
    subscribed_at: Mapped[datetime]


class AvoidedSpendRow(Row):
    """A memo: what somebody was about to spend and did not, and why. Append-only; nothing is paid by it."""

    __tablename__ = "avoided_spend"
    __table_args__ = (
        one_of("avoided_by", AVOIDED_BY),
        CheckConstraint("amount_minor > 0", name="amount"),
        # Somebody who asks for the same again spares nothing more.
        Index(
            "uq_avoided_spend_once",
            "supplier_id",
            "supplier_item_id",
            "license_tier",
            "principal_id",
            unique=True,
        ),
        Index("ix_avoided_spend_org", "org_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    supplier_item_id: Mapped[str]
    license_tier: Mapped[str]
    #: Who was about to spend it.
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    avoided_by: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    #: The purchase that was under way, or that was given up.
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("stock_purchase.id"))
    license_id: Mapped[int | None] = mapped_column(ForeignKey("license.id"))
    occurred_at: Mapped[datetime]
