"""How many SQL statements reading takes: the same whatever the number of assets, and known exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.hub import Hub
from tests.asking import Client, statements
from tests.assets.acts import accepted, add_version, created, look, picture, queries
from tests.assets.test_versions import finished

PAGE = """query ($first: Int) { assets(first: $first) { totalCount nodes {
  title tags { name } viewerCan
  current { number sha256 download { url } renditions { preset state url { url validUntil } } }
  versions(first: 3) { nodes { number fileName } }
  approved { number } } pageInfo { endCursor } } }"""
#: Page, count, tags, current versions, approved ones, versions, renditions, presets, and what is kept in.
STATEMENTS = 9
#: Where the viewer could approve one of them: the organisations, and the templates that may ask for more.
GATES = 2


def test_a_page_of_assets_takes_as_many_statements_for_fifty_as_for_five(client: Client, hub: Hub) -> None:
    for number in range(50):
        asset = created(client, picture(number), tags=[f"tag {number % 7}", "all"])
        if number % 5 == 4:  # the newest one too
            newer = accepted(add_version(client, asset, picture(200 + number)))["asset"]["current"]
            given = {"version": newer["id"], "sha256": newer["sha256"]}
            accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))
            finished(hub, client, newer)
    counts = {}
    for first in (1, 5, 50):
        with statements(hub) as sent:
            page = client.ask(PAGE, first=first)["assets"]
        assert (page["totalCount"], len(page["nodes"])) == (50, first)
        counts[first] = len(queries(sent))
    assert sum(len(node["versions"]["nodes"]) for node in page["nodes"]) == 60
    assert sum(node["approved"] is not None for node in page["nodes"]) == 10
    ready = [each for node in page["nodes"] for each in node["current"]["renditions"] if each["url"] is not None]
    assert (len(ready), {each["preset"] for each in ready}) == (30, {"thumb", "web", "avif"})
    assert counts == {1: STATEMENTS, 5: STATEMENTS + GATES, 50: STATEMENTS + GATES}


@pytest.mark.parametrize(
    ("query", "expected", "together"),
    [
        ("{ asset(id: $id) { title } }", 1, 1),
        # PostgreSQL is asked for what is approved before it is known that nothing is, in one message with the asset.
        ("{ asset(id: $id) { current { number } approved { number } } }", 2, 3),
        ("{ node(id: $id) { ... on Asset { current { asset { current { asset { title } } } } } } }", 2, 2),
        ("{ nodes(ids: [$id, $id, $id]) { id } }", 1, 1),
        ("{ me { name } }", 0, 0),
    ],
)
def test_what_was_read_once_is_not_read_again(
    client: Client, hub: Hub, query: str, expected: int, together: int
) -> None:
    asset = created(client, picture(0))
    document = f"query ($id: ID!) {query}" if "$id" in query else query
    with statements(hub) as sent:
        client.ask(document, id=asset["id"])
    assert len(queries(sent)) == (together if hub.database.is_postgres else expected)


def test_reading_writes_nothing_and_asks_for_no_work(client: Client, hub: Hub) -> None:
    created(client, picture(0), tags=["sea"])
    with statements(hub) as sent:
        client.ask(PAGE, first=5)
    assert [each for each in queries(sent) if not each.startswith("SELECT")] == []


def test_each_change_of_an_asset_takes_as_many_statements_however_many_there_are(client: Client, hub: Hub) -> None:
    def archive_and_restore(asset: dict[str, Any]) -> None:
        for mutation in ("assetArchive", "assetRestore"):
            given = {"asset": asset["id"], "expectedRevision": look(client, asset)["revision"]}
            accepted(client.mutate(mutation, "asset { id }", **given))

    few = counted(hub, lambda: archive_and_restore(created(client, picture(0))))
    for number in range(1, 20):
        created(client, picture(number))
    many = counted(hub, lambda: archive_and_restore(created(client, picture(50))))
    assert few == many


def counted(hub: Hub, act: Callable[[], None]) -> int:
    with statements(hub) as sent:
        act()
    return len(queries(sent))
