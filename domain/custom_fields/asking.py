"""Questions about fields, as conditions that lists and the search index answer alike; and what facets count.

A field that needs a permission is asked about only by those who hold it everywhere: what a filter finds must tell
nobody what they may not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from domain import identity, locales, vocabularies
from domain.custom_fields import defining
from domain.custom_fields.writing import digest
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from storage.index.conditions import All, AnyOf, Condition, FieldBetween, FieldIs, FieldSays, Not
from storage.tables import AssetRow, CustomFieldRow, VocabularyTermRow

#: Questions in one filter, and fields that one list is broken down by.
MAX_QUESTIONS: Final = 50
MAX_COUNTED: Final = 10
#: Values answered of one field.
FACETED: Final = frozenset({"CHOICE", "CHOICES", "BOOLEAN"})
#: Types that order a list.
ORDERED: Final = frozenset({"TEXT", "NUMBER", "BOOLEAN", "DATE", "CHOICE"})

_PATH: Final = ("where", "fields")


@dataclass(frozen=True)
class Question:
    """What a field is to say; all that is given must hold. Texts are compared without regard to case."""

    key: str
    is_set: bool | None = None
    texts: Sequence[str] | None = None
    numbers: tuple[Decimal | None, Decimal | None] | None = None
    days: tuple[date | None, date | None] | None = None
    boolean: bool | None = None
    any_of: Sequence[str] | None = None
    all_of: Sequence[str] | None = None
    none_of: Sequence[str] | None = None
    asset_id: int | None = None


def condition(work: Work, questions: Sequence[Question]) -> Condition:
    """`days` are [from, to): a date of the end is not inside. Numbers include both ends."""
    if len(questions) > MAX_QUESTIONS:
        raise Invalid(f"Ask at most {MAX_QUESTIONS} questions about fields.", _PATH, "length")
    rows = defining.by_key(work, [each.key for each in questions], _PATH)
    for row in rows.values():
        _check_readable(work, row)
    return All(tuple(part for each in questions for part in _parts(work, rows[each.key], each)))


def ordering(work: Work, key: str, locale: str | None = None) -> tuple[CustomFieldRow, str]:
    """A field that a list can be ordered by, and the language in which it is read: of a localised text one is named."""
    path = ("orderBy",)
    row = defining.by_key(work, [key], path)[key]
    _check_readable(work, row)
    if row.type not in ORDERED:
        raise Invalid(f"Several words, and references, order nothing: {row.key} says such.", path, "type")
    if row.localised != (locale is not None):
        said = "Name the language of a text that is said in several" if row.localised else "Only such a text has one"
        raise Invalid(f"{said}: {row.key}.", (*path, "locale"), "locale")
    return row, "" if locale is None else locales.tag(locale, (*path, "locale"))


def counted(work: Work, keys: Sequence[str]) -> list[tuple[CustomFieldRow, Mapping[str, VocabularyTermRow | bool]]]:
    """Fields that choose, or say yes or no, by their keys, each with what its words mean."""
    if len(keys) > MAX_COUNTED:
        raise Invalid(f"Break a list down by at most {MAX_COUNTED} fields.", ("keys",), "length")
    rows = defining.by_key(work, keys, ("keys",))
    for row in rows.values():
        _check_readable(work, row)
        if row.type not in FACETED:
            raise Invalid(f"Only choices, and yes or no, are counted: {row.key} is neither.", ("keys",), "type")
    terms = vocabularies.terms_of(work, {row.vocabulary_id for row in rows.values() if row.vocabulary_id is not None})
    return [(rows[key], _words(rows[key], terms)) for key in dict.fromkeys(keys)]


def _words(
    row: CustomFieldRow, terms: Mapping[int, Sequence[VocabularyTermRow]]
) -> Mapping[str, VocabularyTermRow | bool]:
    if row.vocabulary_id is None:
        return {"=1": True, "=0": False}
    return {f"={term.id}": term for term in terms.get(row.vocabulary_id, ())}


def _parts(work: Work, row: CustomFieldRow, asked: Question) -> list[Condition]:
    restricted = row.needs is not None
    parts: list[Condition] = []
    if asked.is_set is not None:
        says = FieldSays(row.id, restricted)
        parts.append(says if asked.is_set else Not(says))
    if asked.texts is not None:
        _check_type(row, "TEXT")
        parts.append(FieldIs(row.id, tuple(map(digest, asked.texts)), restricted))
    if asked.numbers is not None:
        _check_type(row, "NUMBER")
        low, high = (
            None if end is None else defining.micro(end, defining.MAX_DECIMALS, _PATH) for end in asked.numbers
        )
        parts.append(FieldBetween(row.id, low, high, restricted))
    if asked.days is not None:
        _check_type(row, "DATE")
        first, beyond = (None if end is None else defining.days(end) for end in asked.days)
        parts.append(FieldBetween(row.id, first, None if beyond is None else beyond - 1, restricted))
    if asked.boolean is not None:
        _check_type(row, "BOOLEAN")
        parts.append(FieldIs(row.id, (f"={int(asked.boolean)}",), restricted))
    if asked.asset_id is not None:
        _check_type(row, "ASSET")
        parts.append(FieldIs(row.id, (f":{_seen(work, asked.asset_id)}",), restricted))
    return parts + _choices(work, row, asked, restricted=restricted)


def _choices(work: Work, row: CustomFieldRow, asked: Question, *, restricted: bool) -> list[Condition]:
    if asked.any_of is None and asked.all_of is None and asked.none_of is None:
        return []
    _check_type(row, "CHOICE", "CHOICES")
    assert row.vocabulary_id is not None
    keys = [*(asked.any_of or ()), *(asked.all_of or ()), *(asked.none_of or ())]
    terms = {term.key: term.id for term in vocabularies.chosen(work, row.vocabulary_id, keys, _PATH)}

    def says(chosen: Sequence[str]) -> Condition:
        return FieldIs(row.id, tuple(f"={terms[key]}" for key in dict.fromkeys(chosen)), restricted)

    parts: list[Condition] = [] if asked.any_of is None else [says(asked.any_of)]
    parts += [says([key]) for key in asked.all_of or ()]
    if asked.none_of:
        parts.append(Not(AnyOf((says(asked.none_of),))))
    return parts


def _check_type(row: CustomFieldRow, *types: str) -> None:
    if row.type not in types:
        raise Invalid(f"The field {row.key} is of type {row.type}: it is asked otherwise.", _PATH, "type")


def _check_readable(work: Work, row: CustomFieldRow) -> None:
    if row.needs is not None and not work.viewer.holdings.reach(Permission(row.needs)).is_everywhere:
        raise identity.not_allowed(Permission(row.needs))


def _seen(work: Work, asset_id: int) -> int:
    found = work.session.scalar(sa.select(AssetRow.id).where(AssetRow.id == asset_id, identity.sees_asset(work)))
    if found is None:
        raise NotFound("There is no asset with this id.", _PATH)
    return found
