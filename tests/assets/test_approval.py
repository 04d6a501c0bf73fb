"""Approval is of exactly the bytes that were seen, and only of these."""

from __future__ import annotations

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
    unchanged,
)

ONE, TWO, THREE = picture(1), picture(2), picture(3)


def test_a_version_is_approved_with_the_digest_that_was_seen(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    payload = approve(client, asset["current"], note="  lovely\u0000 ")
    assert accepted(payload)["asset"] == {"lifecycle": "APPROVED", "revision": 2, "approved": {"number": 1}}
    assert events(hub, "asset.version_approved")[0]["sha256"] == asset["current"]["sha256"]
    (row,) = rows_everywhere(hub)["approval"]
    assert "lovely" in row


def test_other_bytes_than_those_seen_are_not_approved(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    newer = accepted(add_version(client, asset, TWO))["asset"]
    for seen in (asset["current"]["sha256"], "0" * 64):
        with unchanged(hub):
            error = refusal(approve(client, newer["current"], sha256=seen))
        assert (error["__typename"], error["code"]) == ("StaleSubjectError", "STALE_SUBJECT")
        assert (error["currentDigest"], error["path"]) == (newer["current"]["sha256"], ["sha256"])


@pytest.mark.parametrize("digest", ["", "0" * 63, "A" * 64, "g" * 64, "0" * 65])
def test_a_digest_that_is_none_never_reaches_the_domain(client: Client, hub: Hub, digest: str) -> None:
    asset = created(client, ONE)
    query = """mutation ($input: AssetVersionApproveInput!) { assetVersionApprove(input: $input) { asset { id } } }"""
    with unchanged(hub):
        answer = client.answer(query, input={"version": asset["current"]["id"], "sha256": digest, "ownWork": True})
    assert "A Sha256 is 64 lower-case hexadecimal digits." in answer["errors"][0]["message"]


def test_approving_twice_changes_nothing_the_second_time(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    first = accepted(approve(client, asset["current"]))
    with unchanged(hub):
        assert accepted(approve(client, asset["current"])) == first


def test_a_version_that_is_added_later_is_not_approved_by_it(client: Client) -> None:
    asset = created(client, ONE)
    approve(client, asset["current"])
    now = accepted(add_version(client, look(client, asset), TWO))["asset"]
    assert (now["current"]["number"], now["approved"]["number"]) == (2, 1)


def test_the_newest_approved_version_is_the_approved_one_whatever_the_order_of_approval(client: Client) -> None:
    one = created(client, ONE)
    two = accepted(add_version(client, one, TWO))["asset"]
    three = accepted(add_version(client, two, THREE))["asset"]
    approve(client, two["current"])
    assert look(client, one)["approved"]["number"] == 2
    approve(client, one["current"])
    assert look(client, one)["approved"]["number"] == 2
    approve(client, three["current"])
    assert look(client, one)["approved"]["number"] == 3
    revoke(client, three["current"])
    assert look(client, one)["approved"]["number"] == 2


def test_bytes_made_current_again_need_an_approval_of_their_own_version(client: Client) -> None:
    asset = created(client, ONE)
    approve(client, asset["current"])
    accepted(add_version(client, look(client, asset), TWO))
    given = {"version": asset["current"]["id"], "expectedRevision": 3}
    accepted(client.mutate("assetVersionRestore", "version { number }", **given))
    now = look(client, asset)
    assert (now["current"]["number"], now["approved"]["number"]) == (3, 1)


def test_taking_back_the_last_approval_makes_a_draft_again_and_keeps_the_record(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    approve(client, asset["current"])
    assert accepted(revoke(client, asset["current"]))["asset"] == {
        "lifecycle": "DRAFT",
        "revision": 3,
        "approved": None,
    }
    assert len(rows_everywhere(hub)["approval"]) == len(events(hub, "asset.approval_revoked")) == 1
    with unchanged(hub):
        error = refusal(revoke(client, asset["current"]))
    assert (error["__typename"], error["path"]) == ("ConflictError", ["version"])
    assert accepted(approve(client, asset["current"]))["asset"]["approved"] == {"number": 1}
    assert len(rows_everywhere(hub)["approval"]) == 2


def test_an_approval_taken_back_while_the_asset_is_archived_does_not_return_with_it(client: Client) -> None:
    asset = created(client, ONE)
    approve(client, asset["current"])
    accepted(change(client, "assetArchive", look(client, asset)))
    assert accepted(revoke(client, asset["current"]))["asset"]["lifecycle"] == "ARCHIVED"
    now = accepted(change(client, "assetRestore", look(client, asset)))["asset"]
    assert (now["lifecycle"], now["approved"]) == ("DRAFT", None)


def test_an_archived_asset_is_not_approved(client: Client, hub: Hub) -> None:
    asset = accepted(change(client, "assetArchive", created(client, ONE)))["asset"]
    with unchanged(hub):
        error = refusal(approve(client, asset["current"]))
    assert (error["__typename"], error["path"]) == ("ConflictError", ["version"])


def test_a_note_that_is_too_long_is_refused(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    with unchanged(hub):
        error = refusal(approve(client, asset["current"], note="x" * 2001))
    assert (error["__typename"], error["path"], error["constraint"]) == ("ValidationError", ["note"], "length")


def test_the_approved_stage_lists_what_has_an_approved_version(client: Client) -> None:
    asset = created(client, ONE)
    created(client, TWO)
    approve(client, asset["current"])
    found = client.ask("{ assets(stage: APPROVED) { totalCount nodes { id } } }")["assets"]
    assert found == {"totalCount": 1, "nodes": [{"id": asset["id"]}]}


def approve(client: Client, version: dict[str, Any], **fields: Any) -> dict[str, Any]:
    given = {"version": version["id"], "sha256": version["sha256"], "ownWork": True, **fields}
    return client.mutate("assetVersionApprove", "asset { lifecycle revision approved { number } }", **given)


def revoke(client: Client, version: dict[str, Any]) -> dict[str, Any]:
    selection = "asset { lifecycle revision approved { number } }"
    return client.mutate("assetVersionApprovalRevoke", selection, version=version["id"])
