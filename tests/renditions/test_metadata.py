"""What files say of themselves: kept, shown, and taken over only where people said nothing."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain import asking, renditions
from domain.hub import Hub
from domain.work import HUB
from storage.jobs import claim
from storage.tables import AssetVersionRow
from tests.asking import Client
from tests.imaging import made, made_metadata
from tests.working import tools_of, work_off
from workers import renditions as working

FACTS = """query ($id: ID!) { asset(id: $id) { title description revision tags { name }
             current { analysis capturedAt width height metadata { namespace name value } } } }"""


def packet(
    title: str = "Strandtag", description: str = "Ein Tag am Meer.", keywords: tuple[str, ...] = ("море", "Strand")
) -> bytes:
    bag = "".join(f"<rdf:li>{word}</rdf:li>" for word in keywords)
    return made_metadata.xmp(
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>'
        f"<dc:subject><rdf:Bag>{bag}</rdf:Bag></dc:subject>"
        "<dc:creator><rdf:Seq><rdf:li>Анна Ким</rdf:li></rdf:Seq></dc:creator>"
    )


def seen(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.ask(FACTS, id=asset["id"])["asset"]
    return found


def said(found: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(each["namespace"], each["name"]): each["value"] for each in found["current"]["metadata"]}


def names(found: dict[str, Any]) -> list[str]:
    return [tag["name"] for tag in found["tags"]]


def test_xmp_proposes_title_description_and_tags_where_the_user_gave_none(hub: Hub, client: Client) -> None:
    asset = client.create(made_metadata.jpeg(xmp=packet()), "dsc_0001.jpg")
    work_off(hub)
    found = seen(client, asset)
    assert (found["title"], found["description"], names(found)) == (
        "Strandtag",
        "Ein Tag am Meer.",
        ["Strand", "море"],
    )
    assert found["revision"] == 2


def test_iptc_in_an_older_alphabet_proposes_too(hub: Hub, client: Client) -> None:
    iptc = made_metadata.iptc(
        made_metadata.UTF8_MARK,
        (2, 5, "Лето на море".encode()),
        (2, 25, "пляж".encode()),
        (2, 25, b"Summer"),
        (2, 120, "Подпись к снимку".encode()),
    )
    asset = client.create(made_metadata.jpeg(iptc=iptc), "x.jpg")
    work_off(hub)
    found = seen(client, asset)
    assert (found["title"], found["description"], names(found)) == (
        "Лето на море",
        "Подпись к снимку",
        ["Summer", "пляж"],
    )


def test_what_the_user_gave_stands_against_what_the_file_says(hub: Hub, client: Client) -> None:
    asset = client.create(
        made_metadata.jpeg(xmp=packet()), "x.jpg", title="Mine", description="My words.", tags=["own"]
    )
    work_off(hub)
    found = seen(client, asset)
    assert (found["title"], found["description"], names(found), found["revision"]) == ("Mine", "My words.", ["own"], 1)


def test_each_is_proposed_by_itself(hub: Hub, client: Client) -> None:
    asset = client.create(made_metadata.jpeg(xmp=packet()), "x.jpg", title="Mine")
    work_off(hub)
    found = seen(client, asset)
    assert (found["title"], found["description"], names(found)) == ("Mine", "Ein Tag am Meer.", ["Strand", "море"])


@pytest.mark.parametrize("cleared", [True, False])
def test_a_later_edit_is_never_overwritten_by_reading_the_file_again(
    hub: Hub, client: Client, *, cleared: bool
) -> None:
    asset = client.create(made_metadata.jpeg(xmp=packet()), "x.jpg")
    work_off(hub)
    wanted = {"title": "Edited", "description": None if cleared else "Shorter.", "tags": [] if cleared else ["kept"]}
    payload = client.mutate("assetUpdate", "asset { revision }", asset=asset["id"], expectedRevision=2, **wanted)
    assert payload["errors"] == []
    edited = seen(client, asset)
    with hub.writing(HUB) as work:  # as after a failed reading, or a better reader
        version = work.session.scalars(sa.select(AssetVersionRow)).one()
        version.analysis_state = "QUEUED"
        asking.ask(work, renditions.RenderVersion(version.id))
    assert work_off(hub) == 1
    assert seen(client, asset) == edited


def test_keywords_that_are_tags_already_become_those_tags(hub: Hub, client: Client) -> None:
    known = client.ask(
        'mutation { tagCreate(input: {name: "Beach", synonyms: ["Strand", "МОРЕ"]}) { tag { id } errors { code } } }'
    )["tagCreate"]
    assert known["errors"] == []
    asset = client.create(made_metadata.jpeg(xmp=packet()), "x.jpg")
    work_off(hub)
    assert names(seen(client, asset)) == ["Beach"]


def test_an_edit_made_while_the_file_is_being_read_stands(hub: Hub, client: Client) -> None:
    """The worker has read the file and not yet written what it says."""
    asset = client.create(made_metadata.jpeg(xmp=packet()), "x.jpg")
    with hub.database.writing() as session:
        claimed = claim(session, ("media",), "slow", 2)
    (job,) = [each for each in claimed if each.kind == renditions.RenderVersion.kind]
    write = working.render_version(tools_of(hub), job)
    client.mutate("assetUpdate", "asset { id }", asset=asset["id"], expectedRevision=1, title="First", tags=["mine"])
    with hub.writing(HUB) as work:
        write(work)
    found = seen(client, asset)
    assert (found["title"], names(found), found["description"]) == ("First", ["mine"], "Ein Tag am Meer.")


def test_place_and_moment_of_capture_are_read_and_shown(hub: Hub, client: Client) -> None:
    exif = made_metadata.exif(
        {0x010F: b"Leica"},
        {0x9003: b"2023:07:14 18:30:05", 0x9011: b"+02:00"},
        {1: b"N", 2: made_metadata.degrees(52.52), 3: b"W", 4: made_metadata.degrees(13.405)},
    )
    asset = client.create(made_metadata.jpeg(exif=exif), "x.jpg")
    work_off(hub)
    found = seen(client, asset)
    assert found["current"]["capturedAt"] == "2023-07-14T16:30:05Z"
    assert (said(found)["gps", "latitude"], said(found)["gps", "longitude"]) == (52.52, -13.405)
    assert said(found)["exif", "Make"] == "Leica"


def test_assets_are_filtered_and_ordered_by_the_moment_of_capture(hub: Hub, client: Client) -> None:
    for year in (2021, 2019, 2023):
        exif = made_metadata.exif({}, {0x9003: b"%d:05:01 12:00:00" % year, 0x9011: b"+00:00"})
        client.create(made_metadata.jpeg(exif=exif), f"{year}.jpg")
    client.create(made.encoded(made.solid((1, 2, 3)), "PNG"), "undated.png")
    work_off(hub)

    def titles(arguments: str) -> list[str]:
        found = client.ask(f"{{ assets({arguments}) {{ nodes {{ title }} }} }}")
        return [node["title"] for node in found["assets"]["nodes"]]

    assert titles("orderBy: {field: CAPTURED_AT}") == ["undated", "2019", "2021", "2023"]
    assert titles("orderBy: {field: CAPTURED_AT, direction: DESC}") == ["2023", "2021", "2019", "undated"]
    window = 'capturedAt: {from: "2021-05-01T12:00:00Z", to: "2023-05-01T12:00:00Z"}'
    assert titles(f"where: {{{window}}}") == ["2021"]
    assert sorted(titles(f"where: {{NOT: {{{window}}}}}")) == ["2019", "2023", "undated"]
    years = client.ask("{ assets { facets(by: [YEAR]) { values { value count } } } }")["assets"]["facets"][0]["values"]
    assert {each["value"] for each in years} >= {"2019", "2021", "2023"}


def test_an_older_version_proposes_nothing_for_the_asset(hub: Hub, client: Client) -> None:
    asset = client.create(made_metadata.jpeg(xmp=packet()), "old.jpg")
    new = made.encoded(made.quadrants(), "JPEG")
    client.mutate("assetVersionAdd", "asset { id }", asset=asset["id"], upload=client.upload(new), expectedRevision=1)
    work_off(hub)
    found = seen(client, asset)
    assert (found["title"], found["description"], names(found)) == ("old", None, [])
    versions = client.ask(
        "query ($id: ID!) { asset(id: $id) { versions { nodes { analysis metadata { name } } } } }", id=asset["id"]
    )["asset"]["versions"]["nodes"]
    assert [each["analysis"] for each in versions] == ["READY", "READY"]
    assert "title" in {entry["name"] for entry in versions[1]["metadata"]}


@pytest.mark.parametrize("nasty", ["nul \x00 inside", "\u202eturned", "x" * 5000, " \t "])
def test_nasty_texts_in_a_file_do_no_harm(hub: Hub, client: Client, nasty: str) -> None:
    iptc = made_metadata.iptc(
        made_metadata.UTF8_MARK, (2, 5, nasty.encode()), (2, 25, nasty.encode()), (2, 120, nasty.encode())
    )
    exif = made_metadata.exif({0x010E: nasty.encode()[:200], 0x010F: b"\xff\xfe\x00"})
    asset = client.create(made_metadata.jpeg(iptc=iptc, exif=exif), "x.jpg")
    work_off(hub)
    found = seen(client, asset)
    assert found["current"]["analysis"] == "READY"
    for text in (found["title"], found["description"] or "", *names(found)):
        assert not {"\x00", "\u202e"} & set(text)
        assert len(text) <= 5000
    assert 0 < len(found["title"]) <= 300


def test_more_keywords_than_are_worth_it_are_cut_at_fifty(hub: Hub, client: Client) -> None:
    words = tuple(f"word{number:03}" for number in range(120))
    asset = client.create(made_metadata.jpeg(xmp=packet(keywords=words)), "x.jpg")
    work_off(hub)
    assert names(seen(client, asset)) == list(words[:50])
