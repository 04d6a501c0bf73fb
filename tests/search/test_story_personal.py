"""What a file says about a person is found by nobody: not by searching, nor by suggestions, nor as what was meant."""

from __future__ import annotations

from typing import Any

import pytest

from domain import metadata, search
from domain.hub import Hub
from domain.metadata import Findings
from domain.work import HUB, Viewer
from storage.tables import AssetRow, AssetVersionRow
from tests.acting import member
from tests.asking import Client
from tests.delivery.brand import Brand
from tests.working import index_all

ENTRIES = (
    ("iptc", "Caption", "Model booked by wilhelmina@agencyhouse.example for Oslo"),
    ("xmp", "creator", ["Photographer Nikodemus", "nikodemus@studiohaus.example"]),
    ("xmp", "CreatorContactInfo", {"CiEmailWork": "desk@studiohaus.example"}),
    ("xmp", "headline", "Harbour at dawn"),
    ("xmp", "City", "Bergen"),
)
SECRETS = (
    "wilhelmina",
    "agencyhouse",
    "wilhelmina@agencyhouse.example",
    "nikodemus",
    "creator:nikodemus",
    "studiohaus",
)


@pytest.fixture
def asset(hub: Hub, admin: Viewer) -> int:
    brand = Brand(hub, admin)
    version = brand.asset()
    with hub.writing(HUB) as work:
        metadata.record(work, work.session.get_one(AssetVersionRow, version.id), Findings(entries=ENTRIES))
    brand.approve(version)
    index_all(hub)
    return version.asset_id


def clients(hub: Hub, admin: Viewer) -> list[Client]:
    """One who may not read what is personal, one who may, and the administrator."""
    return [*(Client(hub, member(hub, role)) for role in ("partner", "legal")), Client(hub, admin)]


def found(client: Client, text: str) -> dict[str, Any]:
    asked = "query ($text: String!) { assets(search: $text) { totalCount didYouMean } }"
    page: dict[str, Any] = client.ask(asked, text=text)["assets"]
    return page


def suggested(client: Client, prefix: str) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = client.ask(
        "query ($prefix: String!) { suggest(prefix: $prefix) { text } }", prefix=prefix
    )["suggest"]
    return texts


@pytest.mark.usefixtures("asset")
def test_what_a_file_says_about_a_person_is_neither_found_nor_suggested_nor_meant(hub: Hub, admin: Viewer) -> None:
    for client in clients(hub, admin):
        for text in SECRETS:
            assert found(client, text) == {"totalCount": 0, "didYouMean": None}, text
        for misspelt in ("wilhelmima", "agencyhousse", "nikodemuss", "studiohause"):
            assert found(client, misspelt) == {"totalCount": 0, "didYouMean": None}, misspelt
        for prefix in ("wil", "agencyh", "niko", "studioh", "desk"):
            assert suggested(client, prefix) == [], prefix


@pytest.mark.usefixtures("asset")
def test_what_else_the_same_file_says_is_found_and_meant(hub: Hub, admin: Viewer) -> None:
    for client in clients(hub, admin):
        assert found(client, "harbour")["totalCount"] == found(client, "bergen")["totalCount"] == 1
        assert found(client, "harbuor")["didYouMean"] == "harbour"


def test_words_about_a_person_are_not_in_what_the_index_is_told(hub: Hub, asset: int) -> None:
    with hub.reading(HUB) as work:
        assert work.session.get_one(AssetRow, asset).approved_version_id is not None
        (told,) = search.documents(work, [asset])[asset]
    assert (told.creators, sorted(told.texts)) == ((), ["Bergen", "Harbour at dawn"])
