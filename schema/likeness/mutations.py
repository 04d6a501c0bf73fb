"""Deciding about near-duplicates, and merging assets."""

from __future__ import annotations

import strawberry

from domain import likeness
from domain.global_ids import number_of
from domain.likeness import Kept, Merge
from domain.refusals import Invalid
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.errors import MutationError
from schema.fields import mutation
from schema.likeness.types import NearDuplicate, NearDuplicateDecision
from schema.mutating import Answer, run


@strawberry.input(description="What is decided about two assets that look alike.")
class NearDuplicateDecideInput:
    near_duplicate: strawberry.ID = strawberry.field(description="The pair's id.")
    decision: NearDuplicateDecision = strawberry.field(description="What becomes of them.")
    keep: strawberry.ID | None = strawberry.field(
        default=None, description="The asset of the two that is kept; needed unless both are."
    )
    keep_revision: int | None = strawberry.field(
        default=None, description="The revision of the asset that is kept; needed with `keep`."
    )
    other_revision: int | None = strawberry.field(
        default=None, description="The revision of the other asset; needed with `keep`."
    )
    reason: str | None = strawberry.field(
        default=None, description="Why; needed to keep both. At most 2,000 characters."
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`nearDuplicate` is null exactly when `errors` is not empty.")
class NearDuplicateDecidePayload:
    near_duplicate: NearDuplicate | None = strawberry.field(description="The pair as it stands now.")
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.input(description="Two assets to merge: `from` becomes part of `into`, and its id goes on working.")
class AssetMergeInput:
    into: strawberry.ID = strawberry.field(description="The asset that stays.")
    from_: strawberry.ID = strawberry.field(name="from", description="The asset that becomes part of it.")
    expected_revision: int = strawberry.field(description="The revision of `into`.")
    from_revision: int = strawberry.field(description="The revision of `from`.")
    newest: bool = strawberry.field(
        default=False,
        description="Whether the bytes of `from` are the newest version of what comes of it; else its versions come "
        "before those of `into`.",
    )
    reason: str | None = strawberry.field(default=None, description="Why, for the audit. At most 2,000 characters.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetMergePayload:
    asset: Asset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.input(description="A merge to take back.")
class AssetMergeUndoInput:
    from_: strawberry.ID = strawberry.field(name="from", description="The asset that became part of another one.")
    expected_revision: int = strawberry.field(description="The revision of the asset that it became part of.")
    reason: str | None = strawberry.field(default=None, description="Why, for the audit. At most 2,000 characters.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` and `restored` are null exactly when `errors` is not empty.")
class AssetMergeUndoPayload:
    asset: Asset | None = strawberry.field(description="The asset that it was part of.")
    restored: Asset | None = strawberry.field(description="The asset that stands for itself again.")
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class LikenessMutations:
    @mutation("Decides about two assets that look alike: use one, make it a version of the other, merge, or keep both.")
    def near_duplicate_decide(
        self, info: strawberry.Info[Context], input: NearDuplicateDecideInput
    ) -> NearDuplicateDecidePayload:
        def act(work: Work) -> Answer:
            number = number_of("NearDuplicate", input.near_duplicate, ("nearDuplicate",))
            row = likeness.decide(work, number, input.decision, _kept(input), input.reason)
            return {"near_duplicate": ("NearDuplicate", row.id)}

        return run(info, input, NearDuplicateDecidePayload, act)

    @mutation(
        "Merges two assets: versions, approvals, tags, places in lightboxes, shares, grants, links and whatever else "
        "points at one point at the other from now on."
    )
    def asset_merge(self, info: strawberry.Info[Context], input: AssetMergeInput) -> AssetMergePayload:
        def act(work: Work) -> Answer:
            wanted = Merge(
                into_id=number_of("Asset", input.into, ("into",)),
                from_id=number_of("Asset", input.from_, ("from",)),
                into_revision=input.expected_revision,
                from_revision=input.from_revision,
                newest=input.newest,
                reason=input.reason,
            )
            return {"asset": ("Asset", likeness.merge(work, wanted).id)}

        return run(info, input, AssetMergePayload, act)

    @mutation(
        "Takes a merge back: what became part of another asset stands for itself again, with its versions, approvals, "
        "tags, places in lightboxes, shares, grants, links and rights as they were. Refused where any of that has "
        "changed since, and when as many days are over as things stay in the trash."
    )
    def asset_merge_undo(self, info: strawberry.Info[Context], input: AssetMergeUndoInput) -> AssetMergeUndoPayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.from_, ("from",))
            into, restored = likeness.undo(work, number, input.expected_revision, input.reason)
            return {"asset": ("Asset", into.id), "restored": ("Asset", restored.id)}

        return run(info, input, AssetMergeUndoPayload, act)


def _kept(input: NearDuplicateDecideInput) -> Kept | None:
    if input.keep is None:
        return None
    if input.keep_revision is None or input.other_revision is None:
        raise Invalid("Say which revisions of both assets you decide about.", ("keepRevision",), "required")
    return Kept(number_of("Asset", input.keep, ("keep",)), input.keep_revision, input.other_revision)
