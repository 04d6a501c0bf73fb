"""The trash, legal holds and where an asset is used, over GraphQL."""

from __future__ import annotations

from typing import Any

import strawberry

from domain import holds, pages, trash
from domain.global_ids import encode, number_of
from domain.work import Work
from schema.assets import Asset
from schema.connections import Connection
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant
from schema.uses import AssetTrash
from storage.tables import LegalHoldRow


@strawberry.type(description="While it stands, the asset is not thrown away and nothing of it is purged.")
class LegalHold(Node):
    row: strawberry.Private[LegalHoldRow]
    matter: str = strawberry.field(description="The case it is held for.")
    placed_at: Instant = strawberry.field(description="When it was placed.")
    lifted_at: Instant | None = strawberry.field(description="When it was lifted; null while it stands.")

    @classmethod
    def of(cls, row: LegalHoldRow) -> LegalHold:
        return cls(
            row=row,
            id=strawberry.ID(encode("LegalHold", row.id)),
            matter=row.matter,
            placed_at=row.placed_at,
            lifted_at=row.lifted_at,
        )

    @field("What is held.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found


@strawberry.type(description="An asset that lies in the trash, or did until it was purged.")
class TrashedAsset:
    asset: Asset

    @field("Its place in the trash; null where it was brought back meanwhile.")
    async def trash(self, info: strawberry.Info[Context]) -> AssetTrash | None:
        found = await info.context.load(trash.of_assets, self.asset.row.id)
        return None if found is None else AssetTrash.of(found)


@strawberry.input(description="The asset to throw away.")
class AssetTrashInput:
    asset: strawberry.ID
    expected_revision: int
    confirmation: str | None = strawberry.field(
        default=None, description="Of an `InUseError`: it is to go although it is used there."
    )
    reason: str | None = strawberry.field(default=None, description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The asset to bring back from the trash.")
class AssetRestoreFromTrashInput:
    asset: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The asset to hold.")
class LegalHoldPlaceInput:
    asset: strawberry.ID
    matter: str = strawberry.field(description="The case it is held for, by a name of yours.")
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The legal hold to lift.")
class LegalHoldLiftInput:
    hold: strawberry.ID
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetTrashPayload:
    asset: Asset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`hold` is null exactly when `errors` is not empty.")
class LegalHoldPayload:
    hold: LegalHold | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class TrashQueries:
    @field("What lies in the trash and the viewer may bring back, last thrown away first.")
    def trash(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        purged: bool = False,
    ) -> Connection[TrashedAsset]:
        work = info.context.work
        scope = pages.scope_of("trash", purged)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=trash.page(work, wanted, purged=purged),
            speak=lambda row: TrashedAsset(asset=Asset.of(row)),
            count=lambda asked: trash.count(asked.context.work, purged=purged),
        )


@strawberry.type
class TrashMutations:
    @mutation("Throws an asset away; for a time it can be brought back.")
    def asset_trash(self, info: strawberry.Info[Context], input: AssetTrashInput) -> AssetTrashPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            told: dict[str, Any] = {"confirmation": input.confirmation, "reason": input.reason}
            return {"asset": ("Asset", trash.throw_away(work, number, input.expected_revision, **told).id)}

        return run(info, input, AssetTrashPayload, act)

    @mutation("Brings an asset back from the trash, as it was.")
    def asset_restore_from_trash(
        self, info: strawberry.Info[Context], input: AssetRestoreFromTrashInput
    ) -> AssetTrashPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return {"asset": ("Asset", trash.restore(work, number, input.expected_revision).id)}

        return run(info, input, AssetTrashPayload, act)

    @mutation("Keeps an asset from being thrown away and purged, for a legal case.")
    def legal_hold_place(self, info: strawberry.Info[Context], input: LegalHoldPlaceInput) -> LegalHoldPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return {"hold": ("LegalHold", holds.place(work, number, input.matter, input.reason).id)}

        return run(info, input, LegalHoldPayload, act)

    @mutation("Lets a legal hold end.")
    def legal_hold_lift(self, info: strawberry.Info[Context], input: LegalHoldLiftInput) -> LegalHoldPayload:
        def act(work: Work) -> Answer:
            number = number_of("LegalHold", input.hold, ("hold",))
            return {"hold": ("LegalHold", holds.lift(work, number, input.reason).id)}

        return run(info, input, LegalHoldPayload, act)


KINDS["LegalHold"] = Kind(holds.by_id, LegalHold.of)
