"""Whether a picture needs to be bought, over GraphQL."""

from __future__ import annotations

import dataclasses
from typing import Any

import strawberry

from domain import identity, purchases
from domain.global_ids import encode, number_of
from domain.licensing import policy
from domain.licensing.codes import Action, Alteration, Purpose
from domain.permissions import Permission
from domain.purchases import Finding, IntendedUse, Named, fitting
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.fields import field
from schema.licensing.asking import DateWindowInput, QuantityInput, RightsQueryInput, UsageSizeInput, request_of
from schema.licensing.deciding import RightsDecision
from schema.licensing.licenses import License
from schema.node import fetch
from schema.purchases.types import StockPurchase, Supplier
from schema.scalars import Locale

PurchaseFindingKind: Any = strawberry.enum(
    purchases.Kind, name="PurchaseFindingKind", description="What is found before a picture is bought."
)


@strawberry.type(description="Something to know before the picture is bought; what the viewer may not see is null.")
class PurchaseFinding:
    found: strawberry.Private[Finding]
    use: strawberry.Private[IntendedUse | None]
    kind: PurchaseFindingKind
    needs_acknowledgement: bool = strawberry.field(
        description="Whether a request has to name its asset under `acknowledged`."
    )
    distance: int | None = strawberry.field(
        description="Of a look-alike, how far the pictures are apart, as in `SimilarAsset`."
    )
    gap: str | None = strawberry.field(description="What the licence lacks, as a sentence.")

    @classmethod
    def of(cls, found: Finding, use: IntendedUse | None) -> PurchaseFinding:
        return cls(
            found=found,
            use=use,
            kind=found.kind,
            needs_acknowledgement=found.needs_acknowledgement,
            distance=found.distance,
            gap=found.gap,
        )

    @field("The purchase that it is about.")
    def purchase(self) -> StockPurchase | None:
        return None if self.found.purchase is None else StockPurchase.of(self.found.purchase)

    @field("The licence that there is; null where the viewer may not know of it.")
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        number = self.found.license_id
        return None if number is None else await fetch(info.context, "License", number)

    @field("What is decided for the intended use by that licence alone; null where no use was named.", weight=20)
    def decision(self) -> RightsDecision | None:
        found = self.found.decision
        if found is None or self.use is None:
            return None
        return RightsDecision.of(found, encode("RightsCheck", policy.number(0, self.use, found)))

    @field("The picture in the library.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        number = self.found.asset_id
        return None if number is None else await fetch(info.context, "Asset", number)


@strawberry.type(description="What was found about a picture at a supplier.")
class PurchaseCheck:
    supplier_number: strawberry.Private[int]
    item: str = strawberry.field(description="As the supplier numbers it.")
    findings: list[PurchaseFinding] = strawberry.field(
        description="The most telling first; CLEAR stands alone.", metadata={"weight": 0}
    )

    @field("Whom it would be bought from.")
    async def supplier(self, info: strawberry.Info[Context]) -> Supplier | None:
        found: Supplier | None = await fetch(info.context, "Supplier", self.supplier_number)
        return found


@strawberry.input(description="What a picture is wanted for: as `RightsQueryInput`, without a version.")
class IntendedUseInput:
    action: Action = strawberry.field(description="What is done with it.")
    channel: str = strawberry.field(description="Where it will be seen: a leaf of the channels, such as `print.flyer`.")
    territories: list[str] = strawberry.field(
        description="Countries (ISO 3166-1), their parts (3166-2), groups as of the first day, or `WORLDWIDE`."
    )
    window: DateWindowInput = strawberry.field(description="The whole time that it will be out.")
    quantity: QuantityInput | None = strawberry.field(default=None, description="How many.")
    purpose: Purpose | None = strawberry.field(default=None, description="What for.")
    alterations: list[Alteration] | None = strawberry.field(default=None, description="What is done to it; as it is.")
    size: UsageSizeInput | None = strawberry.field(default=None, description="How large it will be.")
    product: strawberry.ID | None = strawberry.field(default=None, description="For which product.")
    industry: str | None = strawberry.field(default=None, description="For which trade.")
    language: Locale | None = strawberry.field(default=None, description="In which language.")
    audience: str | None = strawberry.field(default=None, description="To whom it will be shown.")
    placement: str | None = strawberry.field(default=None, description="Where on the page or in the film.")


@strawberry.input(description="The picture to look for: by supplier and item, or by its address at a supplier's.")
class PurchaseCheckInput:
    supplier: strawberry.ID | None = None
    item: str | None = strawberry.field(default=None, description="As the supplier numbers it.")
    url: str | None = strawberry.field(default=None, description="An address at the supplier's that shows it.")
    upload: strawberry.ID | None = strawberry.field(
        default=None, description="A finished upload of the supplier's preview, for look-alikes."
    )
    license_tier: str | None = strawberry.field(
        default=None, description="The tier that is thought of, such as STANDARD."
    )
    intended_use: IntendedUseInput | None = strawberry.field(
        default=None, description="What for: then licences are decided by it, and not by their tier."
    )


@strawberry.type
class CheckingQueries:
    @field(
        "Whether a picture needs to be bought: licences, purchases and look-alikes that the viewer may know of.",
        weight=50,
    )
    def purchase_check(self, info: strawberry.Info[Context], input: PurchaseCheckInput) -> PurchaseCheck:
        work = info.context.work
        identity.require_anywhere(work, Permission.PURCHASE_REQUEST)
        supplier_id, item = purchases.found(work, named(input))
        preview = None if input.upload is None else purchases.looked_at(work, input.upload)
        use = intended(work, input.intended_use)
        found = purchases.findings(work, supplier_id, item, tier=input.license_tier, preview=preview, use=use)
        told = [PurchaseFinding.of(each, use) for each in found]
        return PurchaseCheck(supplier_number=supplier_id, item=item, findings=told)


def named(given: Any) -> Named:
    """What an input with `supplier`, `item` and `url` names."""
    number = None if given.supplier is None else number_of("Supplier", given.supplier, ("supplier",))
    return Named(supplier_id=number, item=given.item, address=given.url)


def intended(work: Work, given: IntendedUseInput | None) -> IntendedUse | None:
    """As the domain says it, of the viewer's own organisation. `Invalid` for what cannot be decided."""
    if given is None:
        return None
    told = {each.name: getattr(given, each.name) for each in dataclasses.fields(given)}
    return fitting.checked(work, request_of(work, RightsQueryInput(version_id=strawberry.ID(""), **told)))
