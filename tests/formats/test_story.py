"""Files of every kind through GraphQL: uploaded, shown, read, and found by the words in them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.hub import Hub
from tests.asking import Client
from tests.formats import made_files
from tests.working import index_all, mutate, work_off

QUERY = """query ($id: ID!) { asset(id: $id) { kind current {
  id analysis width height failure { code message }
  renditions { preset state mediaType width height failure { code message retryable } }
  metadata { namespace name value } } } }"""
FOUND = "query ($q: String!) { assets(first: 10, search: $q) { nodes { title } } }"
OFFICE = frozenset({"a.docx", "a.xlsx", "a.pptx", "a.odt"})
#: Plain words have no picture.
WORDS = frozenset({"a.txt", "a.csv"})


def seen(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    version: dict[str, Any] = client.ask(QUERY, id=asset["id"])["asset"]["current"]
    return version


@pytest.fixture
def no_office(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))


def test_every_kind_of_file_is_shown_by_every_default_preset_or_says_why_not(
    hub: Hub, client: Client, no_office: None
) -> None:
    assets = {name: client.create(content, name) for name, (_, content) in made_files.every_kind().items()}
    work_off(hub)
    for name, asset in assets.items():
        version = seen(client, asset)
        assert (version["analysis"], version["failure"]) == ("READY", None), name
        states = {one["preset"]: (one["state"], (one["failure"] or {}).get("code")) for one in version["renditions"]}
        if name in OFFICE:
            assert set(states.values()) == {("FAILED", "NOT_INSTALLED")}, name
            assert all("LibreOffice" in one["failure"]["message"] for one in version["renditions"])
            assert all(one["failure"]["retryable"] for one in version["renditions"])
        elif name in WORDS:
            assert set(states.values()) == {("FAILED", "UNSUPPORTED_FORMAT")}, name
        else:
            assert states == dict.fromkeys(("thumb", "web", "avif"), ("READY", None)), name


def test_a_film_says_how_long_it_is_and_how_large(hub: Hub, client: Client) -> None:
    asset = client.create(made_files.film(3), "a.mp4")
    work_off(hub)
    version = seen(client, asset)
    said = {(one["namespace"], one["name"]): one["value"] for one in version["metadata"]}
    assert (version["width"], version["height"]) == (320, 180)
    assert said["media", "durationSeconds"] == 3
    assert said["media", "videoCodec"] == "h264"
    assert said["media", "loudnessLufs"] == pytest.approx(-23, abs=0.5)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("a.pdf", "second page"),
        ("a.docx", "printer"),
        ("a.xlsx", "plate"),
        ("a.pptx", "campaign"),
        ("a.svg", "spring campaign"),
        ("a.zip", "two.jpg"),
        ("a.txt", "печатают"),
    ],
)
def test_an_asset_is_found_by_the_words_in_its_file(
    hub: Hub, client: Client, name: str, query: str, no_office: None
) -> None:
    _, content = made_files.every_kind()[name]
    client.create(content, name, title="Sought")
    client.create(made_files.pages("Nothing of the kind"), "other.pdf", title="Other")
    work_off(hub)
    index_all(hub)
    assert [one["title"] for one in client.ask(FOUND, q=query)["assets"]["nodes"]] == ["Sought"]


def test_how_to_reach_a_person_is_no_word_to_be_found_by(hub: Hub, client: Client) -> None:
    client.create(made_files.pages("Ask zora at zora.quint@example.org today"), "a.pdf", title="Letter")
    work_off(hub)
    index_all(hub)
    assert client.ask(FOUND, q="zora.quint@example.org")["assets"]["nodes"] == []
    assert [one["title"] for one in client.ask(FOUND, q="today")["assets"]["nodes"]] == ["Letter"]


def test_a_version_that_comes_back_brings_its_words_along(hub: Hub, client: Client) -> None:
    asset = client.create(made_files.pages("Unforgettable words"), "a.pdf", title="Letter")
    work_off(hub)
    first = seen(client, asset)["id"]
    revision = client.ask("query ($id: ID!) { asset(id: $id) { revision } }", id=asset["id"])["asset"]["revision"]
    other = mutate(
        client, "assetVersionAdd", "asset { revision }", asset=asset["id"], expectedRevision=revision,
        upload=client.upload(made_files.pages("Nothing of the kind"), "b.pdf"),
    )  # fmt: skip
    work_off(hub)
    index_all(hub)
    assert client.ask(FOUND, q="unforgettable")["assets"]["nodes"] == []
    mutate(
        client, "assetVersionRestore", "asset { id }", version=first, expectedRevision=other["asset"]["revision"]
    )  # fmt: skip
    index_all(hub)
    assert [one["title"] for one in client.ask(FOUND, q="unforgettable")["assets"]["nodes"]] == ["Letter"]


def test_a_preset_that_makes_films_is_asked_of_films_only(hub: Hub, client: Client) -> None:
    presets = {one["name"]: one for one in client.ask("{ renditionPresets { id name revision } }")["renditionPresets"]}
    preview = presets["film-preview"]
    mutate(
        client, "renditionPresetUpdate", "preset { isDefault clipSeconds }",
        preset=preview["id"], expectedRevision=preview["revision"], isDefault=True, clipSeconds=2,
    )  # fmt: skip
    film, picture = client.create(made_files.film(4), "a.mp4"), client.create(made_files.jpeg_xl(), "a.jxl")
    work_off(hub)
    of_film = {one["preset"]: one for one in seen(client, film)["renditions"]}
    assert (of_film["film-preview"]["state"], of_film["film-preview"]["mediaType"]) == ("READY", "video/mp4")
    assert "film-preview" not in {one["preset"] for one in seen(client, picture)["renditions"]}
    payload = client.mutate(
        "renditionRequest", "rendition { id }", version=seen(client, picture)["id"], preset=preview["id"]
    )
    assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]
