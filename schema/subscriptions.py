"""What one can subscribe to."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from enum import Enum
from functools import partial
from typing import Annotated, Any, TypeVar, cast

import strawberry

from domain import asking, feed, telling
from domain.feed import Happened
from domain.global_ids import number_of
from domain.refusals import Invalid, NotFound
from schema.assets import Asset
from schema.context import Context
from schema.hub import Job
from schema.purchases.types import StockPurchase
from schema.renditions import Rendition
from schema.scalars import Instant
from schema.topics import Following, Watching
from schema.versions import AssetVersion
from storage.tables import AssetRow, StockPurchaseRow

Resolver = TypeVar("Resolver", bound=Callable[..., Any])

#: Things that one subscription may name.
MAX_NAMED = 100

After = Annotated[
    str | None,
    strawberry.argument(
        description="The cursor of the last event that was told: what happened since is told first. Left out, what "
        "happens from now on is."
    ),
]


@strawberry.enum(description="What happened to an asset.")
class AssetChange(Enum):
    CREATED = "asset.created"
    UPDATED = "asset.updated"
    ARCHIVED = "asset.archived"
    RESTORED = "asset.restored"
    TRASHED = "asset.trashed"
    RESTORED_FROM_TRASH = "asset.restored_from_trash"
    PURGED = "asset.purged"
    VERSION_ADDED = "asset.version_added"
    VERSION_ANALYSED = "asset.version_analysed"
    VERSION_APPROVED = "asset.version_approved"
    APPROVAL_REVOKED = "asset.approval_revoked"
    TAGS_CHANGED = "asset.tags_changed"
    ACCEPTED = "inbox.accepted"
    REJECTED = "inbox.rejected"


@strawberry.enum(description="What happened to renditions.")
class RenditionChange(Enum):
    QUEUED = "rendition.queued"
    READY = "rendition.ready"
    FAILED = "rendition.failed"


@strawberry.enum(description="What became of a purchase.")
class StockPurchaseChange(Enum):
    REQUESTED = "stock_purchase.requested"
    APPROVED = "stock_purchase.approved"
    REJECTED = "stock_purchase.rejected"
    ORDERED = "stock_purchase.ordered"
    LICENSED = "stock_purchase.licensed"
    CANCELLED = "stock_purchase.cancelled"


@strawberry.type(description="Something that happened to an asset that the viewer sees.")
class AssetEvent:
    cursor: str = strawberry.field(description="Subscribe `after` it to be told what happened since.")
    change: AssetChange
    occurred_at: Instant
    asset: Asset = strawberry.field(description="As it is now, which may be later than the event.")

    @classmethod
    def of(cls, happened: Happened, row: AssetRow, cursor: str) -> AssetEvent:
        return cls(
            cursor=cursor,
            change=AssetChange(happened.type),
            occurred_at=happened.occurred_at,
            asset=Asset.of(row),
        )


@strawberry.type(description="Something that happened to renditions of a version that the viewer sees.")
class RenditionEvent:
    cursor: str = strawberry.field(description="Subscribe `after` it to be told what happened since.")
    change: RenditionChange
    occurred_at: Instant
    version: AssetVersion
    renditions: list[Rendition] = strawberry.field(description="As they are now, which may be later than the event.")

    @classmethod
    def of(cls, happened: Happened, told: telling.Rendered, cursor: str) -> RenditionEvent:
        return cls(
            cursor=cursor,
            change=RenditionChange(happened.type),
            occurred_at=happened.occurred_at,
            version=AssetVersion.of(told.version),
            renditions=[Rendition.of(row) for row in told.renditions],
        )


@strawberry.type(description="Something that became of a purchase that the viewer may know of.")
class StockPurchaseEvent:
    cursor: str = strawberry.field(description="Subscribe `after` it to be told what happened since.")
    change: StockPurchaseChange
    occurred_at: Instant
    purchase: StockPurchase = strawberry.field(description="As it is now, which may be later than the event.")

    @classmethod
    def of(cls, happened: Happened, row: StockPurchaseRow, cursor: str) -> StockPurchaseEvent:
        return cls(
            cursor=cursor,
            change=StockPurchaseChange(happened.type),
            occurred_at=happened.occurred_at,
            purchase=StockPurchase.of(row),
        )


def subscription(description: str) -> Callable[[Resolver], Resolver]:
    return cast("Callable[[Resolver], Resolver]", strawberry.subscription(description=description))


@strawberry.type
class Subscription:
    @subscription("What happens to assets that the viewer sees; with `ids`, to these, at most 100.")
    def asset_changed(
        self, info: strawberry.Info[Context], ids: list[strawberry.ID] | None = None, after: After = None
    ) -> AsyncIterable[AssetEvent]:
        read = partial(telling.of_assets, ids=_numbers("Asset", ids, "ids"))
        return Following(telling.ASSET_TYPES, read, AssetEvent.of, _place(info, after))

    @subscription(
        "What happens to renditions of versions that the viewer sees; with `assets`, of these, with `ids`, to these, "
        "at most 100 each."
    )
    def rendition_changed(
        self,
        info: strawberry.Info[Context],
        assets: list[strawberry.ID] | None = None,
        ids: list[strawberry.ID] | None = None,
        after: After = None,
    ) -> AsyncIterable[RenditionEvent]:
        read = partial(
            telling.of_renditions,
            asset_ids=_numbers("Asset", assets, "assets"),
            ids=_numbers("Rendition", ids, "ids"),
        )
        return Following(telling.RENDITION_TYPES, read, RenditionEvent.of, _place(info, after))

    @subscription(
        "What becomes of purchases that the viewer may know of; with `mine`, of those that they asked for or wait for, "
        "as whoever asks for what is being bought already does; with `ids`, of these, at most 100."
    )
    def stock_purchase_changed(
        self,
        info: strawberry.Info[Context],
        mine: bool = False,
        ids: list[strawberry.ID] | None = None,
        after: After = None,
    ) -> AsyncIterable[StockPurchaseEvent]:
        read = partial(telling.of_purchases, ids=_numbers("StockPurchase", ids, "ids"), mine=mine)
        return Following(telling.PURCHASE_TYPES, read, StockPurchaseEvent.of, _place(info, after))

    @subscription("How far a job is: at once, and whenever it has moved, until it is done or given up.")
    def job_progress(self, info: strawberry.Info[Context], id: strawberry.ID) -> AsyncIterable[Job]:
        number = number_of("Job", id, ("id",))
        if number not in asking.jobs_by_id(info.context.work, [number]):
            raise NotFound("There is no Job with this id.", ("id",))
        return Watching(number, Job.of)


def _numbers(type_: str, ids: list[strawberry.ID] | None, name: str) -> frozenset[int] | None:
    """One that is not there, or not for the viewer's eyes, is merely never told of."""
    if ids is None:
        return None
    if len(ids) > MAX_NAMED:
        raise Invalid(f"Name at most {MAX_NAMED}.", (name,), "length")
    return frozenset(number_of(type_, each, (name,)) for each in ids)


def _place(info: strawberry.Info[Context], after: str | None) -> int | None:
    return None if after is None else feed.place_of(info.context.work, after)
