"""Guest links over GraphQL: a link's secret is answered once, by the mutation that made it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import guests, pages
from domain.global_ids import encode, number_of
from domain.guests import NewLink, Opens
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.lightboxes import Lightbox
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last, PageInfo, cursors, page_info, total
from schema.scalars import Instant, Url
from storage.tables import GuestLinkRow

if TYPE_CHECKING:
    from schema.organisations import Organisation


@strawberry.enum(description="VIEW: to look at one lightbox or asset. UPLOAD: to bring files.")
class GuestPurpose(Enum):
    VIEW = "VIEW"
    UPLOAD = "UPLOAD"


@strawberry.type(description="A way in for somebody without an account, without what makes it work.")
class GuestLink(Node):
    row: strawberry.Private[GuestLinkRow]
    name: str
    purpose: GuestPurpose
    max_files: int | None = strawberry.field(description="Most files that may be brought; null for no limit.")
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None

    @classmethod
    def of(cls, row: GuestLinkRow) -> GuestLink:
        return cls(
            row=row,
            id=strawberry.ID(encode("GuestLink", row.id)),
            name=row.name,
            purpose=GuestPurpose(row.purpose),
            max_files=row.max_files,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )

    @field("The asset that it shows, if it is one.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        if self.row.asset_id is None:
            return None
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found

    @field("The lightbox that it shows, if it is one.")
    async def lightbox(self, info: strawberry.Info[Context]) -> Lightbox | None:
        if self.row.lightbox_id is None:
            return None
        found: Lightbox | None = await fetch(info.context, "Lightbox", self.row.lightbox_id)
        return found

    @field("The organisation it belongs to, and to which files are brought.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("How many files were brought by it and became assets.")
    async def files_brought(self, info: strawberry.Info[Context]) -> int:
        return await info.context.load(guests.files_brought, self.row.principal_id) or 0

    @field("When it was last used, to about a minute.")
    async def last_used_at(self, info: strawberry.Info[Context]) -> Instant | None:
        return await info.context.load(guests.last_used, self.row.principal_id)


@strawberry.type
class GuestLinkEdge:
    node: GuestLink
    cursor: str


@strawberry.type(description="A page of guest links, newest first.")
class GuestLinkConnection:
    slice: strawberry.Private[pages.Slice[GuestLinkRow]]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[GuestLinkEdge]:
        marks = cursors(info.context.work, self.slice)
        return [
            GuestLinkEdge(node=GuestLink.of(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)
        ]

    @strawberry.field
    def nodes(self) -> list[GuestLink]:
        return [GuestLink.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    def total_count(self, info: strawberry.Info[Context]) -> int:
        return guests.count(info.context.work)


@strawberry.input(description="A link that shows an asset or a lightbox (one of them).")
class GuestLinkCreateInput:
    asset: strawberry.ID | None = None
    lightbox: strawberry.ID | None = None
    name: str = strawberry.field(description="Whom it is for.")
    expires_at: Instant = strawberry.field(description="Within 90 days.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A link by which files can be brought; they wait in the inbox.")
class UploadLinkCreateInput:
    organisation: strawberry.ID
    name: str = strawberry.field(description="Whom it is for.")
    expires_at: Instant = strawberry.field(description="Within 90 days.")
    max_files: int | None = strawberry.field(default=None, description="Most files that may be brought: 1 to 1000.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The link to take back.")
class GuestLinkRevokeInput:
    guest_link: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`guestLink` is null exactly when `errors` is not empty.")
class GuestLinkSecretPayload:
    guest_link: GuestLink | None
    secret: str | None = strawberry.field(
        description="The guest's bearer token. Shown this once: a repetition by `idempotencyKey` comes without it."
    )
    url: Url | None = strawberry.field(description="An address with the secret in it, to send to the guest.")
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`guestLink` is null exactly when `errors` is not empty.")
class GuestLinkPayload:
    guest_link: GuestLink | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class GuestQueries:
    @field("Guest links that the viewer made, and those of every organisation where they hold GUEST_INVITE.")
    def guest_links(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> GuestLinkConnection:
        work = info.context.work
        scope = pages.scope_of("guestLinks")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return GuestLinkConnection(slice=guests.page(work, wanted))


@strawberry.type
class GuestMutations:
    @mutation("Makes a link by which somebody without an account can look at a lightbox or an asset.")
    def guest_link_create(self, info: strawberry.Info[Context], input: GuestLinkCreateInput) -> GuestLinkSecretPayload:
        def make(work: Work) -> NewLink:
            opens = Opens(
                None if input.asset is None else number_of("Asset", input.asset, ("asset",)),
                None if input.lightbox is None else number_of("Lightbox", input.lightbox, ("lightbox",)),
            )
            return guests.create(work, opens, input.name, input.expires_at)

        return _shown(info, input, make)

    @mutation("Makes a link by which somebody without an account can bring files.")
    def upload_link_create(
        self, info: strawberry.Info[Context], input: UploadLinkCreateInput
    ) -> GuestLinkSecretPayload:
        def make(work: Work) -> NewLink:
            number = number_of("Organisation", input.organisation, ("organisation",))
            return guests.create_for_uploads(work, number, input.name, input.expires_at, input.max_files)

        return _shown(info, input, make)

    @mutation("Takes a link back: it opens nothing any more.")
    def guest_link_revoke(self, info: strawberry.Info[Context], input: GuestLinkRevokeInput) -> GuestLinkPayload:
        def act(work: Work) -> Answer:
            row = guests.revoke(work, number_of("GuestLink", input.guest_link, ("guestLink",)))
            return {"guest_link": ("GuestLink", row.id)}

        return run(info, input, GuestLinkPayload, act)


def _shown(info: strawberry.Info[Context], input: Any, make: Callable[[Work], NewLink]) -> GuestLinkSecretPayload:
    """The secret goes from the act to the answer and is kept nowhere."""
    made: list[NewLink] = []

    def act(work: Work) -> Answer:
        made.append(make(work))
        return {"guest_link": ("GuestLink", made[-1].id)}

    payload = run(info, input, GuestLinkSecretPayload, act)
    if made and not payload.errors:
        payload.secret, payload.url = made[-1].secret, Url(made[-1].url)
    return payload


KINDS["GuestLink"] = Kind(guests.by_id, GuestLink.of)
