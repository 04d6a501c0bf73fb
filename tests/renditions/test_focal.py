"""Focal points over GraphQL: set by hand, proposed, kept whenever a crop is made again."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from domain.hub import Hub
from tests.acting import member
from tests.asking import Client
from tests.assets.acts import unchanged
from tests.imaging import made
from tests.imaging.test_saliency import with_a_disc
from tests.renditions.test_story import fetched
from tests.working import mutate, refused, work_off

POINT = "version { id focalPoint { x y byHand } }"
SHOWN = """query ($id: ID!) { asset(id: $id) { current { focalPoint { x y byHand }
  rendition(preset: "square") { state sha256 url { url } } } } }"""


def squared(hub: Hub, client: Client, data: bytes) -> dict[str, Any]:
    """An asset with a square crop."""
    wanted = {"name": "square", "format": "PNG", "width": 90, "height": 90, "fit": "COVER", "isDefault": True}
    mutate(client, "renditionPresetCreate", "preset { id }", **wanted)
    asset = client.create(data)
    work_off(hub)
    return asset


def shown(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.ask(SHOWN, id=asset["id"])["asset"]["current"]
    return found


def corners(hub: Hub, client: Client, asset: dict[str, Any]) -> tuple[made.Rgb, ...]:
    _, data = fetched(hub, client, shown(client, asset)["rendition"]["url"]["url"])
    with Image.open(io.BytesIO(data)) as opened:
        return made.corners(opened)


def test_a_crop_follows_the_point_that_was_set_and_keeps_it_when_it_is_made_again(hub: Hub, client: Client) -> None:
    asset = squared(hub, client, made.encoded(made.quadrants(400, 100), "PNG"))
    before = shown(client, asset)["rendition"]["sha256"]
    set_ = mutate(client, "focalPointSet", POINT, version=asset["current"]["id"], x=0.9, y=0.5)
    assert set_["version"]["focalPoint"] == {"x": 0.9, "y": 0.5, "byHand": True}
    assert shown(client, asset)["rendition"]["sha256"] == before  # the old stays until the new is there
    work_off(hub)
    right = (made.CORNERS[1], made.CORNERS[1], made.CORNERS[2], made.CORNERS[2])
    assert all(made.distance(one, other) < 9 for one, other in zip(corners(hub, client, asset), right, strict=True))
    (preset,) = [
        each for each in client.ask("{ renditionPresets { id name revision } }")["renditionPresets"]
        if each["name"] == "square"
    ]  # fmt: skip
    wider = {"preset": preset["id"], "expectedRevision": preset["revision"], "width": 80, "height": 40}
    mutate(client, "renditionPresetUpdate", "preset { id }", **wider)
    work_off(hub)
    assert all(made.distance(one, other) < 9 for one, other in zip(corners(hub, client, asset), right, strict=True))
    assert shown(client, asset)["focalPoint"]["byHand"] is True


def test_what_stands_out_is_proposed_and_a_person_knows_better(hub: Hub, client: Client) -> None:
    asset = squared(hub, client, made.encoded(with_a_disc(0.85, 0.5, (900, 300)), "PNG"))
    proposed = shown(client, asset)["focalPoint"]
    assert proposed["byHand"] is False
    assert abs(proposed["x"] - 0.85) < 0.06
    _, data = fetched(hub, client, shown(client, asset)["rendition"]["url"]["url"])
    with Image.open(io.BytesIO(data)) as opened:
        assert (np.asarray(opened.convert("RGB"))[..., 0] > 180).any()
    by_hand = {"x": 0.1, "y": 0.5, "byHand": True}
    mutate(client, "focalPointSet", POINT, version=asset["current"]["id"], x=0.1, y=0.5)
    work_off(hub)
    assert shown(client, asset)["focalPoint"] == by_hand
    _, data = fetched(hub, client, shown(client, asset)["rendition"]["url"]["url"])
    with Image.open(io.BytesIO(data)) as opened:
        assert not (np.asarray(opened.convert("RGB"))[..., 0] > 180).any()
    mutate(client, "focalPointClear", POINT, version=asset["current"]["id"])
    work_off(hub)
    assert shown(client, asset)["focalPoint"] == proposed


def test_only_crops_are_made_again(hub: Hub, client: Client) -> None:
    asset = squared(hub, client, made.encoded(made.quadrants(400, 100), "PNG"))
    query = "query ($id: ID!) { asset(id: $id) { current { renditions { preset sha256 } } } }"
    before = {each["preset"]: each for each in client.ask(query, id=asset["id"])["asset"]["current"]["renditions"]}
    mutate(client, "focalPointSet", POINT, version=asset["current"]["id"], x=0.5, y=0.5)
    work_off(hub)
    after = {each["preset"]: each for each in client.ask(query, id=asset["id"])["asset"]["current"]["renditions"]}
    assert {name for name in after if after[name] != before[name]} == {"square"}


def test_the_same_bytes_as_another_asset_share_a_crop_only_where_they_share_the_point(hub: Hub, client: Client) -> None:
    data = made.encoded(made.quadrants(400, 100), "PNG")
    one = squared(hub, client, data)
    mutate(client, "focalPointSet", POINT, version=one["current"]["id"], x=0.5, y=0.5)
    work_off(hub)
    twin = client.create(data, onDuplicate="DISTINCT", reason="Another campaign.")
    work_off(hub)
    assert shown(client, twin)["rendition"]["state"] == "READY"
    assert shown(client, twin)["rendition"]["sha256"] != shown(client, one)["rendition"]["sha256"]


@pytest.mark.parametrize(("x", "y"), [(-0.1, 0.5), (1.1, 0.5), (0.5, 2.0)])
def test_a_point_outside_the_picture_is_refused(client: Client, x: float, y: float) -> None:
    asset = client.create(made.encoded(made.quadrants(), "PNG"))
    with unchanged(client.hub):
        error = refused(client, "focalPointSet", POINT, version=asset["current"]["id"], x=x, y=y)
    assert error["code"] == "INVALID"


def test_who_may_not_change_an_asset_sets_no_point(hub: Hub, client: Client) -> None:
    asset = client.create(made.encoded(made.quadrants(), "PNG"))
    lawyer = Client(hub, member(hub, "legal"))
    with unchanged(hub):
        error = refused(lawyer, "focalPointSet", POINT, version=asset["current"]["id"], x=0.5, y=0.5)
    assert error["code"] == "NOT_ALLOWED"
