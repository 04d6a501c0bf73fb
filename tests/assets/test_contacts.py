"""How to reach a person is cut out of what files propose, and counts as personal where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from domain import contacts, metadata, search
from domain.assets import personal
from domain.global_ids import decode
from domain.hub import Hub
from domain.metadata import Findings
from domain.work import HUB
from storage.tables import AssetVersionRow, MetadataRow
from tests.acting import member
from tests.asking import Client
from tests.assets.acts import picture
from tests.working import index_all

CUT = [
    ("Model booked by wilhelmina@agencyhouse.example for Oslo", "Model booked by for Oslo"),
    ("Photo: Jane Doe <jane@x.org>", "Photo: Jane Doe"),
    ("Photo (jane@x.org, +49 30 1234567).", "Photo."),
    ("Harbour [ mailto:jane@x.org?subject=Hi ] at dawn", "Harbour at dawn"),
    ("Call (555) 123-4567 now", "Call now"),
    ("Tel: 030-1234567, Fax: 030-1234568", ""),
    ("jane (at) example (dot) org", ""),
    ("Фото: тел. +7 495 123-45-67, Москва", "Фото, Москва"),
    ("A harbour at dawn\njane@x.org\nBergen", "A harbour at dawn\nBergen"),
    ("E-mail: a@b.co; phone: 030 1234567; Oslo", "Oslo"),
    ("Bild: Anna Müller / anna@bild.de / Hamburg", "Bild: Anna Müller / Hamburg"),
    ("Rights “jane@x.org” reserved", "Rights reserved"),
    ("0047 22 33 44 55", ""),
    ("0171/1234567", ""),
    ("tel:+4930123456", ""),
    ("WhatsApp +1-202-555-0143!", ""),
    ("jane＠example.org", ""),
]
LEFT = [
    "Shot 2023-07-14 18:30:05 at 1/125, f/2.8, 4032 x 3024",
    "2023:07:14 18:30:05+02:00",
    "IMG_20240501_123000",
    "uuid F3A20801-1174-0720-6818-0801 117 4072",
    "Seasons 2019-2023, edition 1000/2000 (numbered)",
    "Population 1 234 567 890",
    "ISBN 978-3-16-148410-0",
    "+0.33 EV, 192.168.100.1000, 3.14159265358979",
    "at 5@7.5mm, <b>bold</b> ()",
    "  kept as it is ,",
]


@pytest.mark.parametrize(("text", "left"), CUT)
def test_an_address_or_number_goes_with_what_announced_and_enclosed_it(text: str, left: str) -> None:
    assert contacts.is_in(text)
    assert contacts.without(text) == left
    assert not contacts.is_in(left)


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_a_little_like_one_stays_as_it_is(text: str) -> None:
    assert not contacts.is_in(text)
    assert contacts.without(text) == text


@pytest.mark.parametrize("part", ["a", "1 ", "(", "a@", "@ ", "tel ", "+1", ",@b.co ", "(a@b.co"])
def test_nothing_that_was_cut_leaves_another_behind(part: str) -> None:
    assert not contacts.is_in(contacts.without(part * 2_000))


SECRETS = ("jane", "jane@x.org", "x.org", "1234567", "agency@y.org")
FINDINGS = Findings(
    entries=(
        ("iptc", "Caption", "Quay at dawn. Rights: jane@x.org, tel. +49 30 1234567"),
        ("xmp", "headline", "Call +49 30 1234567"),
        ("xmp", "City", "Bergen"),
    ),
    title="Quay (jane@x.org)",
    description="Quay at dawn. Rights: <jane@x.org>, tel. +49 30 1234567\nBergen",
    keywords=("quay", "agency@y.org", "+49 30 1234567", "tel. 030 1234567", "2024"),
)


@pytest.fixture
def asset(hub: Hub, client: Client) -> dict[str, Any]:
    """One of which the file says how to reach people, approved."""
    made = client.create(picture(1), "quay.png")
    version_id = decode(made["current"]["id"])[1]
    with hub.writing(HUB) as work:
        metadata.record(work, work.session.get_one(AssetVersionRow, version_id), FINDINGS)
    given = {"version": made["current"]["id"], "sha256": made["current"]["sha256"]}
    assert client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given)["errors"] == []
    index_all(hub)
    return made


def test_what_a_file_proposes_says_nothing_of_how_to_reach_people(client: Client, asset: dict[str, Any]) -> None:
    asked = "query ($id: ID!) { asset(id: $id) { title description tags { name } } }"
    assert client.ask(asked, id=asset["id"])["asset"] == {
        "title": "Quay",
        "description": "Quay at dawn. Rights\nBergen",
        "tags": [{"name": "2024"}, {"name": "quay"}],
    }


@pytest.mark.usefixtures("asset")
def test_it_is_found_by_nobody(hub: Hub, client: Client) -> None:
    for asker in (client, Client(hub, member(hub, "partner"))):
        for text in SECRETS:
            assert asker.ask("query ($s: String) { assets(search: $s) { totalCount } }", s=text) == {
                "assets": {"totalCount": 0}
            }, text
        assert asker.ask('{ assets(search: "quay bergen") { totalCount } }') == {"assets": {"totalCount": 1}}
    with hub.reading(HUB) as work:
        ((told,),) = search.documents(work, [1]).values()
    assert told.texts == ("Bergen",)


def test_the_raw_entries_are_read_by_the_permission_for_personal_data_only(
    hub: Hub, client: Client, asset: dict[str, Any]
) -> None:
    asked = "query ($id: ID!) { asset(id: $id) { current { metadata { name value } } } }"

    def names(asker: Client) -> set[str]:
        return {each["name"] for each in asker.ask(asked, id=asset["id"])["asset"]["current"]["metadata"]}

    assert names(client) == {"Caption", "headline", "City"}
    assert names(Client(hub, member(hub, "partner"))) == {"City"}


@pytest.mark.parametrize(
    ("text", "is_personal"), [*((text, True) for text, _ in CUT), *((text, False) for text in LEFT)]
)
def test_an_entry_counts_as_personal_by_what_its_text_holds(text: str, is_personal: bool) -> None:
    for value in (text, [text], {"inside": [text]}):
        row = MetadataRow(version_id=1, namespace="iptc", name="Caption", value=value)
        assert personal.is_personal(row) is is_personal
