"""Two at the same moment: one wins, the other hears the truth, and nothing is there twice."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import pytest

from domain.hub import Hub
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
)
from tests.assets.together import together

ROUNDS = 12


def test_of_two_simultaneous_arrivals_of_one_file_one_becomes_the_asset_and_the_other_is_told_of_it(
    client: Client, hub: Hub
) -> None:
    for number in range(ROUNDS):
        data = picture(number)
        outcomes = arriving(client, data, 2)
        check_one_asset(hub, client, data, outcomes)
    assert len(rows_everywhere(hub)["asset"]) == len(list(hub.blobs.keys())) == ROUNDS


def test_of_eight_simultaneous_arrivals_one_becomes_the_asset(client: Client, hub: Hub) -> None:
    for number in range(3):
        data = picture(number)
        check_one_asset(hub, client, data, arriving(client, data, 8))
    assert len(rows_everywhere(hub)["asset"]) == len(list(hub.blobs.keys())) == 3


def test_of_eight_arrivals_that_reuse_what_is_there_all_hear_of_one_asset(client: Client, hub: Hub) -> None:
    for number in range(3):
        outcomes = arriving(client, picture(number), 8, onDuplicate="REUSE")
        assert len({accepted(each)["asset"]["id"] for each in outcomes}) == 1
        assert sum(each["duplicateOf"] is None for each in outcomes) == 1
    assert len(rows_everywhere(hub)["asset"]) == 3


def test_arrivals_of_eight_different_files_that_bring_the_same_new_tags_all_succeed(client: Client, hub: Hub) -> None:
    words = [f"word {number}" for number in range(12)]
    acts = []
    for number in range(8):
        upload = client.upload(picture(number))
        tags = words[number:] + words[:number]
        acts.append(partial(client.mutate, "assetCreate", "asset { tags { name } }", upload=upload, tags=tags))
    for payload in together(acts):
        assert [tag["name"] for tag in accepted(payload)["asset"]["tags"]] == sorted(words)
    assert len(rows_everywhere(hub)["tag"]) == len(words)


def test_of_two_simultaneous_versions_at_one_revision_one_wins_and_one_is_stale(client: Client, hub: Hub) -> None:
    asset = created(client, picture(100))
    for number in range(ROUNDS):
        given = {"asset": asset["id"], "expectedRevision": asset["revision"]}
        uploads = [client.upload(picture(2 * number + each)) for each in range(2)]
        outcomes = together(
            [partial(client.mutate, "assetVersionAdd", "version { number }", **given, upload=each) for each in uploads]
        )
        lost = [each for each in outcomes if each["errors"]]
        (won,) = [each for each in outcomes if not each["errors"]]
        (error,) = map(refusal, lost)
        assert won["version"] == {"number": number + 2}
        assert (error["__typename"], error["current"]) == ("StaleRevisionError", asset["revision"] + 1)
        asset = look(client, asset)
        assert (asset["revision"], asset["current"]["number"]) == (number + 2, number + 2)
    assert len(events(hub, "asset.version_added")) == ROUNDS


def test_one_file_that_becomes_a_version_of_two_assets_at_once_becomes_it_of_one(client: Client, hub: Hub) -> None:
    for number in range(ROUNDS // 2):
        pair = [created(client, picture(10 * number + each)) for each in range(2)]
        data = picture(10 * number + 5)
        uploads = [client.upload(data) for _ in pair]
        outcomes = together(
            [
                partial(
                    client.mutate,
                    "assetVersionAdd",
                    "asset { id }",
                    asset=asset["id"],
                    upload=upload,
                    expectedRevision=1,
                )
                for asset, upload in zip(pair, uploads, strict=True)
            ]
        )
        (won,) = [each for each in outcomes if not each["errors"]]
        (error,) = [refusal(each) for each in outcomes if each["errors"]]
        assert (error["__typename"], error["existing"]) == ("DuplicateAssetError", won["asset"])


def test_of_two_changes_at_one_revision_one_wins_and_one_is_stale(client: Client) -> None:
    asset = created(client, picture(0))
    for number in range(ROUNDS):
        outcomes = together(
            [partial(change, client, "assetUpdate", asset, title=f"{number}{each}") for each in ("a", "b")]
        )
        (won,) = [each["asset"] for each in outcomes if not each["errors"]]
        (error,) = [refusal(each) for each in outcomes if each["errors"]]
        assert (error["__typename"], error["current"]) == ("StaleRevisionError", asset["revision"] + 1)
        asset = look(client, asset)
        assert (asset["title"], asset["revision"]) == (won["title"], won["revision"])


@pytest.mark.parametrize("askers", [2, 6])
def test_simultaneous_approvals_of_one_version_leave_one_approval(client: Client, hub: Hub, askers: int) -> None:
    asset = created(client, picture(0))
    version = asset["current"]
    given = {"version": version["id"], "sha256": version["sha256"]}
    approving = partial(
        client.mutate, "assetVersionApprove", "asset { revision approved { id } }", ownWork=True, **given
    )
    for payload in together([approving] * askers):
        assert accepted(payload)["asset"] == {"revision": 2, "approved": {"id": version["id"]}}
    assert len(rows_everywhere(hub)["approval"]) == len(events(hub, "asset.version_approved")) == 1


def test_an_archive_and_a_version_at_one_revision_never_both_happen(client: Client) -> None:
    for number in range(ROUNDS // 2):
        asset = created(client, picture(10 * number))
        outcomes = together(
            [
                partial(change, client, "assetArchive", asset),
                partial(add_version, client, asset, picture(10 * number + 5)),
            ]
        )
        (error,) = [refusal(each) for each in outcomes if each["errors"]]
        assert error["__typename"] == "StaleRevisionError"
        assert look(client, asset)["revision"] == 2


def arriving(client: Client, data: bytes, askers: int, **fields: Any) -> list[dict[str, Any]]:
    """As many uploads of the same bytes, made assets at the same moment."""
    uploads = [client.upload(data) for _ in range(askers)]
    selection = "asset { id } duplicateOf { id }"
    return together([partial(client.mutate, "assetCreate", selection, upload=each, **fields) for each in uploads])


def check_one_asset(hub: Hub, client: Client, data: bytes, outcomes: list[dict[str, Any]]) -> None:
    (won,) = [each for each in outcomes if not each["errors"]]
    for error in (refusal(each) for each in outcomes if each["errors"]):
        assert (error["__typename"], error["existing"]) == ("DuplicateAssetError", won["asset"])
    digest = hashlib.sha256(data).hexdigest()
    assert look(client, won["asset"])["current"]["sha256"] == digest
    assert [each["sha256"] for each in events(hub, "asset.created")].count(digest) == 1
