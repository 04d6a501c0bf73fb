"""How single values are spelt as JSON in generated Python, as orjson would spell them.

Always true here:
- What ordinary execution would answer with an error (a null that may not be, a number beyond GraphQL's Int) raises.
- Text is never trusted: whatever came out of a row goes through an encoder, unless all of its letters are known.
"""

from __future__ import annotations

from collections.abc import Callable
from json import encoder
from typing import Any, Final

import orjson
from graphql import GraphQLEnumType

from schema.plans.shape import Unplannable
from storage import statements
from storage.statements import Dialect

#: GraphQL's Int.
MOST_INT: Final = 2**31 - 1
NULL: Final = "null"

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
    """What spells a raw value of the column, which is not null, as this type of GraphQL's."""
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
        case "String" | "Sha256" if reader is None and statements.is_text(column):
            return text
        case "Boolean" if statements.is_truth(column):
            return {False: "false", True: "true"}.__getitem__
        case "JSON":
            return lambda value: json(some(value) if reader is None else reader(some(value)))
    raise Unplannable(f"{type_.name} out of {column}")


def _words(type_: GraphQLEnumType) -> dict[Any, str]:
    values = {word: getattr(value.value, "value", value.value) for word, value in type_.values.items()}
    is_plain = all(isinstance(value, str) for value in values.values())  # else rows hold the member's name
    return {value if is_plain else word: f'"{word}"' for word, value in values.items()}
