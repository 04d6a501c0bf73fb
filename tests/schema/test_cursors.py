"""Paging: cursors that were not given out for this very list are refused, and what arrives never shifts a page."""

from __future__ import annotations

from typing import Any

from domain.hub import Hub
from tests.asking import Client
from tests.assets.acts import accepted, add_version, created, picture, unchanged

PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String, $where: AssetWhere, $orderBy: [AssetOrder!]) {
  assets(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy) {
    totalCount nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
BY_TITLE = [{"field": "TITLE"}]
IMAGES = {"kind": {"eq": "IMAGE"}}


def test_a_page_has_twenty_unless_asked_and_a_hundred_at_most(client: Client, hub: Hub) -> None:
    fill(client, [f"{number:02}" for number in range(23)])
    assert len(page(client)["nodes"]) == 20
    assert len(page(client, first=100)["nodes"]) == 23
    assert page(client, last=2, orderBy=BY_TITLE)["nodes"] == [{"title": "21"}, {"title": "22"}]
    for wrong in ({"first": 101}, {"last": 101}, {"first": -1}, {"last": -1}, {"first": 100_000}):
        with unchanged(hub):
            error = refused(client, **wrong)
        ((name, number),) = wrong.items()
        assert error["extensions"] == {"code": "PAGE_TOO_LARGE", "argument": name}
        assert error["message"] == f"`{name}` must lie between 0 and 100; {number} was asked for."


def test_an_empty_page_is_a_page(client: Client) -> None:
    assert page(client, first=0) == {
        "totalCount": 0,
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }
    fill(client, ["a"])
    found = page(client, first=0)
    assert (found["totalCount"], found["nodes"], found["pageInfo"]["hasNextPage"]) == (1, [], True)


def test_directions_that_contradict_each_other_are_refused(client: Client) -> None:
    fill(client, ["a", "b"])
    cursor = page(client, first=1)["pageInfo"]["endCursor"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"first": 1, "last": 1}, "PAGE_TOO_LARGE"),
        ({"first": 1, "before": cursor}, "BAD_CURSOR"),
        ({"last": 1, "after": cursor}, "BAD_CURSOR"),
        ({"after": cursor, "before": cursor}, "BAD_CURSOR"),
        ({"first": 1, "after": cursor, "before": cursor}, "BAD_CURSOR"),
    ]
    for asked, code in cases:
        assert refused(client, **asked)["extensions"]["code"] == code, asked
    assert len(page(client, before=cursor)["nodes"]) == 0
    assert len(page(client, after=cursor)["nodes"]) == 1


def test_a_cursor_that_was_tampered_with_is_refused(client: Client) -> None:
    fill(client, ["a", "b", "c"])
    cursor = page(client, first=1)["pageInfo"]["endCursor"]
    for at in range(len(cursor) - 1):
        other = "A" if cursor[at] != "A" else "B"
        told = refused(client, first=1, after=cursor[:at] + other + cursor[at + 1 :])
        assert told["extensions"] == {"code": "BAD_CURSOR", "argument": "after"}
    for strange in ("", "x", "nonsense", cursor[:-4], cursor * 2, "ж", "\u0000", "=" * 8, "A" * 10_000):
        assert refused(client, first=1, after=strange)["extensions"]["code"] == "BAD_CURSOR", strange
        assert refused(client, last=1, before=strange)["extensions"]["argument"] == "before", strange


def test_a_cursor_of_another_list_filter_or_order_is_refused(client: Client) -> None:
    asset = fill(client, ["a", "b", "c"])[0]
    accepted(add_version(client, asset, picture(90)))
    accepted(client.mutate("lightboxCreate", "lightbox { id }", title="One"))
    client.ask('mutation { tagCreate(input: {name: "sea"}) { tag { id } } }')
    given = {
        "assets": page(client, first=1)["pageInfo"]["endCursor"],
        "filtered": page(client, first=1, where=IMAGES)["pageInfo"]["endCursor"],
        "ordered": page(client, first=1, orderBy=BY_TITLE)["pageInfo"]["endCursor"],
        "turned": page(client, first=1, orderBy=[{"field": "TITLE", "direction": "DESC"}])["pageInfo"]["endCursor"],
        "tags": client.ask("{ tags { pageInfo { endCursor } } }")["tags"]["pageInfo"]["endCursor"],
        "lightboxes": client.ask("{ lightboxes { pageInfo { endCursor } } }")["lightboxes"]["pageInfo"]["endCursor"],
        "versions": client.ask(
            "query ($id: ID!) { asset(id: $id) { versions { pageInfo { endCursor } } } }", id=asset["id"]
        )["asset"]["versions"]["pageInfo"]["endCursor"],
    }
    assert len(set(given.values())) == len(given)
    lists: dict[str, dict[str, Any]] = {
        "assets": {},
        "filtered": {"where": IMAGES},
        "ordered": {"orderBy": BY_TITLE},
        "turned": {"orderBy": [{"field": "TITLE", "direction": "DESC"}]},
    }
    for list_name, asked in lists.items():
        for name, cursor in given.items():
            if name == list_name:
                assert "errors" not in client.answer(PAGE, after=cursor, **asked)
            else:
                assert refused(client, after=cursor, **asked)["extensions"]["code"] == "BAD_CURSOR", (list_name, name)


def test_a_cursor_works_whatever_the_size_of_the_page_and_in_both_directions(client: Client) -> None:
    fill(client, list("abcdef"))
    cursor = page(client, first=3, orderBy=BY_TITLE)["pageInfo"]["endCursor"]
    assert titles(page(client, first=2, after=cursor, orderBy=BY_TITLE)) == ["d", "e"]
    assert titles(page(client, last=2, before=cursor, orderBy=BY_TITLE)) == ["a", "b"]


def test_what_arrives_between_two_pages_neither_repeats_nor_hides_anything(client: Client) -> None:
    fill(client, ["b", "d", "f", "h"])
    seen: list[str] = []
    after = None
    for fresh in (["a", "g"], ["c", "i"], ["e"], []):
        found = page(client, first=2, after=after, orderBy=BY_TITLE)
        seen += titles(found)
        after = found["pageInfo"]["endCursor"]
        fill(client, fresh)
    assert seen == ["b", "d", "f", "g", "h", "i"]
    assert titles(page(client, first=100, orderBy=BY_TITLE)) == list("abcdefghi")


def test_equal_titles_are_told_apart_page_by_page(client: Client) -> None:
    ids = sorted(asset["id"] for asset in fill(client, ["same"] * 7))
    seen = []
    after = None
    while True:
        query = """query ($after: String) { assets(first: 2, after: $after, orderBy: [{field: TITLE}]) {
          nodes { id } pageInfo { hasNextPage endCursor } } }"""
        found = client.ask(query, after=after)["assets"]
        seen += [each["id"] for each in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert sorted(seen) == ids


def fill(client: Client, named: list[str]) -> list[dict[str, Any]]:
    """Assets of these titles, each of bytes that are not there yet."""
    there = client.ask("{ assets { totalCount } }")["assets"]["totalCount"]
    return [created(client, picture(there + at), title=title) for at, title in enumerate(named)]


def page(client: Client, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.ask(PAGE, **asked)["assets"]
    return found


def titles(found: dict[str, Any]) -> list[str]:
    return [each["title"] for each in found["nodes"]]


def refused(client: Client, **asked: Any) -> dict[str, Any]:
    answer = client.answer(PAGE, **asked)
    assert answer["data"] is None, asked
    (error,) = answer["errors"]
    found: dict[str, Any] = error
    return found
