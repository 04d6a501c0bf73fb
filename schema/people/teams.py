"""Teams: people who hold things together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import grants, people, teams
from domain.global_ids import encode, number_of
from domain.work import Work
from schema.connections import Connection, below
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.people.actors import Actor, numbers_of_actors
from schema.people.grants import Grant
from schema.people.running import run
from schema.scalars import Instant
from storage.tables import TeamRow

if TYPE_CHECKING:
    from schema.organisations import Organisation


@strawberry.type(description="People who hold things together.")
class Team(Node):
    row: strawberry.Private[TeamRow]
    name: str
    archived: bool
    revision: int = strawberry.field(description="Counts changes of its members as well.")
    created_at: Instant

    @classmethod
    def of(cls, row: TeamRow) -> Team:
        return cls(
            row=row,
            id=strawberry.ID(encode("Team", row.id)),
            name=row.name,
            archived=row.archived_at is not None,
            revision=row.revision,
            created_at=row.created_at,
        )

    @field("Whose it is; null where the viewer may not know of it.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("Those in it that the viewer may know of.")
    async def members(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Actor]:
        read, counted = people.in_teams, people.counts_in_teams
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "team.members", read, counted, Actor.of, **page)  # type: ignore[arg-type]

    @field("What was given or denied to it and stands, newest first.")
    async def grants(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Grant]:
        read, counted = grants.of_teams, grants.counts_of_teams
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "team.grants", read, counted, Grant.of, **page)  # type: ignore[arg-type]


@strawberry.input(description="A new team.")
class TeamCreateInput:
    organisation: strawberry.ID
    name: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A team's new name.")
class TeamUpdateInput:
    team: strawberry.ID
    expected_revision: int
    name: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The team to put away.")
class TeamArchiveInput:
    team: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Who is to join; those who are in it already stay.")
class TeamMembersAddInput:
    team: strawberry.ID
    expected_revision: int
    members: list[strawberry.ID] = strawberry.field(description="People or service accounts, at most 100.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Who is to leave; one who is not in it is no error.")
class TeamMembersRemoveInput:
    team: strawberry.ID
    expected_revision: int
    members: list[strawberry.ID] = strawberry.field(description="People or service accounts, at most 100.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`team` is null exactly when `errors` is not empty.")
class TeamPayload:
    team: Team | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class TeamMutations:
    @mutation("Makes a team.")
    def team_create(self, info: strawberry.Info[Context], input: TeamCreateInput) -> TeamPayload:
        def act(work: Work) -> Answer:
            return _team(
                teams.create(work, number_of("Organisation", input.organisation, ("organisation",)), input.name)
            )

        return run(info, input, TeamPayload, act)

    @mutation("Renames a team.")
    def team_update(self, info: strawberry.Info[Context], input: TeamUpdateInput) -> TeamPayload:
        def act(work: Work) -> Answer:
            return _team(teams.rename(work, _number(input.team), input.name, input.expected_revision))

        return run(info, input, TeamPayload, act)

    @mutation("Puts a team away: nobody holds or is denied anything by it any more.")
    def team_archive(self, info: strawberry.Info[Context], input: TeamArchiveInput) -> TeamPayload:
        def act(work: Work) -> Answer:
            return _team(teams.archive(work, _number(input.team), input.expected_revision))

        return run(info, input, TeamPayload, act)

    @mutation("Lets people join a team, and so hold what it holds.")
    def team_members_add(self, info: strawberry.Info[Context], input: TeamMembersAddInput) -> TeamPayload:
        def act(work: Work) -> Answer:
            members = numbers_of_actors(work, input.members, ("members",))
            return _team(teams.add_members(work, _number(input.team), members, input.expected_revision))

        return run(info, input, TeamPayload, act)

    @mutation("Takes people out of a team.")
    def team_members_remove(self, info: strawberry.Info[Context], input: TeamMembersRemoveInput) -> TeamPayload:
        def act(work: Work) -> Answer:
            members = numbers_of_actors(work, input.members, ("members",))
            return _team(teams.remove_members(work, _number(input.team), members, input.expected_revision))

        return run(info, input, TeamPayload, act)


def _number(team: strawberry.ID) -> int:
    return number_of("Team", team, ("team",))


def _team(row: TeamRow) -> Answer:
    return {"team": ("Team", row.id)}


KINDS["Team"] = Kind(teams.by_id, Team.of)
