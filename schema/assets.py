"""Assets over GraphQL, and lists of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from domain import (
    assets,
    crediting,
    custom_fields,
    delivery,
    holds,
    identity,
    likeness,
    localised,
    organisations,
    pages,
    relations,
    sharing,
    taxonomy,
    trash,
    uses,
)
from domain.assets import Stage, personal
from domain.global_ids import encode, number_of
from domain.licensing import assessing, embargoes, exclusivities, licenses, takedowns
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from schema.audit import AuditEvent, history
from schema.connections import Connection
from schema.context import Context
from schema.crediting import AssetStatement
from schema.custom_fields.types import CustomFieldValue, value_of
from schema.enums import Action, AssetKind, AssetLifecycle
from schema.fields import Subject, deny, field
from schema.filters import AssetOrder, AssetWhere
from schema.licensing import asking
from schema.listing import LISTED, AssetConnection, AssetList
from schema.localised import LocalisedText, Wished, wishes
from schema.mapped import TABLES, ById, Column, GlobalId, Many, One, Paged, Table, column
from schema.node import KINDS, Kind, Node, fetch, speak
from schema.paging import After, Before, First, Last
from schema.renditions import SignedUrl
from schema.scalars import Instant, Sha256, Url
from schema.shown import complete, of_change, viewer_can
from schema.similar import SimilarAsset
from schema.taxonomy import Tag
from schema.templates import AssetCompleteness
from schema.transforms import TransformInput, transform_urls
from schema.uses import AssetTrash, AssetUse
from schema.versions import AssetVersion, AssetVersionConnection
from storage.tables import AssetRow

if TYPE_CHECKING:
    from schema.licensing.assessing import AssetRights
    from schema.licensing.barring import Embargo, Exclusivity, Takedown
    from schema.licensing.licenses import License
    from schema.organisations import Brand, Organisation
    from schema.relations import AssetRelation
    from schema.sharing import Share
    from schema.trash import LegalHold


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
        return cast("int", of_change(info, self.row, attrgetter("revision")))

    @field(
        "When something last changed that the viewer may see.",
        mapped=Column(identity.shown_updated_at, like=AssetRow.updated_at),
    )
    def updated_at(self, info: strawberry.Info[Context]) -> Instant:
        return cast("datetime", of_change(info, self.row, attrgetter("updated_at")))

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
        "Whose it is and on what terms, as somebody stated it; null: its renditions say what the file says of itself."
    )
    async def statement(self, info: strawberry.Info[Context]) -> AssetStatement | None:
        found = await info.context.load(crediting.of_assets, self.row.id)
        return None if found is None else AssetStatement.of(found)

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

    @field(
        "Whose it is; null where the viewer may not know of it.",
        mapped=One("Organisation", organisations.seen, AssetRow.org_id, stamped=False),
    )
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field(
        "A stable address that leads to the newest approved version in a preset, for as long as whoever asked for it "
        "may see the asset; null also for guests, and for what the viewer's organisation as such cannot see. What it "
        "is for is decided at each opening; null where that is not licensed now, unless one is at work and names none.",
        needs=Permission.ASSET_DOWNLOAD,
        weight=3,
        extra={"use": 20},
    )
    async def latest_url(self, info: strawberry.Info[Context], preset: str, use: asking.Use = None) -> Url | None:
        if not preset.isprintable():
            raise Invalid("A preset's name is printable text.", ("preset",), "format")
        if not await info.context.load(delivery.may_last, self.row.id):
            deny(info, Permission.ASSET_DOWNLOAD)
            return None
        shown = self.row.approved_version_id or self.row.current_version_id
        by = None if shown is None else await info.context.leave(shown, asking.use_of(info.context.work, use))
        return None if by is None else Url(delivery.latest_url(info.context.work, self.row.id, preset, by))

    @field(
        "What looks like it among what the viewer may see, the nearest first: by any version, of archived assets too.",
        size="first",
        weight=3,
    )
    async def similar(self, info: strawberry.Info[Context], first: First = None) -> list[SimilarAsset]:
        limit = pages.paging(info.context.work, pages.scope_of("similar"), first=first).limit
        return [SimilarAsset.of(each) for each in await info.context.load(likeness.of_assets, self.row.id, limit) or []]

    @field(
        "Licences that it, or a version of it, is under and the viewer may know of, oldest first; at most 200.",
        mapped=Many("License", licenses.below_assets, AssetRow.id, most=licenses.MAX_OF_ASSET, own=True),
    )
    async def licenses(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[License, strawberry.lazy("schema.licensing.licenses")]]:
        return [speak("License", row) for row in await info.context.load(licenses.of_assets, self.row.id) or []]

    @field(
        "What was assessed of it and its versions and holds, oldest first.",
        needs=Permission.LICENSE_VIEW,
        mapped=Many("AssetRights", assessing.OF_ASSETS, AssetRow.id),
    )
    async def rights(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[AssetRights, strawberry.lazy("schema.licensing.assessing")]] | None:
        return [speak("AssetRights", row) for row in await info.context.load(assessing.of_assets, self.row.id) or []]

    @field(
        "Embargoes that nobody lifted, oldest first; over ones too.",
        needs=Permission.LICENSE_VIEW,
        mapped=Many("Embargo", embargoes.OF_ASSETS, AssetRow.id),
    )
    async def embargoes(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[Embargo, strawberry.lazy("schema.licensing.barring")]] | None:
        return [speak("Embargo", row) for row in await info.context.load(embargoes.of_assets, self.row.id) or []]

    @field(
        "Takedowns that stand, oldest first.",
        needs=Permission.LICENSE_VIEW,
        mapped=Many("Takedown", takedowns.OF_ASSETS, AssetRow.id),
    )
    async def takedowns(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[Takedown, strawberry.lazy("schema.licensing.barring")]] | None:
        return [speak("Takedown", row) for row in await info.context.load(takedowns.of_assets, self.row.id) or []]

    @field(
        "Who alone may use it for what, as nobody ended it; oldest first.",
        needs=Permission.LICENSE_VIEW,
        mapped=Many("Exclusivity", exclusivities.OF_ASSETS, AssetRow.id),
    )
    async def exclusivities(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[Exclusivity, strawberry.lazy("schema.licensing.barring")]] | None:
        return [
            speak("Exclusivity", row) for row in await info.context.load(exclusivities.of_assets, self.row.id) or []
        ]

    @field("Its place in the trash; null unless it lies there.")
    async def trash(self, info: strawberry.Info[Context]) -> AssetTrash | None:
        found = None if self.row.lifecycle != "ARCHIVED" else await info.context.load(trash.of_assets, self.row.id)
        return None if found is None else AssetTrash.of(found)

    @field("Legal holds that stand on it, oldest first.", needs=Permission.HOLD_MANAGE)
    async def holds(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[LegalHold, strawberry.lazy("schema.trash")]] | None:
        return [speak("LegalHold", row) for row in await info.context.load(holds.of_assets, self.row.id) or []]

    @field("What it is to other assets and they are to it, oldest first, at most 200.")
    async def relations(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[AssetRelation, strawberry.lazy("schema.relations")]]:
        return [speak("AssetRelation", row) for row in await info.context.load(relations.of_assets, self.row.id) or []]

    @field("Where it is used, at most 100 of a kind.", weight=5)
    async def used_in(self, info: strawberry.Info[Context]) -> list[AssetUse]:
        return [AssetUse.of(use) for use in await info.context.load(uses.of_assets, self.row.id) or []]

    @field(
        "Where a picture of its own is fetched, made of the current version when it is asked for; see "
        "`AssetVersion.transform`.",
        needs=Permission.ASSET_DOWNLOAD,
        weight=5,
        extra={"use": 20},
    )
    async def rendition(
        self, info: strawberry.Info[Context], transform: TransformInput, use: asking.Use = None
    ) -> SignedUrl | None:
        found = await info.context.load(assets.shown_versions, self.row.id)
        if found is None:
            return None
        made = transform_urls(info.context.work, transform)
        by = await info.context.leave(found.id, asking.use_of(info.context.work, use))
        if by is None or await info.context.load(delivery.barred, found.id):
            return None
        return SignedUrl.of(made(found.id, found.sha256, by))

    @field("What fields of the brand's own say of it, as far as the viewer may read them; with `keys`, these fields.")
    async def fields(self, info: strawberry.Info[Context], keys: list[str] | None = None) -> list[CustomFieldValue]:
        found = await info.context.load(custom_fields.of_assets, self.row.id) or []
        return [value_of(said) for said in found if keys is None or said.field.key in keys]

    @field("What it is called, in the language that fits best; its own title where none does.")
    async def local_title(self, info: strawberry.Info[Context], locale: Wished = None) -> LocalisedText:
        words = await info.context.load(localised.of_assets, self.row.id)
        return LocalisedText.of(localised.title(self.row, words, wishes(info, locale)))

    @field("What it is called in other languages.")
    async def titles(self, info: strawberry.Info[Context]) -> list[LocalisedText]:
        words = await info.context.load(localised.of_assets, self.row.id)
        return LocalisedText.all_of({} if words is None else words.titles)

    @field(
        "What stands in for the picture, in the language that fits best: null where nobody has said anything, and "
        "the empty text where it is only decoration."
    )
    async def alt_text(self, info: strawberry.Info[Context], locale: Wished = None) -> LocalisedText | None:
        found = localised.alt(await info.context.load(localised.of_assets, self.row.id), wishes(info, locale))
        return None if found is None else LocalisedText.of(found)

    @field("What stands in for the picture, in every language.")
    async def alt_texts(self, info: strawberry.Info[Context]) -> list[LocalisedText]:
        words = await info.context.load(localised.of_assets, self.row.id)
        return LocalisedText.all_of({} if words is None else words.alts)

    @field("Whether it is only decoration, for which nothing stands in.")
    async def decorative(self, info: strawberry.Info[Context]) -> bool:
        words = await info.context.load(localised.of_assets, self.row.id)
        return words is not None and words.decorative

    @field(
        "How much of what its template asks for it says; null also where no template holds for it.",
        needs=Permission.ASSET_VIEW_UNAPPROVED,
    )
    async def completeness(self, info: strawberry.Info[Context]) -> AssetCompleteness | None:
        found = await info.context.load(complete, self.row)
        return None if found is None else AssetCompleteness.of(found)

    @field("What the viewer may do with it now.")
    async def viewer_can(self, info: strawberry.Info[Context]) -> list[Action]:
        found = await info.context.load(viewer_can, self.row)
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


KINDS["Asset"] = Kind(assets.by_any_id, Asset.of)
TABLES["Asset"] = Table(assets.seen, AssetRow.id, identity.holds_asset, assets.STAMPS, assets.survivors)
