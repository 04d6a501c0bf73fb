"""What stands against using an asset, over GraphQL: embargoes, takedowns and exclusivity."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import assets, organisations, pages
from domain.global_ids import encode, number_of
from domain.licensing import embargoes, exclusivities, owning, takedowns
from domain.licensing.codes import ExclusivityDirection, TakedownStatus
from domain.work import Work
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mapped import TABLES, GlobalId, One, Table, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant
from storage.tables import EmbargoRow, ExclusivityRow, TakedownRow

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.organisations import Organisation

_AssetType = Annotated["Asset", strawberry.lazy("schema.assets")]


@strawberry.type(description="Until it ends or is lifted, nothing of the asset is out.")
class Embargo(Node):
    row: strawberry.Private[EmbargoRow]
    id: strawberry.ID = column(GlobalId("Embargo", EmbargoRow.id))
    starts_at: Instant | None = column(EmbargoRow.starts_at, "When it begins; null: it always held.")
    ends_at: Instant | None = column(EmbargoRow.ends_at, "When it ends by itself; null: when it is lifted.")
    legal_ref: str | None = column(EmbargoRow.legal_ref, "The contract or case it comes from.")
    placed_at: Instant = column(EmbargoRow.placed_at, "When it was placed.")
    lifted_at: Instant | None = column(EmbargoRow.lifted_at, "When it was lifted; null: it was not.")

    @classmethod
    def of(cls, row: EmbargoRow) -> Embargo:
        return cls(
            row=row,
            id=strawberry.ID(encode("Embargo", row.id)),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            legal_ref=row.legal_ref,
            placed_at=row.placed_at,
            lifted_at=row.lifted_at,
        )

    @field("What is kept back.", mapped=One("Asset", assets.seen, EmbargoRow.asset_id, own=True, stamped=False))
    async def asset(self, info: strawberry.Info[Context]) -> _AssetType | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found


@strawberry.type(description="From the moment it is opened until it is lifted, nothing of the asset leaves.")
class Takedown(Node):
    row: strawberry.Private[TakedownRow]
    id: strawberry.ID = column(GlobalId("Takedown", TakedownRow.id))
    status: TakedownStatus = column(TakedownRow.status, "How far it is.")
    legal_ref: str | None = column(TakedownRow.legal_ref, "The letter or case it comes from.")
    opened_at: Instant = column(TakedownRow.opened_at, "When it was opened.")
    enforced_at: Instant | None = column(TakedownRow.enforced_at, "When somebody had seen to what was out already.")
    lifted_at: Instant | None = column(TakedownRow.lifted_at, "When it was lifted; null: it was not.")
    revision: int = column(TakedownRow.revision)

    @classmethod
    def of(cls, row: TakedownRow) -> Takedown:
        return cls(
            row=row,
            id=strawberry.ID(encode("Takedown", row.id)),
            status=TakedownStatus(row.status),
            legal_ref=row.legal_ref,
            opened_at=row.opened_at,
            enforced_at=row.enforced_at,
            lifted_at=row.lifted_at,
            revision=row.revision,
        )

    @field("What is taken down.", mapped=One("Asset", assets.seen, TakedownRow.asset_id, own=True, stamped=False))
    async def asset(self, info: strawberry.Info[Context]) -> _AssetType | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found


@strawberry.type(description="That only one organisation may use an asset so. Empty lists mean all there are.")
class Exclusivity(Node):
    row: strawberry.Private[ExclusivityRow]
    id: strawberry.ID = column(GlobalId("Exclusivity", ExclusivityRow.id))
    direction: ExclusivityDirection = column(ExclusivityRow.direction, "Who gave it to whom.")
    channels: list[str] = column(ExclusivityRow.channels, "Where it holds, such as `print`.")
    territories: list[str] = column(ExclusivityRow.territories, "Where on earth it holds.")
    industries: list[str] = column(ExclusivityRow.industries, "In which trades it holds.")
    starts_on: date | None = column(ExclusivityRow.starts_on, "Its first day, in its zone; null: since ever.")
    ends_on: date | None = column(ExclusivityRow.ends_on, "Its last day, in its zone; null: for ever.")
    zone: str = column(ExclusivityRow.zone, "The time zone of its days (IANA).")
    ended_at: Instant | None = column(ExclusivityRow.ended_at, "When somebody ended it; null: nobody has.")

    @classmethod
    def of(cls, row: ExclusivityRow) -> Exclusivity:
        return cls(
            row=row,
            id=strawberry.ID(encode("Exclusivity", row.id)),
            direction=ExclusivityDirection(row.direction),
            channels=list(row.channels),
            territories=list(row.territories),
            industries=list(row.industries),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            zone=row.zone,
            ended_at=row.ended_at,
        )

    @field(
        "What it is about.",
        mapped=One("Asset", assets.seen, ExclusivityRow.asset_id, own=True, stamped=False),
    )
    async def asset(self, info: strawberry.Info[Context]) -> _AssetType | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found

    @field(
        "Who alone may use it; null where the viewer may not know of it.",
        mapped=One("Organisation", organisations.seen, ExclusivityRow.holder_org_id, stamped=False),
    )
    async def holder(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.holder_org_id)
        return found


@strawberry.input(description="The asset to keep back.")
class EmbargoPlaceInput:
    asset: strawberry.ID
    starts_at: Instant | None = strawberry.field(default=None, description="At once if not said.")
    ends_at: Instant | None = strawberry.field(default=None, description="When it is lifted if not said.")
    legal_ref: str | None = strawberry.field(default=None, description="The contract or case it comes from.")
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The embargo to lift.")
class EmbargoLiftInput:
    embargo: strawberry.ID
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The asset to take down.")
class TakedownOpenInput:
    asset: strawberry.ID
    legal_ref: str | None = strawberry.field(default=None, description="The letter or case it comes from.")
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The takedown that somebody saw to.")
class TakedownEnforceInput:
    takedown: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The takedown to lift.")
class TakedownLiftInput:
    takedown: strawberry.ID
    expected_revision: int
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="That only one organisation may use an asset so. Empty lists mean all there are.")
class ExclusivityGiveInput:
    asset: strawberry.ID
    direction: ExclusivityDirection = strawberry.field(
        default=ExclusivityDirection.OUTGOING, description="Who gave it to whom."
    )
    holder: strawberry.ID = strawberry.field(description="The organisation that alone may use it.")
    channels: list[str] | None = strawberry.field(default=None, description="Where it holds, such as `print`.")
    territories: list[str] | None = strawberry.field(default=None, description="Where on earth it holds.")
    industries: list[str] | None = strawberry.field(default=None, description="In which trades it holds.")
    starts_on: date | None = strawberry.field(default=None, description="Its first day; since ever if not said.")
    ends_on: date | None = strawberry.field(default=None, description="Its last day; for ever if not said.")
    zone: str = strawberry.field(default="UTC", description="The time zone of its days (IANA).")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The exclusivity to end.")
class ExclusivityEndInput:
    exclusivity: strawberry.ID
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`embargo` is null exactly when `errors` is not empty.")
class EmbargoPayload:
    embargo: Embargo | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`takedown` is null exactly when `errors` is not empty.")
class TakedownPayload:
    takedown: Takedown | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`exclusivity` is null exactly when `errors` is not empty.")
class ExclusivityPayload:
    exclusivity: Exclusivity | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


def _takedowns(work: Work, statuses: list[TakedownStatus] | None = None) -> Asked:
    these = tuple(statuses or ())
    return Asked(pages.scope_of("takedowns", these), lambda: takedowns.listed(work, these))


@strawberry.type
class BarringQueries:
    @field(
        "Takedowns of assets that the viewer sees and whose licences they may know of, newest first.",
        mapped=listed("Takedown", _takedowns),
    )
    def takedowns(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        statuses: list[TakedownStatus] | None = None,
    ) -> Connection[Takedown]:
        asked = _takedowns(info.context.work, statuses)
        return page_of(info, asked, Takedown.of, first=first, after=after, last=last, before=before)


@strawberry.type
class BarringMutations:
    @mutation("Keeps an asset back. Needs TAKEDOWN_MANAGE.")
    def embargo_place(self, info: strawberry.Info[Context], input: EmbargoPlaceInput) -> EmbargoPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            row = embargoes.place(work, number, input.starts_at, input.ends_at, input.reason, input.legal_ref)
            return {"embargo": ("Embargo", row.id)}

        return run(info, input, EmbargoPayload, act)

    @mutation("Lifts an embargo.")
    def embargo_lift(self, info: strawberry.Info[Context], input: EmbargoLiftInput) -> EmbargoPayload:
        def act(work: Work) -> Answer:
            number = number_of("Embargo", input.embargo, ("embargo",))
            return {"embargo": ("Embargo", embargoes.lift(work, number, input.reason).id)}

        return run(info, input, EmbargoPayload, act)

    @mutation("Takes an asset down, at once. Needs TAKEDOWN_MANAGE.")
    def takedown_open(self, info: strawberry.Info[Context], input: TakedownOpenInput) -> TakedownPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return {"takedown": ("Takedown", takedowns.open_(work, number, input.reason, input.legal_ref).id)}

        return run(info, input, TakedownPayload, act)

    @mutation("Says that somebody saw to what was out already.")
    def takedown_enforce(self, info: strawberry.Info[Context], input: TakedownEnforceInput) -> TakedownPayload:
        def act(work: Work) -> Answer:
            number = number_of("Takedown", input.takedown, ("takedown",))
            return {"takedown": ("Takedown", takedowns.enforce(work, number, input.expected_revision).id)}

        return run(info, input, TakedownPayload, act)

    @mutation("Lifts a takedown.")
    def takedown_lift(self, info: strawberry.Info[Context], input: TakedownLiftInput) -> TakedownPayload:
        def act(work: Work) -> Answer:
            number = number_of("Takedown", input.takedown, ("takedown",))
            return {"takedown": ("Takedown", takedowns.lift(work, number, input.expected_revision, input.reason).id)}

        return run(info, input, TakedownPayload, act)

    @mutation("Says that only one organisation may use an asset so. Needs TAKEDOWN_MANAGE.")
    def exclusivity_give(self, info: strawberry.Info[Context], input: ExclusivityGiveInput) -> ExclusivityPayload:
        def act(work: Work) -> Answer:
            wish = exclusivities.Wish(
                direction=input.direction,
                holder_org_id=number_of("Organisation", input.holder, ("holder",)),
                channels=tuple(input.channels or ()),
                territories=tuple(input.territories or ()),
                industries=tuple(input.industries or ()),
                starts_on=input.starts_on,
                ends_on=input.ends_on,
                zone=input.zone,
            )
            row = exclusivities.give(work, number_of("Asset", input.asset, ("asset",)), wish)
            return {"exclusivity": ("Exclusivity", row.id)}

        return run(info, input, ExclusivityPayload, act)

    @mutation("Ends an exclusivity before its time.")
    def exclusivity_end(self, info: strawberry.Info[Context], input: ExclusivityEndInput) -> ExclusivityPayload:
        def act(work: Work) -> Answer:
            number = number_of("Exclusivity", input.exclusivity, ("exclusivity",))
            return {"exclusivity": ("Exclusivity", exclusivities.end(work, number, input.reason).id)}

        return run(info, input, ExclusivityPayload, act)


KINDS["Embargo"] = Kind(embargoes.by_id, Embargo.of)
KINDS["Takedown"] = Kind(takedowns.by_id, Takedown.of)
KINDS["Exclusivity"] = Kind(exclusivities.by_id, Exclusivity.of)
TABLES["Embargo"] = Table(embargoes.seen, EmbargoRow.id, sight=owning.sight_of_assets)
TABLES["Takedown"] = Table(takedowns.seen, TakedownRow.id, sight=owning.sight_of_assets)
TABLES["Exclusivity"] = Table(exclusivities.seen, ExclusivityRow.id, sight=owning.sight_of_assets)
