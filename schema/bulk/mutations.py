"""Asking for operations on many assets: looking first, doing, taking back, giving up."""

from __future__ import annotations

import strawberry

from domain import bulk, pages
from domain.assets.changing import UNSET
from domain.bulk import Input, Selection
from domain.global_ids import number_of
from domain.work import Work
from schema import filters
from schema.bulk.types import BulkOperation, BulkPreview
from schema.connections import Connection
from schema.context import Context
from schema.custom_fields import inputs
from schema.custom_fields.inputs import AssetFieldInput
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.localised import LocalisedTextChangeInput, words_of
from schema.mutating import Answer, run
from schema.paging import After, Before, First, Last
from storage.tables import BulkOperationRow


@strawberry.input(description="What is to be changed on each asset; what is left out stays. At least one thing.")
class AssetBulkChangesInput:
    title: str | None = strawberry.field(default=None, description="What they are all to be called.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="null takes it away.")
    tags: list[str] | None = strawberry.field(default=None, description="All tags from now on, by name.")
    add_tags: list[str] | None = strawberry.field(default=None, description="By name; unknown ones are made.")
    remove_tags: list[strawberry.ID] | None = strawberry.field(default=None, description="Ids of tags to take away.")
    brand: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The brand that they are to carry; null for none."
    )
    fields: list[AssetFieldInput] | None = strawberry.field(
        default=None, description="What fields of the brand's own are to say."
    )
    titles: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What they are called in other languages."
    )
    alt_texts: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What stands in for the picture."
    )
    decorative: bool | None = strawberry.field(default=None, description="Whether they are only decoration.")
    archived: bool | None = strawberry.field(
        default=None, description="true puts them away, false brings them back; those that are there stay there."
    )


@strawberry.input(description="Assets named one by one, or all that meet a filter: one of both.")
class AssetSelectionInput:
    assets: list[strawberry.ID] | None = strawberry.field(default=None, description="Their ids, at most 500.")
    where: filters.AssetWhere | None = strawberry.field(
        default=None, description="All that the list shows under this filter, at most 10,000."
    )


@strawberry.input(description="Assets, and what is to be changed on each.")
class AssetBulkUpdateInput:
    assets: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Ids of the assets, at most 500; or else say `where`."
    )
    where: filters.AssetWhere | None = strawberry.field(
        default=None, description="All assets that the list shows under this filter, at most 10,000."
    )
    changes: AssetBulkChangesInput = strawberry.field(description="What is to be changed.")
    expected: int | None = strawberry.field(
        default=None, description="How many assets the preview told of; another number is refused."
    )
    reason: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The operation to take back.")
class BulkOperationUndoInput:
    operation: strawberry.ID
    reason: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The operation to give up.")
class BulkOperationCancelInput:
    operation: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`operation` is null exactly when `errors` is not empty.")
class BulkOperationPayload:
    operation: BulkOperation | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class BulkQueries:
    @field("What `assetBulkUpdate` would do to these assets now.", weight=500)
    def asset_bulk_preview(
        self, info: strawberry.Info[Context], selection: AssetSelectionInput, changes: AssetBulkChangesInput
    ) -> BulkPreview:
        work = info.context.work
        chosen = _selection(work, selection.assets, selection.where)
        return BulkPreview.of(bulk.preview(work, chosen, _input(changes)))

    @field("Operations of the viewer's own, newest first; all, for whoever watches jobs and sees every asset.")
    def bulk_operations(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[BulkOperation]:
        work = info.context.work
        scope = pages.scope_of("bulkOperations", work.viewer.principal_id)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=bulk.page(work, wanted),
            speak=BulkOperation.of,
            count=lambda asked: bulk.count(asked.context.work),
        )


@strawberry.type
class BulkMutations:
    @mutation(
        "Changes many assets as one operation: up to 25 at once, more by a job. Each is changed whole or, where that "
        "is refused, not at all.",
        weight=100,
    )
    def asset_bulk_update(self, info: strawberry.Info[Context], input: AssetBulkUpdateInput) -> BulkOperationPayload:
        def act(work: Work) -> Answer:
            chosen = _selection(work, input.assets, input.where, input.expected)
            return _operation(bulk.ask(work, chosen, _input(input.changes), input.reason))

        return run(info, input, BulkOperationPayload, act)

    @mutation(
        "Takes an operation back, as an operation that can itself be taken back: each asset that it changed returns "
        "to what it was, unless somebody changed the same since. That one is left alone, and told.",
        weight=100,
    )
    def bulk_operation_undo(
        self, info: strawberry.Info[Context], input: BulkOperationUndoInput
    ) -> BulkOperationPayload:
        def act(work: Work) -> Answer:
            number = number_of("BulkOperation", input.operation, ("operation",))
            return _operation(bulk.undo(work, number, input.reason))

        return run(info, input, BulkOperationPayload, act)

    @mutation("Gives up what is left of an operation; what is done of it stays done, and can be taken back.")
    def bulk_operation_cancel(
        self, info: strawberry.Info[Context], input: BulkOperationCancelInput
    ) -> BulkOperationPayload:
        def act(work: Work) -> Answer:
            return _operation(bulk.cancel(work, number_of("BulkOperation", input.operation, ("operation",))))

        return run(info, input, BulkOperationPayload, act)


def _selection(
    work: Work,
    named: list[strawberry.ID] | None,
    where: filters.AssetWhere | None,
    expected: int | None = None,
) -> Selection:
    filters.check_size(where)
    numbers = None if named is None else [number_of("Asset", each, ("assets",)) for each in named]
    return Selection(numbers, filters.condition(work, where), expected)


def _input(given: AssetBulkChangesInput) -> Input:
    return Input(
        title=given.title,
        description=UNSET if given.description is strawberry.UNSET else given.description,
        brand_id=UNSET if given.brand is strawberry.UNSET else _optional(given.brand),
        tags=given.tags,
        add_tags=given.add_tags or (),
        remove_tags=[number_of("Tag", each, ("removeTags",)) for each in given.remove_tags or ()],
        fields=inputs.given(given.fields),
        words=words_of(given.titles, given.alt_texts, given.decorative),
        archived=given.archived,
    )


def _optional(brand: strawberry.ID | None) -> int | None:
    return None if brand is None else number_of("Brand", brand, ("brand",))


def _operation(row: BulkOperationRow) -> Answer:
    return {"operation": ("BulkOperation", row.id)}
