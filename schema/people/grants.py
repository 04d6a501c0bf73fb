"""Grants: who holds, or is denied, which role where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import grants, people
from domain.global_ids import encode, number_of
from domain.grants import Holder, Where
from domain.refusals import NotFound
from domain.work import Work
from schema.context import Context
from schema.enums import AssetKind
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer
from schema.node import KINDS, Kind, Node, fetch
from schema.people.roles import Role
from schema.people.running import run
from schema.scalars import Instant
from storage.tables import GrantRow

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.lightboxes import Lightbox
    from schema.organisations import Organisation
    from schema.people.actors import Actor
    from schema.people.teams import Team


@strawberry.type(description="A role given somewhere to somebody or to a team; or, as a denial, taken from them there.")
class Grant(Node):
    row: strawberry.Private[GrantRow]
    denial: bool = strawberry.field(description="Whether it takes away what other grants give; a denial wins.")
    asset_kind: AssetKind | None = strawberry.field(description="The kind of assets it is only about, if it is.")
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None

    @classmethod
    def of(cls, row: GrantRow) -> Grant:
        return cls(
            row=row,
            id=strawberry.ID(encode("Grant", row.id)),
            denial=row.is_denial,
            asset_kind=None if row.asset_kind is None else AssetKind(row.asset_kind),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )

    @field("What is given or denied.")
    async def role(self, info: strawberry.Info[Context]) -> Role | None:
        found: Role | None = await fetch(info.context, "Role", self.row.role_id)
        return found

    @field("Who holds it; null for a team's, and where the viewer may not know of them.")
    async def actor(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Actor, strawberry.lazy("schema.people.actors")] | None:
        if self.row.principal_id is None:
            return None
        person: Actor | None = await fetch(info.context, "Person", self.row.principal_id)
        found: Actor | None = person or await fetch(info.context, "ServiceAccount", self.row.principal_id)
        return found

    @field("The team that holds it; null for somebody's own.")
    async def team(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Team, strawberry.lazy("schema.people.teams")] | None:
        found: Team | None = None if self.row.team_id is None else await fetch(info.context, "Team", self.row.team_id)
        return found

    @field("Where it holds, with everything below; of a lightbox or an asset, where that belongs.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("The lightbox it is only about, if it is and the viewer sees it.")
    async def lightbox(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Lightbox, strawberry.lazy("schema.lightboxes")] | None:
        number = self.row.lightbox_id
        found: Lightbox | None = None if number is None else await fetch(info.context, "Lightbox", number)
        return found

    @field("The asset it is only about, if it is and the viewer sees it.")
    async def asset(self, info: strawberry.Info[Context]) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        number = self.row.asset_id
        found: Asset | None = None if number is None else await fetch(info.context, "Asset", number)
        return found


@strawberry.input(one_of=True, description="Who is to hold it.")
class GrantHolderInput:
    person: strawberry.ID | None = strawberry.UNSET
    service_account: strawberry.ID | None = strawberry.UNSET
    team: strawberry.ID | None = strawberry.UNSET


@strawberry.input(description="The assets of one kind in an organisation and below.")
class AssetKindScopeInput:
    organisation: strawberry.ID
    kind: AssetKind


@strawberry.input(one_of=True, description="Where it is to hold.")
class GrantScopeInput:
    organisation: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="An organisation and everything below it."
    )
    lightbox: strawberry.ID | None = strawberry.UNSET
    asset: strawberry.ID | None = strawberry.UNSET
    asset_kind: AssetKindScopeInput | None = strawberry.UNSET


@strawberry.input(description="A role to give, or to deny, to somebody somewhere.")
class GrantCreateInput:
    to: GrantHolderInput
    role: strawberry.ID
    scope: GrantScopeInput
    denial: bool = strawberry.field(default=False, description="Take it away there instead; a denial wins.")
    expires_at: Instant | None = strawberry.field(default=None, description="When it ends by itself.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The grant or denial to take back.")
class GrantRevokeInput:
    grant: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`grant` is null exactly when `errors` is not empty.")
class GrantPayload:
    grant: Grant | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class GrantMutations:
    @mutation("Gives somebody a role somewhere, or denies it. One gives only what one holds there oneself.")
    def grant_create(self, info: strawberry.Info[Context], input: GrantCreateInput) -> GrantPayload:
        def act(work: Work) -> Answer:
            row = grants.create(
                work,
                _holder(work, input.to),
                number_of("Role", input.role, ("role",)),
                _where(input.scope),
                is_denial=input.denial,
                expires_at=input.expires_at,
            )
            return _grant(row)

        return run(info, input, GrantPayload, act)

    @mutation("Takes a grant or a denial back.")
    def grant_revoke(self, info: strawberry.Info[Context], input: GrantRevokeInput) -> GrantPayload:
        def act(work: Work) -> Answer:
            return _grant(grants.revoke(work, number_of("Grant", input.grant, ("grant",))))

        return run(info, input, GrantPayload, act)


def _holder(work: Work, given: GrantHolderInput) -> Holder:
    if given.team:
        return Holder(team_id=number_of("Team", given.team, ("to", "team")))
    if given.person:
        path, number = ("to", "person"), number_of("Person", given.person, ("to", "person"))
        known = people.persons_by_id(work, [number])
    else:
        path = ("to", "serviceAccount")
        number = number_of("ServiceAccount", given.service_account or "", path)
        known = people.services_by_id(work, [number])
    if number not in known:
        raise NotFound("There is nobody with this id.", path)
    return Holder(principal_id=number)


def _where(given: GrantScopeInput) -> Where:
    if given.lightbox:
        return Where(lightbox_id=number_of("Lightbox", given.lightbox, ("scope", "lightbox")))
    if given.asset:
        return Where(asset_id=number_of("Asset", given.asset, ("scope", "asset")))
    if given.asset_kind:
        org_id = number_of("Organisation", given.asset_kind.organisation, ("scope", "assetKind", "organisation"))
        return Where(org_id=org_id, kind=given.asset_kind.kind.value)
    return Where(org_id=number_of("Organisation", given.organisation or "", ("scope", "organisation")))


def _grant(row: GrantRow) -> Answer:
    return {"grant": ("Grant", row.id)}


KINDS["Grant"] = Kind(grants.by_id, Grant.of)
