"""Shares over GraphQL: what one organisation opens to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import pages, sharing
from domain.global_ids import encode, number_of
from domain.sharing import Access, Subject, Wanted
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.lightboxes import Lightbox
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last, PageInfo, cursors, page_info, total
from schema.scalars import Instant
from storage.tables import ShareRow

if TYPE_CHECKING:
    from schema.organisations import Organisation

strawberry.enum(Access, name="ShareAccess", description="READ: to look at it. CONTRIBUTE: to work on it as well.")


@strawberry.type(description="An asset or a lightbox that one organisation opened to another.")
class Share(Node):
    row: strawberry.Private[ShareRow]
    access: Access
    created_at: Instant
    ends_at: Instant | None = strawberry.field(description="When it ends by itself; at that moment it is over.")
    ended_at: Instant | None = strawberry.field(description="When somebody ended it before that.")

    @classmethod
    def of(cls, row: ShareRow) -> Share:
        return cls(
            row=row,
            id=strawberry.ID(encode("Share", row.id)),
            access=Access(row.access),
            created_at=row.created_at,
            ends_at=row.ends_at,
            ended_at=row.ended_at,
        )

    @field("What is shared, if it is an asset.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        if self.row.asset_id is None:
            return None
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found

    @field("What is shared, if it is a lightbox.")
    async def lightbox(self, info: strawberry.Info[Context]) -> Lightbox | None:
        if self.row.lightbox_id is None:
            return None
        found: Lightbox | None = await fetch(info.context, "Lightbox", self.row.lightbox_id)
        return found

    @field("The organisation that it is open to; null where the viewer may not know of it.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.to_org_id)
        return found

    @field("The organisation that shares it; null where the viewer may not know of it.")
    async def shared_by(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found


@strawberry.type
class ShareEdge:
    node: Share
    cursor: str


@strawberry.type(description="A page of shares, newest first.")
class ShareConnection:
    slice: strawberry.Private[pages.Slice[ShareRow]]
    which: strawberry.Private[Wanted]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[ShareEdge]:
        marks = cursors(info.context.work, self.slice)
        return [ShareEdge(node=Share.of(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)]

    @strawberry.field
    def nodes(self) -> list[Share]:
        return [Share.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    def total_count(self, info: strawberry.Info[Context]) -> int:
        return sharing.count(info.context.work, self.which)


@strawberry.input(description="An asset or a lightbox (one of them), and to whom it is opened.")
class ShareCreateInput:
    asset: strawberry.ID | None = None
    lightbox: strawberry.ID | None = None
    organisation: strawberry.ID
    access: Access = Access.READ
    ends_at: Instant | None = strawberry.field(default=None, description="If not said, until it is ended.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The share to end.")
class ShareEndInput:
    share: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`share` is null exactly when `errors` is not empty.")
class SharePayload:
    share: Share | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class ShareQueries:
    @field("Shares that the viewer may know of, newest first.")
    def shares(
        self,
        info: strawberry.Info[Context],
        to: Annotated[strawberry.ID | None, strawberry.argument(description="To this organisation.")] = None,
        shared_by: Annotated[
            strawberry.ID | None, strawberry.argument(name="from", description="By this organisation.")
        ] = None,
        include_ended: Annotated[
            bool, strawberry.argument(description="Also those that are over or were ended.")
        ] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ShareConnection:
        work = info.context.work
        which = Wanted(
            None if to is None else number_of("Organisation", to, ("to",)),
            None if shared_by is None else number_of("Organisation", shared_by, ("from",)),
            include_ended,
        )
        scope = pages.scope_of("shares", which.to_org_id, which.from_org_id, which.with_ended)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return ShareConnection(slice=sharing.page(work, which, wanted), which=which)


@strawberry.type
class ShareMutations:
    @mutation("Opens an asset or a lightbox to another organisation.")
    def share_create(self, info: strawberry.Info[Context], input: ShareCreateInput) -> SharePayload:
        def act(work: Work) -> Answer:
            subject = Subject(
                None if input.asset is None else number_of("Asset", input.asset, ("asset",)),
                None if input.lightbox is None else number_of("Lightbox", input.lightbox, ("lightbox",)),
            )
            to = number_of("Organisation", input.organisation, ("organisation",))
            return _share(sharing.create(work, subject, to, input.access, input.ends_at))

        return run(info, input, SharePayload, act)

    @mutation("Ends a share now; one that is over stays as it is.")
    def share_end(self, info: strawberry.Info[Context], input: ShareEndInput) -> SharePayload:
        return run(
            info,
            input,
            SharePayload,
            lambda work: _share(sharing.end(work, number_of("Share", input.share, ("share",)))),
        )


def _share(row: ShareRow) -> Answer:
    return {"share": ("Share", row.id)}


KINDS["Share"] = Kind(sharing.by_id, Share.of)
