"""Groups of territories over GraphQL: those that everybody knows, and the brand's own."""

from __future__ import annotations

from datetime import date

import strawberry

from domain.global_ids import encode, number_of
from domain.licensing import groups, territories
from domain.licensing.terms import Member
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from storage.tables import TerritoryGroupRow


@strawberry.type(description="A territory's time in a group; both days are included.")
class TerritoryGroupMember:
    territory: str = strawberry.field(description="By ISO 3166-1 or 3166-2, such as `HR` or `ES-CT`.")
    first_on: date | None = strawberry.field(description="Its first day there; null: since ever.")
    last_on: date | None = strawberry.field(description="Its last day there; null: it still belongs.")

    @classmethod
    def of(cls, member: Member) -> TerritoryGroupMember:
        return cls(territory=member.territory, first_on=member.first_on, last_on=member.last_on)


@strawberry.type(description="A group of territories of the brand's own.")
class TerritoryGroup(Node):
    row: strawberry.Private[TerritoryGroupRow]
    code: str = strawberry.field(description="What licences call it.")
    name: str
    revision: int

    @classmethod
    def of(cls, row: TerritoryGroupRow) -> TerritoryGroup:
        return cls(
            row=row,
            id=strawberry.ID(encode("TerritoryGroup", row.id)),
            code=row.code,
            name=row.name,
            revision=row.revision,
        )

    @field("Who belongs to it and when, by territory.", size=20)
    async def members(self, info: strawberry.Info[Context]) -> list[TerritoryGroupMember]:
        found = await info.context.load(groups.members_of, self.row.id) or []
        return [TerritoryGroupMember.of(each) for each in found]


@strawberry.type(description="A group of territories that everybody knows, such as EU.")
class KnownTerritoryGroup:
    code: str = strawberry.field(description="What licences call it.")
    members: list[TerritoryGroupMember] = strawberry.field(description="Who belongs to it and when, by territory.")


@strawberry.input(description="A territory's time in a group; both days are included.")
class TerritoryGroupMemberInput:
    territory: str = strawberry.field(description="By ISO 3166-1 or 3166-2, such as `HR` or `ES-CT`.")
    first_on: date | None = strawberry.field(default=None, description="Since ever if not said.")
    last_on: date | None = strawberry.field(default=None, description="Still if not said.")


@strawberry.input(description="A new group of territories.")
class TerritoryGroupCreateInput:
    code: str = strawberry.field(description="2 to 32 capital letters, digits and underlines; it never changes.")
    name: str
    members: list[TerritoryGroupMemberInput]
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a group of territories; what is not given stays.")
class TerritoryGroupUpdateInput:
    group: strawberry.ID
    expected_revision: int
    name: str | None = None
    members: list[TerritoryGroupMemberInput] | None = strawberry.field(default=None, description="All of them anew.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`group` is null exactly when `errors` is not empty.")
class TerritoryGroupPayload:
    group: TerritoryGroup | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class TerritoryQueries:
    @field("The brand's own groups of territories, by code; none for whoever holds LICENSE_VIEW nowhere.")
    def territory_groups(self, info: strawberry.Info[Context]) -> list[TerritoryGroup]:
        return [TerritoryGroup.of(row) for row in groups.own(info.context.work)]

    @field("Groups of territories that everybody knows, by code.", size=20)
    def known_territory_groups(self) -> list[KnownTerritoryGroup]:
        return [
            KnownTerritoryGroup(code=code, members=[TerritoryGroupMember.of(each) for each in group.members])
            for code, group in sorted(territories.GROUPS.items())
        ]


@strawberry.type
class TerritoryMutations:
    @mutation("Makes a group of territories. Needs LICENSE_MANAGE for the whole brand.")
    def territory_group_create(
        self, info: strawberry.Info[Context], input: TerritoryGroupCreateInput
    ) -> TerritoryGroupPayload:
        def act(work: Work) -> Answer:
            row = groups.create(work, input.code, input.name, _members(input.members))
            return {"group": ("TerritoryGroup", row.id)}

        return run(info, input, TerritoryGroupPayload, act)

    @mutation("Changes a group of territories: licences read it by the day that they say.")
    def territory_group_update(
        self, info: strawberry.Info[Context], input: TerritoryGroupUpdateInput
    ) -> TerritoryGroupPayload:
        def act(work: Work) -> Answer:
            number = number_of("TerritoryGroup", input.group, ("group",))
            members = None if input.members is None else _members(input.members)
            row = groups.update(work, number, input.expected_revision, input.name, members)
            return {"group": ("TerritoryGroup", row.id)}

        return run(info, input, TerritoryGroupPayload, act)


def _members(given: list[TerritoryGroupMemberInput]) -> list[Member]:
    return [Member(each.territory, each.first_on, each.last_on) for each in given]


KINDS["TerritoryGroup"] = Kind(groups.by_id, TerritoryGroup.of)
