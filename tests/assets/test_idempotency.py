"""A request repeated under its key is answered once, and a failure leaves the key free."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from domain.hub import Hub
from tests.asking import Client, rows_everywhere
from tests.assets.acts import accepted, change, created, events, look, picture, refusal, unchanged
from tests.assets.test_creating import somebody_else
from tests.assets.together import together

ONE, TWO = picture(1), picture(2)


def test_a_repeated_request_hears_the_first_answer_and_happens_once(client: Client, hub: Hub) -> None:
    upload = client.upload(ONE)
    first = keyed(client, upload, title="Hero", tags=["sea"])
    with unchanged(hub):
        again = keyed(client, upload, title="Hero", tags=["sea"])
    assert accepted(again) == accepted(first)
    assert len(events(hub, "asset.created")) == 1


def test_the_repeated_answer_shows_the_asset_as_it_stands_now(client: Client) -> None:
    upload = client.upload(ONE)
    asset = accepted(keyed(client, upload))["asset"]
    accepted(change(client, "assetUpdate", asset, title="Renamed"))
    assert accepted(keyed(client, upload))["asset"] == {"id": asset["id"], "revision": 2, "title": "Renamed"}


def test_the_clients_own_reference_is_no_part_of_the_request(client: Client, hub: Hub) -> None:
    upload = client.upload(ONE)
    first = accepted(keyed(client, upload, clientMutationId="a"))
    with unchanged(hub):
        assert accepted(keyed(client, upload, clientMutationId="b")) == first


def test_another_request_under_the_key_is_refused(client: Client, hub: Hub) -> None:
    upload, other = client.upload(ONE), client.upload(TWO)
    asset = accepted(keyed(client, upload))["asset"]
    with unchanged(hub):
        errors = [
            refusal(keyed(client, other)),
            refusal(keyed(client, upload, title="Other")),
            refusal(change(client, "assetArchive", asset, idempotencyKey="key")),
        ]
    for error in errors:
        assert (error["__typename"], error["code"]) == ("IdempotencyMismatchError", "IDEMPOTENCY_MISMATCH")
        assert error["path"] == ["idempotencyKey"]


def test_keys_of_two_people_do_not_meet(client: Client, hub: Hub) -> None:
    other = Client(hub, somebody_else(hub))
    mine = accepted(keyed(client, client.upload(ONE)))["asset"]
    theirs = accepted(keyed(other, other.upload(TWO)))["asset"]
    assert mine["id"] != theirs["id"]


def test_a_refused_request_leaves_its_key_free(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    with unchanged(hub):
        refusal(change(client, "assetUpdate", asset, revision=7, title="New", idempotencyKey="key"))
    assert accepted(change(client, "assetUpdate", asset, title="New", idempotencyKey="key"))["asset"]["revision"] == 2
    again = accepted(change(client, "assetUpdate", asset, title="New", idempotencyKey="key"))
    assert again["asset"]["revision"] == 2


def test_a_failure_in_the_middle_leaves_neither_key_nor_asset_and_the_repetition_succeeds(
    client: Client, hub: Hub
) -> None:
    """The fault is real: the bytes have vanished from the store between upload and assetCreate."""
    upload = client.upload(ONE)
    hub.blobs.remove(hashlib.sha256(ONE).hexdigest())
    query = "mutation ($input: AssetCreateInput!) { assetCreate(input: $input) { asset { id } errors { code } } }"
    with unchanged(hub):
        answer = client.answer(query, input={"upload": upload, "idempotencyKey": "key"})
    assert answer["data"] == {"assetCreate": {"asset": None, "errors": [{"code": "STORAGE_UNAVAILABLE"}]}}
    client.upload(ONE)
    assert accepted(keyed(client, upload))["asset"]["title"] == "picture"


def test_four_at_the_same_moment_under_one_key_make_one_asset_and_hear_of_the_same(client: Client, hub: Hub) -> None:
    for number in range(6):
        upload = client.upload(picture(number))
        answers = together([partial(keyed, client, upload, key=f"key {number}")] * 4)
        assert len({accepted(each)["asset"]["id"] for each in answers}) == 1
    assert len(rows_everywhere(hub)["asset"]) == len(events(hub, "asset.created")) == 6


def test_four_different_requests_under_one_key_are_one_success_and_three_mismatches(client: Client, hub: Hub) -> None:
    uploads = [client.upload(picture(number)) for number in range(4)]
    answers = together([partial(keyed, client, upload) for upload in uploads])
    codes = sorted(refusal(each)["code"] if each["errors"] else "" for each in answers)
    assert codes == ["", *["IDEMPOTENCY_MISMATCH"] * 3]
    assert len(rows_everywhere(hub)["asset"]) == 1


def test_a_repeated_change_is_not_stale(client: Client, hub: Hub) -> None:
    asset = created(client, ONE)
    for mutation, fields in (("assetUpdate", {"addTags": ["sea"]}), ("assetArchive", {}), ("assetRestore", {})):
        now = look(client, asset)
        first = accepted(change(client, mutation, now, idempotencyKey=mutation, **fields))
        with unchanged(hub):
            assert accepted(change(client, mutation, now, idempotencyKey=mutation, **fields)) == first


def keyed(client: Client, upload: str, *, key: str = "key", **fields: Any) -> dict[str, Any]:
    return client.mutate("assetCreate", "asset { id revision title }", upload=upload, idempotencyKey=key, **fields)
