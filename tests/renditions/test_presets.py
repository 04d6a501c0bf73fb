"""Presets over GraphQL: made, changed and archived, with everything made anew in the background."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from domain import assets, delivery
from domain.hub import Hub
from storage.tables import RenditionRow
from tests.asking import Client
from tests.imaging import made
from tests.working import at_once, jobs_of, mutate, refused, work_off

PRESET = "preset { id name format width height fit quality background isDefault archived revision }"


def picture(number: int, side: int = 60) -> bytes:
    return made.encoded(made.solid((number % 256, 9, 9), size=(side, side)), "PNG")


def presets(client: Client) -> dict[str, dict[str, Any]]:
    found = client.ask(
        "{ renditionPresets { id name format width height fit quality background isDefault archived revision } }"
    )
    return {each["name"]: each for each in found["renditionPresets"]}


def rendition(client: Client, asset: dict[str, Any], preset: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = client.ask(
        """query ($id: ID!, $preset: String!) { asset(id: $id) { current {
             rendition(preset: $preset) { id preset state mediaType width height sha256 url { url } } } } }""",
        id=asset["id"],
        preset=preset,
    )["asset"]["current"]["rendition"]
    return found


def test_a_brand_begins_with_three_presets_that_are_made_without_asking(client: Client) -> None:
    made_of_all = {name: each for name, each in presets(client).items() if each["isDefault"]}
    assert {name: (p["format"], p["width"], p["isDefault"], p["revision"]) for name, p in made_of_all.items()} == {
        "thumb": ("WEBP", 320, True, 1),
        "web": ("JPEG", 1600, True, 1),
        "avif": ("AVIF", 800, True, 1),
    }


def test_a_new_default_preset_is_made_of_what_is_here_already(hub: Hub, client: Client) -> None:
    assets = [client.create(picture(number)) for number in range(3)]
    work_off(hub)
    wanted = {"name": "tiny", "format": "PNG", "width": 10, "height": 10, "isDefault": True}
    payload = mutate(client, "renditionPresetCreate", PRESET, **wanted)
    assert payload["errors"] == []
    assert payload["preset"] == {
        "id": payload["preset"]["id"],
        **wanted,
        "fit": "CONTAIN",
        "quality": 100,
        "background": "#ffffff",
        "archived": False,
        "revision": 1,
    }
    assert [rendition(client, asset, "tiny") for asset in assets] == [None, None, None]
    work_off(hub)
    for asset in assets:
        one = rendition(client, asset, "tiny")
        assert one is not None
        assert (one["state"], one["mediaType"], one["width"], one["height"]) == ("READY", "image/png", 10, 10)


def test_a_preset_that_is_no_default_is_made_of_nothing(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    mutate(client, "renditionPresetCreate", PRESET, name="rare", format="JPEG", width=9, height=9)
    work_off(hub)
    assert "apply_preset" not in [job["kind"] for job in jobs_of(hub)]
    assert rendition(client, asset, "rare") is None
    made_default = mutate(
        client,
        "renditionPresetUpdate",
        PRESET,
        preset=presets(client)["rare"]["id"],
        isDefault=True,
        expectedRevision=1,
    )
    assert made_default["preset"]["revision"] == 2
    work_off(hub)
    one = rendition(client, asset, "rare")
    assert one is not None
    assert one["state"] == "READY"


def test_a_changed_preset_is_made_anew_and_the_old_bytes_stay_in_the_store(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    old = rendition(client, asset, "thumb")
    assert old is not None
    thumb = presets(client)["thumb"]
    changed = mutate(
        client,
        "renditionPresetUpdate",
        PRESET,
        preset=thumb["id"],
        width=20,
        height=10,
        fit="COVER",
        expectedRevision=1,
    )
    assert changed["preset"] == thumb | {"width": 20, "height": 10, "fit": "COVER", "revision": 2}
    assert rendition(client, asset, "thumb") == old  # it stands in until the new one is asked for
    work_off(hub)
    new = rendition(client, asset, "thumb")
    assert new is not None
    assert (new["state"], new["width"], new["height"]) == ("READY", 20, 10)
    assert new["sha256"] != old["sha256"]
    assert hub.blobs.stat(old["sha256"])
    with hub.reading(client.viewer) as work:
        assert delivery.open_door(work, old["url"]["url"].rpartition("/")[2]).sha256 == old["sha256"]


def test_going_back_to_earlier_parameters_finds_what_was_made_then(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    old = rendition(client, asset, "thumb")
    for revision, width in ((1, 30), (2, 320)):
        mutate(
            client,
            "renditionPresetUpdate",
            PRESET,
            preset=presets(client)["thumb"]["id"],
            width=width,
            expectedRevision=revision,
        )
        if revision == 1:
            work_off(hub)
    before = len(jobs_of(hub))
    assert rendition(client, asset, "thumb") == old
    work_off(hub)
    assert [job["kind"] for job in jobs_of(hub)[before - 1 :]] == ["apply_preset"]
    assert rendition(client, asset, "thumb") == old


def test_a_preset_changed_twice_before_the_workers_come_is_made_once_as_it_is_now(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    for revision, width in ((1, 31), (2, 32)):
        mutate(
            client,
            "renditionPresetUpdate",
            PRESET,
            preset=presets(client)["thumb"]["id"],
            width=width,
            expectedRevision=revision,
        )
    work_off(hub)
    one = rendition(client, asset, "thumb")
    assert one is not None
    assert (one["state"], one["width"]) == ("READY", 32)
    with hub.reading(client.viewer) as work:
        states = work.session.execute(sa.select(RenditionRow.preset_id, RenditionRow.state)).all()
    assert sorted(tuple(row) for row in states) == [(1, "READY"), (2, "READY"), (3, "READY")]


def test_current_and_approved_versions_are_made_anew_and_older_ones_keep_what_they_have(
    hub: Hub, client: Client
) -> None:
    asset = client.create(picture(1))
    for number in (2, 3):
        added = client.mutate(
            "assetVersionAdd",
            "asset { revision } version { id sha256 }",
            asset=asset["id"],
            upload=client.upload(picture(number)),
            expectedRevision=asset["revision"],
        )
        asset["revision"] = added["asset"]["revision"]
        if number == 2:
            approved = {"version": added["version"]["id"], "sha256": added["version"]["sha256"]}
            done = client.mutate("assetVersionApprove", "asset { revision }", ownWork=True, **approved)
            asset["revision"] = done["asset"]["revision"]
    work_off(hub)
    before = _web_by_version(client, asset)
    mutate(client, "renditionPresetUpdate", PRESET, preset=presets(client)["web"]["id"], quality=50, expectedRevision=1)
    work_off(hub)
    after = _web_by_version(client, asset)
    assert after[1] == before[1]
    assert (after[2] != before[2], after[3] != before[3]) == (True, True)


def _web_by_version(client: Client, asset: dict[str, Any]) -> dict[int, str]:
    """Per version number the digest of its READY web rendition."""
    nodes = client.ask(
        'query ($id: ID!) { asset(id: $id) { versions { nodes { number rendition(preset: "web") { sha256 } } } } }',
        id=asset["id"],
    )["asset"]["versions"]["nodes"]
    return {node["number"]: node["rendition"]["sha256"] for node in nodes}


def test_a_preset_that_is_not_made_by_default_is_made_when_asked_for(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    preset = mutate(client, "renditionPresetCreate", PRESET, name="poster", format="PNG", width=30, height=30)["preset"]
    wanted = {"version": asset["current"]["id"], "preset": preset["id"]}
    first = client.mutate("renditionRequest", "rendition { id state }", **wanted)
    assert first == {"rendition": {"id": first["rendition"]["id"], "state": "QUEUED"}, "errors": []}
    work_off(hub)
    again = client.mutate("renditionRequest", "rendition { id state mediaType width }", **wanted)
    ready = {"id": first["rendition"]["id"], "state": "READY", "mediaType": "image/png", "width": 30}
    assert again == {"rendition": ready, "errors": []}


def test_a_preset_made_while_an_asset_arrives_is_not_lost(hub: Hub, client: Client) -> None:
    """Whoever brings an asset read the defaults before; the new preset waits for them and then finds their version."""
    upload = client.upload(picture(1))
    arrived, made = threading.Event(), threading.Event()

    def bring() -> None:
        with hub.writing(client.viewer) as work:
            assets.create(work, assets.of_upload(work, upload), assets.NewAsset())
            arrived.set()
            made.wait(1)

    def make() -> None:
        arrived.wait(10)
        fresh = {"name": "fourth", "format": "JPEG", "width": 30, "height": 30, "isDefault": True}
        assert mutate(client, "renditionPresetCreate", PRESET, **fresh)["errors"] == []
        made.set()

    threads = [threading.Thread(target=each) for each in (bring, make)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    work_off(hub)
    (asset,) = client.ask("{ assets { nodes { current { renditions { preset state } } } } }")["assets"]["nodes"]
    assert asset["current"]["renditions"][-1] == {"preset": "fourth", "state": "READY"}


def test_fresh_uploads_overtake_what_is_made_anew(hub: Hub, client: Client) -> None:
    old = [client.create(picture(number)) for number in range(3)]
    work_off(hub)
    mutate(client, "renditionPresetUpdate", PRESET, preset=presets(client)["web"]["id"], quality=50, expectedRevision=1)
    work_off(hub, at_most=1)
    again = [job for job in jobs_of(hub) if job["kind"] == "render_version_again"]
    assert [(job["state"], job["queue"]) for job in again] == [("READY", "upkeep")] * 3
    fresh = client.create(picture(9))
    work_off(hub, at_most=2)  # the same bytes are looked at for their likeness as well
    with hub.reading(client.viewer) as work:
        waiting = sa.select(RenditionRow.version_id).where(RenditionRow.preset_id == 2, RenditionRow.state == "QUEUED")
        assert len(set(work.session.scalars(waiting))) == len(old)
    shown = [rendition(client, asset, "web") for asset in [*old, fresh]]
    assert [one and one["state"] for one in shown] == ["READY"] * 4  # what was there stays until the new is


def test_an_archived_preset_is_no_longer_shown_and_its_name_is_free(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1))
    work_off(hub)
    gone = rendition(client, asset, "avif")
    assert gone is not None
    avif = presets(client)["avif"]
    payload = mutate(client, "renditionPresetArchive", PRESET, preset=avif["id"], expectedRevision=1)
    assert payload["preset"] == avif | {"archived": True, "revision": 2}
    assert "avif" not in presets(client)
    assert rendition(client, asset, "avif") is None
    assert hub.blobs.stat(gone["sha256"])
    again = mutate(client, "renditionPresetCreate", PRESET, name="avif", format="AVIF", width=99, height=99)
    assert again["errors"] == []
    assert again["preset"]["id"] != avif["id"]
    assert (
        refused(client, "renditionPresetArchive", PRESET, preset=avif["id"], expectedRevision=2)["code"] == "NOT_FOUND"
    )


def test_a_rendition_that_still_waits_when_its_preset_is_archived_is_not_made(hub: Hub, client: Client) -> None:
    client.create(picture(1))
    mutate(client, "renditionPresetArchive", PRESET, preset=presets(client)["avif"]["id"], expectedRevision=1)
    work_off(hub)
    with hub.reading(client.viewer) as work:
        kept = work.session.scalars(sa.select(RenditionRow.preset_id).order_by(RenditionRow.preset_id)).all()
    assert kept == [1, 2]


REFUSED: list[tuple[dict[str, Any], str, list[str], str | None]] = [
    ({"name": "web"}, "CONFLICT", ["name"], None),
    ({"name": "Big One"}, "INVALID", ["name"], "format"),
    ({"name": ""}, "INVALID", ["name"], "format"),
    ({"width": 0}, "INVALID", ["width"], "range"),
    ({"width": -5}, "INVALID", ["width"], "range"),
    ({"height": 16_384}, "INVALID", ["height"], "range"),
    ({"quality": 101}, "INVALID", ["quality"], "range"),
    ({"quality": 0}, "INVALID", ["quality"], "range"),
    ({"background": "red"}, "INVALID", ["background"], "format"),
]


@pytest.mark.parametrize(("wrong", "code", "path", "constraint"), REFUSED)
def test_a_preset_that_makes_no_sense_is_refused_when_made_and_when_changed(
    client: Client, wrong: dict[str, Any], code: str, path: list[str], constraint: str | None
) -> None:
    sound = {"name": "sound", "format": "JPEG", "width": 10, "height": 10}
    thumb = presets(client)["thumb"]["id"]
    for error in (
        refused(client, "renditionPresetCreate", PRESET, **(sound | wrong)),
        refused(client, "renditionPresetUpdate", PRESET, preset=thumb, expectedRevision=1, **wrong),
    ):
        assert (error["code"], error["path"], error.get("constraint")) == (code, path, constraint)


def test_a_change_of_a_stale_revision_is_refused_with_the_present_one(client: Client) -> None:
    web = presets(client)["web"]["id"]
    mutate(client, "renditionPresetUpdate", PRESET, preset=web, quality=70, expectedRevision=1)
    for mutation in ("renditionPresetUpdate", "renditionPresetArchive"):
        error = refused(client, mutation, PRESET, preset=web, expectedRevision=1)
        assert (error["code"], error["current"]) == ("STALE_REVISION", 2)


def test_two_presets_of_one_name_made_at_once_are_one_preset_and_one_refusal(hub: Hub, client: Client) -> None:
    answers = at_once(
        [
            lambda: mutate(client, "renditionPresetCreate", PRESET, name="twin", format="PNG", width=5, height=5)
            for _ in range(4)
        ]
    )
    codes = sorted(str([error["code"] for error in answer["errors"]]) for answer in answers)
    assert codes == ["['CONFLICT']"] * 3 + ["[]"]
