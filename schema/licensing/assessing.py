"""What was assessed of assets over GraphQL, and what composites are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import assets
from domain.global_ids import encode, number_of
from domain.licensing import assessing, components, licenses, owning, releases
from domain.licensing.codes import Coverage
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.licensing.licenses import License
from schema.licensing.releases import Release
from schema.mapped import TABLES, GlobalId, One, Table, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.scalars import Instant
from storage.tables import AssetRightsRow

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.versions import AssetVersion

_AssetType = Annotated["Asset", strawberry.lazy("schema.assets")]
_VersionType = Annotated["AssetVersion", strawberry.lazy("schema.versions")]


@strawberry.type(description="What somebody found out about an asset, or about one version of it.")
class AssetRights(Node):
    row: strawberry.Private[AssetRightsRow]
    id: strawberry.ID = column(GlobalId("AssetRights", AssetRightsRow.id))
    coverage: Coverage = column(AssetRightsRow.coverage, "How much of the picture it is for.")
    recognisable_people: bool | None = column(
        AssetRightsRow.recognisable_people, "Whether people can be recognised; null: nobody has looked."
    )
    recognisable_property: bool | None = column(
        AssetRightsRow.recognisable_property, "Whether somebody's property can be recognised; null: nobody has looked."
    )
    assessed_at: Instant = column(AssetRightsRow.assessed_at, "When it was said.")
    ended_at: Instant | None = column(AssetRightsRow.ended_at, "When it stopped to hold; null while it holds.")

    @classmethod
    def of(cls, row: AssetRightsRow) -> AssetRights:
        return cls(
            row=row,
            id=strawberry.ID(encode("AssetRights", row.id)),
            coverage=Coverage(row.coverage),
            recognisable_people=row.recognisable_people,
            recognisable_property=row.recognisable_property,
            assessed_at=row.assessed_at,
            ended_at=row.ended_at,
        )

    @field("What it is said of.", mapped=One("Asset", assets.seen, AssetRightsRow.asset_id, own=True, stamped=False))
    async def asset(self, info: strawberry.Info[Context]) -> _AssetType | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found

    @field(
        "The version it is only said of; null: of all, or where the viewer may not see it.",
        mapped=One("AssetVersion", assets.versions_seen, AssetRightsRow.version_id, own=True, stamped=False),
    )
    async def version(self, info: strawberry.Info[Context]) -> _VersionType | None:
        number = self.row.version_id
        found: AssetVersion | None = None if number is None else await fetch(info.context, "AssetVersion", number)
        return found

    @field(
        "The licence it is under; null where it tells of none, or the viewer may not know of it.",
        mapped=One("License", licenses.seen, AssetRightsRow.license_id, own=True),
    )
    async def license(self, info: strawberry.Info[Context]) -> License | None:
        number = self.row.license_id
        found: License | None = None if number is None else await fetch(info.context, "License", number)
        return found

    @field(
        "The release that stands for it; null where it tells of none, or the viewer may not know of it.",
        mapped=One("Release", releases.seen, AssetRightsRow.release_id, own=True),
    )
    async def release(self, info: strawberry.Info[Context]) -> Release | None:
        number = self.row.release_id
        found: Release | None = None if number is None else await fetch(info.context, "Release", number)
        return found


@strawberry.input(description="What was found out about an asset: licences, releases, or what can be recognised.")
class AssetRightsAssessInput:
    asset: strawberry.ID
    version: strawberry.ID | None = strawberry.field(
        default=None, description="The version it is only said of; all of them, those to come too, if not said."
    )
    licenses: list[strawberry.ID] | None = strawberry.field(default=None, description="What it is under.")
    releases: list[strawberry.ID] | None = strawberry.field(default=None, description="What stands for it.")
    coverage: Coverage = strawberry.field(default=Coverage.WHOLE, description="How much of the picture they are for.")
    recognisable_people: bool | None = strawberry.field(
        default=None, description="Whether people can be recognised; nobody has looked if not said."
    )
    recognisable_property: bool | None = strawberry.field(
        default=None, description="Whether somebody's property can be recognised; nobody has looked if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The assessment that holds no longer.")
class AssetRightsWithdrawInput:
    rights: strawberry.ID
    reason: str = strawberry.field(description="Why; recorded.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A version that is part of another.")
class ComponentAddInput:
    composite: strawberry.ID = strawberry.field(description="The version that it is part of.")
    part: strawberry.ID = strawberry.field(description="The version that is inside.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A version that is part of another no longer.")
class ComponentRemoveInput:
    composite: strawberry.ID = strawberry.field(description="The version that it was part of.")
    part: strawberry.ID = strawberry.field(description="The version that was inside.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetRightsPayload:
    asset: _AssetType | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`composite` is null exactly when `errors` is not empty.")
class ComponentPayload:
    composite: _VersionType | None = strawberry.field(description="The version as it stands now.")
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class AssessingMutations:
    @mutation("Says what an asset is under and what can be recognised in it. Needs LICENSE_MANAGE.", weight=5)
    def asset_rights_assess(self, info: strawberry.Info[Context], input: AssetRightsAssessInput) -> AssetRightsPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            version = None if input.version is None else number_of("AssetVersion", input.version, ("version",))
            wish = assessing.Wish(
                [number_of("License", each, ("licenses",)) for each in input.licenses or ()],
                [number_of("Release", each, ("releases",)) for each in input.releases or ()],
                input.coverage,
                input.recognisable_people,
                input.recognisable_property,
            )
            assessing.assess(work, number, version, wish)
            return {"asset": ("Asset", number)}

        return run(info, input, AssetRightsPayload, act)

    @mutation("Says that an assessment holds no longer.")
    def asset_rights_withdraw(
        self, info: strawberry.Info[Context], input: AssetRightsWithdrawInput
    ) -> AssetRightsPayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetRights", input.rights, ("rights",))
            return {"asset": ("Asset", assessing.withdraw(work, number, input.reason).id)}

        return run(info, input, AssetRightsPayload, act)

    @mutation("Says that a version is made of another: it is never freer than that. Needs ASSET_UPDATE.")
    def component_add(self, info: strawberry.Info[Context], input: ComponentAddInput) -> ComponentPayload:
        def act(work: Work) -> Answer:
            return {"composite": ("AssetVersion", components.add(work, *_ends(input)).id)}

        return run(info, input, ComponentPayload, act)

    @mutation("Says that a version is not made of another. Needs LICENSE_MANAGE, for it makes freer.")
    def component_remove(self, info: strawberry.Info[Context], input: ComponentRemoveInput) -> ComponentPayload:
        def act(work: Work) -> Answer:
            return {"composite": ("AssetVersion", components.remove(work, *_ends(input)).id)}

        return run(info, input, ComponentPayload, act)


def _ends(input: ComponentAddInput | ComponentRemoveInput) -> tuple[int, int]:
    composite = number_of("AssetVersion", input.composite, ("composite",))
    return composite, number_of("AssetVersion", input.part, ("part",))


KINDS["AssetRights"] = Kind(assessing.by_id, AssetRights.of)
TABLES["AssetRights"] = Table(assessing.seen, AssetRightsRow.id, sight=owning.sight_of_assets)
