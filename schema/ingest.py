"""Mutations that bring, change and put away assets."""

from __future__ import annotations

from typing import Final

import strawberry

from domain import assets, custom_fields, localised, workflow
from domain.assets import Changes, NewAsset, OnDuplicate
from domain.assets.changing import UNSET
from domain.global_ids import number_of
from domain.work import Work
from schema.assets import Asset
from schema.context import Context
from schema.custom_fields import inputs
from schema.custom_fields.inputs import AssetFieldInput
from schema.errors import MutationError
from schema.fields import mutation
from schema.localised import LocalisedTextChangeInput, words_of
from schema.mutating import Answer, run
from schema.scalars import Sha256
from schema.versions import AssetVersion
from storage.tables import AssetRow, AssetVersionRow

_OWN_WORK: Final = (
    "Whether the asset, with all its versions, is declared the own work of its organisation: it is then under the "
    "licence that the organisation gives itself."
)


@strawberry.input(description="A finished upload that is to become an asset.")
class AssetCreateInput:
    upload: strawberry.ID = strawberry.field(description="The last part of the upload's address.")
    title: str | None = strawberry.field(default=None, description="If not said, the file's own, else its name.")
    description: str | None = strawberry.field(default=None, description="If not said, the file's own.")
    tags: list[str] | None = strawberry.field(
        default=None, description="By name; unknown ones are made. If not said, the file's own."
    )
    on_duplicate: OnDuplicate = strawberry.field(
        default=OnDuplicate.REFUSE,
        description="When the same bytes are here: REFUSE, REUSE the asset that holds them, or make a DISTINCT one.",
    )
    reason: str | None = strawberry.field(default=None, description="Why it is DISTINCT; recorded.")
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose it is to be; the viewer's own organisation's if not said."
    )
    brand: strawberry.ID | None = strawberry.field(
        default=None, description="A brand of that organisation or of one above it."
    )
    fields: list[AssetFieldInput] | None = strawberry.field(
        default=None, description="What fields of the brand's own say of it."
    )
    titles: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What it is called in other languages."
    )
    alt_texts: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What stands in for the picture."
    )
    decorative: bool | None = strawberry.field(default=None, description="Whether it is only decoration.")
    own_work: bool = strawberry.field(default=False, description=f"{_OWN_WORK} What is REUSED stays as it is.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="A finished upload that is to become the newest version of an asset.")
class AssetVersionAddInput:
    asset: strawberry.ID
    upload: strawberry.ID
    expected_revision: int
    change_note: str | None = None
    on_duplicate: OnDuplicate = strawberry.field(
        default=OnDuplicate.REFUSE,
        description="When another asset holds the same bytes: REFUSE, or DISTINCT with a reason.",
    )
    reason: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="An earlier version that is to be current again, as a new version of the same bytes.")
class AssetVersionRestoreInput:
    version: strawberry.ID
    expected_revision: int = strawberry.field(description="The asset's revision.")
    change_note: str | None = None
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(
    description="Changes to an asset; what is left out stays, and `null` takes a description or a brand away."
)
class AssetUpdateInput:
    asset: strawberry.ID
    expected_revision: int
    title: str | None = None
    description: str | None = strawberry.UNSET
    tags: list[str] | None = strawberry.field(default=None, description="All tags from now on, by name.")
    add_tags: list[str] | None = strawberry.field(default=None, description="By name; unknown ones are made.")
    remove_tags: list[strawberry.ID] | None = None
    brand: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A brand of the asset's organisation or of one above it."
    )
    fields: list[AssetFieldInput] | None = strawberry.field(
        default=None, description="What fields of the brand's own are to say; others keep what they say."
    )
    titles: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What it is called in other languages."
    )
    alt_texts: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=None, description="What stands in for the picture."
    )
    decorative: bool | None = strawberry.field(default=None, description="Whether it is only decoration.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The asset to put away.")
class AssetArchiveInput:
    asset: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The archived asset to bring back.")
class AssetRestoreInput:
    asset: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The version to approve, and the bytes that were looked at.")
class AssetVersionApproveInput:
    version: strawberry.ID
    sha256: Sha256 = strawberry.field(description="The digest of the bytes you saw; other bytes are not approved.")
    note: str | None = None
    own_work: bool = strawberry.field(default=False, description=_OWN_WORK)
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The version whose approval is taken back.")
class AssetVersionApprovalRevokeInput:
    version: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetCreatePayload:
    asset: Asset | None
    duplicate_of: Asset | None = strawberry.field(description="The asset that held the same bytes before.")
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` and `version` are null exactly when `errors` is not empty.")
class AssetVersionAddPayload:
    asset: Asset | None
    version: AssetVersion | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` and `version` are null exactly when `errors` is not empty.")
class AssetVersionRestorePayload:
    asset: Asset | None
    version: AssetVersion | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetUpdatePayload:
    asset: Asset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetArchivePayload:
    asset: Asset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` is null exactly when `errors` is not empty.")
class AssetRestorePayload:
    asset: Asset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type(description="`asset` and `version` are null exactly when `errors` is not empty.")
class AssetVersionApprovalPayload:
    asset: Asset | None
    version: AssetVersion | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class IngestMutations:
    @mutation("Makes an asset of a finished upload.")
    def asset_create(self, info: strawberry.Info[Context], input: AssetCreateInput) -> AssetCreatePayload:
        def act(work: Work) -> Answer:
            new = NewAsset(
                title=input.title,
                description=input.description,
                tags=input.tags or (),
                on_duplicate=input.on_duplicate,
                reason=input.reason,
                org_id=_optional("Organisation", input.organisation, "organisation"),
                brand_id=_optional("Brand", input.brand, "brand"),
                said=custom_fields.wanted(work, inputs.given(input.fields)),
                words=localised.read(words_of(input.titles, input.alt_texts, input.decorative)),
                is_own_work=input.own_work,
            )
            created = assets.create(work, assets.of_upload(work, input.upload), new)
            twin = created.duplicate_of
            return _asset(created.asset) | {"duplicate_of": None if twin is None else ("Asset", twin.id)}

        return run(info, input, AssetCreatePayload, act)

    @mutation("Makes a finished upload the newest version of an asset.")
    def asset_version_add(
        self,
        info: strawberry.Info[Context],
        input: AssetVersionAddInput,
    ) -> AssetVersionAddPayload:
        def act(work: Work) -> Answer:
            version = assets.add_version(
                work,
                number_of("Asset", input.asset, ("asset",)),
                assets.of_upload(work, input.upload),
                input.expected_revision,
                change_note=input.change_note,
                on_duplicate=input.on_duplicate,
                reason=input.reason,
            )
            return _version(version)

        return run(info, input, AssetVersionAddPayload, act)

    @mutation("Makes an earlier version current again, as a new version of the same bytes.")
    def asset_version_restore(
        self,
        info: strawberry.Info[Context],
        input: AssetVersionRestoreInput,
    ) -> AssetVersionRestorePayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetVersion", input.version, ("version",))
            return _version(assets.make_current_again(work, number, input.expected_revision, input.change_note))

        return run(info, input, AssetVersionRestorePayload, act)

    @mutation("Changes what is said of an asset.")
    def asset_update(self, info: strawberry.Info[Context], input: AssetUpdateInput) -> AssetUpdatePayload:
        def act(work: Work) -> Answer:
            changes = Changes(
                title=input.title,
                description=UNSET if input.description is strawberry.UNSET else input.description,
                tags=input.tags,
                add_tags=input.add_tags or (),
                remove_tags=[number_of("Tag", each, ("removeTags",)) for each in input.remove_tags or ()],
                brand_id=UNSET if input.brand is strawberry.UNSET else _optional("Brand", input.brand, "brand"),
                said=custom_fields.wanted(work, inputs.given(input.fields)),
                words=localised.read(words_of(input.titles, input.alt_texts, input.decorative)),
            )
            number = number_of("Asset", input.asset, ("asset",))
            return _asset(assets.update(work, number, changes, input.expected_revision))

        return run(info, input, AssetUpdatePayload, act)

    @mutation("Puts an asset away; nothing is lost.")
    def asset_archive(self, info: strawberry.Info[Context], input: AssetArchiveInput) -> AssetArchivePayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return _asset(assets.archive(work, number, input.expected_revision))

        return run(info, input, AssetArchivePayload, act)

    @mutation("Brings an archived asset back.")
    def asset_restore(self, info: strawberry.Info[Context], input: AssetRestoreInput) -> AssetRestorePayload:
        def act(work: Work) -> Answer:
            number = number_of("Asset", input.asset, ("asset",))
            return _asset(assets.restore(work, number, input.expected_revision))

        return run(info, input, AssetRestorePayload, act)

    @mutation("Vouches for exactly these bytes.")
    def asset_version_approve(
        self,
        info: strawberry.Info[Context],
        input: AssetVersionApproveInput,
    ) -> AssetVersionApprovalPayload:
        def act(work: Work) -> Answer:
            number = number_of("AssetVersion", input.version, ("version",))
            return _version(workflow.approve(work, number, input.sha256, input.note, is_own_work=input.own_work))

        return run(info, input, AssetVersionApprovalPayload, act)

    @mutation("Takes a version's approval back.")
    def asset_version_approval_revoke(
        self,
        info: strawberry.Info[Context],
        input: AssetVersionApprovalRevokeInput,
    ) -> AssetVersionApprovalPayload:
        def act(work: Work) -> Answer:
            return _version(workflow.revoke(work, number_of("AssetVersion", input.version, ("version",))))

        return run(info, input, AssetVersionApprovalPayload, act)


def _optional(type_: str, id_: strawberry.ID | None, place: str) -> int | None:
    return None if id_ is None else number_of(type_, id_, (place,))


def _asset(row: AssetRow) -> dict[str, tuple[str, int] | None]:
    return {"asset": ("Asset", row.id)}


def _version(row: AssetVersionRow) -> Answer:
    return {"asset": ("Asset", row.asset_id), "version": ("AssetVersion", row.id)}
