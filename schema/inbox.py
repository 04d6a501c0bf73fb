"""The inbox over GraphQL: what guests have brought, and what becomes of it."""

from __future__ import annotations

import strawberry

from domain import inbox, pages
from domain.global_ids import number_of
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.paging import After, Before, First, Last, PageInfo, cursors, page_info, total
from storage.tables import AssetRow


@strawberry.type
class InboxEdge:
    node: Asset
    cursor: str


@strawberry.type(description="A page of what waits to be judged, oldest first.")
class InboxConnection:
    slice: strawberry.Private[pages.Slice[AssetRow]]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[InboxEdge]:
        marks = cursors(info.context.work, self.slice)
        return [InboxEdge(node=Asset.of(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)]

    @strawberry.field
    def nodes(self) -> list[Asset]:
        return [Asset.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    def total_count(self, info: strawberry.Info[Context]) -> int:
        return inbox.count(info.context.work)


@strawberry.input(description="What is taken in, as a draft.")
class InboxAcceptInput:
    asset: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="What is put away, and why.")
class InboxRejectInput:
    asset: strawberry.ID
    reason: str
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class InboxPayload:
    asset: Asset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class InboxQueries:
    @field("What guests have brought and nobody has judged yet, oldest first; a guest sees what they brought.")
    def inbox(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> InboxConnection:
        work = info.context.work
        scope = pages.scope_of("inbox")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return InboxConnection(slice=inbox.page(work, wanted))


@strawberry.type
class InboxMutations:
    @mutation("Takes what a guest brought out of quarantine: it becomes a draft.")
    def inbox_accept(self, info: strawberry.Info[Context], input: InboxAcceptInput) -> InboxPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return {"asset": ("Asset", inbox.accept(work, number, input.expected_revision).id)}

        return run(info, input, InboxPayload, act)

    @mutation("Puts what a guest brought away, for a reason.")
    def inbox_reject(self, info: strawberry.Info[Context], input: InboxRejectInput) -> InboxPayload:
        def act(work: Work) -> Answer:
            return {
                "asset": ("Asset", inbox.reject(work, number_of("Asset", input.asset, ("asset",)), input.reason).id)
            }

        return run(info, input, InboxPayload, act)
