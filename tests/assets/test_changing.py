"""What is said of an asset changes by revision; archive and restore put it away and back; viewerCan tells the truth."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import metadata
from domain.hub import Hub
from domain.metadata import Findings
from domain.work import HUB
from storage.tables import AssetRow, AssetVersionRow
from tests.asking import Client, rows_everywhere
from tests.assets.acts import (
    accepted,
    add_version,
    change,
    created,
    events,
    look,
    picture,
    refusal,
    unchanged,
)

ONE, TWO = picture(1), picture(2)


def test_what_is_left_out_stays_and_null_takes_the_description_away(client: Client) -> None:
    asset = created(client, ONE, title="Old", description="Words", tags=["sea"])
    asset = accepted(change(client, "assetUpdate", asset, title="New"))["asset"]
    assert (asset["title"], asset["description"], names(asset)) == ("New", "Words", ["sea"])
    asset = accepted(change(client, "assetUpdate", asset, title=None, tags=None))["asset"]
    assert (asset["title"], asset["description"], names(asset)) == ("New", "Words", ["sea"])
    asset = accepted(change(client, "assetUpdate", asset, description=None))["asset"]
    assert (asset["title"], asset["description"]) == ("New", None)
    asset = accepted(change(client, "assetUpdate", asset, description=" again\n"))["asset"]
    assert (asset["description"], asset["revision"]) == ("again", 5)


def test_tags_are_replaced_added_and_removed(client: Client) -> None:
    asset = created(client, ONE, tags=["sea", "sky"])
    asset = accepted(change(client, "assetUpdate", asset, tags=["SKY", "land"]))["asset"]
    assert names(asset) == ["land", "sky"]
    asset = accepted(change(client, "assetUpdate", asset, addTags=["sea", "land"]))["asset"]
    assert names(asset) == ["land", "sea", "sky"]
    gone = [tag["id"] for tag in asset["tags"] if tag["name"] != "sea"]
    asset = accepted(change(client, "assetUpdate", asset, addTags=["ice"], removeTags=gone))["asset"]
    assert names(asset) == ["ice", "sea"]
    assert names(accepted(change(client, "assetUpdate", asset, tags=[]))["asset"]) == []


def test_a_merged_tag_is_removed_under_its_old_id_as_well(client: Client) -> None:
    asset = created(client, ONE, tags=["see", "sea"])
    ids = {tag["name"]: tag["id"] for tag in asset["tags"]}
    merged = {"into": ids["sea"], "from": [ids["see"]], "expectedRevision": 1}
    accepted(client.mutate("tagMerge", "tag { name }", **merged))
    asset = look(client, asset)
    assert names(accepted(change(client, "assetUpdate", asset, removeTags=[ids["see"]]))["asset"]) == []


BROKEN: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"title": " "}, "ValidationError", ["title"]),
    ({"title": "x" * 301}, "ValidationError", ["title"]),
    ({"title": "Good", "description": "x" * 10_001}, "ValidationError", ["description"]),
    ({"title": "Good", "tags": ["new", "\u0000"]}, "ValidationError", ["tags"]),
    ({"title": "Good", "addTags": ["new", ""]}, "ValidationError", ["addTags"]),
    ({"title": "Good", "addTags": ["x" * 101]}, "ValidationError", ["addTags"]),
    ({"tags": [f"t{n}" for n in range(201)]}, "ValidationError", ["tags"]),
    ({"addTags": [f"t{n}" for n in range(199)]}, "ValidationError", ["tags"]),
    ({"tags": ["a"], "addTags": ["b"]}, "ValidationError", ["tags"]),
    ({"title": "Good", "removeTags": ["VGFnOjk5OTk"]}, "NotFoundError", ["removeTags"]),
    ({"title": "Good", "removeTags": ["nonsense"]}, "NotFoundError", ["removeTags"]),
    ({"title": "Good", "revision": 2}, "StaleRevisionError", ["expectedRevision"]),
]


def test_a_change_that_breaks_a_rule_changes_nothing_at_all(client: Client, hub: Hub) -> None:
    asset = created(client, ONE, tags=["sea", "sky"])
    for fields, type_, path in BROKEN:
        with unchanged(hub):
            error = refusal(change(client, "assetUpdate", asset, **fields))
        assert (error["__typename"], error["path"]) == (type_, path), fields


def test_what_the_file_says_counts_as_one_change_and_never_overrules_a_person(client: Client, hub: Hub) -> None:
    silent = created(client, ONE)
    spoken = created(client, TWO, title="Mine", description="My words", tags=["mine"])
    findings = Findings(title="Its", description="Its words", keywords=("its", "own"))
    later = dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(hours=1))
    with later.writing(HUB) as work:
        for row in work.session.scalars(sa.select(AssetVersionRow)):
            metadata.record(work, row, findings)
    now = look(client, silent)
    assert (now["title"], now["description"], names(now), now["revision"]) == ("Its", "Its words", ["its", "own"], 2)
    assert look(client, spoken) == spoken
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { createdAt updatedAt } } }"
    moments = client.ask(query, ids=[silent["id"], spoken["id"]])["nodes"]
    assert [each["updatedAt"] > each["createdAt"] for each in moments] == [True, False]


def test_an_archived_asset_is_listed_only_when_asked_for_and_comes_back_as_it_was(client: Client, hub: Hub) -> None:
    asset = created(client, ONE, title="Hero", tags=["sea"])
    given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
    accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))
    before = look(client, asset)
    archived = accepted(change(client, "assetArchive", before))["asset"]
    assert (archived["lifecycle"], archived["revision"]) == ("ARCHIVED", before["revision"] + 1)
    listing = "query ($where: AssetWhere) { assets(where: $where) { totalCount nodes { id } } }"
    assert client.ask(listing)["assets"] == {"totalCount": 0, "nodes": []}
    asked = client.ask(listing, where={"lifecycle": {"eq": "ARCHIVED"}})["assets"]
    assert asked == {"totalCount": 1, "nodes": [{"id": asset["id"]}]}
    restored = accepted(change(client, "assetRestore", archived))["asset"]
    assert restored == {**before, "revision": before["revision"] + 2}
    assert len(events(hub, "asset.archived")) == len(events(hub, "asset.restored")) == 1


def test_archiving_twice_and_restoring_what_lives_are_conflicts(client: Client, hub: Hub) -> None:
    living = created(client, ONE)
    archived = accepted(change(client, "assetArchive", created(client, TWO)))["asset"]
    with unchanged(hub):
        errors = [
            refusal(change(client, "assetArchive", archived)),
            refusal(change(client, "assetRestore", living)),
            refusal(change(client, "assetUpdate", archived, title="Other")),
        ]
    assert [(error["__typename"], error["path"]) for error in errors] == [("ConflictError", ["asset"])] * 3


def test_a_stale_revision_changes_nothing(client: Client, hub: Hub) -> None:
    asset = accepted(change(client, "assetUpdate", created(client, ONE), title="Second"))["asset"]
    for mutation in ("assetUpdate", "assetArchive", "assetRestore"):
        for revision in (0, 1, 3, -7):
            with unchanged(hub):
                error = refusal(change(client, mutation, asset, revision=revision))
            assert (error["__typename"], error["current"]) == ("StaleRevisionError", 2)
            assert error["path"] == ["expectedRevision"]


@pytest.mark.parametrize("lifecycle", ["DRAFT", "APPROVED", "PUBLISHED", "ARCHIVED", "QUARANTINED", "WITHDRAWN"])
def test_what_the_viewer_can_do_is_what_the_mutations_let_them_do(client: Client, hub: Hub, lifecycle: str) -> None:
    """Each mutation is asked for at a revision that is right, on an asset in that state of its own."""
    allowed = set()
    for number, action in enumerate(("UPDATE", "ADD_VERSION", "APPROVE", "ARCHIVE", "RESTORE", "TRASH")):
        asset = in_state(hub, client, created(client, picture(10 * number)), lifecycle)
        payload = tried(client, asset, action, picture(10 * number + 5))
        assert bool(payload["errors"]) == (action not in asset["viewerCan"]), (action, payload)
        allowed |= set() if payload["errors"] else {action}
    told = set(in_state(hub, client, created(client, picture(100)), lifecycle)["viewerCan"])
    quiet = set() if lifecycle in {"ARCHIVED", "QUARANTINED"} else {"SHARE"}
    assert told == allowed | {"DOWNLOAD"} | quiet


def tried(client: Client, asset: dict[str, Any], action: str, fresh: bytes) -> dict[str, Any]:
    match action:
        case "ADD_VERSION":
            return add_version(client, asset, fresh)
        case "APPROVE":
            given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
            return client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given)
        case _:
            return change(client, f"asset{action.capitalize()}", asset)


def in_state(hub: Hub, client: Client, asset: dict[str, Any], lifecycle: str) -> dict[str, Any]:
    """Puts the asset there behind the domain's back: the mutations that lead to some states come later."""
    before = "DRAFT" if lifecycle == "ARCHIVED" else None
    newest = max(row[0] for row in rows_everywhere(hub)["asset"])
    with hub.database.writing() as session:
        session.execute(
            sa.update(AssetRow)
            .where(AssetRow.id == newest)
            .values(lifecycle=lifecycle, lifecycle_before_archive=before),
        )
    return look(client, asset)


def names(asset: dict[str, Any]) -> list[str]:
    return [tag["name"] for tag in asset["tags"]]
