"""Those who act: people and service accounts, one by one and in lists."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import grants, pages, people, teams
from domain.global_ids import decode, encode
from domain.people import OrderField, State
from domain.people import identities as linked
from domain.permissions import Permission
from domain.refusals import NotFound
from domain.work import Work
from schema import fields
from schema.connections import Connection, below
from schema.context import Context
from schema.fields import Subject, deny, field, may
from schema.mutating import plain
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.people import filters
from schema.people.filters import ActorOrder, ActorWhere
from schema.people.grants import Grant
from schema.scalars import Instant
from storage.tables import ExternalIdentityRow, PrincipalRow

if TYPE_CHECKING:
    from schema.organisations import Organisation
    from schema.people.teams import Team

_TYPES = {"PERSON": "Person", "SERVICE": "ServiceAccount"}


@strawberry.enum(description="What the viewer may do with somebody now.")
class ActorAction(Enum):
    UPDATE = "UPDATE"
    DISABLE = "DISABLE"
    ENABLE = "ENABLE"


@strawberry.type(description="Whom an issuer that the hub trusts knows somebody as.")
class LinkedIdentity:
    issuer: str
    subject: str = strawberry.field(description="The `sub` of what the issuer signs.")
    created_at: Instant = strawberry.field(description="When it was linked.")

    @classmethod
    def of(cls, row: ExternalIdentityRow) -> LinkedIdentity:
        return cls(issuer=row.issuer, subject=row.subject, created_at=row.created_at)


@strawberry.interface(description="Somebody who acts: a person, or a service account.")
class Actor(Node):
    row: strawberry.Private[PrincipalRow]
    name: str
    revision: int = strawberry.field(description="Give it back as `expectedRevision` to change them.")
    created_at: Instant

    @classmethod
    def of(cls, row: PrincipalRow) -> Actor:
        kind = Person if row.kind == "PERSON" else ServiceAccount
        return kind(
            row=row,
            id=strawberry.ID(global_id(row)),
            name=row.name,
            revision=row.revision,
            created_at=row.created_at,
        )

    def subject(self) -> Subject:
        return Subject(people.may_see_email, self.row.id)

    @field("Whether they come in: ACTIVE, INVITED but never came, or DISABLED.")
    async def state(self, info: strawberry.Info[Context]) -> State:
        found = await info.context.load(people.states, self.row.id)
        return State.ACTIVE if found is None else found

    @field("Where they belong; null where the viewer may not know of it.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("The teams they are in and the viewer sees, oldest first.")
    async def teams(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[Team, strawberry.lazy("schema.people.teams")]]:
        return [KINDS["Team"].speak(row) for row in await info.context.load(teams.of_principals, self.row.id) or []]

    @field("What was given or denied to them and stands, newest first; what they have by their teams is the teams'.")
    async def grants(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Grant]:
        read, counted = grants.of_principals, grants.counts_of_principals
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "actor.grants", read, counted, Grant.of, **page)  # type: ignore[arg-type]

    @field(
        "Whom trusted issuers know them as, oldest first. Everybody sees their own; another person's are left out "
        f"without the permission `{Permission.FIELD_PERSONAL.value}`."
    )
    async def identities(self, info: strawberry.Info[Context]) -> list[LinkedIdentity]:
        if self.row.kind == "PERSON" and not await may(info, self.subject(), Permission.FIELD_PERSONAL):
            deny(info, Permission.FIELD_PERSONAL)
            return []
        rows = await info.context.load(linked.of_principals, self.row.id) or []
        return [LinkedIdentity.of(row) for row in rows]

    @field("What the viewer may do with them now.")
    async def viewer_can(self, info: strawberry.Info[Context]) -> list[ActorAction]:
        return [ActorAction(word) for word in await info.context.load(_viewer_can, self.row) or ()]


@strawberry.type(description="A person.")
class Person(Actor):
    @field("Everybody sees their own.", needs=Permission.FIELD_PERSONAL)
    def email(self) -> str | None:
        return self.row.email


@strawberry.type(description="Somebody who is no person and acts by tokens.")
class ServiceAccount(Actor):
    pass


@strawberry.type
class ActorQueries:
    @field("People and service accounts that the viewer may know of, by name if no order is given.")
    def people(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: ActorWhere | None = None,
        order_by: list[ActorOrder] | None = None,
    ) -> Connection[Actor]:
        work = info.context.work
        fields.check_filter(work, where)
        fields.check_order(work, [each.field for each in order_by or ()], {OrderField.EMAIL: Permission.FIELD_PERSONAL})
        scope = pages.scope_of("people", plain(where), plain(order_by))
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        asked = filters.condition(where)
        return Connection(
            slice=people.page(work, asked, filters.orders(order_by), wanted),
            speak=Actor.of,
            count=lambda later: people.count(later.context.work, asked),
        )


def global_id(row: PrincipalRow) -> str:
    return encode(_TYPES[row.kind], row.id)


def named(row: PrincipalRow) -> tuple[str, int]:
    """As the answer of a mutation names it."""
    return _TYPES[row.kind], row.id


def numbers_of_actors(work: Work, ids: Iterable[str], path: tuple[str, ...]) -> list[int]:
    """The numbers inside ids that must be those of people or service accounts whom the viewer sees."""
    named_as = [_decoded(each, path) for each in ids]
    seen = people.by_id(work, [number for _, number in named_as])
    if any(number not in seen or _TYPES[seen[number].kind] != type_ for type_, number in named_as):
        raise _nobody(path)
    return [number for _, number in named_as]


def _decoded(id_: str, path: tuple[str, ...]) -> tuple[str, int]:
    try:
        return decode(id_)
    except NotFound:
        raise _nobody(path) from None


def _nobody(path: tuple[str, ...]) -> NotFound:
    return NotFound("There is nobody with this id.", path)


def _viewer_can(work: Work, rows: Iterable[PrincipalRow]) -> dict[PrincipalRow, list[str]]:
    kept = list(rows)
    found = people.viewer_can(work, kept)
    return {row: found[row.id] for row in kept}


def _speak(row: PrincipalRow) -> Any:
    return Actor.of(row)


KINDS["Person"] = Kind(people.persons_by_id, _speak)
KINDS["ServiceAccount"] = Kind(people.services_by_id, _speak)
