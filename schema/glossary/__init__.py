"""Descriptions of what says the same wherever it stands, and of what its own name nearly says.

A description beside the declaration comes first; what stands here fills in the rest when the schema is built, and
`tests/schema/test_descriptions.py` finds what nobody describes and what nobody needs any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLNamedType, GraphQLSchema

from schema.glossary.custom_fields import FIELDS_AND_BULK
from schema.glossary.deciding import DECIDING
from schema.glossary.fields import ARGUMENTS, EVERYWHERE, FIELDS, INPUTS, TYPES
from schema.glossary.licensing import LICENSING
from schema.glossary.proposals import PROPOSALS
from schema.glossary.purchases import PURCHASES_AND_USAGE
from schema.glossary.values import VALUES


def describe(schema: GraphQLSchema) -> set[str]:
    """Describes what has no description of its own; the keys of the entries that were of use."""
    used = set()
    for described, candidates in _parts(schema):
        key = None if described.description else next((each for each in candidates if each in GLOSSARY), None)
        if key is not None:
            described.description = GLOSSARY[key]
            used.add(key)
    return used


#: By `Type.member`, `Type.field(argument:)`, or an ending of such a name, which begins with `*`.
GLOSSARY = {
    **{f"*{ending}": told for ending, told in TYPES.items()},
    **{f"*.{name}": told for name, told in EVERYWHERE.items()},
    **{f"*Input.{name}": told for name, told in INPUTS.items()},
    **{f"*({name}:)": told for name, told in ARGUMENTS.items() if "." not in name},
    **{name: told for name, told in ARGUMENTS.items() if "." in name},
    **FIELDS,
    **VALUES,
    **FIELDS_AND_BULK,
    **LICENSING,
    **DECIDING,
    **PROPOSALS,
    **PURCHASES_AND_USAGE,
}


def _parts(schema: GraphQLSchema) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Everything that may be described, with the keys that may describe it, the most particular first."""
    for name, kind in schema.type_map.items():
        if not name.startswith("__"):
            yield kind, tuple(f"*{ending}" for ending in TYPES if name.endswith(ending))
            yield from _members(name, kind)


def _members(name: str, kind: GraphQLNamedType) -> Iterator[tuple[Any, tuple[str, ...]]]:
    if isinstance(kind, GraphQLEnumType):
        yield from ((told, (f"{name}.{value}",)) for value, told in kind.values.items())
        return
    given = isinstance(kind, GraphQLInputObjectType)
    for field, told in getattr(kind, "fields", {}).items():
        yield told, (f"{name}.{field}", *([f"*Input.{field}"] if given else []), f"*.{field}")
        for argument, wanted in getattr(told, "args", {}).items():
            yield wanted, (f"{name}.{field}({argument}:)", f"*({argument}:)")
