"""Asking for pictures to be bought, and deciding about it, over GraphQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry

from domain import pages, purchases
from domain.global_ids import number_of
from domain.purchases import Pattern, Wanted, savings, suppliers
from domain.work import Work
from schema import money
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.money import Money, MoneyInput
from schema.mutating import Answer, run
from schema.paging import After, Before, First, Last
from schema.purchases.checking import IntendedUseInput, intended, named
from schema.purchases.types import AvoidedSpend, StockPurchase, StockPurchaseState, Supplier
from storage.tables import StockPurchaseRow


@strawberry.input(description="How addresses of a supplier's pages name what they show.")
class SupplierUrlPatternInput:
    host: str = strawberry.field(description="It speaks for hosts below it too.")
    path: str = strawberry.field(
        description="A regular expression of the path, made of plain characters, `\\d`, `\\w`, classes and points, at "
        "most three of them repeated, and one group `(?P<item>…)`."
    )


@strawberry.input(description="A new supplier.")
class SupplierCreateInput:
    key: str = strawberry.field(description="Small letters, digits and hyphens; never changes.")
    name: str
    url_patterns: list[SupplierUrlPatternInput] | None = strawberry.field(
        default=None,
        description="At most 20. If not said, those of the agency whose key it is, such as `shutterstock`.",
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a supplier; what is not given stays.")
class SupplierUpdateInput:
    supplier: strawberry.ID
    expected_revision: int
    name: str | None = None
    url_patterns: list[SupplierUrlPatternInput] | None = strawberry.field(default=None, description="All of them anew.")
    archived: bool | None = strawberry.field(default=None, description="Whether nothing is bought from it any more.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A picture to be bought: by supplier and item, or by its address at a supplier's.")
class StockPurchaseRequestInput:
    supplier: strawberry.ID | None = None
    item: str | None = strawberry.field(default=None, description="As the supplier numbers it.")
    url: str | None = strawberry.field(default=None, description="An address at the supplier's that shows it.")
    license_tier: str = strawberry.field(description="As the supplier names its terms, such as STANDARD.")
    upload: strawberry.ID | None = strawberry.field(
        default=None, description="A finished upload of the supplier's preview, for look-alikes."
    )
    acknowledged: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Assets that look alike, were looked at, and do not serve."
    )
    title: str | None = None
    fee: MoneyInput | None = strawberry.field(default=None, description="What it costs.")
    intended_use: IntendedUseInput | None = strawberry.field(
        default=None, description="What for: then licences are decided by it, and not by their tier."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The purchase to approve.")
class StockPurchaseApproveInput:
    purchase: strawberry.ID
    expected_revision: int
    acknowledged: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Assets that came to look alike since it was asked for, and do not serve."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The purchase to reject.")
class StockPurchaseRejectInput:
    purchase: strawberry.ID
    expected_revision: int
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The purchase that was ordered.")
class StockPurchaseOrderInput:
    purchase: strawberry.ID
    expected_revision: int
    order_ref: str | None = strawberry.field(default=None, description="What the supplier calls the order.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The purchase that came.")
class StockPurchaseLicenseInput:
    purchase: strawberry.ID
    expected_revision: int
    license: strawberry.ID = strawberry.field(description="Under which it came.")
    asset: strawberry.ID | None = strawberry.field(default=None, description="What it is in the library.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A picture that was bought before: by supplier and item, or by its address.")
class StockPurchaseRecordInput:
    supplier: strawberry.ID | None = None
    item: str | None = strawberry.field(default=None, description="As the supplier numbers it.")
    url: str | None = strawberry.field(default=None, description="An address at the supplier's that shows it.")
    license_tier: str = strawberry.field(description="As the supplier names its terms, such as STANDARD.")
    license: strawberry.ID = strawberry.field(description="Under which it came.")
    asset: strawberry.ID | None = strawberry.field(default=None, description="What it is in the library.")
    title: str | None = None
    fee: MoneyInput | None = strawberry.field(default=None, description="What it cost.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The purchase to give up.")
class StockPurchaseCancelInput:
    purchase: strawberry.ID
    expected_revision: int
    reason: str | None = strawberry.field(default=None, description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`supplier` is null exactly when `errors` is not empty.")
class SupplierPayload:
    supplier: Supplier | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`purchase` is null exactly when `errors` is not empty.")
class StockPurchasePayload:
    purchase: StockPurchase | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


def _purchases(work: Work, states: list[StockPurchaseState] | None = None, *, mine: bool = False) -> Asked:
    these = list(states or ())
    waiting = work.viewer.principal_id if mine else None
    scope = pages.scope_of("stock purchases", sorted(each.value for each in these), mine, waiting)
    return Asked(scope, lambda: purchases.listed(work, these, mine=mine))


@strawberry.type
class PurchaseQueries:
    @field("Suppliers by name, archived ones too; none for who may ask for no purchase.")
    def suppliers(self, info: strawberry.Info[Context]) -> list[Supplier]:
        return [Supplier.of(row) for row in suppliers.known(info.context.work)]

    @field(
        "Purchases of organisations where the viewer may ask for some or decides about them, newest first.",
        mapped=listed("StockPurchase", _purchases),
    )
    def stock_purchases(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        states: list[StockPurchaseState] | None = None,
        mine: bool = False,
    ) -> Connection[StockPurchase]:
        asked = _purchases(info.context.work, states, mine=mine)
        return page_of(info, asked, StockPurchase.of, first=first, after=after, last=last, before=before)

    @field("Memos of what was not spent, newest first, of organisations where the viewer may see money.")
    def avoided_spend(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AvoidedSpend]:
        work = info.context.work
        scope = pages.scope_of("avoided spend")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=savings.page(work, wanted),
            speak=AvoidedSpend.of,
            count=lambda later: savings.count(later.context.work),
        )

    @field("The same added up, per currency.", weight=20)
    def avoided_spend_totals(self, info: strawberry.Info[Context]) -> list[Money]:
        told = (Money.of(each) for each in savings.totals(info.context.work))
        return [each for each in told if each is not None]


@strawberry.type
class PurchaseMutations:
    @mutation("Says of somebody that pictures are bought from them. Needs SUPPLIER_MANAGE.")
    def supplier_create(self, info: strawberry.Info[Context], input: SupplierCreateInput) -> SupplierPayload:
        def act(work: Work) -> Answer:
            row = suppliers.create(work, input.key, input.name, _patterns(input.url_patterns))
            return {"supplier": ("Supplier", row.id)}

        return run(info, input, SupplierPayload, act)

    @mutation("Changes a supplier. Needs SUPPLIER_MANAGE.")
    def supplier_update(self, info: strawberry.Info[Context], input: SupplierUpdateInput) -> SupplierPayload:
        def act(work: Work) -> Answer:
            number = number_of("Supplier", input.supplier, ("supplier",))
            told = {"name": input.name, "patterns": _patterns(input.url_patterns), "is_archived": input.archived}
            return {"supplier": ("Supplier", suppliers.update(work, number, input.expected_revision, **told).id)}  # type: ignore[arg-type]  # each of its own type

        return run(info, input, SupplierPayload, act)

    @mutation(
        "Asks for a picture to be bought, unless it need not be. Who comes second waits for what becomes of the first "
        "one's purchase."
    )
    def stock_purchase_request(
        self, info: strawberry.Info[Context], input: StockPurchaseRequestInput
    ) -> StockPurchasePayload:
        refused: list[tuple[Wanted, purchases.AlreadyLicensed | purchases.AlreadyRequested]] = []

        def act(work: Work) -> Answer:
            refused.clear()
            wish = _wish(work, input)
            try:
                row = purchases.request(work, wish, intended(work, input.intended_use))
            except (purchases.AlreadyLicensed, purchases.AlreadyRequested) as refusal:
                refused.append((wish, refusal))
                raise
            return {"purchase": ("StockPurchase", row.id)}

        payload = run(info, input, StockPurchasePayload, act)
        for wish, refusal in refused:
            with info.context.writing() as work:
                purchases.spared(work, wish, refusal)
        return payload

    @mutation("Says yes to a purchase, if it still has to be bought. Needs PURCHASE_APPROVE.")
    def stock_purchase_approve(
        self, info: strawberry.Info[Context], input: StockPurchaseApproveInput
    ) -> StockPurchasePayload:
        return _changed(
            info,
            input,
            lambda work, number: purchases.approve(work, number, input.expected_revision, _numbers(input.acknowledged)),
        )

    @mutation("Says no to a purchase. Needs PURCHASE_APPROVE.")
    def stock_purchase_reject(
        self, info: strawberry.Info[Context], input: StockPurchaseRejectInput
    ) -> StockPurchasePayload:
        return _changed(
            info, input, lambda work, number: purchases.reject(work, number, input.expected_revision, input.reason)
        )

    @mutation("Says that a purchase was ordered. Needs PURCHASE_APPROVE.")
    def stock_purchase_order(
        self, info: strawberry.Info[Context], input: StockPurchaseOrderInput
    ) -> StockPurchasePayload:
        return _changed(
            info, input, lambda work, number: purchases.order(work, number, input.expected_revision, input.order_ref)
        )

    @mutation("Says under which licence a purchase came. Needs PURCHASE_APPROVE.")
    def stock_purchase_license(
        self, info: strawberry.Info[Context], input: StockPurchaseLicenseInput
    ) -> StockPurchasePayload:
        def change(work: Work, number: int) -> StockPurchaseRow:
            license_id = number_of("License", input.license, ("license",))
            asset_id = None if input.asset is None else number_of("Asset", input.asset, ("asset",))
            return purchases.license_(work, number, input.expected_revision, license_id, asset_id)

        return _changed(info, input, change)

    @mutation("Says that a picture was bought before, so that it is not bought again. Needs PURCHASE_APPROVE.")
    def stock_purchase_record(
        self, info: strawberry.Info[Context], input: StockPurchaseRecordInput
    ) -> StockPurchasePayload:
        def act(work: Work) -> Answer:
            fee = money.read(input.fee, ("fee",))
            bought = purchases.wish(work, named(input), input.license_tier, title=input.title, fee=fee)
            asset_id = None if input.asset is None else number_of("Asset", input.asset, ("asset",))
            row = purchases.record(work, bought, number_of("License", input.license, ("license",)), asset_id)
            return {"purchase": ("StockPurchase", row.id)}

        return run(info, input, StockPurchasePayload, act)

    @mutation("Gives a purchase up: whoever asked for it may, and who holds PURCHASE_APPROVE.")
    def stock_purchase_cancel(
        self, info: strawberry.Info[Context], input: StockPurchaseCancelInput
    ) -> StockPurchasePayload:
        return _changed(
            info, input, lambda work, number: purchases.cancel(work, number, input.expected_revision, input.reason)
        )


def _changed(
    info: strawberry.Info[Context], input: Any, change: Callable[[Work, int], StockPurchaseRow]
) -> StockPurchasePayload:
    def act(work: Work) -> Answer:
        number = number_of("StockPurchase", input.purchase, ("purchase",))
        return {"purchase": ("StockPurchase", change(work, number).id)}

    return run(info, input, StockPurchasePayload, act)


def _wish(work: Work, input: StockPurchaseRequestInput) -> Wanted:
    return purchases.wish(
        work,
        named(input),
        input.license_tier,
        upload=input.upload,
        title=input.title,
        fee=money.read(input.fee, ("fee",)),
        acknowledged=_numbers(input.acknowledged),
    )


def _numbers(ids: list[strawberry.ID] | None) -> frozenset[int]:
    return frozenset(number_of("Asset", each, ("acknowledged",)) for each in ids or ())


def _patterns(given: list[SupplierUrlPatternInput] | None) -> list[Pattern] | None:
    return None if given is None else [Pattern(each.host, each.path) for each in given]
