"""Texts in several languages over GraphQL.

Which language somebody gets is said by an argument, else by the request's `Accept-Language`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, TypeAlias

import strawberry

from domain import localised
from domain.refusals import Invalid
from schema.context import Context
from schema.scalars import Locale

Wished: TypeAlias = Annotated[
    Locale | None,
    strawberry.argument(description="The language that is wanted; what `Accept-Language` says if not said."),
]


@strawberry.type(description="A text and its language.")
class LocalisedText:
    locale: Locale | None = strawberry.field(description="Its language; null where it is of none in particular.")
    text: str

    @classmethod
    def of(cls, found: tuple[str | None, str]) -> LocalisedText:
        locale, text = found
        return cls(locale=None if locale is None else Locale(locale), text=text)

    @classmethod
    def all_of(cls, texts: Mapping[str, str]) -> list[LocalisedText]:
        return [cls.of(each) for each in sorted(texts.items())]


@strawberry.input(description="A text in a language.")
class LocalisedTextInput:
    locale: Locale
    text: str


@strawberry.input(description="What a text is to be in a language; languages that are not named keep theirs.")
class LocalisedTextChangeInput:
    locale: Locale
    text: str | None = strawberry.field(description="null takes it away.")


def wishes(info: strawberry.Info[Context], locale: Locale | None) -> tuple[str, ...]:
    """The languages that are wanted, the most wanted first."""
    return info.context.languages if locale is None else (locale, *info.context.languages)


def texts_of(
    given: Iterable[LocalisedTextInput] | Iterable[LocalisedTextChangeInput] | None, place: str
) -> dict[str, str | None]:
    """Per language its text; one named twice is refused."""
    found: dict[str, str | None] = {}
    for each in given or ():
        if each.locale in found:
            raise Invalid("Name each language once.", (place,), "unique")
        found[each.locale] = each.text
    return found


def whole_texts_of(given: Iterable[LocalisedTextInput] | None, place: str) -> dict[str, str]:
    """The same where none is taken away."""
    return {locale: text for locale, text in texts_of(given, place).items() if text is not None}


def words_of(
    titles: list[LocalisedTextChangeInput] | None,
    alt_texts: list[LocalisedTextChangeInput] | None,
    decorative: bool | None,  # as it was given
) -> localised.Changes:
    """What an asset is to be called, and what is to stand in for it, in other languages."""
    return localised.Changes(texts_of(titles, "titles"), texts_of(alt_texts, "altTexts"), decorative)
