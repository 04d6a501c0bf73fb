"""The types of the Python example say what its documents are answered with, by the schema."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
)

from examples.python import partner
from schema import built

#: Scalars as JSON holds them.
SCALARS = {"Boolean": bool, "Int": int, "ID": str, "String": str, "URL": str}
HUB = built.graphql_schema


@pytest.mark.parametrize(
    ("document", "answer"), [(partner.ASSETS, partner.AssetsAnswer), (partner.CHANGES, partner.ChangesAnswer)]
)
def test_what_the_python_example_expects_is_what_the_schema_promises(document: str, answer: type) -> None:
    parsed = parse(document)
    assert validate(HUB, parsed) == []
    (operation,) = parsed.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert HUB.query_type is not None
    assert promised(HUB.query_type, operation.selection_set) == expected(answer)


def promised(owner: Any, chosen: SelectionSetNode) -> dict[str, Any]:
    """Names and what they hold; of an interface, what the one fragment on it says."""
    told: dict[str, Any] = {}
    for each in chosen.selections:
        if isinstance(each, InlineFragmentNode):
            assert each.type_condition is not None
            told |= promised(HUB.type_map[each.type_condition.name.value], each.selection_set)
        else:
            assert isinstance(each, FieldNode)
            told[each.name.value] = _promised_value(owner.fields[each.name.value].type, each.selection_set)
    return told


def expected(answer: Any) -> Any:
    """The same, as the annotations say it."""
    if typing.is_typeddict(answer):
        return {name: _expected_value(each) for name, each in typing.get_type_hints(answer).items()}
    return answer


def _promised_value(kind: Any, chosen: SelectionSetNode | None) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _promised_some(kind.of_type, chosen)
    return ("or null", _promised_some(kind, chosen))


def _promised_some(kind: Any, chosen: SelectionSetNode | None) -> Any:
    if isinstance(kind, GraphQLList):
        return [_promised_value(kind.of_type, chosen)]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        assert chosen is not None
        return promised(kind, chosen)
    return set(kind.values) if isinstance(kind, GraphQLEnumType) else SCALARS[kind.name]


def _expected_value(hint: Any) -> Any:
    some = [each for each in typing.get_args(hint) if each is not types.NoneType]
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return ("or null", _expected_value(some[0]))
    if typing.get_origin(hint) is list:
        return [_expected_value(some[0])]
    return set(some) if typing.get_origin(hint) is Literal else expected(hint)
