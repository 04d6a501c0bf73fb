"""Suppliers, purchases and what was not spent, as GraphQL speaks of them."""

from __future__ import annotations

from typing import Any

import strawberry

from domain import assets, money, purchases
from domain.global_ids import encode
from domain.licensing import licenses, owning
from domain.permissions import Permission
from domain.purchases import reading, suppliers
from schema.assets import Asset
from schema.context import Context
from schema.fields import Subject, field
from schema.licensing.licenses import License
from schema.mapped import TABLES, Column, GlobalId, One, Table, column
from schema.money import Money, kept
from schema.node import KINDS, Kind, Node, fetch
from schema.people.actors import Actor
from schema.scalars import Instant
from storage.tables import AvoidedSpendRow, StockPurchaseRow, SupplierRow

StockPurchaseState: Any = strawberry.enum(
    purchases.State, name="StockPurchaseState", description="How far a purchase is."
)


AvoidedBy: Any = strawberry.enum(purchases.AvoidedBy, name="AvoidedBy", description="What made a purchase needless.")


@strawberry.type(description="How addresses of a supplier's pages name what they show.")
class SupplierUrlPattern:
    host: str = strawberry.field(description="It speaks for hosts below it too.")
    path: str = strawberry.field(description="A regular expression of the path, with one group `(?P<item>…)`.")


@strawberry.type(description="Whom pictures are bought from.")
class Supplier(Node):
    id: strawberry.ID = column(GlobalId("Supplier", SupplierRow.id))
    key: str = column(SupplierRow.key, "For programs; never changes.")
    name: str = column(SupplierRow.name)
    url_patterns: list[SupplierUrlPattern] = strawberry.field(description="Tried in this order; at most 20.")
    archived_at: Instant | None = column(SupplierRow.archived_at, "Since when nothing is bought from it any more.")
    revision: int = column(SupplierRow.revision)

    @classmethod
    def of(cls, row: SupplierRow) -> Supplier:
        return cls(
            id=strawberry.ID(encode("Supplier", row.id)),
            key=row.key,
            name=row.name,
            url_patterns=[SupplierUrlPattern(host=each["host"], path=each["path"]) for each in row.url_patterns],
            archived_at=row.archived_at,
            revision=row.revision,
        )


@strawberry.type(description="One picture to be bought under one tier of a supplier's terms.")
class StockPurchase(Node):
    row: strawberry.Private[StockPurchaseRow]
    id: strawberry.ID = column(GlobalId("StockPurchase", StockPurchaseRow.id))
    item: str = column(StockPurchaseRow.supplier_item_id, "As the supplier numbers it.")
    license_tier: str = column(StockPurchaseRow.license_tier, "As the supplier names its terms, such as STANDARD.")
    state: StockPurchaseState = column(StockPurchaseRow.state)
    title: str | None = column(StockPurchaseRow.title)
    order_ref: str | None = column(StockPurchaseRow.order_ref, "What the supplier calls the order.")
    requested_at: Instant = column(StockPurchaseRow.requested_at, "When it was asked for.")
    decided_at: Instant | None = column(StockPurchaseRow.decided_at, "When it was approved or rejected.")
    ended_at: Instant | None = column(StockPurchaseRow.ended_at, "When it was licensed, rejected or cancelled.")
    revision: int = column(StockPurchaseRow.revision)

    @classmethod
    def of(cls, row: StockPurchaseRow) -> StockPurchase:
        return cls(
            row=row,
            id=strawberry.ID(encode("StockPurchase", row.id)),
            item=row.supplier_item_id,
            license_tier=row.license_tier,
            state=purchases.State(row.state),
            title=row.title,
            order_ref=row.order_ref,
            requested_at=row.requested_at,
            decided_at=row.decided_at,
            ended_at=row.ended_at,
            revision=row.revision,
        )

    def subject(self) -> Subject:
        return Subject(reading.may_of, self.row.org_id)

    @field("Whom it is bought from.", mapped=One("Supplier", suppliers.seen, StockPurchaseRow.supplier_id))
    async def supplier(self, info: strawberry.Info[Context]) -> Supplier | None:
        found: Supplier | None = await fetch(info.context, "Supplier", self.row.supplier_id)
        return found

    @field(
        "What it costs, as whoever asked for it said.",
        needs=Permission.FIELD_MONEY,
        mapped=kept(StockPurchaseRow.fee_minor, StockPurchaseRow.fee_currency),
    )
    def fee(self) -> Money | None:
        return Money.of(money.kept(self.row.fee_minor, self.row.fee_currency))

    @field("Who asked for it.")
    async def requested_by(self, info: strawberry.Info[Context]) -> Actor | None:
        found: Actor | None = await _actor(info, self.row.requested_by)
        return found

    @field("Who approved or rejected it.")
    async def decided_by(self, info: strawberry.Info[Context]) -> Actor | None:
        found: Actor | None = None if self.row.decided_by is None else await _actor(info, self.row.decided_by)
        return found

    @field(
        "Under which licence it came, once it is LICENSED.",
        mapped=One("License", licenses.seen, StockPurchaseRow.license_id, own=True),
    )
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        return None if self.row.license_id is None else await fetch(info.context, "License", self.row.license_id)

    @field(
        "What it is in the library, once somebody said so.",
        mapped=One("Asset", assets.seen, StockPurchaseRow.asset_id, own=True),
    )
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        return None if self.row.asset_id is None else await fetch(info.context, "Asset", self.row.asset_id)

    @field("Whether the viewer waits for what becomes of it.")
    async def subscribed(self, info: strawberry.Info[Context]) -> bool:
        return bool(await info.context.load(purchases.subscribed, self.row.id))

    @field("How many wait for what becomes of it, whoever asked among them.", mapped=Column(reading.SUBSCRIBERS))
    async def subscriber_count(self, info: strawberry.Info[Context]) -> int:
        return await info.context.load(purchases.counts_of_subscribers, self.row.id) or 0


@strawberry.type(description="What somebody was about to spend and did not: a memo, by which nothing is paid.")
class AvoidedSpend:
    row: strawberry.Private[AvoidedSpendRow]
    item: str = strawberry.field(description="As the supplier numbers it.")
    license_tier: str = strawberry.field(description="As the supplier names its terms.")
    avoided_by: AvoidedBy = strawberry.field(description="What made it needless.")
    occurred_at: Instant = strawberry.field(description="When it was booked.")

    @classmethod
    def of(cls, row: AvoidedSpendRow) -> AvoidedSpend:
        return cls(
            row=row,
            item=row.supplier_item_id,
            license_tier=row.license_tier,
            avoided_by=purchases.AvoidedBy(row.avoided_by),
            occurred_at=row.occurred_at,
        )

    @field("Whom it would have been paid to.")
    async def supplier(self, info: strawberry.Info[Context]) -> Supplier | None:
        found: Supplier | None = await fetch(info.context, "Supplier", self.row.supplier_id)
        return found

    @field("What it would have cost.")
    def amount(self) -> Money:
        found = Money.of(money.kept(self.row.amount_minor, self.row.currency))
        assert found is not None
        return found

    @field("The purchase that was under way, or given up.")
    async def purchase(self, info: strawberry.Info[Context]) -> StockPurchase | None:
        number = self.row.purchase_id
        return None if number is None else await fetch(info.context, "StockPurchase", number)


async def _actor(info: strawberry.Info[Context], number: int) -> Any:
    # Nobody is both, and whom the viewer may not know is neither.
    return await fetch(info.context, "Person", number) or await fetch(info.context, "ServiceAccount", number)


KINDS["Supplier"] = Kind(suppliers.by_id, Supplier.of)
KINDS["StockPurchase"] = Kind(purchases.by_id, StockPurchase.of)
TABLES["Supplier"] = Table(suppliers.seen, SupplierRow.id, sight=suppliers.sight)
TABLES["StockPurchase"] = Table(
    reading.seen, StockPurchaseRow.id, owning.held(StockPurchaseRow.org_id), sight=reading.sight
)
