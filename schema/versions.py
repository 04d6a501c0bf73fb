"""Versions of assets: bytes, what they say of themselves, and what was made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import assets, delivery, metadata, pages, presets, renditions
from domain.assets import personal
from domain.global_ids import encode
from domain.permissions import Permission
from domain.refusals import NotFound
from schema.context import Context
from schema.enums import RenditionState
from schema.fields import Subject, deny, field, may
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import PageInfo, cursors, page_info, total
from schema.renditions import Rendition, RenditionFailure, SignedUrl
from schema.scalars import BigInt, Instant, Json, Sha256
from storage.tables import AssetVersionRow

if TYPE_CHECKING:
    from schema.assets import Asset


@strawberry.type(description="One thing a file says of itself.")
class MetadataEntry:
    namespace: str = strawberry.field(description="Where it stands: file, exif, iptc, xmp, pdf, icc.")
    name: str
    value: Json


@strawberry.type(description="One set of bytes of an asset; it never changes.")
class AssetVersion(Node):
    row: strawberry.Private[AssetVersionRow]
    number: int = strawberry.field(description="1, 2, 3 … within its asset.")
    sha256: Sha256
    media_type: str = strawberry.field(description="What the bytes are, whatever the file's name says.")
    byte_size: BigInt
    width: int | None = strawberry.field(description="In pixels as displayed; null until it was read.")
    height: int | None = strawberry.field(description="In pixels as displayed; null until it was read.")
    file_name: str
    captured_at: Instant | None
    created_at: Instant
    analysis: RenditionState = strawberry.field(description="How far the reading of its metadata has come.")
    failure: RenditionFailure | None = strawberry.field(description="Why it could not be read.")

    @classmethod
    def of(cls, row: AssetVersionRow) -> AssetVersion:
        return cls(
            row=row,
            id=strawberry.ID(encode("AssetVersion", row.id)),
            number=row.number,
            sha256=Sha256(row.sha256),
            media_type=row.media_type,
            byte_size=BigInt(row.byte_size),
            width=row.width,
            height=row.height,
            file_name=row.file_name,
            captured_at=row.captured_at,
            created_at=row.created_at,
            analysis=RenditionState(row.analysis_state),
            failure=RenditionFailure.of(row.failure_code, row.failure_message),
        )

    def subject(self) -> Subject:
        return Subject(personal.may, self.row.asset_id)

    @field("Why it was made.", needs=Permission.FIELD_NOTES)
    def change_note(self) -> str | None:
        return self.row.change_note

    @field("The asset it belongs to.")
    async def asset(self, info: strawberry.Info[Context]) -> Annotated[Asset, strawberry.lazy("schema.assets")]:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        if found is None:
            raise NotFound("There is no asset with this id.")
        return found

    @field("The earlier version whose bytes these are, where it was made current again.")
    async def made_from(self, info: strawberry.Info[Context]) -> AssetVersion | None:
        if self.row.made_from_id is None:
            return None
        found = await info.context.load(assets.versions_by_id, self.row.made_from_id)
        return None if found is None else AssetVersion.of(found)

    @field(
        "Everything the file says of itself, by namespace and name. Places, serial numbers and ways to reach people "
        f"are left out without the permission `{Permission.FIELD_PERSONAL.value}`.",
        weight=10,
        size=1,
    )
    async def metadata(self, info: strawberry.Info[Context]) -> list[MetadataEntry]:
        rows = await info.context.load(metadata.of_versions, self.row.id) or []
        shown = rows
        if not await may(info, self.subject(), Permission.FIELD_PERSONAL):
            shown = [row for row in rows if not personal.is_personal(row)]
        if len(shown) < len(rows):
            deny(info, Permission.FIELD_PERSONAL)
        return [MetadataEntry(namespace=row.namespace, name=row.name, value=Json(row.value)) for row in shown]

    @field("What the presets have made of it, or are making.")
    async def renditions(self, info: strawberry.Info[Context]) -> list[Rendition]:
        rows = await info.context.load(renditions.of_versions, self.row.id) or []
        return [Rendition.of(row) for row in rows]

    @field("What the preset of this name has made of it; null where it was never asked to.")
    async def rendition(self, info: strawberry.Info[Context], preset: str) -> Rendition | None:
        for row in await info.context.load(renditions.of_versions, self.row.id) or []:
            made_by = await info.context.load(presets.by_id, row.preset_id)
            if made_by is not None and made_by.name == preset:
                return Rendition.of(row)
        return None

    @field("Where its own bytes are fetched.", needs=Permission.ASSET_DOWNLOAD, weight=3)
    def download(self, info: strawberry.Info[Context]) -> SignedUrl | None:
        return SignedUrl.of(delivery.original_url(info.context.work, self.row))


@strawberry.type
class AssetVersionEdge:
    node: AssetVersion
    cursor: str


@strawberry.type(description="A page of versions, newest first.")
class AssetVersionConnection:
    slice: strawberry.Private[pages.Slice[AssetVersionRow]]
    asset_id: strawberry.Private[int]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[AssetVersionEdge]:
        marks = cursors(info.context.work, self.slice)
        pairs = zip(self.slice.rows, marks, strict=True)
        return [AssetVersionEdge(node=AssetVersion.of(row), cursor=mark) for row, mark in pairs]

    @strawberry.field
    def nodes(self) -> list[AssetVersion]:
        return [AssetVersion.of(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    async def total_count(self, info: strawberry.Info[Context]) -> int:
        return await info.context.load(assets.version_counts, self.asset_id) or 0


KINDS["AssetVersion"] = Kind(assets.versions_by_id, AssetVersion.of)
