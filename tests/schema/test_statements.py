"""How many statements a list takes does not depend on how long it is: for every list there is, and every field of its
nodes that is read from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_abstract_type, is_leaf_type

from domain.hub import Hub
from domain.work import HUB
from schema import execution
from schema.built import graphql_schema
from schema.execution import Asked
from tests.asking import statements
from tests.identity import policy_world
from tests.plans import differential

#: Statements that one list with one field of its nodes takes at most: who asks, the page, and the field in batches.
MOST = 8
#: Of nodes, what needs an argument that is somebody's to choose.
ARGUMENTS = {"rendition": "(transform: {width: 100})", "latestUrl": '(preset: "web")'}
#: Answered by the search index, or numbering events first.
OTHERWISE = frozenset({"changes", "auditEvents"})


#: What a list must be told beside the length of its page.
REQUIRED = {"runningUsagesAfter": ', date: "2026-11-22"', "expiringLicenses": ', beforeDay: "2027-11-22"'}


def lists() -> Iterator[tuple[str, str]]:
    """Root connections with every field of their nodes that holds objects."""
    query = graphql_schema.query_type
    assert query is not None
    for name, field in query.fields.items():
        type_ = get_named_type(field.type)
        if not isinstance(type_, GraphQLObjectType) or "nodes" not in type_.fields or name in OTHERWISE:
            continue
        node = get_named_type(type_.fields["nodes"].type)
        yield name, "__typename"
        if isinstance(node, GraphQLObjectType):
            for inner, definition in node.fields.items():
                if not is_leaf_type(get_named_type(definition.type)) or definition.args:
                    yield name, inner


def selection(name: str, inner: str) -> str:
    query = graphql_schema.query_type
    assert query is not None
    connection: Any = get_named_type(query.fields[name].type)
    node: Any = get_named_type(connection.fields["nodes"].type)
    if inner == "__typename":
        return "__typename"
    below: Any = get_named_type(node.fields[inner].type)
    arguments = ARGUMENTS.get(inner, "")
    if is_leaf_type(below):
        return f"{inner}{arguments}"
    if not is_abstract_type(below) and "nodes" in below.fields:
        return f"{inner}(first: 2) {{ nodes {{ __typename }} totalCount }}"
    leaf = next(
        (n for n, f in below.fields.items() if is_leaf_type(get_named_type(f.type)) and not f.args), "__typename"
    )
    return f"{inner}{arguments} {{ {leaf} }}"


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 5)


@pytest.mark.parametrize("planned", [True, False])
def test_a_longer_list_takes_no_more_statements(brand: policy_world.World, planned: bool) -> None:
    hub = replace(brand.hub, settings=brand.hub.settings.model_copy(update={"plans": planned}))
    told = {}
    for name, inner in lists():
        more = REQUIRED.get(name, "")
        counts = [
            counted(hub, f"{{ {name}(first: {n}{more}) {{ nodes {{ {selection(name, inner)} }} }} }}") for n in (3, 20)
        ]
        if counts[0] != counts[1] or counts[1] > MOST:
            told[name, inner] = counts
    assert told == {}


def counted(hub: Hub, query: str) -> int:
    with statements(hub) as sent:
        answered = execution.answer(hub, HUB, Asked(query), "test")
    assert b'"errors"' not in answered.body, (query, answered.body[:300])
    return len(sent)


def test_there_are_such_lists() -> None:
    """Or the other test asks nothing."""
    found = list(lists())
    assert {"assets", "lightboxes", "tags", "people", "organisations", "shares"} <= {name for name, _ in found}
    assert len(found) > 30
