"""Templates and completeness over GraphQL."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import templates
from domain.completeness import Completeness, Lacking
from domain.global_ids import encode, number_of
from domain.templates import Item, TemplateChanges
from domain.work import Work
from schema.context import Context
from schema.custom_fields.types import CustomField
from schema.enums import AssetKind
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.scalars import Instant
from storage.tables import MetadataTemplateItemRow, MetadataTemplateRow

if TYPE_CHECKING:
    from schema.organisations import Organisation


@strawberry.enum(description="What every asset can say. A title counts once somebody has said it.")
class AssetProperty(Enum):
    TITLE = "TITLE"
    DESCRIPTION = "DESCRIPTION"
    TAGS = "TAGS"
    BRAND = "BRAND"
    ALT_TEXT = "ALT_TEXT"


@strawberry.type(description="Something that a template asks for: a property or a field.")
class MetadataTemplateItem:
    row: strawberry.Private[MetadataTemplateItemRow]
    property_: AssetProperty | None = strawberry.field(name="property", description="The property, if it is one.")
    weight: int = strawberry.field(description="How much it counts, from 1 to 100.")
    required: bool = strawberry.field(description="Whether nothing passes the gate without it.")

    @classmethod
    def of(cls, row: MetadataTemplateItemRow) -> MetadataTemplateItem:
        return cls(
            row=row,
            property_=None if row.property is None else AssetProperty(row.property),
            weight=row.weight,
            required=row.required,
        )

    @field("The field, if it is one; null also where the viewer may not know of it.")
    async def field(self, info: strawberry.Info[Context]) -> CustomField | None:
        number = self.row.field_id
        found: CustomField | None = None if number is None else await fetch(info.context, "CustomField", number)
        return found


@strawberry.type(description="What assets of a kind are to say of themselves, and from which completeness on.")
class MetadataTemplate(Node):
    row: strawberry.Private[MetadataTemplateRow]
    name: str
    kind: AssetKind
    gate: int | None = strawberry.field(
        description="The completeness, in per cent, below which no version of the asset is approved; null: there is "
        "no gate."
    )
    archived: bool
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, row: MetadataTemplateRow) -> MetadataTemplate:
        return cls(
            row=row,
            id=strawberry.ID(encode("MetadataTemplate", row.id)),
            name=row.name,
            kind=AssetKind(row.kind),
            gate=row.gate,
            archived=row.archived_at is not None,
            revision=row.revision,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("Whose assets it is for, and those of organisations below that have none of their own for the kind.")
    async def organisation(
        self, info: strawberry.Info[Context]
    ) -> Annotated[Organisation, strawberry.lazy("schema.organisations")] | None:
        found: Organisation | None = await fetch(info.context, "Organisation", self.row.org_id)
        return found

    @field("What it asks for, at most 50 things.")
    async def items(self, info: strawberry.Info[Context]) -> list[MetadataTemplateItem]:
        return [MetadataTemplateItem.of(row) for row in await info.context.load(templates.items_of, self.row.id) or []]


@strawberry.type(description="Something that an asset lacks.")
class LackingItem:
    name: str = strawberry.field(description="The property's name, or the field's key.")
    field: CustomField | None = strawberry.field(description="The field, if it is one.")
    required: bool = strawberry.field(description="Whether nothing passes the gate without it.")

    @classmethod
    def of(cls, lacking: Lacking) -> LackingItem:
        found = None if lacking.field is None else CustomField.of(lacking.field)
        return cls(name=lacking.name, field=found, required=lacking.required)


@strawberry.type(description="How much of what its template asks for an asset says.")
class AssetCompleteness:
    score: int = strawberry.field(description="In per cent, by the weights of what is asked for, rounded down.")
    is_enough: bool = strawberry.field(description="Whether the template's gate, if it has one, lets it through.")
    lacking: list[LackingItem] = strawberry.field(description="What it lacks.")
    template: MetadataTemplate = strawberry.field(description="The template that holds for it.")

    @classmethod
    def of(cls, found: Completeness) -> AssetCompleteness:
        return cls(
            score=found.score,
            is_enough=found.is_enough,
            lacking=[LackingItem.of(each) for each in found.lacking],
            template=MetadataTemplate.of(found.template),
        )


@strawberry.input(description="Something that a template asks for: a property, or a field by its key.")
class MetadataTemplateItemInput:
    property_: AssetProperty | None = strawberry.field(name="property", default=None, description="A property.")
    field: str | None = strawberry.field(default=None, description="A field's key.")
    weight: int = strawberry.field(default=1, description="How much it counts, from 1 to 100.")
    required: bool = strawberry.field(default=False, description="Whether nothing passes the gate without it.")


@strawberry.input(description="A template.")
class MetadataTemplateCreateInput:
    name: str
    kind: AssetKind = strawberry.field(description="For assets of this kind.")
    items: list[MetadataTemplateItemInput] = strawberry.field(description="What it asks for: 1 to 50 things.")
    organisation: strawberry.ID | None = strawberry.field(
        default=None, description="Whose assets it is for; the viewer's own organisation's if not said."
    )
    gate: int | None = strawberry.field(default=None, description="From 0 to 100 per cent; no gate if not said.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a template; what is left out stays, and `gate: null` takes the gate away.")
class MetadataTemplateUpdateInput:
    template: strawberry.ID
    expected_revision: int
    name: str | None = None
    items: list[MetadataTemplateItemInput] | None = strawberry.field(
        default=None, description="What it asks for from now on."
    )
    gate: int | None = strawberry.field(default=strawberry.UNSET, description="From 0 to 100 per cent; null for none.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The template that is to ask for nothing any more.")
class MetadataTemplateArchiveInput:
    template: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`template` is null exactly when `errors` is not empty.")
class MetadataTemplatePayload:
    template: MetadataTemplate | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class TemplateQueries:
    @field("Templates of where the viewer changes assets or manages what is said of them; at most 500.", size=50)
    def metadata_templates(self, info: strawberry.Info[Context]) -> list[MetadataTemplate]:
        return [MetadataTemplate.of(row) for row in templates.known(info.context.work)]


@strawberry.type
class TemplateMutations:
    @mutation("Says what assets of a kind are to say of themselves.")
    def metadata_template_create(
        self, info: strawberry.Info[Context], input: MetadataTemplateCreateInput
    ) -> MetadataTemplatePayload:
        def act(work: Work) -> Answer:
            given = input.organisation
            org_id = work.viewer.org_id if given is None else number_of("Organisation", given, ("organisation",))
            row = templates.create(work, org_id, input.kind.value, input.name, _items(input.items), input.gate)
            return _template(row)

        return run(info, input, MetadataTemplatePayload, act)

    @mutation("Changes what assets of a kind are to say of themselves.")
    def metadata_template_update(
        self, info: strawberry.Info[Context], input: MetadataTemplateUpdateInput
    ) -> MetadataTemplatePayload:
        def act(work: Work) -> Answer:
            changes = TemplateChanges(
                name=input.name,
                items=None if input.items is None else _items(input.items),
                gate=None if input.gate is strawberry.UNSET else input.gate,
                opens=input.gate is None,
            )
            number = number_of("MetadataTemplate", input.template, ("template",))
            return _template(templates.update(work, number, input.expected_revision, changes))

        return run(info, input, MetadataTemplatePayload, act)

    @mutation("Lets a template ask for nothing any more.")
    def metadata_template_archive(
        self, info: strawberry.Info[Context], input: MetadataTemplateArchiveInput
    ) -> MetadataTemplatePayload:
        def act(work: Work) -> Answer:
            number = number_of("MetadataTemplate", input.template, ("template",))
            return _template(templates.archive(work, number, input.expected_revision))

        return run(info, input, MetadataTemplatePayload, act)


def _items(given: list[MetadataTemplateItemInput]) -> list[Item]:
    return [
        Item(
            property=None if each.property_ is None else each.property_.value,
            key=each.field,
            weight=each.weight,
            required=each.required,
        )
        for each in given
    ]


def _template(row: MetadataTemplateRow) -> Answer:
    return {"template": ("MetadataTemplate", row.id)}


KINDS["MetadataTemplate"] = Kind(templates.by_id, MetadataTemplate.of)
