"""Versions: numbered without gaps, never changed, current by a pointer, listed by keyset in batches."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from domain import metadata
from domain.hub import Hub
from domain.metadata import Findings
from domain.renditions import Made, finish, start
from domain.work import HUB
from storage.tables import AssetVersionRow, JobRow
from tests.asking import Client, statements
from tests.assets.acts import (
    accepted,
    add_version,
    change,
    created,
    events,
    look,
    picture,
    queries,
    refusal,
    unchanged,
)

ONE, TWO, THREE = picture(1), picture(2), picture(3)
VERSIONS = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { asset(id: $id) {
  versions(first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { number } edges { cursor node { number } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


def test_new_bytes_become_the_next_version_and_the_old_ones_stay(client: Client, hub: Hub) -> None:
    asset = created(client, ONE, title="Hero")
    payload = accepted(add_version(client, asset, TWO, file_name="second.png", changeNote=" brighter\u0000 "))
    assert payload["version"] == {
        "id": payload["asset"]["current"]["id"],
        "number": 2,
        "sha256": hashlib.sha256(TWO).hexdigest(),
        "fileName": "second.png",
    }
    now = payload["asset"]
    assert (now["title"], now["revision"], now["current"]["changeNote"]) == ("Hero", 2, "brighter")
    assert numbers(client, asset) == [2, 1]
    (told,) = events(hub, "asset.version_added")
    assert (told["number"], told["sha256"]) == (2, hashlib.sha256(TWO).hexdigest())


def test_the_bytes_that_are_current_already_are_a_conflict(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    upload = client.upload(ONE)
    with unchanged(hub):
        error = refusal(
            client.mutate("assetVersionAdd", "version { id }", asset=asset["id"], upload=upload, expectedRevision=1)
        )
    assert (error["__typename"], error["path"]) == ("ConflictError", ["upload"])


def test_the_bytes_of_an_earlier_version_come_back_as_a_new_one(client: Client) -> None:
    asset = created(client, ONE)
    first = asset["current"]
    asset = accepted(add_version(client, asset, TWO))["asset"]
    asset = accepted(add_version(client, asset, ONE))["asset"]
    assert (asset["current"]["number"], asset["current"]["sha256"]) == (3, first["sha256"])
    assert asset["current"]["madeFrom"] == {"id": first["id"]}


def test_an_earlier_version_is_made_current_again_as_a_new_one_of_the_same_bytes(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    first = asset["current"]
    asset = accepted(add_version(client, asset, TWO))["asset"]
    payload = accepted(restored(client, first, asset["revision"], changeNote="the client liked it better"))
    assert payload["version"]["number"] == 3
    now = look(client, asset)
    assert (now["current"]["madeFrom"], now["current"]["sha256"]) == ({"id": first["id"]}, first["sha256"])
    assert (now["current"]["changeNote"], now["revision"]) == ("the client liked it better", 3)
    assert len(list(hub.blobs.keys())) == 2
    with unchanged(hub):
        error = refusal(restored(client, now["current"], now["revision"]))
    assert (error["__typename"], error["path"]) == ("ConflictError", ["version"])


def test_an_old_version_whose_bytes_are_current_again_is_not_brought_back_once_more(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    first = asset["current"]
    asset = accepted(add_version(client, asset, TWO))["asset"]
    accepted(restored(client, first, asset["revision"]))
    with unchanged(hub):
        error = refusal(restored(client, first, asset["revision"] + 1))
    assert (error["__typename"], error["path"]) == ("ConflictError", ["version"])


def test_a_file_of_another_kind_is_refused(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    upload = client.upload(b"a plain letter\n", "letter.txt")
    with unchanged(hub):
        error = refusal(
            client.mutate("assetVersionAdd", "version { id }", asset=asset["id"], upload=upload, expectedRevision=1)
        )
    assert (error["__typename"], error["path"]) == ("ConflictError", ["upload"])
    assert error["message"] == "This asset is of kind IMAGE; the file is of kind DOCUMENT."


def test_an_archived_asset_takes_no_version_until_it_is_restored(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    first = asset["current"]
    asset = accepted(add_version(client, asset, TWO))["asset"]
    asset = accepted(change(client, "assetArchive", asset))["asset"]
    upload = client.upload(THREE)
    given = {"asset": asset["id"], "upload": upload, "expectedRevision": asset["revision"]}
    with unchanged(hub):
        error = refusal(client.mutate("assetVersionAdd", "version { id }", **given))
        again = refusal(restored(client, first, asset["revision"]))
    assert error["__typename"] == again["__typename"] == "ConflictError"
    asset = accepted(change(client, "assetRestore", asset))["asset"]
    assert accepted(add_version(client, asset, THREE))["version"]["number"] == 3


def test_a_stale_revision_is_refused_with_the_one_that_stands(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    accepted(add_version(client, asset, TWO))
    upload = client.upload(THREE)
    for revision in (1, 0, -1, 3, 2**31 - 1):
        given = {"asset": asset["id"], "upload": upload, "expectedRevision": revision}
        with unchanged(hub):
            error = refusal(client.mutate("assetVersionAdd", "version { id }", **given))
        assert (error["__typename"], error["current"]) == ("StaleRevisionError", 2)
        assert error["path"] == ["expectedRevision"]


def test_a_refused_version_leaves_no_gap_in_the_numbers(client: Client) -> None:
    asset = created(client, ONE)
    for number in range(2, 8):
        refusal(add_version(client, asset, ONE if number == 2 else picture(10 + number - 1)))
        asset = accepted(add_version(client, asset, picture(10 + number)))["asset"]
    assert numbers(client, asset) == [7, 6, 5, 4, 3, 2, 1]


def test_what_was_made_of_the_same_bytes_is_ready_at_once_and_no_work_is_asked_for(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    first = asset["current"]
    finished(hub, client, first)
    asset = accepted(add_version(client, asset, TWO))["asset"]
    jobs = count_of(hub, JobRow)
    restored(client, first, asset["revision"])
    now = client.ask(
        """query ($id: ID!) { asset(id: $id) { current { number analysis width height metadata { name value }
             renditions { preset state sha256 url { url } } } } }""",
        id=asset["id"],
    )["asset"]["current"]
    assert (now["number"], now["analysis"], now["width"], now["height"]) == (3, "READY", 41, 30)
    assert now["metadata"] == [{"name": "Model", "value": "Box"}]
    assert {(each["preset"], each["state"]) for each in now["renditions"]} == {
        ("thumb", "READY"),
        ("web", "READY"),
        ("avif", "READY"),
    }
    assert {each["sha256"] for each in now["renditions"]} == {hashlib.sha256(THREE).hexdigest()}
    assert len({each["url"]["url"] for each in now["renditions"]}) == 3
    assert count_of(hub, JobRow) == jobs


def test_what_was_not_yet_made_is_queued_for_the_new_version_too(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    first = asset["current"]
    asset = accepted(add_version(client, asset, TWO))["asset"]
    jobs = count_of(hub, JobRow)
    restored(client, first, asset["revision"])
    found = client.ask("query ($id: ID!) { asset(id: $id) { current { renditions { state } } } }", id=asset["id"])
    assert [each["state"] for each in found["asset"]["current"]["renditions"]] == ["QUEUED"] * 3
    assert count_of(hub, JobRow) == jobs + 1


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_of_versions_run_both_ways_and_count_rightly(client: Client, size: int) -> None:
    asset = created(client, picture(0))
    for number in range(1, 6):
        asset = accepted(add_version(client, asset, picture(number)))["asset"]
    forwards = walked(client, asset, first=size)
    backwards = walked(client, asset, last=size)
    assert forwards == [6, 5, 4, 3, 2, 1]
    assert backwards == [1, 2, 3, 4, 5, 6]


def test_a_version_that_is_added_between_pages_neither_repeats_nor_hides_one(client: Client) -> None:
    asset = created(client, picture(0))
    for number in range(1, 4):
        asset = accepted(add_version(client, asset, picture(number)))["asset"]
    page = client.ask(VERSIONS, id=asset["id"], first=2)["asset"]["versions"]
    accepted(add_version(client, asset, picture(9)))
    rest = client.ask(VERSIONS, id=asset["id"], first=9, after=page["pageInfo"]["endCursor"])["asset"]["versions"]
    assert [each["number"] for each in page["nodes"] + rest["nodes"]] == [4, 3, 2, 1]
    assert rest["totalCount"] == 5
    newer = client.ask(VERSIONS, id=asset["id"], last=9, before=page["pageInfo"]["startCursor"])["asset"]["versions"]
    assert [each["number"] for each in newer["nodes"]] == [5]


def test_the_versions_of_many_assets_are_read_in_as_many_statements_as_those_of_one(client: Client, hub: Hub) -> None:
    ids = []
    for number in range(6):
        asset = created(client, picture(number))
        ids.append(accepted(add_version(client, asset, picture(50 + number)))["asset"]["id"])
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset {
        versions(first: 1) { totalCount nodes { number metadata { name } } pageInfo { hasNextPage } } } } }"""
    sent = []
    for asked in (ids[:1], ids):
        with statements(hub) as seen:
            found = client.ask(query, ids=asked)["nodes"]
        assert [each["versions"]["nodes"][0]["number"] for each in found] == [2] * len(asked)
        assert [each["versions"]["totalCount"] for each in found] == [2] * len(asked)
        sent.append(queries(seen))
    assert len(sent[0]) == len(sent[1]) == 4


def restored(client: Client, version: dict[str, Any], revision: int, **fields: Any) -> dict[str, Any]:
    selection = "asset { id } version { id number }"
    return client.mutate("assetVersionRestore", selection, version=version["id"], expectedRevision=revision, **fields)


def numbers(client: Client, asset: dict[str, Any]) -> list[int]:
    found = client.ask(VERSIONS, id=asset["id"], first=100)["asset"]["versions"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["number"] for each in found["nodes"]]


def walked(client: Client, asset: dict[str, Any], **size: int) -> list[int]:
    """Every number in the order in which the pages bring them, each page checked on the way."""
    backwards = "last" in size
    found: list[int] = []
    cursor = None
    while True:
        place: dict[str, str] = {} if cursor is None else {"before" if backwards else "after": cursor}
        page = client.ask(VERSIONS, id=asset["id"], **size, **place)["asset"]["versions"]
        assert page["totalCount"] == 6
        ends = (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
        assert (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"]) == ends
        here = [each["number"] for each in page["nodes"]]
        assert here == sorted(here, reverse=True)
        found += here[::-1] if backwards else here
        behind, ahead = page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]
        more, came_from = (behind, ahead) if backwards else (ahead, behind)
        assert came_from == (cursor is not None)
        if not more:
            return found
        cursor = ends[0] if backwards else ends[1]


def finished(hub: Hub, client: Client, version: dict[str, Any]) -> None:
    """Does what a worker does: the version's facts are read and its renditions made (all of one set of bytes)."""
    client.upload(THREE)
    with hub.writing(HUB) as work:
        number = work.session.scalars(
            sa.select(AssetVersionRow.id).where(AssetVersionRow.sha256 == version["sha256"])
        ).one()
        begun = start(work, number)
        assert begun is not None
        row, recipes = begun
        made = Made(hashlib.sha256(THREE).hexdigest(), len(THREE), "image/webp", 41, 30)
        finish(work, row, dict.fromkeys(recipes, made))
        moment = datetime(2020, 5, 4, tzinfo=UTC)
        metadata.record(work, row, Findings(41, 30, moment, entries=[("exif", "Model", "Box")]))


def count_of(hub: Hub, table: type[JobRow]) -> int:
    with hub.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
