"""Assets over GraphQL, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from domain import assets, delivery, identity, pages, sharing, taxonomy
from domain.assets import Stage, personal
from domain.global_ids import encode, number_of
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from schema.audit import AuditEvent, history
from schema.connections import Connection
from schema.context import Context
from schema.enums import Action, AssetKind, AssetLifecycle
from schema.fields import Subject, deny, field
from schema.filters import AssetOrder, AssetWhere
from schema.listing import LISTED, AssetConnection, AssetList
from schema.mapped import TABLES, ById, Column, GlobalId, Many, One, Paged, Table, column
from schema.node import KINDS, Kind, Node, fetch, speak
from schema.paging import After, Before, First, Last
from schema.scalars import Instant, Sha256, Url
from schema.taxonomy import Tag
from schema.versions import AssetVersion, AssetVersionConnection
from storage.tables import AssetRow

if TYPE_CHECKING:
    from schema.organisations import Brand, Organisation
    from schema.sharing import Share


def _sees_unapproved(work: Work) -> Any:
    return identity.holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)


@strawberry.type(description="Something the brand owns or may use, in all its versions.")
class Asset(Node):
    row: strawberry.Private[AssetRow]
    id: strawberry.ID = column(GlobalId("Asset", AssetRow.id))
    title: str = column(AssetRow.title)
    description: str | None = column(AssetRow.description)
    kind: AssetKind = column(AssetRow.kind)
    lifecycle: AssetLifecycle = column(AssetRow.lifecycle)
    created_at: Instant = column(AssetRow.created_at)

    @classmethod
    def of(cls, row: AssetRow) -> Asset:
        return cls(
            row=row,
            id=strawberry.ID(encode("Asset", row.id)),
            title=row.title,
            description=row.description,
            kind=AssetKind(row.kind),
            lifecycle=AssetLifecycle(row.lifecycle),
            created_at=row.created_at,
        )

    def subject(self) -> Subject:
        return Subject(personal.may, self.row.id)

    @field(
        "Give it back as `expectedRevision` to change the asset. It counts changes that the viewer may see.",
        mapped=Column(identity.shown_revision, like=AssetRow.revision),
    )
    def revision(self, info: strawberry.Info[Context]) -> int:
        return cast("int", _of_change(info, self.row, attrgetter("revision")))

    @field(
        "When something last changed that the viewer may see.",
        mapped=Column(identity.shown_updated_at, like=AssetRow.updated_at),
    )
    def updated_at(self, info: strawberry.Info[Context]) -> Instant:
        return cast("datetime", _of_change(info, self.row, attrgetter("updated_at")))

    @field("What happened to it, newest first.", needs=Permission.AUDIT_VIEW)
    async def history(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEvent] | None:
        return await history(info, "Asset", self.row.id, first=first, after=after, last=last, before=before)

    @field("Shares of it that stand, newest first, at most 200.")
    async def shares(self, info: strawberry.Info[Context]) -> list[Annotated[Share, strawberry.lazy("schema.sharing")]]:
        return [speak("Share", row) for row in await info.context.load(sharing.of_assets, self.row.id) or []]

    @field("Its tags, by name.", mapped=Many("Tag", taxonomy.TAGS_OF_ASSETS, AssetRow.id))
    async def tags(self, info: strawberry.Info[Context]) -> list[Tag]:
        return [Tag.of(row) for row in await info.context.load(taxonomy.of_assets, self.row.id) or []]

    @field(
        "The newest version the viewer may see.",
        mapped=One("AssetVersion", assets.VERSIONS, decided=identity.shown_version_id),
    )
    async def current(self, info: strawberry.Info[Context]) -> AssetVersion | None:
        found = await info.context.load(assets.shown_versions, self.row.id)
        return None if found is None else AssetVersion.of(found)

    @field("The newest approved version.", mapped=One("AssetVersion", assets.VERSIONS, AssetRow.approved_version_id))
    async def approved(self, info: strawberry.Info[Context]) -> AssetVersion | None:
        if self.row.approved_version_id is None:
            return None
        found = await info.context.load(assets.versions_by_id, self.row.approved_version_id)
        return None if found is None else AssetVersion.of(found)

    @field(
        "All versions, newest first.",
        mapped=Paged("AssetVersion", "versions", assets.VERSIONS_OF_ASSETS, AssetRow.id, (_sees_unapproved,)),
    )
    async def versions(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AssetVersionConnection:
        scope = pages.scope_of("versions", self.row.id)
        wanted = pages.paging(info.context.work, scope, first=first, after=after, last=last, before=before)
        found = await info.context.load(assets.versions_of, self.row.id, wanted.shared())
        assert found is not None
        return AssetVersionConnection(slice=replace(found, scope=scope), asset_id=self.row.id)

    @field("What people outside know it by; null for none, or where the viewer may not know of it.")
    async def brand(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Brand, strawberry.lazy("schema.organisations")] | None:
        number = self.row.brand_id
        found: Brand | None = None if number is None else await fetch(info.context, "Brand", number)
        return found

    @field("Whose it is; null where the viewer may not know of it.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field(
        "A stable address that leads to the newest approved version in a preset, for as long as whoever asked for it "
        "may see the asset; null also for guests, and for what the viewer's organisation as such cannot see.",
        needs=Permission.ASSET_DOWNLOAD,
        weight=3,
    )
    async def latest_url(self, info: strawberry.Info[Context], preset: str) -> Url | None:
        if not preset.isprintable():
            raise Invalid("A preset's name is printable text.", ("preset",), "format")
        if not await info.context.load(delivery.may_last, self.row.id):
            deny(info, Permission.ASSET_DOWNLOAD)
            return None
        return Url(delivery.latest_url(info.context.work, self.row.id, preset))

    @field("What the viewer may do with it now.")
    async def viewer_can(self, info: strawberry.Info[Context]) -> list[Action]:
        found = await info.context.load(_viewer_can, self.row)
        return [Action(word) for word in found or ()]


@strawberry.type
class AssetQueries:
    @field("One asset; null where there is none or the viewer may not know of it.", mapped=ById("Asset"))
    async def asset(self, info: strawberry.Info[Context], id: strawberry.ID) -> Asset | None:
        try:
            number = number_of("Asset", id, ("id",))
        except NotFound:
            return None
        found: Asset | None = await fetch(info.context, "Asset", number)
        return found

    @field(
        "Assets found by words and filters; without an order, best or newest first.",
        extra={"search": 50, "where": 5},
        mapped=LISTED,
    )
    def assets(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: str | None = None,
        where: AssetWhere | None = None,
        order_by: list[AssetOrder] | None = None,
        stage: Stage | None = None,
    ) -> AssetConnection:
        asked = AssetList(info.context.work, search, where, order_by, stage)
        return AssetConnection(asked=asked, wanted=asked.paging(first, after, last, before))

    @field("Assets that hold exactly these bytes in any version, even archived: ask before you upload or buy.")
    def assets_with_digest(self, info: strawberry.Info[Context], sha256: Sha256) -> list[Asset]:
        return [Asset.of(row) for row in assets.with_digest(info.context.work, sha256)]


def _of_change(info: strawberry.Info[Context], row: AssetRow, told: attrgetter[Any]) -> Any:
    """Without waiting where all assets are alike to the viewer, as to most who ask for many."""
    if identity.sees_all_alike(info.context.work):
        return told(identity.shown_changes(info.context.work, [row])[row.id])
    return _of_change_in_time(info, row, told)


async def _of_change_in_time(info: strawberry.Info[Context], row: AssetRow, told: attrgetter[Any]) -> Any:
    return told(await info.context.load(_changes, row))


def _changes(work: Work, rows: Iterable[AssetRow]) -> dict[AssetRow, identity.Change]:
    kept = list(rows)
    found = identity.shown_changes(work, kept)
    return {row: found[row.id] for row in kept}


def _viewer_can(work: Work, rows: Iterable[AssetRow]) -> dict[AssetRow, list[str]]:
    kept = list(rows)
    found = assets.viewer_can(work, kept)
    return {row: found[row.id] for row in kept}


KINDS["Asset"] = Kind(assets.by_id, Asset.of)
TABLES["Asset"] = Table(assets.seen, AssetRow.id, identity.holds_asset, assets.STAMPS)
