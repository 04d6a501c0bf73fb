"""Versions of assets: bytes, what they say of themselves, and what was made of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import assets, delivery, focal, identity, metadata, pages, presets, renditions
from domain.assets import personal
from domain.global_ids import encode
from domain.licensing import assessing, components, proposals
from domain.permissions import Permission
from domain.refusals import NotFound
from schema.context import Context
from schema.crediting import FocalPoint
from schema.enums import RenditionState
from schema.fields import Subject, deny, field, may
from schema.licensing import asking
from schema.licensing.asking import Use, UseInput
from schema.licensing.proposals import LicenseProposal
from schema.mapped import TABLES, Column, GlobalId, Many, One, Table, column
from schema.node import KINDS, Kind, Node, fetch, speak
from schema.paging import PageInfo, cursors, page_info, total
from schema.renditions import Rendition, RenditionFailure, SignedUrl, address, failure
from schema.scalars import BigInt, Instant, Json, Sha256
from schema.transforms import TransformInput, iiif_url, transform_urls
from storage.tables import AssetVersionRow, MetadataRow

if TYPE_CHECKING:
    from schema.assets import Asset
    from schema.licensing.assessing import AssetRights


@strawberry.type(description="One thing a file says of itself.")
class MetadataEntry:
    namespace: str = column(
        MetadataRow.namespace,
        "Where it stands: file, exif, gps, iptc, pdf, media, raw, font, zip, office, or a prefix of XMP.",
    )
    name: str = column(MetadataRow.name)
    value: Json = column(MetadataRow.value)


# Named outside of the class, in which its fields hide the modules of the same name.
_METADATA = Many("MetadataEntry", metadata.OF_VERSIONS, AssetVersionRow.id, needs=Permission.FIELD_PERSONAL)
_RENDITIONS = Many("Rendition", renditions.OF_VERSIONS, AssetVersionRow.id)
_COMPONENTS = Many("AssetVersion", components.parts, AssetVersionRow.id, own=True, stamped=False)
_RENDITION = dataclasses.replace(_RENDITIONS, where={"preset": renditions.MADE_BY})


@strawberry.type(description="One set of bytes of an asset; it never changes.")
class AssetVersion(Node):
    row: strawberry.Private[AssetVersionRow]
    id: strawberry.ID = column(GlobalId("AssetVersion", AssetVersionRow.id))
    number: int = column(AssetVersionRow.number, "1, 2, 3 … within its asset.")
    sha256: Sha256 = column(AssetVersionRow.sha256)
    media_type: str = column(AssetVersionRow.media_type, "What the bytes are, whatever the file's name says.")
    byte_size: BigInt = column(AssetVersionRow.byte_size)
    width: int | None = column(AssetVersionRow.width, "In pixels as displayed; null until it was read.")
    height: int | None = column(AssetVersionRow.height, "In pixels as displayed; null until it was read.")
    file_name: str = column(AssetVersionRow.file_name)
    captured_at: Instant | None = column(AssetVersionRow.captured_at)
    created_at: Instant = column(AssetVersionRow.created_at)
    analysis: RenditionState = column(AssetVersionRow.analysis_state, "How far the reading of its metadata has come.")
    failure: RenditionFailure | None = column(
        failure(AssetVersionRow.failure_code, AssetVersionRow.failure_message), "Why it could not be read."
    )

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

    @field("Why it was made.", needs=Permission.FIELD_NOTES, mapped=Column(AssetVersionRow.change_note))
    def change_note(self) -> str | None:
        return self.row.change_note

    @field("The asset it belongs to.", mapped=One("Asset", assets.seen, AssetVersionRow.asset_id, own=True))
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
        mapped=_METADATA,
    )
    async def metadata(self, info: strawberry.Info[Context]) -> list[MetadataEntry]:
        rows = await info.context.load(metadata.of_versions, self.row.id) or []
        shown = rows
        if not await may(info, self.subject(), Permission.FIELD_PERSONAL):
            shown = [row for row in rows if not personal.is_personal(row)]
        if len(shown) < len(rows):
            deny(info, Permission.FIELD_PERSONAL)
        return [MetadataEntry(namespace=row.namespace, name=row.name, value=Json(row.value)) for row in shown]

    @field(
        "What its file claims of its licence; null where it claims nothing. A claim grants nothing: "
        "`licenseFromProposal` makes a draft of it.",
        needs=Permission.LICENSE_VIEW,
        weight=5,
    )
    async def license_proposal(self, info: strawberry.Info[Context]) -> LicenseProposal | None:
        found = await info.context.load(proposals.of_versions, self.row.id)
        return None if found is None else LicenseProposal.of(found)

    @field(
        "What the presets have made of it, or are making.",
        mapped=_RENDITIONS,
    )
    async def renditions(self, info: strawberry.Info[Context]) -> list[Rendition]:
        rows = await info.context.load(renditions.of_versions, self.row.id) or []
        return [Rendition.of(row) for row in rows]

    @field(
        "What the preset of this name has made of it; null where it was never asked to.",
        mapped=_RENDITION,
    )
    async def rendition(self, info: strawberry.Info[Context], preset: str) -> Rendition | None:
        for row in await info.context.load(renditions.of_versions, self.row.id) or []:
            made_by = await info.context.load(presets.by_id, row.preset_id)
            if made_by is not None and made_by.name == preset:
                return Rendition.of(row)
        return None

    @field("What crops of it keep; null where nobody set it and none was cut yet that shows more than the middle.")
    async def focal_point(self, info: strawberry.Info[Context]) -> FocalPoint | None:
        found = await info.context.load(focal.of_versions, self.row.id)
        return None if found is None else FocalPoint.of(found)

    @field(
        "Versions inside it that the viewer sees, in the order in which they were put in.",
        mapped=_COMPONENTS,
    )
    async def components(self, info: strawberry.Info[Context]) -> list[AssetVersion]:
        return [AssetVersion.of(row) for row in await info.context.load(components.parts_of, self.row.id) or []]

    @field(
        "What was assessed of it, or of all of its asset, and holds; oldest first.",
        needs=Permission.LICENSE_VIEW,
        mapped=Many("AssetRights", assessing.OF_VERSIONS, AssetVersionRow.id),
    )
    async def rights(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[AssetRights, strawberry.lazy("schema.licensing.assessing")]] | None:
        return [speak("AssetRights", row) for row in await info.context.load(assessing.of_versions, self.row.id) or []]

    @field(
        "Where its own bytes are fetched; null while the asset is taken down or under embargo, and where what it is "
        "for is not licensed: `rightsDecision` says why.",
        needs=Permission.ASSET_DOWNLOAD,
        weight=3,
        extra={"use": 20},
        mapped=address((AssetVersionRow.id, AssetVersionRow.sha256), delivery.original_urls),
    )
    async def download(self, info: strawberry.Info[Context], use: Use = None) -> SignedUrl | None:
        by = await _leave(info, self.row.id, use)
        return None if by is None else SignedUrl.of(delivery.original_url(info.context.work, self.row, by))

    @field(
        "Where a picture of its own is fetched, made of this version when it is asked for. The address is signed as a "
        "whole: nobody can ask it for anything else. Null where `download` is.",
        needs=Permission.ASSET_DOWNLOAD,
        weight=5,
        extra={"use": 20},
    )
    async def transform(self, info: strawberry.Info[Context], to: TransformInput, use: Use = None) -> SignedUrl | None:
        made = transform_urls(info.context.work, to)
        by = await _leave(info, self.row.id, use)
        return None if by is None else SignedUrl.of(made(self.row.id, self.row.sha256, by))

    @field(
        "Where viewers that speak the IIIF Image API 3.0 (level 2) find it: `/info.json` below it says more. Null for "
        "what is no picture, or was not read yet, and where `download` is.",
        needs=Permission.ASSET_DOWNLOAD,
        weight=5,
        extra={"use": 20},
    )
    async def iiif(self, info: strawberry.Info[Context], use: Use = None) -> SignedUrl | None:
        by = await _leave(info, self.row.id, use)
        return None if by is None else iiif_url(info.context.work, self.row, by)


async def _leave(info: strawberry.Info[Context], version_id: int, use: UseInput | None) -> delivery.Leave | None:
    """By what an address of it is given; None: it is not, or it is barred."""
    wanted = asking.use_of(info.context.work, use)
    if await info.context.load(delivery.barred, version_id):
        return None
    return await info.context.leave(version_id, wanted)


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
TABLES["AssetVersion"] = Table(assets.versions_seen, AssetVersionRow.id, identity.holds_asset)
