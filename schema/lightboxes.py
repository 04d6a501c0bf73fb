"""Lightboxes over GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import lightboxes, pages, sharing
from domain.assets import personal
from domain.global_ids import encode, number_of
from domain.permissions import Permission
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.errors import MutationError
from schema.fields import Subject, field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, speak
from schema.paging import After, Before, First, Last, PageInfo, cursors, page_info, total
from schema.scalars import Instant
from storage.tables import LightboxRow

if TYPE_CHECKING:
    from schema.sharing import Share


@strawberry.enum(description="What the viewer may do with a lightbox now.")
class LightboxAction(Enum):
    UPDATE = "UPDATE"
    ARCHIVE = "ARCHIVE"
    ADD_ASSETS = strawberry.enum_value(
        "ADD_ASSETS",
        description="Single assets may still be refused: those in quarantine; and where the lightbox is shared, or "
        "open to guests or single people, those it would open to them and that the viewer may not share (ASSET_SHARE).",
    )
    REMOVE_ASSETS = "REMOVE_ASSETS"


@strawberry.type(description="An asset in a lightbox.")
class LightboxAssetEdge:
    placed: strawberry.Private[lightboxes.Placed]
    node: Asset
    cursor: str

    def subject(self) -> Subject:
        return Subject(personal.may, self.placed.asset.id)

    @field("Why it is there.", needs=Permission.FIELD_NOTES)
    def note(self) -> str | None:
        return self.placed.note


@strawberry.type(description="A page of a lightbox's assets, in its order.")
class LightboxAssetConnection:
    slice: strawberry.Private[pages.Slice[lightboxes.Placed]]
    lightbox_id: strawberry.Private[int]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[LightboxAssetEdge]:
        marks = cursors(info.context.work, self.slice)
        return [
            LightboxAssetEdge(placed=placed, node=Asset.of(placed.asset), cursor=mark)
            for placed, mark in zip(self.slice.rows, marks, strict=True)
        ]

    @strawberry.field
    def nodes(self) -> list[Asset]:
        return [Asset.of(placed.asset) for placed in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    async def total_count(self, info: strawberry.Info[Context]) -> int:
        return await info.context.load(lightboxes.asset_counts, self.lightbox_id) or 0


@strawberry.type(description="An ordered, described set of assets.")
class Lightbox(Node):
    row: strawberry.Private[LightboxRow]
    title: str
    description: str | None
    archived: bool
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, row: LightboxRow) -> Lightbox:
        return cls(
            row=row,
            id=strawberry.ID(encode("Lightbox", row.id)),
            title=row.title,
            description=row.description,
            archived=row.archived_at is not None,
            revision=row.revision,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("Shares of it that stand, newest first, at most 200.")
    async def shares(self, info: strawberry.Info[Context]) -> list[Annotated[Share, strawberry.lazy("schema.sharing")]]:
        return [speak("Share", row) for row in await info.context.load(sharing.of_lightboxes, self.row.id) or []]

    @field("Its assets, in its order.")
    async def assets(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> LightboxAssetConnection:
        scope = pages.scope_of("lightbox.assets", self.row.id)
        wanted = pages.paging(info.context.work, scope, first=first, after=after, last=last, before=before)
        found = await info.context.load(lightboxes.assets_of, self.row.id, wanted.shared())
        assert found is not None
        return LightboxAssetConnection(slice=replace(found, scope=scope), lightbox_id=self.row.id)

    @field("What the viewer may do with it now.")
    async def viewer_can(self, info: strawberry.Info[Context]) -> list[LightboxAction]:
        return [LightboxAction(word) for word in await info.context.load(_viewer_can, self.row) or ()]


@strawberry.type
class LightboxEdge:
    node: Lightbox
    cursor: str


@strawberry.type(description="A page of lightboxes, newest first.")
class LightboxConnection:
    slice: strawberry.Private[pages.Slice[LightboxRow]]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[LightboxEdge]:
        marks = cursors(info.context.work, self.slice)
        return [
            LightboxEdge(node=Lightbox.of(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)
        ]

    @strawberry.field
    def nodes(self) -> list[Lightbox]:
        return [Lightbox.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    def total_count(self, info: strawberry.Info[Context]) -> int:
        return lightboxes.count(info.context.work)


@strawberry.input(description="A new lightbox.")
class LightboxCreateInput:
    title: str
    description: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a lightbox; what is left out stays, an empty description goes.")
class LightboxUpdateInput:
    lightbox: strawberry.ID
    expected_revision: int
    title: str | None = None
    description: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The lightbox to archive.")
class LightboxArchiveInput:
    lightbox: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Assets to place in this order; those already inside are moved.")
class LightboxAssetsAddInput:
    lightbox: strawberry.ID
    expected_revision: int
    assets: list[strawberry.ID] = strawberry.field(description="At most 500.")
    before: strawberry.ID | None = strawberry.field(
        default=None, description="The asset to stand before; at the end if not said."
    )
    note: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(
    description="Assets to take out; those that are not inside, or that the viewer does not see, are passed over."
)
class LightboxAssetsRemoveInput:
    lightbox: strawberry.ID
    expected_revision: int
    assets: list[strawberry.ID]
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`lightbox` is null exactly when `errors` is not empty.")
class LightboxPayload:
    lightbox: Lightbox | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class LightboxQueries:
    @field("Lightboxes, newest first; archived ones are left out.")
    def lightboxes(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> LightboxConnection:
        work = info.context.work
        scope = pages.scope_of("lightboxes")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return LightboxConnection(slice=lightboxes.page(work, wanted))


@strawberry.type
class LightboxMutations:
    @mutation("Makes a lightbox.")
    def lightbox_create(self, info: strawberry.Info[Context], input: LightboxCreateInput) -> LightboxPayload:
        return run(
            info,
            input,
            LightboxPayload,
            lambda work: _box(lightboxes.create(work, input.title, input.description)),
        )

    @mutation("Changes a lightbox's title or description.")
    def lightbox_update(self, info: strawberry.Info[Context], input: LightboxUpdateInput) -> LightboxPayload:
        def act(work: Work) -> Answer:
            row = lightboxes.update(
                work,
                _number(input.lightbox),
                input.expected_revision,
                title=input.title,
                description=input.description,
            )
            return _box(row)

        return run(info, input, LightboxPayload, act)

    @mutation("Puts a lightbox away; its assets stay where they are.")
    def lightbox_archive(self, info: strawberry.Info[Context], input: LightboxArchiveInput) -> LightboxPayload:
        def act(work: Work) -> Answer:
            return _box(lightboxes.archive(work, _number(input.lightbox), input.expected_revision))

        return run(info, input, LightboxPayload, act)

    @mutation("Places assets in a lightbox, or moves them within it.")
    def lightbox_assets_add(self, info: strawberry.Info[Context], input: LightboxAssetsAddInput) -> LightboxPayload:
        def act(work: Work) -> Answer:
            row = lightboxes.add(
                work,
                _number(input.lightbox),
                [number_of("Asset", each, ("assets",)) for each in input.assets],
                input.expected_revision,
                before=None if input.before is None else number_of("Asset", input.before, ("before",)),
                note=input.note,
            )
            return _box(row)

        return run(info, input, LightboxPayload, act)

    @mutation("Takes assets out of a lightbox.")
    def lightbox_assets_remove(
        self,
        info: strawberry.Info[Context],
        input: LightboxAssetsRemoveInput,
    ) -> LightboxPayload:
        def act(work: Work) -> Answer:
            gone = [number_of("Asset", each, ("assets",)) for each in input.assets]
            return _box(lightboxes.remove(work, _number(input.lightbox), gone, input.expected_revision))

        return run(info, input, LightboxPayload, act)


def _viewer_can(work: Work, rows: Iterable[LightboxRow]) -> dict[LightboxRow, list[str]]:
    kept = list(rows)
    found = lightboxes.viewer_can(work, kept)
    return {row: found[row.id] for row in kept}


def _number(lightbox: strawberry.ID) -> int:
    return number_of("Lightbox", lightbox, ("lightbox",))


def _box(row: LightboxRow) -> Answer:
    return {"lightbox": ("Lightbox", row.id)}


KINDS["Lightbox"] = Kind(lightboxes.by_id, Lightbox.of)
