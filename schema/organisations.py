"""Organisations in their tree, and their brands."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import strawberry

from domain import brands, grants, organisations, pages, people, teams
from domain.global_ids import encode, number_of
from domain.work import BRAND_ORG_ID, Work
from schema.connections import Connection, below
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mapped import TABLES, GlobalId, Table, column
from schema.mutating import Answer
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.people.actors import Actor
from schema.people.grants import Grant
from schema.people.running import run
from schema.people.teams import Team
from schema.scalars import Instant
from storage.tables import BrandRow, OrganisationRow


@strawberry.enum(description="What an organisation is to the brand.")
class OrganisationKind(Enum):
    BRAND = "BRAND"
    AFFILIATE = "AFFILIATE"
    AGENCY = "AGENCY"


@strawberry.enum(description="What the viewer may do with an organisation, or add to it, now.")
class OrganisationAction(Enum):
    UPDATE = "UPDATE"
    ARCHIVE = "ARCHIVE"
    ADD_ORGANISATION = "ADD_ORGANISATION"
    ADD_BRAND = "ADD_BRAND"
    ADD_TEAM = "ADD_TEAM"
    INVITE = "INVITE"
    ADD_SERVICE_ACCOUNT = "ADD_SERVICE_ACCOUNT"


@strawberry.type(description="What people outside know an organisation's assets by.")
class Brand(Node):
    row: strawberry.Private[BrandRow]
    name: str
    archived: bool
    revision: int

    @classmethod
    def of(cls, row: BrandRow) -> Brand:
        return cls(
            row=row,
            id=strawberry.ID(encode("Brand", row.id)),
            name=row.name,
            archived=row.archived_at is not None,
            revision=row.revision,
        )

    @field("Whose it is.")
    async def organisation(self, info: strawberry.Info[Context]) -> Organisation | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found


@strawberry.type(description="The brand, or an affiliate or agency below it.")
class Organisation(Node):
    row: strawberry.Private[OrganisationRow]
    id: strawberry.ID = column(GlobalId("Organisation", OrganisationRow.id))
    name: str = column(OrganisationRow.name)
    kind: OrganisationKind = column(OrganisationRow.kind)
    archived: bool = column(OrganisationRow.archived_at.is_not(None))
    revision: int = column(OrganisationRow.revision, "Give it back as `expectedRevision` to change the organisation.")
    created_at: Instant = column(OrganisationRow.created_at)

    @classmethod
    def of(cls, row: OrganisationRow) -> Organisation:
        return cls(
            row=row,
            id=strawberry.ID(encode("Organisation", row.id)),
            name=row.name,
            kind=OrganisationKind(row.kind),
            archived=row.archived_at is not None,
            revision=row.revision,
            created_at=row.created_at,
        )

    @field("The organisation above; null for the brand.")
    async def parent(self, info: strawberry.Info[Context]) -> Organisation | None:
        if self.row.id == BRAND_ORG_ID:
            return None
        found: Organisation | None = await fetch(info.context, "Organisation", organisations.parent_id(self.row))
        return found

    @field("The living ones one level below that the viewer may know of, oldest first.")
    async def children(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Organisation]:
        read, counted, of = organisations.children, organisations.child_counts, Organisation.of
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "organisation.children", read, counted, of, **page)  # type: ignore[arg-type]

    @field("Its living brands, oldest first.")
    async def brands(self, info: strawberry.Info[Context]) -> list[Brand]:
        return [Brand.of(row) for row in await info.context.load(brands.of_organisations, self.row.id) or []]

    @field("Its living teams that the viewer may know of, oldest first.")
    async def teams(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Team]:
        read, counted = teams.of_organisations, teams.counts
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "organisation.teams", read, counted, Team.of, **page)  # type: ignore[arg-type]

    @field("People and service accounts in it, not in those below, that the viewer may know of.")
    async def people(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Actor]:
        read, counted = people.in_organisations, people.counts_in_organisations
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "organisation.people", read, counted, Actor.of, **page)  # type: ignore[arg-type]

    @field("What was given or denied here and stands: on itself, its lightboxes and its assets; newest first.")
    async def grants(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Grant]:
        read, counted = grants.of_organisations, grants.counts_of_organisations
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "organisation.grants", read, counted, Grant.of, **page)  # type: ignore[arg-type]

    @field("What the viewer may do with it now.")
    async def viewer_can(self, info: strawberry.Info[Context]) -> list[OrganisationAction]:
        return [OrganisationAction(word) for word in await info.context.load(_viewer_can, self.row) or ()]


@strawberry.input(description="A new organisation.")
class OrganisationCreateInput:
    name: str
    kind: OrganisationKind = strawberry.field(description="AFFILIATE or AGENCY: there is one brand.")
    parent: strawberry.ID = strawberry.field(description="The one above; it stays there.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="An organisation's new name.")
class OrganisationUpdateInput:
    organisation: strawberry.ID
    expected_revision: int
    name: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The organisation to close; it must be empty of life.")
class OrganisationArchiveInput:
    organisation: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A new brand.")
class BrandCreateInput:
    organisation: strawberry.ID
    name: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A brand's new name.")
class BrandUpdateInput:
    brand: strawberry.ID
    expected_revision: int
    name: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The brand that no asset is to get any more.")
class BrandArchiveInput:
    brand: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`organisation` is null exactly when `errors` is not empty.")
class OrganisationPayload:
    organisation: Organisation | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`brand` is null exactly when `errors` is not empty.")
class BrandPayload:
    brand: Brand | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class OrganisationQueries:
    @field("Organisations that the viewer may know of, oldest first: their own, those above it, and those they manage.")
    def organisations(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        archived: bool = False,
    ) -> Connection[Organisation]:
        work = info.context.work
        scope = pages.scope_of("organisations", archived)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=organisations.page(work, wanted, archived=archived),
            speak=Organisation.of,
            count=lambda later: organisations.count(later.context.work, archived=archived),
        )


@strawberry.type
class OrganisationMutations:
    @mutation("Makes an organisation below another.")
    def organisation_create(
        self, info: strawberry.Info[Context], input: OrganisationCreateInput
    ) -> OrganisationPayload:
        def act(work: Work) -> Answer:
            parent = number_of("Organisation", input.parent, ("parent",))
            return _organisation(organisations.create(work, input.name, input.kind.value, parent))

        return run(info, input, OrganisationPayload, act)

    @mutation("Renames an organisation.")
    def organisation_update(
        self, info: strawberry.Info[Context], input: OrganisationUpdateInput
    ) -> OrganisationPayload:
        def act(work: Work) -> Answer:
            number = _number(input.organisation)
            return _organisation(organisations.rename(work, number, input.name, input.expected_revision))

        return run(info, input, OrganisationPayload, act)

    @mutation("Closes an organisation: it grants nothing and gets nothing new.")
    def organisation_archive(
        self, info: strawberry.Info[Context], input: OrganisationArchiveInput
    ) -> OrganisationPayload:
        def act(work: Work) -> Answer:
            return _organisation(organisations.archive(work, _number(input.organisation), input.expected_revision))

        return run(info, input, OrganisationPayload, act)

    @mutation("Makes a brand.")
    def brand_create(self, info: strawberry.Info[Context], input: BrandCreateInput) -> BrandPayload:
        def act(work: Work) -> Answer:
            return _brand(brands.create(work, _number(input.organisation), input.name))

        return run(info, input, BrandPayload, act)

    @mutation("Renames a brand.")
    def brand_update(self, info: strawberry.Info[Context], input: BrandUpdateInput) -> BrandPayload:
        def act(work: Work) -> Answer:
            number = number_of("Brand", input.brand, ("brand",))
            return _brand(brands.rename(work, number, input.name, input.expected_revision))

        return run(info, input, BrandPayload, act)

    @mutation("Puts a brand away; assets that carry it keep it.")
    def brand_archive(self, info: strawberry.Info[Context], input: BrandArchiveInput) -> BrandPayload:
        def act(work: Work) -> Answer:
            return _brand(brands.archive(work, number_of("Brand", input.brand, ("brand",)), input.expected_revision))

        return run(info, input, BrandPayload, act)


def _number(organisation: strawberry.ID) -> int:
    return number_of("Organisation", organisation, ("organisation",))


def _organisation(row: OrganisationRow) -> Answer:
    return {"organisation": ("Organisation", row.id)}


def _brand(row: BrandRow) -> Answer:
    return {"brand": ("Brand", row.id)}


def _viewer_can(work: Work, rows: Iterable[OrganisationRow]) -> dict[OrganisationRow, list[str]]:
    kept = list(rows)
    found = organisations.viewer_can(work, kept)
    return {row: found[row.id] for row in kept}


KINDS["Organisation"] = Kind(organisations.by_id, Organisation.of)
TABLES["Organisation"] = Table(organisations.seen, OrganisationRow.id, sight=organisations.sight)
KINDS["Brand"] = Kind(brands.by_id, Brand.of)
