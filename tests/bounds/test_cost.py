"""What an operation costs: the sum of weights times the lengths of the lists they stand in, known before it runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import get_introspection_query, get_operation_ast

from domain.hub import Hub
from domain.work import Viewer
from schema import execution
from schema.cost import INTROSPECTION, LIST, MUTATION, REQUEST, THOUSAND, Allowance
from schema.execution import Asked
from schema.prepared import prepared
from tests.asking import Client

one_store = pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)
SPREAD = """{ assets(first: 7) { ...Page } }
fragment Page on AssetConnection { nodes { ...Named } } fragment Named on Asset { brand { id } }"""
PAGED = "query ($n: Int, $m: Int = 7) { assets(first: $n) { nodes { id versions(last: $m) { nodes { id } } } } }"


def price(query: str, name: str | None = None, **variables: Any) -> int:
    """Beyond what every request costs."""
    made = prepared(query)
    assert made.document is not None, made.errors
    operation = get_operation_ast(made.document, name)
    assert operation is not None
    return made.price(operation)(variables) - REQUEST


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ __typename }", 0),
        ("{ me { name } }", 1),
        ("{ a: me { name } b: me { name } }", 2),
        ("{ assets { nodes { id } } }", 1 + 20),
        ("{ assets(first: null) { nodes { id } } }", 1 + 20),
        ("{ assets(first: 7) { nodes { id } } }", 1 + 7),
        ("{ assets(last: 7) { nodes { id } } }", 1 + 7),
        ("{ assets(first: 0) { nodes { id } } }", 1),
        ("{ assets(first: -5) { nodes { id } } }", 1),
        ("{ assets(first: 2000000000) { nodes { id } } }", 1 + 100),  # it is refused by the list itself
        ("{ assets(first: 7) { pageInfo { endCursor } edges { cursor node { id } } } }", 1 + 7),
        ("{ assets(first: 7) { nodes { tags { id } } } }", 1 + 7 + 7 * LIST),
        ("{ assets(first: 7) { nodes { current { renditions { url { url } } } } } }", 1 + 7 * (1 + 1 + LIST * (1 + 3))),
        ("{ assets(first: 7) { nodes { versions(first: 5) { nodes { id } } } } }", 1 + 7 * (1 + 1 + 5)),
        ("{ assets(first: 7) { totalCount } }", 1 + 10),
        ("{ assets { facets(by: [KIND, TAG]) { by values { value } } } }", 1 + 2 * 50),
        ('{ assets(search: "sun", first: 7) { nodes { id } } }', 51 + 7),
        ("{ assets(search: null, first: 7) { nodes { id } } }", 1 + 7),
        ('{ asset(id: "x") { latestUrl(preset: "web") } }', 1 + 3),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('{ nodes(ids: "a") { id } }', 1),
        (SPREAD, 15),
        ("{ assets(first: 7) { ... { nodes { ... on Asset { brand { id } } } } } }", 15),
        ('{ node(id: "x") { ... on Asset { brand { id } } ... on Tag { parent { id } } } }', 1 + 2),
        ("{ me @skip(if: true) { name } }", 0),
        ("{ me @include(if: false) { name } }", 0),
        ("{ me @include(if: true) @skip(if: false) { name } }", 1),
        ("{ rateLimit { cost limit } }", 0),
        (get_introspection_query(), INTROSPECTION),
        ('mutation { tagCreate(input: {name: "x"}) { tag { id } errors { code } } }', MUTATION + 1 + LIST),
    ],
)  # fmt: skip
def test_what_stands_in_a_document_says_what_it_costs(query: str, cost: int) -> None:
    assert price(query) == cost


@pytest.mark.parametrize(
    ("variables", "cost"),
    [
        ({}, 1 + 20 * (2 + 7)),
        ({"n": 3}, 1 + 3 * (2 + 7)),
        ({"n": 3, "m": 4}, 1 + 3 * (2 + 4)),
        ({"n": None, "m": 4}, 1 + 20 * (2 + 4)),
        ({"n": 0}, 1),
        ({"n": 5_000, "m": -1}, 1 + 100 * 2),
        ({"n": "many", "m": []}, 1 + 20 * (2 + 20)),
    ],
)
def test_variables_say_how_long_a_page_is(variables: dict[str, Any], cost: int) -> None:
    assert price(PAGED, **variables) == cost


def test_variables_say_what_is_left_out_and_how_many_ids_there_are() -> None:
    query = "query ($x: Boolean!, $i: [ID!]!) { me @skip(if: $x) { name } nodes(ids: $i) @include(if: $x) { id } }"
    assert price(query, x=True, i=["a"] * 30) == 30
    assert price(query, x=False, i=["a"] * 30) == 1


def test_each_operation_of_a_document_has_its_price() -> None:
    document = "query A { me { name } } query B { assets(first: 9) { nodes { id } } }"
    assert (price(document, "A"), price(document, "B")) == (1, 10)


@one_store
def test_the_price_is_announced_and_a_client_may_ask_what_is_left(hub: Hub, admin: Viewer) -> None:
    when = datetime(2026, 11, 22, 12, 0, tzinfo=UTC) + timedelta(seconds=3)
    paid: list[int] = []

    def spend(cost: int) -> Allowance:
        paid.append(cost)
        return Allowance(1000, 900, when)

    query = "{ me { name } rateLimit { cost limit remaining resetAt } }"
    whole = json.loads(execution.answer(hub, admin, Asked(query), "test", spend).body)
    assert whole["data"]["rateLimit"] == {
        "cost": REQUEST + 1,
        "limit": 1000,
        "remaining": 900,
        "resetAt": "2026-11-22T12:00:03Z",
    }
    assert whole["extensions"] == {"cost": {"requested": REQUEST + 1, "maximum": hub.settings.cost_limit}}
    assert paid == [1]


@one_store
def test_where_nothing_limits_it_nothing_is_told_of_a_limit(client: Client) -> None:
    asked = client.ask("{ rateLimit { cost limit remaining resetAt } }")
    assert asked == {"rateLimit": {"cost": REQUEST, "limit": None, "remaining": None, "resetAt": None}}


@one_store
def test_what_cannot_be_run_costs_too_and_nothing_runs_that_nobody_pays_for(hub: Hub, admin: Viewer) -> None:
    paid: list[int] = []

    def refuse(cost: int) -> Allowance:
        paid.append(cost)
        raise PermissionError

    for query in ("{ nothing }", "{", '{ asset(id: "x") { id } }'):
        with pytest.raises(PermissionError):
            execution.answer(hub, admin, Asked(query), "test", refuse)
    assert paid == [90, 90, 1]


def test_reading_a_text_is_paid_by_its_length_the_first_time_only(hub: Hub, admin: Viewer) -> None:
    text = "{ __typename }" + " " * 4_500 + f"# {id(hub)}"
    paid: list[int] = []

    def spend(price: int) -> None:
        paid.append(price)

    for _ in range(2):
        execution.answer(hub, admin, Asked(text), "test", spend)
    first, again = paid
    assert first - again == 4 * THOUSAND
    assert again == 0
