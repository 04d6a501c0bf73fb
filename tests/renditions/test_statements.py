"""What renditions say of whose they are: from the file, from what was stated, by the preset's policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from domain.hub import Hub
from tests.asking import Client
from tests.imaging import made, made_metadata
from tests.renditions.test_story import fetched
from tests.working import mutate, refused, work_off
from workers.imaging import metadata

ASSET = "asset { id statement { creator credit notice terms webStatement expires dataMining revision } }"
SHOWN = """query ($id: ID!, $preset: String!) { asset(id: $id) { revision current {
  rendition(preset: $preset) { state sha256 url { url } } } } }"""
CREDITED = made_metadata.jpeg(
    xmp=made_metadata.xmp(
        "<dc:creator><rdf:Seq><rdf:li>Ada Lens, ada@lens.example</rdf:li></rdf:Seq></dc:creator>"
        "<photoshop:Credit>Lens Agency</photoshop:Credit>"
    ),
    exif=made_metadata.exif({0x8298: b"(c) Ada Lens"}, {}, {1: b"N", 2: made_metadata.degrees(52.5)}),
)


def said(hub: Hub, client: Client, asset: dict[str, Any], folder: Path, preset: str = "web") -> metadata.Facts:
    """What stands in the rendition, read from its bytes."""
    found = client.ask(SHOWN, id=asset["id"], preset=preset)["asset"]["current"]["rendition"]
    assert found["state"] == "READY"
    opened, data = fetched(hub, client, found["url"]["url"])
    return metadata.read_metadata(made.kept(folder, "fetched", data), opened.media_type)


def state(client: Client, asset: dict[str, Any], revision: int, **fields: Any) -> dict[str, Any]:
    payload = mutate(client, "assetStatementSet", ASSET, asset=asset["id"], expectedRevision=revision, **fields)
    assert payload["errors"] == []
    found: dict[str, Any] = payload["asset"]["statement"]
    return found


def test_a_rendition_says_what_the_file_said_of_its_rights_and_not_how_to_reach_anybody(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    asset = client.create(CREDITED, "credited.jpg")
    work_off(hub)
    for preset in ("web", "thumb", "avif"):
        facts = said(hub, client, asset, tmp_path, preset)
        assert (facts.proposal.creator, facts.proposal.credit) == ("Ada Lens", "Lens Agency")
        assert facts.proposal.rights == "(c) Ada Lens"
        assert facts.latitude is None
        assert "ada@lens.example" not in str(facts.entries)


def test_what_is_stated_stands_before_what_the_file_says_and_is_written_again(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    asset = client.create(CREDITED, "credited.jpg")
    work_off(hub)
    stated = state(
        client, asset, 0, credit="The Brand", notice="© The Brand", webStatement="https://brand.example/r",
        expires="2031-05-01", dataMining="PROHIBITED", terms="Only in spring.",
    )  # fmt: skip
    assert stated == {
        "creator": "", "credit": "The Brand", "notice": "© The Brand", "terms": "Only in spring.",
        "webStatement": "https://brand.example/r", "expires": "2031-05-01", "dataMining": "PROHIBITED", "revision": 1,
    }  # fmt: skip
    work_off(hub)
    facts = said(hub, client, asset, tmp_path)
    assert (facts.proposal.creator, facts.proposal.credit) == ("", "The Brand")
    entries = {(space, name): value for space, name, value in facts.entries}
    assert entries["xmpRights", "WebStatement"] == "https://brand.example/r"
    assert str(entries["plus", "DataMining"]).endswith("DMI-PROHIBITED")
    assert entries["plus", "LicenseEndDate"] == "2031-05-01"
    state(client, asset, 1, credit="", dataMining="ALLOWED")
    work_off(hub)
    assert said(hub, client, asset, tmp_path).proposal.credit == ""


def test_the_policy_of_the_preset_decides_what_is_written(hub: Hub, client: Client, tmp_path: Path) -> None:
    for name, policy in (("bare", "STRIP"), ("rights", "RIGHTS"), ("whole", "ALL")):
        wish = {"name": name, "format": "JPEG", "width": 50, "height": 50, "metadata": policy, "isDefault": True}
        mutate(client, "renditionPresetCreate", "preset { id }", **wish)
    asset = client.create(CREDITED, "credited.jpg", title="A fine day", tags=["sun"])
    work_off(hub)
    assert said(hub, client, asset, tmp_path, "bare").entries == ()
    rights = said(hub, client, asset, tmp_path, "rights").proposal
    assert (rights.title, rights.keywords, rights.credit) == ("", (), "Lens Agency")
    whole = said(hub, client, asset, tmp_path, "whole").proposal
    assert (whole.title, whole.keywords, whole.credit) == ("A fine day", ("sun",), "Lens Agency")


def test_a_new_title_is_written_where_titles_are_written(hub: Hub, client: Client, tmp_path: Path) -> None:
    wish = {"name": "whole", "format": "JPEG", "width": 50, "height": 50, "metadata": "ALL", "isDefault": True}
    mutate(client, "renditionPresetCreate", "preset { id }", **wish)
    asset = client.create(CREDITED, "credited.jpg", title="Before")
    work_off(hub)
    before = client.ask(SHOWN, id=asset["id"], preset="web")["asset"]
    changed = {"asset": asset["id"], "expectedRevision": before["revision"], "title": "After"}
    mutate(client, "assetUpdate", "asset { id }", **changed)
    work_off(hub)
    assert said(hub, client, asset, tmp_path, "whole").proposal.title == "After"
    after = client.ask(SHOWN, id=asset["id"], preset="web")["asset"]["current"]["rendition"]
    assert after["sha256"] == before["current"]["rendition"]["sha256"]


def test_the_same_bytes_elsewhere_do_not_carry_the_other_assets_words(hub: Hub, client: Client, tmp_path: Path) -> None:
    one = client.create(CREDITED, "credited.jpg")
    work_off(hub)
    state(client, one, 0, credit="Secret client")
    work_off(hub)
    twin = client.create(CREDITED, "again.jpg", onDuplicate="DISTINCT", reason="Another campaign.")
    work_off(hub)
    assert said(hub, client, twin, tmp_path).proposal.credit == "Lens Agency"
    assert said(hub, client, one, tmp_path).proposal.credit == "Secret client"


def test_a_statement_is_changed_by_whoever_looked_at_it_last(client: Client) -> None:
    asset = client.create(CREDITED, "credited.jpg")
    state(client, asset, 0, credit="One")
    wrong = {"asset": asset["id"], "expectedRevision": 0, "credit": "Two"}
    assert refused(client, "assetStatementSet", ASSET, **wrong)["code"] == "STALE_REVISION"


def test_a_web_statement_is_an_address_of_the_web(client: Client) -> None:
    asset = client.create(CREDITED, "credited.jpg")
    wrong = {"asset": asset["id"], "expectedRevision": 0, "webStatement": "javascript:alert(1)"}
    assert refused(client, "assetStatementSet", ASSET, **wrong)["code"] == "INVALID"
