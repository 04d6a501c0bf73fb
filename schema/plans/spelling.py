"""How single values are spelt as JSON in generated Python, as orjson would spell them.

Always true here:
- What ordinary execution would answer with an error (a null that may not be, a number beyond GraphQL's Int) raises.
- Text is never trusted: whatever came out of a row goes through an encoder, unless all of its letters are known.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from json import encoder
from typing import Any, Final

import orjson
from graphql import GraphQLEnumType, GraphQLList, get_named_type

from schema.plans.shape import Unplannable
from storage import statements
from storage.statements import Dialect

#: GraphQL's Int.
MOST_INT: Final = 2**31 - 1
NULL: Final = "null"
#: Lists of each column that are kept as they are spelt; grants say the same ones over and over.
MOST_LISTS: Final = 256

#: A text in quotes, escaped; `TypeError` for anything else. Written in C, it escapes exactly what orjson does.
text: Final[Callable[[str], str]] = getattr(encoder, "c_encode_basestring", None) or encoder.py_encode_basestring


def json(value: Any) -> str:
    return orjson.dumps(value).decode()


def whole(value: int) -> str:
    if not -MOST_INT - 1 <= value <= MOST_INT:
        raise ValueError("beyond GraphQL's Int")
    return str(value)


def some(value: Any) -> Any:
    if value is None:
        raise ValueError("null where there is always a value")
    return value


def serialized(serialize: Callable[[Any], Any]) -> Callable[[Any], str]:
    """What spells a value that is often the very same object as the one before: until when addresses are valid."""
    last: tuple[Any, str] = (some, "")

    def spelt(value: Any) -> str:
        nonlocal last
        known, said = last
        if value is not known:
            made = serialize(some(value))
            said = text(made) if type(made) is str else json(made)
            last = value, said
        return said

    return spelt


def of_column(type_: Any, column: Any, dialect: Dialect) -> Callable[[Any], str]:  # noqa: PLR0911  # a kind each
    """What spells a raw value of the column, which is not null, as this type of GraphQL's, itself nullable."""
    if isinstance(type_, GraphQLList):
        return _list(get_named_type(type_), statements.reader(column, dialect))
    if isinstance(type_, GraphQLEnumType):
        return _words(type_).__getitem__
    instant, reader = statements.instant_reader(column, dialect), statements.reader(column, dialect)
    match type_.name:
        case "DateTime" if instant is not None:
            return lambda value: f'"{instant(value)}"'
        case "Int" if reader is None and statements.is_number(column):
            return whole
        case "BigInt" if reader is None and statements.is_number(column):
            return lambda value: f'"{some(value)}"'
        case "Date":
            return lambda value: f'"{date.isoformat(some(value) if reader is None else reader(some(value)))}"'
        case "String" | "Sha256" | "URL" if reader is None and statements.is_text(column):
            return text
        case "Boolean" if statements.is_truth(column):
            return {False: "false", True: "true"}.__getitem__
        case "JSON":
            return lambda value: json(some(value) if reader is None else reader(some(value)))
    raise Unplannable(f"{type_.name} out of {column}")


def _list(type_: Any, reader: Callable[[Any], Any] | None) -> Callable[[Any], str]:
    """Of texts or words, none of them null. A raw text is read once for all rows that hold it."""
    if isinstance(type_, GraphQLEnumType):
        spelt = _words(type_).__getitem__
    elif type_.name == "String":
        spelt = text
    else:
        raise Unplannable(f"a list of {type_.name}")

    def told(values: list[Any]) -> str:
        return f"[{','.join([spelt(each) for each in values])}]"

    if reader is None:
        return lambda values: told(some(values))
    return lru_cache(MOST_LISTS)(lambda raw: told(some(reader(raw))))


def _words(type_: GraphQLEnumType) -> dict[Any, str]:
    """By what rows hold: the member's value, or its name where that is another."""
    values = {word: getattr(value.value, "value", value.value) for word, value in type_.values.items()}
    names = {word: f'"{word}"' for word in values}
    said = {value: names[word] for word, value in values.items() if isinstance(value, str)}
    if any(said.get(word, name) != name for word, name in names.items()):
        raise Unplannable(f"a name of {type_.name} is another's value")
    return names | said
