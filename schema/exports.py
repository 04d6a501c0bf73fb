"""Exports over GraphQL: asking for one, watching it, fetching it, giving it up."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from domain import delivery, exports, pages
from domain.global_ids import encode, number_of
from domain.work import Work
from schema import filters
from schema.connections import Connection
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.hub import Job, JobFailure
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, speak
from schema.paging import After, Before, First, Last
from schema.renditions import SignedUrl
from schema.scalars import BigInt, Instant
from schema.subjects import Subject
from storage.tables import BulkExportRow

_computed: Any = Enum
#: Mypy cannot read an enum whose members are computed; these are the domain's own.
AssetExportField: Any = strawberry.enum(
    _computed("AssetExportField", {name: name for name in exports.ASSET_FIELDS}),
    description="A field of an asset's line in an export, spelt as it is there; `type` and `id` are always there.",
)


@strawberry.enum(description="How far an export has come. FAILED says why; a CANCELLED one leaves nothing.")
class BulkExportState(Enum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@strawberry.type(description="Everything that somebody is shown, as lines of JSON in one file. It is theirs alone.")
class BulkExport(Node):
    row: strawberry.Private[BulkExportRow]
    what: list[Subject]
    state: BulkExportState
    created_at: Instant
    finished_at: Instant | None
    expires_at: Instant | None = strawberry.field(description="When the file is thrown away.")
    done: int = strawberry.field(description="How many lines are written.")
    total: int | None = strawberry.field(description="How many there may be, once that is known.")
    byte_size: BigInt | None = strawberry.field(description="Of the file.")
    failure: JobFailure | None

    @classmethod
    def of(cls, row: BulkExportRow) -> BulkExport:
        return cls(
            row=row,
            id=strawberry.ID(encode("BulkExport", row.id)),
            what=[Subject(name) for name in row.subjects],
            state=BulkExportState(row.state),
            created_at=row.created_at,
            finished_at=row.finished_at,
            expires_at=row.expires_at,
            done=row.lines,
            total=row.total,
            byte_size=None if row.byte_size is None else BigInt(row.byte_size),
            failure=JobFailure.of(row.failure_code, row.failure_message),
        )

    @field("Where to go on in the change feed: from before the first line was written. Null until it is done.")
    def cursor(self) -> str | None:
        return self.row.cursor if self.row.state == "DONE" else None

    @field(
        "Where the file is fetched. Null until it is done, once it was thrown away, and while the viewer holds "
        "anything else than when it was written: then ask for a new one."
    )
    def url(self, info: strawberry.Info[Context]) -> SignedUrl | None:
        return SignedUrl.of(delivery.export_url(info.context.work, self.row))

    @field("The work itself; null once it is forgotten.")
    async def job(self, info: strawberry.Info[Context]) -> Job | None:
        found = await info.context.load(exports.jobs_of, self.row)
        return None if found is None else speak("Job", found)


@strawberry.input(description="What to export.")
class BulkExportRunInput:
    what: list[Subject] | None = strawberry.field(default=None, description="Assets, if not said.")
    where: filters.AssetWhere | None = strawberry.field(
        default=None, description="Only such assets. The change feed knows no filter: it goes on about all of them."
    )
    fields: list[AssetExportField] | None = strawberry.field(
        default=None, description="Fields of an asset's line; all, if not said."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The export to give up.")
class BulkExportCancelInput:
    export: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`export` is null exactly when `errors` is not empty.")
class BulkExportPayload:
    export: BulkExport | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class ExportQueries:
    @field("The viewer's own exports, newest first.")
    def bulk_exports(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[BulkExport]:
        work = info.context.work
        scope = pages.scope_of("bulkExports", work.viewer.principal_id)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=exports.page(work, wanted),
            speak=BulkExport.of,
            count=lambda asked: exports.count(asked.context.work),
        )


@strawberry.type
class ExportMutations:
    @mutation(
        "Has everything written down that the viewer is shown, with the rights that they hold while it is written. Of "
        "an organisation, three at once."
    )
    def bulk_export_run(self, info: strawberry.Info[Context], input: BulkExportRunInput) -> BulkExportPayload:
        def act(work: Work) -> Answer:
            filters.check_size(input.where)
            row = exports.run(
                work,
                ["ASSET"] if input.what is None else [each.value for each in input.what],
                filters.condition(work, input.where),
                None if input.fields is None else [each.value for each in input.fields],
            )
            return _export(row)

        return run(info, input, BulkExportPayload, act)

    @mutation("Gives up an export that is not done; what is written of it is thrown away.")
    def bulk_export_cancel(self, info: strawberry.Info[Context], input: BulkExportCancelInput) -> BulkExportPayload:
        def act(work: Work) -> Answer:
            return _export(exports.cancel(work, number_of("BulkExport", input.export, ("export",))))

        return run(info, input, BulkExportPayload, act)


def _export(row: BulkExportRow) -> Answer:
    return {"export": ("BulkExport", row.id)}


KINDS["BulkExport"] = Kind(exports.by_id, BulkExport.of)
