"""Relations between assets over GraphQL."""

from __future__ import annotations

import strawberry

from domain import relations
from domain.global_ids import encode, number_of
from domain.relations import Kind as RelationKind
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.scalars import Instant
from storage.tables import AssetRelationRow

strawberry.enum(
    RelationKind, name="AssetRelationKind", description="What one asset is to the other, read `from` the one `to` it."
)


@strawberry.type(description="What one asset is to another, both of which the viewer sees.")
class AssetRelation(Node):
    row: strawberry.Private[AssetRelationRow]
    kind: RelationKind
    created_at: Instant

    @classmethod
    def of(cls, row: AssetRelationRow) -> AssetRelation:
        return cls(
            row=row,
            id=strawberry.ID(encode("AssetRelation", row.id)),
            kind=RelationKind(row.kind),
            created_at=row.created_at,
        )

    @field("The asset that it is said of: what is derived, made from a source file, the variant or the print.")
    async def of_asset(self, info: strawberry.Info[Context]) -> Asset | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.from_asset_id)
        return found

    @field("What it is derived from, its source file, what it is a variant of, or its face on the web.")
    async def to_asset(self, info: strawberry.Info[Context]) -> Asset | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.to_asset_id)
        return found


@strawberry.input(description="What one asset is to another.")
class AssetRelationCreateInput:
    from_: strawberry.ID = strawberry.field(name="from", description="The asset that it is said of.")
    to: strawberry.ID = strawberry.field(description="The other asset.")
    kind: RelationKind
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The relation to take back.")
class AssetRelationRemoveInput:
    relation: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`relation` is null exactly when `errors` is not empty.")
class AssetRelationPayload:
    relation: AssetRelation | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetRelationRemovePayload:
    asset: Asset | None = strawberry.field(description="The one that it was said of.")
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class RelationMutations:
    @mutation("Says what one asset is to another; saying it again changes nothing.")
    def asset_relation_create(
        self, info: strawberry.Info[Context], input: AssetRelationCreateInput
    ) -> AssetRelationPayload:
        def act(work: Work) -> Answer:
            first = number_of("Asset", input.from_, ("from",))
            row = relations.relate(work, first, number_of("Asset", input.to, ("to",)), input.kind)
            return {"relation": ("AssetRelation", row.id)}

        return run(info, input, AssetRelationPayload, act)

    @mutation("Takes back what was said of two assets.")
    def asset_relation_remove(
        self, info: strawberry.Info[Context], input: AssetRelationRemoveInput
    ) -> AssetRelationRemovePayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetRelation", input.relation, ("relation",))
            return {"asset": ("Asset", relations.unrelate(work, number))}

        return run(info, input, AssetRelationRemovePayload, act)


KINDS["AssetRelation"] = Kind(relations.by_id, AssetRelation.of)
