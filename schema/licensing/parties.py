"""Parties over GraphQL. Names of persons and ways to reach them are personal data."""

from __future__ import annotations

from typing import Any

import strawberry

from domain import pages
from domain.global_ids import encode, number_of
from domain.licensing import owning, parties
from domain.licensing.parties import Kind as PartyKind
from domain.permissions import Permission
from domain.work import Work
from schema.connections import Asked, Connection, listed, page_of
from schema.context import Context
from schema.errors import MutationError
from schema.fields import Subject, deny, field, may, mutation
from schema.licensing import words
from schema.mapped import TABLES, Column, GlobalId, Table, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from schema.paging import After, Before, First, Last
from schema.scalars import Instant, Url
from storage.tables import PartyRow

_ = words  # which names the enums
_PERSONAL = Permission.FIELD_PERSONAL


@strawberry.type(description="Whom licences and releases name: a licensor, creator, owner, model or vendor.")
class Party(Node):
    row: strawberry.Private[PartyRow]
    id: strawberry.ID = column(GlobalId("Party", PartyRow.id))
    kind: PartyKind = column(PartyRow.kind)
    plus_id: str | None = column(PartyRow.plus_id, "In the registry of the PLUS Coalition.")
    url: Url | None = column(PartyRow.url, "Where it is on the web.")
    country: str | None = column(PartyRow.country, "By ISO 3166-1, such as `DE`.")
    archived: bool = column(PartyRow.archived_at.is_not(None))
    created_at: Instant = column(PartyRow.created_at)
    revision: int = column(PartyRow.revision)

    @classmethod
    def of(cls, row: PartyRow) -> Party:
        return cls(
            row=row,
            id=strawberry.ID(encode("Party", row.id)),
            kind=PartyKind(row.kind),
            plus_id=row.plus_id,
            url=None if row.url is None else Url(row.url),
            country=row.country,
            archived=row.archived_at is not None,
            created_at=row.created_at,
            revision=row.revision,
        )

    def subject(self) -> Subject:
        return Subject(owning.may, self.row.org_id)

    @field(
        f"What it is called; a person's is null without the permission `{_PERSONAL.value}`.",
        mapped=Column(PartyRow.name, needs=_PERSONAL),
    )
    async def name(self, info: strawberry.Info[Context]) -> str | None:
        if self.row.kind == PartyKind.PERSON and not await may(info, self.subject(), _PERSONAL):
            deny(info, _PERSONAL)
            return None
        return self.row.name

    @field("Where to write to.", needs=_PERSONAL, mapped=Column(PartyRow.email))
    def email(self) -> str | None:
        return self.row.email


@strawberry.input(description="A new party.")
class PartyCreateInput:
    kind: PartyKind
    name: str
    plus_id: str | None = None
    email: str | None = None
    url: str | None = None
    country: str | None = strawberry.field(default=None, description="By ISO 3166-1, such as `DE`.")
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose it is; the viewer's own if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a party; what is not given stays, null takes away.")
class PartyUpdateInput:
    party: strawberry.ID
    expected_revision: int
    name: str | None = strawberry.UNSET
    plus_id: str | None = strawberry.UNSET
    email: str | None = strawberry.UNSET
    url: str | None = strawberry.UNSET
    country: str | None = strawberry.UNSET
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The party that nothing new is to name.")
class PartyArchiveInput:
    party: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`party` is null exactly when `errors` is not empty.")
class PartyPayload:
    party: Party | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


def _parties(work: Work, kind: PartyKind | None = None) -> Asked:
    return Asked(pages.scope_of("parties", kind), lambda: parties.listed(work, kind))


@strawberry.type
class PartyQueries:
    @field(
        "Parties that are not archived, oldest first, of organisations where the viewer holds LICENSE_VIEW.",
        mapped=listed("Party", _parties),
    )
    def parties(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        kind: PartyKind | None = None,
    ) -> Connection[Party]:
        asked = _parties(info.context.work, kind)
        return page_of(info, asked, Party.of, first=first, after=after, last=last, before=before)


@strawberry.type
class PartyMutations:
    @mutation("Makes a party. Needs LICENSE_MANAGE.")
    def party_create(self, info: strawberry.Info[Context], input: PartyCreateInput) -> PartyPayload:
        def act(work: Work) -> Answer:
            home = organisation(input.organisation)
            said = {name: getattr(input, name) for name in ("name", "plus_id", "email", "url", "country")}
            return {"party": ("Party", parties.create(work, input.kind, said, home).id)}

        return run(info, input, PartyPayload, act)

    @mutation("Changes a party.")
    def party_update(self, info: strawberry.Info[Context], input: PartyUpdateInput) -> PartyPayload:
        def act(work: Work) -> Answer:
            number = number_of("Party", input.party, ("party",))
            said = given(input, ("name", "plus_id", "email", "url", "country"))
            return {"party": ("Party", parties.update(work, number, input.expected_revision, said).id)}

        return run(info, input, PartyPayload, act)

    @mutation("Puts a party away: nothing new names it.")
    def party_archive(self, info: strawberry.Info[Context], input: PartyArchiveInput) -> PartyPayload:
        def act(work: Work) -> Answer:
            number = number_of("Party", input.party, ("party",))
            return {"party": ("Party", parties.archive(work, number, input.expected_revision).id)}

        return run(info, input, PartyPayload, act)


def organisation(given_id: strawberry.ID | None, path: tuple[str, ...] = ("organisation",)) -> int | None:
    return None if given_id is None else number_of("Organisation", given_id, path)


def given(input: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """What a request says of these, null included; what it leaves out is not there."""
    return {name: getattr(input, name) for name in names if getattr(input, name) is not strawberry.UNSET}


KINDS["Party"] = Kind(parties.by_id, Party.of)
TABLES["Party"] = Table(parties.seen, PartyRow.id, owning.held(PartyRow.org_id), sight=owning.sight)
