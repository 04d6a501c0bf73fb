"""Operations on many assets, what became of each, and what one would do, over GraphQL."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import bulk
from domain.global_ids import encode
from domain.work import Work
from schema.connections import Connection, below
from schema.context import Context
from schema.errors import ErrorCode
from schema.fields import field
from schema.hub import Job, JobFailure
from schema.node import KINDS, Kind, Node, fetch, speak
from schema.paging import After, Before, First, Last
from schema.scalars import Instant, Json
from storage.tables import BulkItemRow, BulkOperationRow

if TYPE_CHECKING:
    from schema.assets import Asset


@strawberry.enum(description="How far an operation has come. What is done of a FAILED or CANCELLED one stays done.")
class BulkOperationState(Enum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@strawberry.enum(description="What became of an asset in an operation.")
class BulkItemState(Enum):
    WAITING = "WAITING"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@strawberry.type(description="One thing that is changed of an asset.")
class BulkChange:
    what: str = strawberry.field(
        description="`title`, `tags`, `fields.KEY`, `altTexts.LOCALE` and the like. What a field says that needs a "
        "permission is not told."
    )
    before: Json | None = strawberry.field(description="What it was; null for nothing. Of tags, those taken away.")
    after: Json | None = strawberry.field(description="What it becomes; null for nothing. Of tags, those added.")

    @classmethod
    def of(cls, change: bulk.Change) -> BulkChange:
        return cls(what=change.what, before=change.before, after=change.after)


@strawberry.type(description="An asset in an operation.")
class BulkItem:
    row: strawberry.Private[BulkItemRow]
    state: BulkItemState
    code: ErrorCode | None = strawberry.field(description="Why it was refused, for programs.")
    message: str | None = strawberry.field(description="Why it was refused, as a whole sentence.")

    @classmethod
    def of(cls, row: BulkItemRow) -> BulkItem:
        code = None if row.code is None else ErrorCode(row.code)
        return cls(row=row, state=BulkItemState(row.state), code=code, message=row.message)

    @field("The asset; null where the viewer may not know of it any more.")
    async def asset(self, info: strawberry.Info[Context]) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        found: Asset | None = await fetch(info.context, "Asset", self.row.asset_id)
        return found

    @field("What was changed of it; empty unless it was, or where the viewer may not know of it any more.")
    async def changes(self, info: strawberry.Info[Context]) -> list[BulkChange]:
        if self.row.before is None or await fetch(info.context, "Asset", self.row.asset_id) is None:
            return []
        return [BulkChange.of(each) for each in await info.context.load(_changes, self.row) or ()]


@strawberry.type(description="A change of many assets, done as one: watched by its id, and taken back by it.")
class BulkOperation(Node):
    row: strawberry.Private[BulkOperationRow]
    state: BulkOperationState
    total: int = strawberry.field(description="How many assets it is about.")
    changed: int = strawberry.field(description="How many it has changed.")
    unchanged: int = strawberry.field(description="How many were so already.")
    refused: int = strawberry.field(description="How many it was refused for; each says why.")
    reason: str | None = strawberry.field(description="Why, in the words of whoever asked.")
    failure: JobFailure | None
    created_at: Instant
    finished_at: Instant | None

    @classmethod
    def of(cls, row: BulkOperationRow) -> BulkOperation:
        return cls(
            row=row,
            id=strawberry.ID(encode("BulkOperation", row.id)),
            state=BulkOperationState(row.state),
            total=row.total,
            changed=row.changed,
            unchanged=row.unchanged,
            refused=row.refused,
            reason=row.reason,
            failure=JobFailure.of(row.failure_code, row.failure_message),
            created_at=row.created_at,
            finished_at=row.finished_at,
        )

    @field("Its assets in the order of their ids; with `state`, only such.")
    async def items(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        state: BulkItemState | None = None,
    ) -> Connection[BulkItem]:
        word = None if state is None else state.value
        return await below(
            info,
            self.row.id,
            f"bulkItems {word}",
            _ITEMS[word],
            _COUNTS[word],
            BulkItem.of,
            first=first,
            after=after,
            last=last,
            before=before,
        )

    @field("The operation that this one takes back; null unless it takes one back.")
    async def undoes(self, info: strawberry.Info[Context]) -> BulkOperation | None:
        number = self.row.undoes_id
        found: BulkOperation | None = None if number is None else await fetch(info.context, "BulkOperation", number)
        return found

    @field("The operation that takes this one back, unless that failed or was given up.")
    async def undone_by(self, info: strawberry.Info[Context]) -> BulkOperation | None:
        found = await info.context.load(bulk.undoings_of, self.row.id)
        return None if found is None else BulkOperation.of(found)

    @field("The work itself; null where there were so few assets that it was done at once, and once it is forgotten.")
    async def job(self, info: strawberry.Info[Context]) -> Job | None:
        found = await info.context.load(bulk.jobs_of, self.row)
        return None if found is None else speak("Job", found)


@strawberry.type(description="Why some of the assets would not be changed.")
class BulkRefusal:
    asset_ids: strawberry.Private[list[int]]
    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="As a whole sentence.")
    count: int = strawberry.field(description="For how many.")

    @field("Some of them, at most 5.", size=5)
    async def examples(
        self, info: strawberry.Info[Context]
    ) -> list[Annotated[Asset, strawberry.lazy("schema.assets")]]:
        return [each for id_ in self.asset_ids if (each := await fetch(info.context, "Asset", id_)) is not None]


@strawberry.type(description="An asset, and what would be changed of it.")
class BulkExample:
    asset_id: strawberry.Private[int]
    changes: list[BulkChange] = strawberry.field(description="What would be changed of it.")

    @field("The asset.")
    async def asset(self, info: strawberry.Info[Context]) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        found: Asset | None = await fetch(info.context, "Asset", self.asset_id)
        return found


@strawberry.type(description="What an operation would do now; nothing of it is done.")
class BulkPreview:
    total: int = strawberry.field(description="How many assets it would be about; give it back as `expected`.")
    changed: int = strawberry.field(description="How many it would change.")
    unchanged: int = strawberry.field(description="How many are so already.")
    refused: int = strawberry.field(description="How many it would be refused for.")
    refusals: list[BulkRefusal] = strawberry.field(description="Why, the most frequent first.")
    examples: list[BulkExample] = strawberry.field(description="Some that it would change, at most 20.")

    @classmethod
    def of(cls, found: bulk.Preview) -> BulkPreview:
        return cls(
            total=found.total,
            changed=found.changed,
            unchanged=found.unchanged,
            refused=found.refused,
            refusals=[
                BulkRefusal(asset_ids=each.asset_ids, code=ErrorCode(each.code), message=each.message, count=each.count)
                for each in found.reasons
            ],
            examples=[
                BulkExample(asset_id=asset_id, changes=[BulkChange.of(change) for change in changes])
                for asset_id, changes in found.examples
            ],
        )


def _changes(work: Work, rows: Any) -> dict[BulkItemRow, list[bulk.Change]]:
    kept = {row.asset_id: row for row in rows if row.before is not None and row.after is not None}
    by_operation: dict[int, list[BulkItemRow]] = {}
    for row in rows:
        by_operation.setdefault(row.operation_id, []).append(row)
    found: dict[BulkItemRow, list[bulk.Change]] = {}
    for some in by_operation.values():
        told = bulk.changes_of(work, [(row.asset_id, row.before or {}, row.after or {}) for row in some])
        found |= {row: told[row.asset_id] for row in some}
    return found if kept else {}


def _items(word: str | None) -> Any:
    return lambda work, ids, wanted: bulk.items_of(work, ids, wanted, word)


def _counts(word: str | None) -> Any:
    return lambda work, ids: bulk.items_count(work, ids, word)


#: One read for each state: reads that are asked for together are batched by what they are.
_ITEMS = {word: _items(word) for word in (None, *(each.value for each in BulkItemState))}
_COUNTS = {word: _counts(word) for word in (None, *(each.value for each in BulkItemState))}


KINDS["BulkOperation"] = Kind(bulk.by_id, BulkOperation.of)
