"""How an upload becomes an asset, and which uploads and words are not taken."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from domain import intake
from domain.hub import Hub
from domain.refusals import FileRefused
from domain.work import Viewer
from storage.staging import Staging
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, create, created, events, picture, refusal, unchanged
from tests.imaging import made

ONE = picture(1)


def test_a_title_comes_from_the_file_name_where_none_is_given(client: Client) -> None:
    titles = {
        "summer_hero-01.png": "summer hero-01",
        "a.b.c.png": "a.b.c",
        "Ёлка в снегу.png": "Ёлка в снегу",
        "שלום.png": "שלום",
        "🎉 party 🎉.png": "🎉 party 🎉",
        "__.png": "__.png",
        "  spaced   out .png": "spaced out",
    }
    found = {name: created(client, picture(number), name)["title"] for number, name in enumerate(titles)}
    assert found == titles


def test_what_is_given_stands_and_is_recorded(client: Client, hub: Hub) -> None:
    asset = created(
        client, ONE, "x.png", title="  The \t Summer\nHero ", description=" Two\r\nlines ", tags=["Sea", "sky", "SEA"]
    )
    assert (asset["title"], asset["description"]) == ("The Summer Hero", "Two\nlines")
    assert [tag["name"] for tag in asset["tags"]] == ["SEA", "sky"]
    assert (asset["revision"], asset["lifecycle"], asset["approved"]) == (1, "DRAFT", None)
    (payload,) = events(hub, "asset.created")
    assert payload["sha256"] == hashlib.sha256(ONE).hexdigest() == asset["current"]["sha256"]


def test_texts_are_kept_composed_and_without_characters_that_disguise_them(client: Client) -> None:
    asset = created(
        client,
        ONE,
        title="e\u0301t\u0000e\u0001\u0301 \u202eevil\u202c\u2066!\u2069",
        description="a\u0007b\u202ec",
        tags=["Cafe\u0301\u0000"],
    )
    assert asset["title"] == "\u00e9t\u00e9 evil!"
    assert asset["description"] == "abc"
    assert [tag["name"] for tag in asset["tags"]] == ["Caf\u00e9"]


BROKEN: list[tuple[dict[str, Any], list[str], str]] = [
    ({"title": ""}, ["title"], "required"),
    ({"title": " \u0000\u202e\n"}, ["title"], "required"),
    ({"title": "x" * 301}, ["title"], "length"),
    ({"description": "x" * 10_001}, ["description"], "length"),
    ({"tags": ["ok", ""]}, ["tags"], "required"),
    ({"tags": ["x" * 101]}, ["tags"], "length"),
    ({"tags": [f"t{n}" for n in range(201)]}, ["tags"], "length"),
    ({"onDuplicate": "DISTINCT"}, ["reason"], "required"),
    ({"onDuplicate": "DISTINCT", "reason": "  "}, ["reason"], "required"),
    ({"onDuplicate": "DISTINCT", "reason": "x" * 2001}, ["reason"], "length"),
    ({"idempotencyKey": ""}, ["idempotencyKey"], "length"),
    ({"idempotencyKey": "x" * 201}, ["idempotencyKey"], "length"),
    ({"idempotencyKey": "a\u0000b"}, ["idempotencyKey"], "format"),
]


def test_words_that_break_a_rule_are_refused_by_name_and_leave_nothing(client: Client, hub: Hub) -> None:
    upload = client.upload(ONE)
    for fields, path, constraint in BROKEN:
        with unchanged(hub):
            error = refusal(client.mutate("assetCreate", "asset { id }", upload=upload, **fields))
        assert (error["__typename"], error["code"]) == ("ValidationError", "INVALID"), fields
        assert (error["path"], error["constraint"]) == (path, constraint), fields


def test_the_longest_words_are_taken_whole(client: Client) -> None:
    asset = created(client, ONE, title="ж" * 300, description="🎉" * 10_000, tags=[f"t{n:03}" for n in range(200)])
    assert (len(asset["title"]), len(asset["description"]), len(asset["tags"])) == (300, 10_000, 200)


def test_an_upload_that_is_not_there_is_not_found(client: Client, hub: Hub) -> None:
    for upload in ("nothing", "", "a\u0000b", "\u202e", "x" * 5000, "../../etc/passwd"):
        with unchanged(hub):
            error = refusal(client.mutate("assetCreate", "asset { id }", upload=upload))
        assert (error["__typename"], error["code"], error["path"]) == ("NotFoundError", "NOT_FOUND", ["upload"])


def test_an_unfinished_upload_is_a_conflict(client: Client, hub: Hub) -> None:
    with hub.writing(client.viewer) as work:
        begun = intake.begin(work, Staging(hub.settings.staging_dir), length=10, file_name="x.png").id
    with unchanged(hub):
        error = refusal(client.mutate("assetCreate", "asset { id }", upload=begun))
    assert (error["__typename"], error["code"], error["path"]) == ("ConflictError", "CONFLICT", ["upload"])


def test_another_principals_upload_reads_as_if_it_were_not_there(client: Client, hub: Hub) -> None:
    other = Client(hub, somebody_else(hub))
    upload = other.upload(ONE)
    with unchanged(hub):
        mine = refusal(client.mutate("assetCreate", "asset { id }", upload=upload))
        nobodys = refusal(client.mutate("assetCreate", "asset { id }", upload="nothing"))
    assert mine == nobodys
    assert accepted(other.mutate("assetCreate", "asset { title }", upload=upload))["asset"] == {"title": "picture"}


def test_an_upload_whose_time_is_over_is_gone(client: Client, hub: Hub) -> None:
    upload = client.upload(ONE)
    later = dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(days=hub.settings.upload_days, seconds=1))
    with unchanged(hub):
        error = refusal(Client(later, client.viewer).mutate("assetCreate", "asset { id }", upload=upload))
    assert (error["__typename"], error["code"], error["path"]) == ("ConflictError", "GONE", ["upload"])


@pytest.mark.parametrize(
    ("data", "file_name", "reason"),
    [
        (b"just a letter to a friend\n", "holiday.jpg", "NOT_WHAT_IT_CLAIMS"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "holiday.png", "NOT_WHAT_IT_CLAIMS"),
        (b"%PDF-1.7\n%not a video", "film.mp4", "NOT_WHAT_IT_CLAIMS"),
    ],
)
def test_a_file_that_is_not_what_its_name_promises_is_refused(
    client: Client, hub: Hub, data: bytes, file_name: str, reason: str
) -> None:
    upload = client.upload(data, file_name)
    with unchanged(hub):
        error = refusal(client.mutate("assetCreate", "asset { id }", upload=upload))
    assert (error["__typename"], error["code"]) == ("FileRefusedError", "FILE_REFUSED")
    assert (error["reason"], error["path"]) == (reason, ["upload"])


def test_nothing_is_kept_of_an_empty_file(client: Client, hub: Hub) -> None:
    with unchanged(hub), pytest.raises(FileRefused) as refused, hub.writing(client.viewer) as work:
        intake.begin(work, Staging(hub.settings.staging_dir), length=0, file_name="empty.png")
    assert refused.value.reason == "EMPTY"


@pytest.mark.parametrize(
    ("data", "file_name", "kind", "media_type"),
    [
        (made.encoded(made.quadrants(), "JPEG"), "really a jpeg.png", "IMAGE", "image/jpeg"),
        (b"a plain letter\n", "letter.txt", "DOCUMENT", "text/plain"),
        (b"\x00\x01\x02\x03" * 50, "unknown.bin", "DATASET", "application/octet-stream"),
    ],
)
def test_the_bytes_decide_what_an_asset_is(
    client: Client, data: bytes, file_name: str, kind: str, media_type: str
) -> None:
    payload = client.mutate(
        "assetCreate", "asset { kind current { mediaType } }", upload=client.upload(data, file_name)
    )
    assert accepted(payload)["asset"] == {"kind": kind, "current": {"mediaType": media_type}}


def test_one_upload_twice_is_a_duplicate_of_itself(client: Client, hub: Hub) -> None:
    upload = client.upload(ONE)
    first = accepted(client.mutate("assetCreate", "asset { id }", upload=upload))["asset"]
    with unchanged(hub):
        error = refusal(client.mutate("assetCreate", "asset { id }", upload=upload))
    assert (error["__typename"], error["existing"]) == ("DuplicateAssetError", first)


def test_client_mutation_id_comes_back_with_an_answer_and_with_a_refusal(client: Client) -> None:
    given = create_with_echo(client, client.upload(ONE), "ours-1")
    refused = create_with_echo(client, "nothing", "ours-2")
    assert (given["clientMutationId"], refused["clientMutationId"]) == ("ours-1", "ours-2")
    assert create(client, picture(2))["errors"] == []


def create_with_echo(client: Client, upload: str, echo: str) -> dict[str, Any]:
    return client.mutate("assetCreate", "asset { id } clientMutationId", upload=upload, clientMutationId=echo)


def somebody_else(hub: Hub) -> Viewer:
    """A second administrator of the same brand."""
    return acting.member(hub, "admin", name="Else")
