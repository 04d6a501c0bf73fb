"""Fields of the brand's own, and what says something in them, one type for each type of field."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry

from domain import custom_fields, locales, vocabularies
from domain.custom_fields import Said
from domain.global_ids import encode
from domain.permissions import Permission
from schema.context import Context
from schema.enums import AssetKind
from schema.fields import field
from schema.localised import LocalisedText, Wished, wishes
from schema.node import KINDS, Kind, Node, fetch, speak
from schema.scalars import Day, Instant
from schema.vocabularies import Vocabulary, VocabularyTerm
from storage.tables import CustomFieldRow

if TYPE_CHECKING:
    from schema.assets import Asset


@strawberry.enum(description="What a field says.")
class CustomFieldType(Enum):
    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    CHOICE = "CHOICE"
    CHOICES = "CHOICES"
    ASSET = "ASSET"


@strawberry.type(description="Something that the brand says of its assets beside what every asset says.")
class CustomField(Node):
    row: strawberry.Private[CustomFieldRow]
    key: str = strawberry.field(description="What programs know it by; it never changes.")
    type: CustomFieldType
    localised: bool = strawberry.field(description="Whether its text is of several languages.")
    kinds: list[AssetKind] = strawberry.field(description="Of such assets only; empty: of all.")
    decimals: int | None = strawberry.field(description="Digits behind the point that a number may have.")
    max_length: int | None = strawberry.field(description="Characters that a text may have; null: 10,000.")
    needs: Permission | None = strawberry.field(
        description="The permission that reading and writing it needs beside those for the asset."
    )
    place: int = strawberry.field(description="Fields stand in the order of their places.")
    archived: bool
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, row: CustomFieldRow) -> CustomField:
        return cls(
            row=row,
            id=strawberry.ID(encode("CustomField", row.id)),
            key=row.key,
            type=CustomFieldType(row.type),
            localised=row.localised,
            kinds=[AssetKind(kind) for kind in row.kinds],
            decimals=row.decimals,
            max_length=row.max_length,
            needs=None if row.needs is None else Permission(row.needs),
            place=row.place,
            archived=row.archived_at is not None,
            revision=row.revision,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("What it is called, in the language that fits best.")
    def name(self, info: strawberry.Info[Context], locale: Wished = None) -> str:
        found = locales.chosen(self.row.names, wishes(info, locale))
        return self.row.key if found is None else found[1]

    @field("What it is called, in every language.")
    def names(self) -> list[LocalisedText]:
        return LocalisedText.all_of(self.row.names)

    @field("What it is for, in the language that fits best; null where nobody says.")
    def hint(self, info: strawberry.Info[Context], locale: Wished = None) -> str | None:
        found = locales.chosen(self.row.hints, wishes(info, locale))
        return None if found is None else found[1]

    @field("What it chooses from; null unless it does, or where the viewer may not know of it.")
    async def vocabulary(self, info: strawberry.Info[Context]) -> Vocabulary | None:
        number = self.row.vocabulary_id
        found: Vocabulary | None = None if number is None else await fetch(info.context, "Vocabulary", number)
        return found

    @field("The least that a number may be.")
    def minimum(self) -> Decimal | None:
        return _bound(self.row.minimum) if self.row.type == "NUMBER" else None

    @field("The most that a number may be.")
    def maximum(self) -> Decimal | None:
        return _bound(self.row.maximum) if self.row.type == "NUMBER" else None

    @field("The first day that a date may be.")
    def earliest(self) -> Day | None:
        return _day(self.row.minimum) if self.row.type == "DATE" else None

    @field("The last day that a date may be.")
    def latest(self) -> Day | None:
        return _day(self.row.maximum) if self.row.type == "DATE" else None


@strawberry.interface(description="What a field says of an asset.")
class CustomFieldValue:
    said: strawberry.Private[Said]

    @field("The field that says it.")
    def field(self) -> CustomField:
        return CustomField.of(self.said.field)


@strawberry.type(description="A text.")
class TextFieldValue(CustomFieldValue):
    @field("In the language that fits best.")
    def text(self, info: strawberry.Info[Context], locale: Wished = None) -> LocalisedText | None:
        texts = self._texts()
        if "" in texts:
            return LocalisedText.of((None, texts[""]))
        found = locales.chosen(texts, wishes(info, locale))
        return None if found is None else LocalisedText.of(found)

    @field("In every language; of no language, one of none.")
    def texts(self) -> list[LocalisedText]:
        return [LocalisedText.of((locale or None, text)) for locale, text in sorted(self._texts().items())]

    def _texts(self) -> dict[str, str]:
        return {piece.locale: piece.text or "" for piece in self.said.pieces}


@strawberry.type(description="A number.")
class NumberFieldValue(CustomFieldValue):
    @field("Exactly.")
    def number(self) -> Decimal:
        return custom_fields.decimal(self.said.pieces[0].number or 0)


@strawberry.type(description="Yes or no.")
class BooleanFieldValue(CustomFieldValue):
    @field("Whether it is so.")
    def boolean(self) -> bool:
        return bool(self.said.pieces[0].number)


@strawberry.type(description="A day.")
class DateFieldValue(CustomFieldValue):
    @field("The day.")
    def date(self) -> Day:
        return custom_fields.day(self.said.pieces[0].number or 0)


@strawberry.type(description="A word of a vocabulary.")
class ChoiceFieldValue(CustomFieldValue):
    @field("The word.")
    async def choice(self, info: strawberry.Info[Context]) -> VocabularyTerm | None:
        found = await info.context.load(vocabularies.terms_by_id, self.said.pieces[0].term_id or 0)
        return None if found is None else VocabularyTerm.of(found)


@strawberry.type(description="Words of a vocabulary.")
class ChoicesFieldValue(CustomFieldValue):
    @field("The words, in the order in which they were chosen.")
    async def choices(self, info: strawberry.Info[Context]) -> list[VocabularyTerm]:
        found = [await info.context.load(vocabularies.terms_by_id, piece.term_id or 0) for piece in self.said.pieces]
        return [VocabularyTerm.of(row) for row in found if row is not None]


@strawberry.type(description="Another asset.")
class AssetFieldValue(CustomFieldValue):
    @field("The asset; null where the viewer may not know of it.")
    async def asset(self, info: strawberry.Info[Context]) -> Annotated[Asset, strawberry.lazy("schema.assets")] | None:
        found: Asset | None = await fetch(info.context, "Asset", self.said.pieces[0].target_id or 0)
        return found


VALUES: Final[dict[str, Callable[..., Any]]] = {
    "TEXT": TextFieldValue,
    "NUMBER": NumberFieldValue,
    "BOOLEAN": BooleanFieldValue,
    "DATE": DateFieldValue,
    "CHOICE": ChoiceFieldValue,
    "CHOICES": ChoicesFieldValue,
    "ASSET": AssetFieldValue,
}
VALUE_TYPES: Final[tuple[type, ...]] = (
    TextFieldValue,
    NumberFieldValue,
    BooleanFieldValue,
    DateFieldValue,
    ChoiceFieldValue,
    ChoicesFieldValue,
    AssetFieldValue,
)


def value_of(said: Said) -> CustomFieldValue:
    found: CustomFieldValue = VALUES[said.field.type](said=said)
    return found


def field_of(row: CustomFieldRow) -> CustomField:
    found: CustomField = speak("CustomField", row)
    return found


def _bound(number: int | None) -> Decimal | None:
    return None if number is None else custom_fields.decimal(number)


def _day(number: int | None) -> Day | None:
    return None if number is None else custom_fields.day(number)


KINDS["CustomField"] = Kind(custom_fields.by_id, CustomField.of)
