"""Lightboxes through GraphQL: an order that is kept, notes, moves, limits and pages."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from domain import lightboxes
from domain.global_ids import encode
from domain.hub import Hub
from storage.tables import LightboxAssetRow
from tests.asking import Client, statements
from tests.listing.rows import Facts, insert
from tests.working import mutate, reads, refused

BOX = "lightbox { id title description archived revision assets(first: 100) { totalCount nodes { title } } }"
MANY = 12


@pytest.fixture
def ids(hub: Hub) -> list[str]:
    """Assets titled 0, 1, 2 …"""
    return [encode("Asset", number) for number in insert(hub, [Facts(title=str(number)) for number in range(MANY)])]


def box(client: Client, title: str = "Box") -> str:
    payload = mutate(client, "lightboxCreate", BOX, title=title)
    assert payload["errors"] == []
    made: str = payload["lightbox"]["id"]
    return made


def change(client: Client, mutation: str, id_: str, **fields: Any) -> dict[str, Any]:
    """Changes the lightbox at whatever revision it is."""
    revision = seen(client, id_)["revision"]
    payload = mutate(client, mutation, BOX, lightbox=id_, expectedRevision=revision, **fields)
    assert payload["errors"] == []
    found: dict[str, Any] = payload["lightbox"]
    return found


def seen(client: Client, id_: str) -> dict[str, Any]:
    fields = BOX.removeprefix("lightbox ")
    found: dict[str, Any] = client.ask(f"query ($id: ID!) {{ node(id: $id) {{ ... on Lightbox {fields} }} }}", id=id_)[
        "node"
    ]
    return found


def titles(found: dict[str, Any]) -> list[str]:
    return [node["title"] for node in found["assets"]["nodes"]]


def test_a_lightbox_is_made_described_and_put_away(client: Client) -> None:
    payload = mutate(client, "lightboxCreate", BOX, title="  Summer  2026 ", description="For the agency.\n")
    assert payload["lightbox"] == {
        "id": payload["lightbox"]["id"],
        "title": "Summer 2026",
        "description": "For the agency.",
        "archived": False,
        "revision": 1,
        "assets": {"totalCount": 0, "nodes": []},
    }
    id_ = payload["lightbox"]["id"]
    assert change(client, "lightboxUpdate", id_, title="Autumn")["description"] == "For the agency."
    assert change(client, "lightboxUpdate", id_, description="")["description"] is None
    other = box(client, "Other")
    listed = "{ lightboxes { totalCount nodes { title } } }"
    assert client.ask(listed)["lightboxes"] == {"totalCount": 2, "nodes": [{"title": "Other"}, {"title": "Autumn"}]}
    assert change(client, "lightboxArchive", id_)["archived"] is True
    assert client.ask(listed)["lightboxes"] == {"totalCount": 1, "nodes": [{"title": "Other"}]}
    assert seen(client, id_)["archived"] is True
    for mutation, more in (
        ("lightboxUpdate", {}),
        ("lightboxArchive", {}),
        ("lightboxAssetsRemove", {"assets": [other]}),
    ):
        error = refused(client, mutation, BOX, lightbox=id_, expectedRevision=4, **more)
        assert error["code"] == "NOT_FOUND"


def test_assets_keep_the_order_they_were_given(client: Client, ids: list[str]) -> None:
    id_ = box(client)
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[3], ids[1], ids[2]])) == ["3", "1", "2"]
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[0]])) == ["3", "1", "2", "0"]
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[5], ids[4]], before=ids[1])) == list("354120")
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[0], ids[3]], before=ids[4])) == list("503412")
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[5]])) == list("034125")
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[5]], before=ids[0])) == list("503412")
    assert titles(change(client, "lightboxAssetsAdd", id_, assets=[ids[1], ids[1], ids[2]])) == list("503412")
    assert titles(change(client, "lightboxAssetsRemove", id_, assets=[ids[3], ids[9]])) == list("50412")


def test_notes_stay_with_an_asset_that_moves(client: Client, ids: list[str]) -> None:
    def notes() -> list[tuple[str, str | None]]:
        query = "query ($id: ID!) { node(id: $id) { ... on Lightbox { assets { edges { note node { title } } } } } }"
        edges = client.ask(query, id=id_)["node"]["assets"]["edges"]
        return [(edge["node"]["title"], edge["note"]) for edge in edges]

    id_ = box(client)
    change(client, "lightboxAssetsAdd", id_, assets=[ids[0]], note="The hero.")
    change(client, "lightboxAssetsAdd", id_, assets=[ids[1]])
    change(client, "lightboxAssetsAdd", id_, assets=[ids[0]])
    assert notes() == [("1", None), ("0", "The hero.")]
    change(client, "lightboxAssetsAdd", id_, assets=[ids[0]], note="")
    assert notes() == [("1", None), ("0", None)]


def test_what_cannot_be_placed_is_refused_and_nothing_moves(client: Client, ids: list[str]) -> None:
    id_ = box(client)
    change(client, "lightboxAssetsAdd", id_, assets=ids[:3])
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"assets": []}, "INVALID"),
        ({"assets": [encode("Asset", number) for number in range(1, 502)]}, "INVALID"),
        ({"assets": [ids[4], encode("Asset", 999)]}, "NOT_FOUND"),
        ({"assets": [ids[4]], "before": ids[7]}, "NOT_FOUND"),
        ({"assets": [ids[1]], "before": ids[1]}, "CONFLICT"),
        ({"assets": [ids[4]], "note": "x" * 2001}, "INVALID"),
        ({"assets": [id_]}, "NOT_FOUND"),
    ]
    for fields, code in refusals:
        error = refused(client, "lightboxAssetsAdd", BOX, lightbox=id_, expectedRevision=2, **fields)
        assert error["code"] == code, fields
    for many in ([], [encode("Asset", number) for number in range(1, 502)]):
        error = refused(client, "lightboxAssetsRemove", BOX, lightbox=id_, expectedRevision=2, assets=many)
        assert error["code"] == "INVALID"
    stale = refused(client, "lightboxAssetsAdd", BOX, lightbox=id_, expectedRevision=1, assets=[ids[5]])
    assert (stale["code"], stale["current"]) == ("STALE_REVISION", 2)


def test_five_hundred_assets_are_placed_at_once(hub: Hub, client: Client) -> None:
    many = [encode("Asset", number) for number in insert(hub, [Facts(title=str(number)) for number in range(500)])]
    found = change(client, "lightboxAssetsAdd", box(client), assets=many)
    assert found["assets"]["totalCount"] == 500
    assert titles(found) == [str(number) for number in range(100)]


def test_any_sequence_of_changes_leaves_what_a_plain_list_would(hub: Hub, client: Client, ids: list[str]) -> None:
    """With gaps of eight instead of a million, so that room runs out every few moves."""
    chance = random.Random(7)
    before, lightboxes.GAP = lightboxes.GAP, 8
    try:
        id_, expected = box(client), list[str]()
        for _ in range(60):
            chosen = chance.sample(ids, chance.randint(1, 4))
            rest = [each for each in expected if each not in chosen]
            if chance.random() < 0.2:
                change(client, "lightboxAssetsRemove", id_, assets=chosen)
                expected = rest
            elif rest and chance.random() < 0.7:
                target = chance.choice(rest)
                change(client, "lightboxAssetsAdd", id_, assets=chosen, before=target)
                at = rest.index(target)
                expected = rest[:at] + chosen + rest[at:]
            else:
                change(client, "lightboxAssetsAdd", id_, assets=chosen)
                expected = rest + chosen
            assert titles(seen(client, id_)) == [str(ids.index(each)) for each in expected]
    finally:
        lightboxes.GAP = before


def test_always_placing_at_one_spot_spreads_the_others_anew(hub: Hub, client: Client) -> None:
    many = [encode("Asset", number) for number in insert(hub, [Facts(title=str(number)) for number in range(30)])]
    id_ = box(client)
    change(client, "lightboxAssetsAdd", id_, assets=[many[0], many[1]])
    for each in many[2:]:
        change(client, "lightboxAssetsAdd", id_, assets=[each], before=many[1])
    expected = [0, *range(2, 30), 1]
    assert titles(seen(client, id_)) == [str(number) for number in expected]
    with hub.database.reading() as session:
        positions = session.scalars(sa.select(LightboxAssetRow.position).order_by(LightboxAssetRow.position)).all()
    assert len(set(positions)) == 30


def test_pages_of_a_lightbox_join_in_both_directions(client: Client, ids: list[str]) -> None:
    id_ = box(client)
    change(client, "lightboxAssetsAdd", id_, assets=ids[::-1])
    expected = [str(number) for number in reversed(range(MANY))]
    for size, cursor_name, has, end in (
        ("first", "after", "hasNextPage", "endCursor"),
        ("last", "before", "hasPreviousPage", "startCursor"),
    ):
        found, cursor = list[str](), None
        while True:
            page = client.ask(
                f"""query ($id: ID!, $cursor: String) {{ node(id: $id) {{ ... on Lightbox {{
                      assets({size}: 5, {cursor_name}: $cursor) {{
                        nodes {{ title }} pageInfo {{ {has} {end} }} }} }} }} }}""",
                id=id_,
                cursor=cursor,
            )["node"]["assets"]
            names = [node["title"] for node in page["nodes"]]
            found = found + names if size == "first" else names + found
            cursor = page["pageInfo"][end]
            if not page["pageInfo"][has]:
                break
        assert found == expected


def test_an_asset_may_stand_in_many_lightboxes_and_reading_them_takes_a_constant_number_of_statements(
    hub: Hub, client: Client, ids: list[str]
) -> None:
    query = """{ lightboxes { totalCount nodes { title assets(first: 5) {
                 totalCount edges { note node { title tags { name } current { renditions { state } } } } } } } }"""
    counts = []
    for batch in range(2):
        for number in range(3):
            change(client, "lightboxAssetsAdd", box(client, f"box {batch} {number}"), assets=ids)
        with statements(hub) as sent:
            client.ask(query)
        counts.append(len(reads(sent)))
    # lightboxes and their count, a page of assets of each and their counts, tags, current versions, renditions
    assert counts == [7, 7]
