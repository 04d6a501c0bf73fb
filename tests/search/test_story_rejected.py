"""Hits that the index still proposes and the rows reject: pages without them can be followed to the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import search as searching
from domain.hub import Hub
from domain.search import faces
from domain.work import HUB
from storage.index.contract import Put
from tests.asking import Client
from tests.listing.rows import START, Facts, insert
from tests.working import index_all

FORWARDS = """query ($first: Int!, $after: String, $order: [AssetOrder!], $where: AssetWhere) {
  assets(search: "lighthouse", first: $first, after: $after, orderBy: $order, where: $where) {
  nodes { title } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
BACKWARDS = """query ($last: Int!, $before: String, $order: [AssetOrder!]) {
  assets(search: "lighthouse", last: $last, before: $before, orderBy: $order) {
  nodes { title } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
ORDERS: tuple[list[dict[str, str]] | None, ...] = (
    None,
    [{"field": "CREATED_AT", "direction": "DESC"}],
    [{"field": "TITLE", "direction": "ASC"}],
)
COUNT, PAGE = 8, 3


@pytest.fixture
def ids(hub: Hub) -> list[int]:
    made = insert(
        hub, [Facts(f"Lighthouse {at}", created_at=START + timedelta(days=at), tags=("tall",)) for at in range(COUNT)]
    )
    index_all(hub)
    return made


def titles(page: dict[str, Any]) -> list[str]:
    return [node["title"] for node in page["nodes"]]


def everything(client: Client, order: list[dict[str, str]] | None) -> list[str]:
    return titles(client.ask(FORWARDS, first=100, order=order)["assets"])


def archive(client: Client, title: str) -> None:
    page = client.ask("query ($t: String) { assets(search: $t) { nodes { id revision title } } }", t=f'"{title}"')
    (node,) = page["assets"]["nodes"]
    payload = client.mutate("assetArchive", "asset { id }", asset=node["id"], expectedRevision=node["revision"])
    assert payload["errors"] == []


def followed(client: Client, **asked: Any) -> list[dict[str, Any]]:
    """Every page from the first to the one that says it is the last."""
    pages = [client.ask(FORWARDS, first=PAGE, **asked)["assets"]]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        assert len(pages) <= COUNT
        cursor = pages[-1]["pageInfo"]["endCursor"]
        assert cursor is not None
        pages.append(client.ask(FORWARDS, first=PAGE, after=cursor, **asked)["assets"])
    return pages


@pytest.mark.parametrize("order", ORDERS, ids=["relevance", "created", "title"])
def test_a_page_whose_every_hit_was_archived_leads_on_to_the_others(
    client: Client, ids: list[int], order: list[dict[str, str]] | None
) -> None:
    before = everything(client, order)
    for title in before[:PAGE]:
        archive(client, title)

    pages = followed(client, order=order)

    first = pages[0]
    assert (first["nodes"], first["edges"], first["pageInfo"]["hasNextPage"]) == ([], [], True)
    assert [titles(page) for page in pages] == [[], before[PAGE : 2 * PAGE], before[2 * PAGE :]]
    assert [page["pageInfo"]["hasPreviousPage"] for page in pages] == [False, True, True]


@pytest.mark.parametrize("order", ORDERS, ids=["relevance", "created", "title"])
def test_the_same_holds_backwards(client: Client, ids: list[int], order: list[dict[str, str]] | None) -> None:
    before = everything(client, order)
    for title in before[-PAGE:]:
        archive(client, title)

    pages = [client.ask(BACKWARDS, last=PAGE, order=order)["assets"]]
    while pages[-1]["pageInfo"]["hasPreviousPage"]:
        assert len(pages) <= COUNT
        cursor = pages[-1]["pageInfo"]["startCursor"]
        assert cursor is not None
        pages.append(client.ask(BACKWARDS, last=PAGE, before=cursor, order=order)["assets"])

    assert [titles(page) for page in pages] == [[], before[-2 * PAGE : -PAGE], before[: -2 * PAGE]]


def test_all_pages_empty_still_come_to_an_end(client: Client, ids: list[int]) -> None:
    for title in everything(client, None):
        archive(client, title)

    pages = followed(client)

    assert [titles(page) for page in pages] == [[], [], []]
    assert client.ask(FORWARDS, first=COUNT)["assets"]["pageInfo"]["hasNextPage"] is False


def test_hits_that_a_filter_no_longer_lets_through_are_passed_over(hub: Hub, client: Client, ids: list[int]) -> None:
    tag = client.ask('{ tags(startingWith: "tall") { nodes { id } } }')["tags"]["nodes"][0]["id"]
    asked = {"where": {"tags": {"anyOf": [tag]}}, "order": ORDERS[1]}
    before = titles(client.ask(FORWARDS, first=100, **asked)["assets"])
    nodes = client.ask('{ assets(search: "lighthouse", first: 100) { nodes { id revision title } } }')["assets"][
        "nodes"
    ]
    for node in nodes:
        if node["title"] in before[PAGE : 2 * PAGE]:
            changed = client.mutate(
                "assetUpdate", "asset { id }", asset=node["id"], expectedRevision=node["revision"], tags=[]
            )
            assert changed["errors"] == []

    assert [titles(page) for page in followed(client, **asked)] == [before[:PAGE], [], before[2 * PAGE :]]


def test_hits_of_which_the_rows_know_nothing_are_passed_over(hub: Hub, client: Client, ids: list[int]) -> None:
    with hub.reading(HUB) as work:
        (known,) = searching.documents(work, ids)[ids[-1]]
    ghosts = [
        replace(known, id=faces.draft_id(ids[-1] + at), created_at=known.created_at + timedelta(days=at))
        for at in range(1, PAGE + 1)
    ]
    before = everything(client, ORDERS[1])
    with hub.index.writer_lock():
        hub.index.apply([Put(ghost) for ghost in ghosts], hub.index.checkpoint())

    pages = [titles(page) for page in followed(client, order=ORDERS[1])]

    assert pages == [[], before[:PAGE], before[PAGE : 2 * PAGE], before[2 * PAGE :]]
