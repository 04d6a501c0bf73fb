"""How somebody says something in fields of the brand's own, and asks about them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

import strawberry

from domain import custom_fields
from domain.custom_fields import Given, Question
from domain.global_ids import number_of
from domain.work import Work
from schema.localised import LocalisedTextChangeInput, texts_of
from schema.scalars import Day
from storage.index.conditions import Condition

Value = TypeVar("Value")


@strawberry.input(one_of=True, description="What a field is to say, by its type.")
class CustomFieldValueInput:
    text: str | None = strawberry.field(default=strawberry.UNSET, description="Of a text of no language.")
    texts: list[LocalisedTextChangeInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Of a localised text; languages that are not named keep theirs."
    )
    number: Decimal | None = strawberry.field(default=strawberry.UNSET, description="Of a number.")
    boolean: bool | None = strawberry.field(default=strawberry.UNSET, description="Of a yes or no.")
    date: Day | None = strawberry.field(default=strawberry.UNSET, description="Of a date.")
    choice: str | None = strawberry.field(default=strawberry.UNSET, description="Of a choice: the word's key.")
    choices: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Of choices: the keys of all words from now on, at most 100."
    )
    add_choices: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Of choices: keys of words beside those there are."
    )
    remove_choices: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Of choices: keys of words to take away."
    )
    asset: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Of an asset: its id.")


@strawberry.input(description="What a field is to say of an asset.")
class AssetFieldInput:
    key: str = strawberry.field(description="The field's key.")
    value: CustomFieldValueInput | None = strawberry.field(
        default=None, description="What it is to say; null for nothing."
    )


@strawberry.input(description="A number lies between (both ends included).")
class DecimalFilter:
    eq: Decimal | None = None
    from_: Decimal | None = strawberry.field(name="from", default=None)
    to: Decimal | None = None


@strawberry.input(description="A day lies between: from included, to excluded.")
class DateFilter:
    from_: Day | None = strawberry.field(name="from", default=None)
    to: Day | None = None


@strawberry.input(description="Words that are chosen, by their keys.")
class ChoiceFilter:
    any_of: list[str] | None = strawberry.field(default=None, description="At least one of these.")
    all_of: list[str] | None = strawberry.field(default=None, description="Every one of these.")
    none_of: list[str] | None = strawberry.field(default=None, description="None of these.")


@strawberry.input(description="What a field of the brand's own says; everything given must hold.")
class AssetFieldFilter:
    key: str = strawberry.field(description="The field's key.")
    is_set: bool | None = strawberry.field(default=None, description="Whether it says anything.")
    text: list[str] | None = strawberry.field(
        default=None, description="It says one of these texts, in any language and without regard to case."
    )
    number: DecimalFilter | None = strawberry.field(default=None, description="The number that it says.")
    boolean: bool | None = strawberry.field(default=None, description="It says yes, or no.")
    date: DateFilter | None = strawberry.field(default=None, description="The day that it says.")
    choice: ChoiceFilter | None = strawberry.field(default=None, description="The words that it says.")
    asset: strawberry.ID | None = strawberry.field(default=None, description="It says this asset.")


def given(fields: Sequence[AssetFieldInput] | None) -> list[Given]:
    """What was given, as the domain reads it."""
    return [_given(each) for each in fields or ()]


def condition(work: Work, filters: Sequence[AssetFieldFilter]) -> Condition:
    return custom_fields.condition(work, [_question(each) for each in filters])


def _given(each: AssetFieldInput) -> Given:
    value = each.value
    if value is None:
        return Given(each.key)
    told: dict[str, Any] = {
        "text": value.text,
        "number": value.number,
        "boolean": value.boolean,
        "day": value.date,
        "choice": value.choice,
        "choices": value.choices,
        "add": value.add_choices,
        "remove": value.remove_choices,
    }
    if _is_set(value.texts):
        told["texts"] = texts_of(value.texts, "fields")
    if _is_set(value.asset):
        told["asset_id"] = number_of("Asset", value.asset or "", ("fields", each.key))
    return Given(each.key, **{name: said for name, said in told.items() if _is_set(said)})


def _is_set(value: Any) -> bool:
    return value is not None and value is not strawberry.UNSET


def _question(asked: AssetFieldFilter) -> Question:
    number, day, choice = asked.number, asked.date, asked.choice
    return Question(
        key=asked.key,
        is_set=asked.is_set,
        texts=asked.text,
        numbers=None if number is None else _ends(number),
        days=None if day is None else (day.from_, day.to),
        boolean=asked.boolean,
        any_of=None if choice is None else choice.any_of,
        all_of=None if choice is None else choice.all_of,
        none_of=None if choice is None else choice.none_of,
        asset_id=None if asked.asset is None else number_of("Asset", asked.asset, ("where", "fields")),
    )


def _ends(number: DecimalFilter) -> tuple[Decimal | None, Decimal | None]:
    """`eq` and the interval together: what meets both."""
    if number.eq is None:
        return number.from_, number.to
    low = number.eq if number.from_ is None else max(number.eq, number.from_)
    high = number.eq if number.to is None else min(number.eq, number.to)
    return low, high
