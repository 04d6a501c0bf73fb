"""The same bytes twice: refused, reused or kept apart on purpose, whatever version of whatever asset holds them."""

from __future__ import annotations

import hashlib

import pytest

from domain.assets import reading
from domain.hub import Hub
from tests.asking import Client
from tests.assets.acts import (
    accepted,
    add_version,
    change,
    create,
    created,
    look,
    picture,
    reasons,
    refusal,
    unchanged,
)

ONE, TWO, THREE = picture(1), picture(2), picture(3)


def test_the_same_bytes_again_are_refused_and_the_asset_that_holds_them_is_named(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    upload = client.upload(ONE, "another name.png")
    with unchanged(hub):
        error = refusal(client.mutate("assetCreate", "asset { id } duplicateOf { id }", upload=upload))
    assert error == {
        "__typename": "DuplicateAssetError",
        "code": "DUPLICATE_ASSET",
        "message": "The hub already holds exactly these bytes.",
        "path": ["upload"],
        "existing": {"id": asset["id"]},
    }


def test_an_archived_asset_and_an_old_version_count_as_well(client: Client, hub: Hub) -> None:
    archived = accepted(change(client, "assetArchive", created(client, ONE)))["asset"]
    replaced = accepted(add_version(client, created(client, TWO), THREE))["asset"]
    for data, holder in ((ONE, archived), (TWO, replaced), (THREE, replaced)):
        upload = client.upload(data)
        with unchanged(hub):
            error = refusal(client.mutate("assetCreate", "asset { id }", upload=upload))
        assert error["existing"] == {"id": holder["id"]}


def test_reuse_answers_the_asset_that_is_there_and_changes_nothing(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    upload = client.upload(ONE)
    with unchanged(hub):
        payload = accepted(
            client.mutate("assetCreate", "asset { id title } duplicateOf { id }", upload=upload, onDuplicate="REUSE")
        )
    assert payload["asset"] == {"id": asset["id"], "title": "picture"}
    assert payload["duplicateOf"] == {"id": asset["id"]}


@pytest.mark.parametrize("choice", ["REUSE", "DISTINCT"])
def test_new_bytes_become_an_asset_whatever_was_chosen_for_duplicates(client: Client, choice: str) -> None:
    payload = accepted(create(client, ONE, onDuplicate=choice, reason="just in case"))
    assert (payload["asset"]["title"], payload["duplicateOf"]) == ("picture", None)


def test_reuse_prefers_a_living_asset_to_an_older_archived_one(client: Client) -> None:
    old = created(client, ONE)
    young = created(client, ONE, onDuplicate="DISTINCT", reason="another campaign")
    assert create(client, ONE, onDuplicate="REUSE")["asset"]["id"] == old["id"]
    change(client, "assetArchive", old)
    assert create(client, ONE, onDuplicate="REUSE")["asset"]["id"] == young["id"]


def test_distinct_makes_a_second_asset_of_one_blob_and_records_why(client: Client, hub: Hub) -> None:
    first = created(client, ONE)
    payload = accepted(create(client, ONE, onDuplicate="DISTINCT", reason=" Another licence\u0000 "))
    second = payload["asset"]
    assert payload["duplicateOf"] == {"id": first["id"]}
    assert second["id"] != first["id"]
    assert second["current"]["sha256"] == first["current"]["sha256"] == hashlib.sha256(ONE).hexdigest()
    assert list(hub.blobs.keys()) == [hashlib.sha256(ONE).hexdigest()]
    assert reasons(hub, "asset.created") == [None, "Another licence"]


def test_all_holders_of_a_digest_are_listed_living_ones_first(client: Client) -> None:
    first = created(client, ONE)
    second = created(client, ONE, onDuplicate="DISTINCT", reason="another campaign")
    third = accepted(add_version(client, created(client, TWO), ONE, onDuplicate="DISTINCT", reason="again"))["asset"]
    change(client, "assetArchive", first)
    found = client.ask(
        "query ($sha256: Sha256!) { assetsWithDigest(sha256: $sha256) { id } }", sha256=hashlib.sha256(ONE).hexdigest()
    )
    assert [asset["id"] for asset in found["assetsWithDigest"]] == [second["id"], third["id"], first["id"]]


def test_no_more_holders_are_listed_than_the_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_HOLDERS", 2)
    first, *_ = [created(client, ONE, onDuplicate="DISTINCT", reason="again") for _ in range(3)]
    change(client, "assetArchive", first)
    query = "query ($sha256: Sha256!) { assetsWithDigest(sha256: $sha256) { lifecycle } }"
    found = client.ask(query, sha256=hashlib.sha256(ONE).hexdigest())["assetsWithDigest"]
    assert found == [{"lifecycle": "DRAFT"}] * 2


def test_a_version_of_another_assets_bytes_is_refused_unless_it_is_said_why(client: Client, hub: Hub) -> None:
    other, asset = created(client, ONE), created(client, TWO)
    upload = client.upload(ONE)
    given = {"asset": asset["id"], "upload": upload, "expectedRevision": 1}
    with unchanged(hub):
        error = refusal(client.mutate("assetVersionAdd", "asset { id } version { id }", **given))
    assert (error["__typename"], error["existing"]) == ("DuplicateAssetError", {"id": other["id"]})
    for choice, path in (("REUSE", ["onDuplicate"]), ("DISTINCT", ["reason"])):
        with unchanged(hub):
            error = refusal(client.mutate("assetVersionAdd", "version { id }", **given, onDuplicate=choice))
        assert (error["__typename"], error["path"]) == ("ValidationError", path)
    accepted(
        client.mutate("assetVersionAdd", "version { id }", **given, onDuplicate="DISTINCT", reason="a joint shoot")
    )
    assert look(client, asset)["current"]["sha256"] == hashlib.sha256(ONE).hexdigest()
    assert reasons(hub, "asset.version_added") == ["a joint shoot"]
