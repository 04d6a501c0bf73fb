"""The presets of the channels: there from the first day, made of what somebody asks for."""

from __future__ import annotations

import io
from collections import Counter

import pytest
import sqlalchemy as sa
from PIL import Image

from domain import channels, founding
from domain.hub import Hub
from domain.recipes import Colour, Format
from storage.tables import EventRow, RenditionPresetRow
from tests.asking import Client
from tests.formats import made_files
from tests.imaging import made
from tests.renditions.test_story import fetched
from tests.working import jobs_of, mutate, work_off

REQUEST = "rendition { id preset state mediaType width height url { url } failure { code message } }"


def test_the_sets_are_whole_and_their_names_are_their_own() -> None:
    seeds = list(channels.seeds())
    assert Counter(channel.name for channel, _ in seeds) == {
        "WEB": 7,
        "SOCIAL": 17,
        "EMAIL": 3,
        "MOBILE": 3,
        "PRINT": 4,
    }
    assert len({recipe.preset for _, recipe in seeds}) == len(seeds)
    printed = [recipe for channel, recipe in seeds if channel is channels.Channel.PRINT]
    assert {(recipe.format, recipe.colour) for recipe in printed} >= {
        (Format.TIFF, Colour.CMYK),
        (Format.PDF, Colour.CMYK),
    }


def test_they_can_be_listed_by_channel_and_none_is_made_of_its_own(hub: Hub, client: Client) -> None:
    client.create(made.encoded(made.quadrants(), "PNG"))
    work_off(hub)
    query = (
        "query ($c: RenditionChannel) { renditionPresets(channel: $c) { name isDefault channel format colour dpi } }"
    )
    printed = client.ask(query, c="PRINT")["renditionPresets"]
    assert [(each["name"], each["format"], each["colour"], each["dpi"]) for each in printed] == [
        ("print-cmyk", "TIFF", "CMYK", 300),
        ("print-pdf", "PDF", "CMYK", 300),
        ("print-grey", "TIFF", "GREY", 300),
        ("print-proof", "JPEG", "SRGB", 0),
    ]
    assert {each["isDefault"] for each in client.ask(query, c="SOCIAL")["renditionPresets"]} == {False}
    assert len(client.ask(query)["renditionPresets"]) == 37
    assert "apply_preset" not in {job["kind"] for job in jobs_of(hub)}


def test_a_hub_is_founded_once_and_nothing_comes_back_that_was_put_away(hub: Hub, client: Client) -> None:
    (preset,) = [
        each for each in client.ask("{ renditionPresets { id name revision } }")["renditionPresets"]
        if each["name"] == "x-post"
    ]  # fmt: skip
    mutate(client, "renditionPresetArchive", "preset { id }", preset=preset["id"], expectedRevision=preset["revision"])
    founding.found(hub)
    with hub.reading(client.viewer) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(RenditionPresetRow)) == 37
        seeded = sa.select(EventRow).where(EventRow.type == "channels.seeded")
        (event,) = work.session.scalars(seeded)
        assert len(event.payload["presets"]) == 34


@pytest.mark.parametrize("channel", [channel.name for channel in channels.Channel])
def test_every_preset_of_a_channel_makes_what_it_says_when_it_is_asked_for(
    hub: Hub, client: Client, channel: str
) -> None:
    asset = client.create(made.encoded(made.photo_like(1500, 1100), "JPEG", quality=80), "wide.jpg")
    film = client.create(made_files.film(3), "a.mp4")
    query = "query ($c: RenditionChannel) { renditionPresets(channel: $c) { id name width height fit format colour } }"
    for preset in client.ask(query, c=channel)["renditionPresets"]:
        asked = mutate(
            client, "renditionRequest", REQUEST, preset=preset["id"],
            version=(film if preset["format"] == "MP4" else asset)["current"]["id"],
        )["rendition"]  # fmt: skip
        work_off(hub)
        made_of = client.ask(f"query ($id: ID!) {{ node(id: $id) {{ ... on Rendition {{ {REQUEST[12:-1]} }} }} }}",
                             id=asked["id"])["node"]  # fmt: skip
        assert (made_of["state"], made_of["failure"]) == ("READY", None), preset["name"]
        assert made_of["mediaType"] == Format[preset["format"]].media_type
        if preset["fit"] == "PAD":
            assert (made_of["width"], made_of["height"]) == (preset["width"], preset["height"])
        if preset["fit"] == "COVER":
            shape = preset["width"] / preset["height"]
            assert abs(made_of["width"] / made_of["height"] - shape) < shape * 0.02
        _, data = fetched(hub, client, made_of["url"]["url"])
        if preset["format"] not in {"PDF", "MP4"}:
            with Image.open(io.BytesIO(data)) as opened:
                assert (opened.mode == "CMYK") is (preset["colour"] == "CMYK")
