"""Every type, field, argument, input field and enum value says what it is, in a whole sentence."""

from __future__ import annotations

from collections.abc import Iterator

import graphql

from schema import built
from schema.glossary import GLOSSARY

SCHEMA = graphql.build_schema(built.sdl())
SPOKEN_FOR = set(graphql.specified_scalar_types)


def parts() -> Iterator[tuple[str, str | None]]:
    """Everything that must be described, by name."""
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__") or name in SPOKEN_FOR:
            continue
        yield name, kind.description
        if isinstance(kind, graphql.GraphQLEnumType):
            yield from ((f"{name}.{value}", told.description) for value, told in kind.values.items())
        for field, told in getattr(kind, "fields", {}).items():
            yield f"{name}.{field}", told.description
            for argument, wanted in getattr(told, "args", {}).items():
                yield f"{name}.{field}({argument}:)", wanted.description


def test_nothing_goes_without_a_description() -> None:
    assert [name for name, told in parts() if not told] == []


def test_every_description_is_a_sentence() -> None:
    assert [name for name, told in parts() if told and not told.rstrip().endswith((".", "`", "?", "!"))] == []


def test_the_glossary_holds_nothing_that_nobody_needs() -> None:
    assert set(GLOSSARY) - built.DESCRIBED == set()


def test_a_description_beside_the_declaration_comes_first() -> None:
    described = SCHEMA.type_map["PageInfo"]
    assert described.description == "Where a page stands in its list."
    connection = SCHEMA.type_map["AssetConnection"]
    assert isinstance(connection, graphql.GraphQLObjectType)
    assert connection.fields["totalCount"].description == "How many there are on all pages together."
