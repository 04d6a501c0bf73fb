"""Upload sessions, their files, and what would become of files, over GraphQL."""

from __future__ import annotations

from enum import Enum

import strawberry

from domain import fetching
from domain.fetching import Foreseen
from domain.global_ids import encode
from schema.assets import Asset
from schema.connections import Connection, below
from schema.context import Context
from schema.fields import field
from schema.hub import JobFailure
from schema.node import KINDS, Kind, Node, fetch
from schema.paging import After, Before, First, Last
from schema.scalars import BigInt, Instant, Sha256
from schema.templates import AssetCompleteness
from storage.tables import UploadItemRow, UploadSessionRow


@strawberry.enum(description="Where the files of a session come from.")
class UploadSource(Enum):
    UPLOADS = "UPLOADS"
    URLS = "URLS"
    ZIP = "ZIP"
    BUCKET = "BUCKET"


@strawberry.enum(description="How far a session is. OPEN takes uploads, RUNNING is a worker's; the others are over.")
class UploadSessionState(Enum):
    OPEN = "OPEN"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@strawberry.enum(description="What became of a file.")
class UploadOutcome(Enum):
    WAITING = "WAITING"
    CREATED = "CREATED"
    DUPLICATE = "DUPLICATE"
    REFUSED = "REFUSED"


@strawberry.type(description="How the files of a session fared.")
class UploadCounts:
    waiting: int = strawberry.field(description="That wait.")
    created: int = strawberry.field(description="That became assets.")
    duplicates: int = strawberry.field(description="Whose bytes the hub held already.")
    refused: int = strawberry.field(description="That were not taken.")


@strawberry.type(description="One file of a session.")
class UploadItem:
    row: strawberry.Private[UploadItemRow]
    number: int = strawberry.field(description="Its place in the session, from 1.")
    name: str = strawberry.field(
        description="The file's name, its path in a ZIP, its key, its address without a query."
    )
    outcome: UploadOutcome
    byte_size: BigInt | None = strawberry.field(description="Of what was taken.")
    sha256: Sha256 | None = strawberry.field(description="Of what was taken.")
    reason: str | None = strawberry.field(description="Why it was refused: a stable word.")
    message: str | None = strawberry.field(description="Why it was refused: a whole sentence for people.")

    @classmethod
    def of(cls, row: UploadItemRow) -> UploadItem:
        return cls(
            row=row,
            number=row.number,
            name=row.name,
            outcome=UploadOutcome(row.state),
            byte_size=None if row.byte_size is None else BigInt(row.byte_size),
            sha256=None if row.sha256 is None else Sha256(row.sha256),
            reason=row.reason,
            message=row.sentence,
        )

    @field("The asset it became, or whose bytes it has; null where the viewer may not see that one.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        found: Asset | None = (
            None if self.row.asset_id is None else await fetch(info.context, "Asset", self.row.asset_id)
        )
        return found


@strawberry.type(description="Many files that come together, with an outcome for each. It is whose opened it alone.")
class UploadSession(Node):
    row: strawberry.Private[UploadSessionRow]
    name: str = strawberry.field(description="As whoever opened it called it.")
    source: UploadSource
    state: UploadSessionState
    created_at: Instant
    finished_at: Instant | None = strawberry.field(description="When it was over, good or bad.")
    failure: JobFailure | None = strawberry.field(description="What kept every further file out, if FAILED.")

    @classmethod
    def of(cls, row: UploadSessionRow) -> UploadSession:
        return cls(
            row=row,
            id=strawberry.ID(encode("UploadSession", row.id)),
            name=row.name,
            source=UploadSource(row.source),
            state=UploadSessionState(row.state),
            created_at=row.created_at,
            finished_at=row.finished_at,
            failure=JobFailure.of(row.failure_code, row.failure_message),
        )

    @field("How its files fared.")
    async def counts(self, info: strawberry.Info[Context]) -> UploadCounts:
        found = await info.context.load(fetching.counts, self.row.id) or fetching.Counts()
        return UploadCounts(
            waiting=found.waiting, created=found.created, duplicates=found.duplicates, refused=found.refused
        )

    @field("Its files in their order.")
    async def items(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UploadItem]:
        read, counted, of = fetching.items_of, fetching.item_counts, UploadItem.of
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "uploadSession.items", read, counted, of, **page)  # type: ignore[arg-type]


@strawberry.type(description="What would become of an upload if it were added now; nothing of it is done.")
class UploadForeseen:
    asset_id: strawberry.Private[int | None]
    upload: strawberry.ID = strawberry.field(description="The last part of the upload's address.")
    name: str = strawberry.field(description="The file's name.")
    outcome: UploadOutcome
    reason: str | None = strawberry.field(description="Why it would be refused: a stable word.")
    message: str | None = strawberry.field(description="Why it would be refused: a whole sentence for people.")
    completeness: AssetCompleteness | None = strawberry.field(
        description="How complete the asset would be by what is said of it here; what the file says itself is read "
        "later. null where no template holds for it, its bytes are here, or what is said of it is refused."
    )

    @classmethod
    def of(cls, found: Foreseen) -> UploadForeseen:
        told = found.completeness
        return cls(
            asset_id=found.asset_id,
            upload=strawberry.ID(found.upload_id),
            name=found.name,
            outcome=UploadOutcome(found.outcome),
            reason=found.reason,
            message=found.sentence,
            completeness=None if told is None else AssetCompleteness.of(told),
        )

    @field("The asset that has these bytes already; null where the viewer may not see it.")
    async def asset(self, info: strawberry.Info[Context]) -> Asset | None:
        found: Asset | None = None if self.asset_id is None else await fetch(info.context, "Asset", self.asset_id)
        return found


KINDS["UploadSession"] = Kind(fetching.by_id, UploadSession.of)
