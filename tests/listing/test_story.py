"""Lists through GraphQL: what is left out, what is refused, and how little it costs to look."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB
from storage.tables import TagRow
from tests.asking import Client, statements
from tests.listing.rows import START, Facts, insert, some
from tests.working import reads

LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $where: AssetWhere, $order: [AssetOrder!]) {
  assets(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $order) {
    totalCount nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def titles(client: Client, **variables: Any) -> list[str]:
    return [node["title"] for node in client.ask(LIST, **variables)["assets"]["nodes"]]


def refusal(client: Client, **variables: Any) -> dict[str, Any]:
    answer = client.answer(LIST, **variables)
    assert answer.get("data") is None  # a bound on all documents refuses before there is any
    extensions: dict[str, Any] = answer["errors"][0]["extensions"]
    return extensions


def nested(where: dict[str, Any], levels: int, name: str = "NOT") -> dict[str, Any]:
    for _ in range(levels):
        where = {name: where if name == "NOT" else [where]}
    return where


def test_archived_assets_are_left_out_until_the_filter_speaks_of_the_lifecycle(hub: Hub, client: Client) -> None:
    insert(hub, [Facts("here"), Facts("away", lifecycle="ARCHIVED")])
    assert titles(client) == ["here"]
    assert titles(client, where={"NOT": {"kind": {"eq": "VIDEO"}}}) == ["here"]
    assert sorted(titles(client, where={"lifecycle": {"oneOf": ["DRAFT", "ARCHIVED"]}})) == ["away", "here"]
    assert titles(client, where={"NOT": {"lifecycle": {"eq": "DRAFT"}}}) == ["away"]


def test_an_empty_filter_says_nothing(hub: Hub, client: Client) -> None:
    insert(hub, [Facts("one", media_type=None), Facts("two", width=5)])
    for name in ("kind", "mediaType", "width", "byteSize", "createdAt", "capturedAt", "tags"):
        assert sorted(titles(client, where={name: {}})) == ["one", "two"], name
    assert sorted(titles(client, where={"AND": []})) == ["one", "two"]
    assert sorted(titles(client, where={"NOT": {"NOT": {}}})) == ["one", "two"]
    assert titles(client, where={"OR": []}) == []
    assert titles(client, where={"NOT": {}}) == []


def test_the_newest_come_first_and_equal_ones_by_their_id(hub: Hub, client: Client) -> None:
    insert(hub, [Facts(str(number)) for number in range(5)])
    assert titles(client) == list("43210")
    assert titles(client, order=[{"field": "CREATED_AT"}]) == list("01234")


def test_twenty_are_shown_unless_told_otherwise_and_never_more_than_a_hundred(hub: Hub, client: Client) -> None:
    insert(hub, [Facts(str(number)) for number in range(101)])
    assert len(titles(client)) == 20
    assert len(titles(client, first=100)) == 100
    assert titles(client, first=0) == []
    for wrong in ({"first": 101}, {"first": 100_000}, {"first": -1}, {"last": 101}, {"first": 1, "last": 1}):
        assert refusal(client, **wrong)["code"] == "PAGE_TOO_LARGE", wrong


def test_a_cursor_belongs_to_its_own_list(hub: Hub, client: Client) -> None:
    insert(hub, [Facts(str(number)) for number in range(3)])
    cursor = client.ask(LIST, first=1)["assets"]["pageInfo"]["endCursor"]
    assert titles(client, after=cursor) == ["1", "0"]
    assert titles(client, last=9, before=cursor) == []
    for more in (
        {"where": {"kind": {"eq": "IMAGE"}}},
        {"order": [{"field": "TITLE"}]},
        {"before": cursor},
        {"last": 1},
    ):
        assert refusal(client, after=cursor, **more)["code"] == "BAD_CURSOR", more
    forged = cursor[:-4] + ("AAAA" if cursor[-4:] != "AAAA" else "BBBB")
    assert refusal(client, after=forged) == {"code": "BAD_CURSOR", "argument": "after"}


def test_a_page_stays_where_it_was_while_assets_arrive(hub: Hub, client: Client) -> None:
    insert(hub, [Facts(str(number)) for number in range(6)])
    cursor = client.ask(LIST, first=2)["assets"]["pageInfo"]["endCursor"]
    insert(hub, [Facts("new")])
    assert titles(client, first=2, after=cursor) == ["3", "2"]


@pytest.mark.parametrize("name", ["NOT", "AND", "OR"])
def test_a_filter_nests_as_deep_as_it_says_and_no_deeper(hub: Hub, client: Client, name: str) -> None:
    insert(hub, [Facts("one")])
    assert titles(client, where=nested({"kind": {"eq": "IMAGE"}}, 18, name)) == ["one"]
    assert refusal(client, where=nested({"kind": {"eq": "IMAGE"}}, 22, name))["code"] == "INVALID"


def test_filters_that_compare_too_much_are_refused(client: Client) -> None:
    tags = [encode("Tag", number) for number in range(1, 202)]
    wide = {"OR": [{"width": {"eq": number}} for number in range(201)]}
    for where in (
        {"tags": {"anyOf": tags}},
        {"tags": {"allOf": tags[:101], "noneOf": tags[:100]}},
        {"mediaType": {"oneOf": ["image/png"] * 1001}},
        {"byteSize": {"eq": str(2**63)}},
        wide,
    ):
        assert refusal(client, where=where)["code"] in {
            "INVALID",
            "BAD_USER_INPUT",
            "GRAPHQL_VALIDATION_FAILED",
            "LIST_TOO_LONG",
        }


def test_a_tag_may_stand_for_more_than_a_thousand_below_it(hub: Hub, client: Client) -> None:
    insert(hub, [Facts("tagged", tags=("world",)), Facts("bare")])
    with hub.writing(HUB) as work:
        top = work.session.scalars(sa.select(TagRow.id)).one()
        rows = [
            {
                "org_id": 1,
                "name": f"t{number}",
                "folded": f"t{number}",
                "parent_id": top,
                "created_at": START,
                "updated_at": START,
                "revision": 1,
            }
            for number in range(1_500)
        ]
        work.session.execute(sa.insert(TagRow), rows)
    assert titles(client, where={"tags": {"anyOf": [encode("Tag", top)]}}) == ["tagged"]
    assert titles(client, where={"tags": {"noneOf": [encode("Tag", top)]}}) == ["bare"]


def test_facets_name_the_fifty_most_frequent_values(hub: Hub, client: Client) -> None:
    words = [f"w{number:02}" for number in range(60)]
    insert(hub, [Facts("many", tags=tuple(words)), Facts("few", tags=tuple(words[30:]))])
    facet = client.ask("{ assets { facets(by: [TAG]) { by values { value label count } } } }")["assets"]["facets"][0]
    assert [(each["label"], each["count"]) for each in facet["values"]] == [
        *((word, 2) for word in words[30:]),
        *((word, 1) for word in words[:20]),
    ]
    tag = client.ask("query ($id: ID!) { node(id: $id) { ... on Tag { name } } }", id=facet["values"][0]["value"])
    assert tag["node"] == {"name": "w30"}


def test_a_page_with_everything_takes_a_constant_number_of_statements(hub: Hub, client: Client) -> None:
    query = """{ assets(first: 100) { totalCount facets(by: [KIND, TAG]) { values { label } }
      nodes { title tags { name synonyms } approved { number } versions(first: 2) { nodes { number } totalCount }
              current { number metadata { name } renditions { state preset } download { url } } } } }"""
    counts = []
    for size in (5, 40):
        insert(hub, some(size, size))
        with statements(hub) as sent:
            client.ask(query)
        counts.append(len(reads(sent)))
    assert counts[0] == counts[1] <= 14
