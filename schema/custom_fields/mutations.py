"""Saying which fields of the brand's own there are."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from domain import custom_fields
from domain.custom_fields import FieldChanges, NewField
from domain.global_ids import number_of
from domain.permissions import Permission
from domain.work import Work
from schema.context import Context
from schema.custom_fields.types import CustomField, CustomFieldType
from schema.enums import AssetKind
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.localised import LocalisedTextInput, whole_texts_of
from schema.mutating import Answer, run
from schema.scalars import Day
from storage.tables import CustomFieldRow


@strawberry.input(description="A field of the brand's own.")
class CustomFieldCreateInput:
    key: str = strawberry.field(description="a to z, then also 0 to 9 and _; at most 64, and never given anew.")
    type: CustomFieldType
    names: list[LocalisedTextInput] = strawberry.field(description="What it is called: at least one language.")
    hints: list[LocalisedTextInput] | None = strawberry.field(default=None, description="What it is for.")
    localised: bool = strawberry.field(default=False, description="Whether its text is of several languages.")
    kinds: list[AssetKind] | None = strawberry.field(
        default=None, description="Of such assets only; of all if not said."
    )
    vocabulary: strawberry.ID | None = strawberry.field(default=None, description="What it chooses from.")
    decimals: int | None = strawberry.field(
        default=None, description="Digits behind the point that a number may have: 0 to 6, 0 if not said."
    )
    minimum: Decimal | None = strawberry.field(default=None, description="The least that a number may be.")
    maximum: Decimal | None = strawberry.field(default=None, description="The most that a number may be.")
    earliest: Day | None = strawberry.field(default=None, description="The first day that a date may be.")
    latest: Day | None = strawberry.field(default=None, description="The last day that a date may be.")
    max_length: int | None = strawberry.field(default=None, description="Characters that a text may have.")
    needs: Permission | None = strawberry.field(
        default=None, description="One of `field.…`: who lacks it neither reads nor writes the field."
    )
    place: int = strawberry.field(default=0, description="Fields stand in the order of their places.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a field; what is left out stays.")
class CustomFieldUpdateInput:
    field: strawberry.ID
    expected_revision: int
    names: list[LocalisedTextInput] | None = strawberry.field(default=None, description="What it is called.")
    hints: list[LocalisedTextInput] | None = strawberry.field(default=None, description="What it is for.")
    kinds: list[AssetKind] | None = strawberry.field(
        default=None, description="Of such assets, more than before; an empty list is all."
    )
    place: int | None = strawberry.field(default=None, description="Fields stand in the order of their places.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The field that is to say nothing any more.")
class CustomFieldArchiveInput:
    field: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The archived field that is to say again what it said.")
class CustomFieldRestoreInput:
    field: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`field` is null exactly when `errors` is not empty.")
class CustomFieldPayload:
    field: CustomField | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class CustomFieldQueries:
    @field("Fields of the brand's own in their order, at most 200.", size=50)
    def custom_fields(
        self, info: strawberry.Info[Context], kind: AssetKind | None = None, archived: bool = False
    ) -> list[CustomField]:
        found = custom_fields.known(info.context.work, None if kind is None else kind.value, archived=archived)
        return [CustomField.of(row) for row in found]


@strawberry.type
class CustomFieldMutations:
    @mutation("Makes a field of the brand's own.")
    def custom_field_create(self, info: strawberry.Info[Context], input: CustomFieldCreateInput) -> CustomFieldPayload:
        def act(work: Work) -> Answer:
            vocabulary = input.vocabulary
            return _field(
                custom_fields.create(
                    work,
                    NewField(
                        key=input.key,
                        type=input.type.value,
                        names=whole_texts_of(input.names, "names"),
                        hints=whole_texts_of(input.hints, "hints"),
                        localised=input.localised,
                        kinds=[kind.value for kind in input.kinds or ()],
                        vocabulary_id=None
                        if vocabulary is None
                        else number_of("Vocabulary", vocabulary, ("vocabulary",)),
                        decimals=input.decimals,
                        minimum=input.minimum if input.earliest is None else input.earliest,
                        maximum=input.maximum if input.latest is None else input.latest,
                        max_length=input.max_length,
                        needs=input.needs,
                        place=input.place,
                    ),
                )
            )

        return run(info, input, CustomFieldPayload, act)

    @mutation("Calls a field otherwise, or lets assets of further kinds have it.")
    def custom_field_update(self, info: strawberry.Info[Context], input: CustomFieldUpdateInput) -> CustomFieldPayload:
        def act(work: Work) -> Answer:
            changes = FieldChanges(
                names=None if input.names is None else whole_texts_of(input.names, "names"),
                hints=None if input.hints is None else whole_texts_of(input.hints, "hints"),
                kinds=None if input.kinds is None else [kind.value for kind in input.kinds],
                place=input.place,
            )
            number = number_of("CustomField", input.field, ("field",))
            return _field(custom_fields.update(work, number, input.expected_revision, changes))

        return run(info, input, CustomFieldPayload, act)

    @mutation("Lets a field say nothing any more; what it said is kept.")
    def custom_field_archive(
        self, info: strawberry.Info[Context], input: CustomFieldArchiveInput
    ) -> CustomFieldPayload:
        def act(work: Work) -> Answer:
            number = number_of("CustomField", input.field, ("field",))
            return _field(custom_fields.archive(work, number, input.expected_revision))

        return run(info, input, CustomFieldPayload, act)

    @mutation("Lets an archived field say again what it said.")
    def custom_field_restore(
        self, info: strawberry.Info[Context], input: CustomFieldRestoreInput
    ) -> CustomFieldPayload:
        def act(work: Work) -> Answer:
            number = number_of("CustomField", input.field, ("field",))
            return _field(custom_fields.restore(work, number, input.expected_revision))

        return run(info, input, CustomFieldPayload, act)


def _field(row: CustomFieldRow) -> Answer:
    return {"field": ("CustomField", row.id)}
