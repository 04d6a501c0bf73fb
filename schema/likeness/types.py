"""What looks like an asset or an upload, and pairs and clusters of assets that wait for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import strawberry

from domain import likeness, pages
from domain.global_ids import encode, number_of
from domain.likeness import Cluster, Decision, Looked, Looking
from schema.assets import Asset
from schema.connections import Connection
from schema.context import Context
from schema.fields import field
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import Instant
from schema.similar import SimilarAsset
from storage.tables import AssetMergeRow, AssetRow, NearDuplicateRow

UploadLooking: Any = strawberry.enum(
    Looking, name="UploadLooking", description="How far looking at an upload has come."
)
NearDuplicateDecision: Any = strawberry.enum(
    Decision, name="NearDuplicateDecision", description="What becomes of two assets that look alike."
)


@strawberry.type(description="Why an upload could not be looked at.")
class LookingFailure:
    code: str = strawberry.field(description="For programs; never changes its meaning.")
    message: str = strawberry.field(description="A whole sentence for people.")


@strawberry.type(description="What looks like an upload, as far as it is known.")
class SimilarToUpload:
    state: UploadLooking = strawberry.field(description="While LOOKING, ask again: more may be found.")
    failure: LookingFailure | None = strawberry.field(description="Why it could not be looked at.")
    similar: list[SimilarAsset] = strawberry.field(description="Assets that look like it, the nearest first.")

    @classmethod
    def of(cls, looked: Looked) -> SimilarToUpload:
        return cls(
            state=looked.state,
            failure=None
            if looked.failure is None
            else LookingFailure(code=looked.failure[0], message=looked.failure[1]),
            similar=[SimilarAsset.of(each) for each in looked.similar],
        )


@strawberry.type(description="Two assets that look alike, and what was decided about them.")
class NearDuplicate(Node):
    row: strawberry.Private[NearDuplicateRow]
    found_at: Instant = strawberry.field(description="When it was noticed.")
    decision: NearDuplicateDecision | None = strawberry.field(description="Null while nobody has decided.")
    reason: str | None = strawberry.field(description="Why, in the words of whoever decided.")
    decided_at: Instant | None = strawberry.field(description="When somebody decided.")

    @classmethod
    def of(cls, row: NearDuplicateRow) -> NearDuplicate:
        return cls(
            row=row,
            id=strawberry.ID(encode("NearDuplicate", row.id)),
            found_at=row.found_at,
            decision=None if row.decision is None else Decision(row.decision),
            reason=row.reason,
            decided_at=row.decided_at,
        )

    @field("The two; one that was merged is what it became, and then there is only one.")
    async def assets(self, info: strawberry.Info[Context]) -> list[Asset]:
        both = [await fetch(info.context, "Asset", id_) for id_ in (self.row.low_asset_id, self.row.high_asset_id)]
        return list({each.row.id: each for each in both if each is not None}.values())

    @field("The one that is kept; null where both are, or nobody has decided.")
    async def kept(self, info: strawberry.Info[Context]) -> Asset | None:
        if self.row.kept_asset_id is None:
            return None
        found: Asset | None = await fetch(info.context, "Asset", self.row.kept_asset_id)
        return found

    @field("How far the nearest versions of both are apart; null where that is known no more.")
    async def distance(self, info: strawberry.Info[Context]) -> int | None:
        found = await info.context.load(likeness.evidence, self.row.id)
        return None if found is None else found.distance

    @field("Whether one is the mirror image of the other.")
    async def mirrored(self, info: strawberry.Info[Context]) -> bool:
        found = await info.context.load(likeness.evidence, self.row.id)
        return found is not None and found.is_mirrored


@strawberry.type(description="Assets that look alike, each like some other of them, and that nobody decided about.")
class NearDuplicateCluster:
    assets: list[Asset] = strawberry.field(description="The assets, oldest first, at most 100.")
    count: int = strawberry.field(description="How many assets there are.")
    pairs: int = strawberry.field(description="How many pairs of them look alike.")

    @classmethod
    def of(cls, cluster: Cluster) -> NearDuplicateCluster:
        return cls(assets=[Asset.of(row) for row in cluster.assets], count=cluster.count, pairs=cluster.pairs)


@strawberry.type(description="An asset that became part of another one, for as long as that can be undone.")
class AssetMerge:
    from_: strawberry.ID = strawberry.field(name="from", description="The id of the asset that became part of it.")
    title: str = strawberry.field(description="What it was called.")
    merged_at: Instant = strawberry.field(description="When.")
    undo_until: Instant = strawberry.field(description="Until when `assetMergeUndo` can take it back.")

    @classmethod
    def of(cls, merge: AssetMergeRow, gone: AssetRow) -> AssetMerge:
        return cls(
            from_=strawberry.ID(encode("Asset", gone.id)),
            title=gone.title,
            merged_at=merge.merged_at,
            undo_until=merge.undo_until,
        )


@dataclass(frozen=True)
class _Counted:
    decided: bool

    def __call__(self, info: strawberry.Info[Context]) -> int:
        return likeness.count(info.context.work, decided=self.decided)


@strawberry.type
class LikenessQueries:
    @field(
        "What looks like an upload of the viewer's own: ask before you make an asset of it, or buy it. It is looked at "
        "as soon as its last byte is here; `state` says how far that is.",
        size="first",
        weight=5,
    )
    def similar_to(self, info: strawberry.Info[Context], upload: strawberry.ID, first: First = None) -> SimilarToUpload:
        work = info.context.work
        limit = pages.paging(work, pages.scope_of("similarTo"), first=first).limit
        return SimilarToUpload.of(likeness.of_upload(work, upload, limit))

    @field(
        "Pairs of assets that look alike and wait for a decision, the oldest first; or those that were decided, the "
        "latest first. Only what the viewer sees everything of."
    )
    def near_duplicates(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        decided: bool = False,
    ) -> Connection[NearDuplicate]:
        work = info.context.work
        scope = pages.scope_of("nearDuplicates", decided)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        found = likeness.page(work, wanted, decided=decided)
        return Connection(slice=found, speak=NearDuplicate.of, count=_Counted(decided))

    @field("The same put together: whole clusters of assets that look alike, by their oldest asset.", weight=10)
    def near_duplicate_clusters(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[NearDuplicateCluster]:
        work = info.context.work
        scope = pages.scope_of("nearDuplicateClusters")
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=likeness.clusters(work, wanted),
            speak=NearDuplicateCluster.of,
            count=lambda asked: likeness.cluster_count(asked.context.work),
        )

    @field(
        "What was merged into an asset and can be taken back, the latest first, at most 100; nothing for whoever does "
        "not see all of the asset."
    )
    def asset_merges(self, info: strawberry.Info[Context], asset: strawberry.ID) -> list[AssetMerge]:
        number = number_of("Asset", asset, ("asset",))
        found = likeness.merges_of(info.context.work, [number]).get(number, [])
        return [AssetMerge.of(merge, gone) for merge, gone in found]


KINDS["NearDuplicate"] = Kind(likeness.by_id, NearDuplicate.of)
