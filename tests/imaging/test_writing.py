"""What stands in a finished file of whose it is, read back by our own reader and, where there is one, by exiftool."""

import json
import shutil
import subprocess
import xml.dom.minidom
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from domain.licensing import proposals
from domain.licensing.proposals import ProposedParty, Role
from domain.packets import iptc, jpeg, xmp
from domain.recipes import Colour, Format, Recipe
from domain.statements import DataMining, MetadataPolicy, Statement
from tests.imaging import made, made_metadata
from workers.imaging import metadata, render

PICTURES = [form for form in Format if form is not Format.MP4]
SAID = Statement(
    creator="Ada Lumière",
    credit="Lumière / Imprimatur",
    notice="© 2026 Brand <GmbH> & Co",
    terms="Only within the campaign “Spring”.",
    web_statement="https://brand.example/rights?a=1&b=2",
    expires=date(2027, 3, 31),
    data_mining=DataMining.PROHIBITED,
    licensor="Lens & Söhne",
    licensor_url="https://lens.example/get?a=1&b=2",
    license_id="L-2026-0001",
    starts=date(2026, 4, 1),
    title="Coffee, in the morning",
    description="A cup.\nOn a table.",
    keywords=("cup", "Kaffee & Kuchen"),
)
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def written(form: Format, folder: Path, policy: MetadataPolicy = MetadataPolicy.ALL, **more: Any) -> Path:
    recipe = Recipe("p", form, 200, 200, metadata=policy, statement=SAID, **more)
    assert render.render(made.photograph("coffee.jpg"), "image/jpeg", [recipe], folder).failed == {}
    return folder / recipe.file_name


def told_by_exiftool(path: Path) -> dict[str, Any]:
    command = ["exiftool", "-json", "-G1", "-struct", "-charset", "iptc=utf8", str(path)]
    said = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    (found,) = json.loads(said)
    return dict(found)


@needs_exiftool
@pytest.mark.parametrize("form", PICTURES)
def test_an_independent_reader_finds_all_of_it_in_every_format(form: Format, tmp_path: Path) -> None:
    found = told_by_exiftool(written(form, tmp_path))
    assert {name: found.get(name) for name in EXPECTED} == EXPECTED
    # Newer ones know the vocabulary and say the word.
    assert found["XMP-plus:DataMining"] in {"Prohibited", "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"}
    assert not [name for name in found if name.startswith("ExifTool:") and "Version" not in name], found


EXPECTED = {
    "XMP-dc:Title": "Coffee, in the morning",
    "XMP-dc:Description": "A cup.\nOn a table.",
    "XMP-dc:Subject": ["cup", "Kaffee & Kuchen"],
    "XMP-dc:Creator": ["Ada Lumière"],
    "XMP-dc:Rights": "© 2026 Brand <GmbH> & Co",
    "XMP-photoshop:Credit": "Lumière / Imprimatur",
    "XMP-xmpRights:UsageTerms": "Only within the campaign “Spring”.",
    "XMP-xmpRights:WebStatement": "https://brand.example/rights?a=1&b=2",
    "XMP-xmpRights:Marked": True,
    "XMP-plus:LicenseStartDate": "2026:04:01",
    "XMP-plus:LicenseEndDate": "2027:03:31",
    "XMP-plus:LicenseID": "L-2026-0001",
    "XMP-plus:Licensor": [{"LicensorName": "Lens & Söhne", "LicensorURL": "https://lens.example/get?a=1&b=2"}],
}


@needs_exiftool
@pytest.mark.parametrize("form", [Format.JPEG, Format.TIFF])
def test_an_independent_reader_finds_iptc_where_the_format_has_it(form: Format, tmp_path: Path) -> None:
    found = told_by_exiftool(written(form, tmp_path, colour=Colour.CMYK))
    expected = {
        "IPTC:By-line": "Ada Lumière",
        "IPTC:Credit": "Lumière / Imprimatur",
        "IPTC:CopyrightNotice": "© 2026 Brand <GmbH> & Co",
        "IPTC:SpecialInstructions": "Only within the campaign “Spring”.",
        "IPTC:ObjectName": "Coffee, in the morning",
        "IPTC:Keywords": ["cup", "Kaffee & Kuchen"],
        "IPTC:ReleaseDate": "2026:04:01",
        "IPTC:ExpirationDate": "2027:03:31",
        "IPTC:CodedCharacterSet": "UTF8",
    }
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("form", [Format.JPEG, Format.PNG, Format.WEBP, Format.AVIF, Format.TIFF, Format.PDF])
def test_the_hub_reads_back_what_it_wrote(form: Format, tmp_path: Path) -> None:
    facts = metadata.read_metadata(written(form, tmp_path), form.media_type)
    said = facts.proposal
    assert (said.title, said.creator, said.credit) == (SAID.title, SAID.creator, SAID.credit)
    assert said.rights == SAID.notice
    assert said.keywords == SAID.keywords
    proposed = proposals.proposal({(space, name): value for space, name, value in facts.entries})
    assert proposed is not None
    assert proposed.unread == ()
    assert (proposed.starts_on, proposed.ends_on) == (SAID.starts, SAID.expires)
    assert (proposed.license_id, proposed.web_statement) == (SAID.license_id, SAID.web_statement)
    assert (proposed.data_mining, proposed.terms) == (SAID.data_mining, SAID.terms)
    assert proposed.party(Role.LICENSOR) == ProposedParty(Role.LICENSOR, SAID.licensor, url=SAID.licensor_url)


@pytest.mark.parametrize("form", PICTURES)
def test_a_policy_writes_no_more_than_it_says(form: Format, tmp_path: Path) -> None:
    content = written(form, tmp_path, MetadataPolicy.RIGHTS).read_bytes()
    assert "Lumière".encode() in content
    assert b"Coffee" not in content
    assert b"Kuchen" not in content
    stripped = written(form, tmp_path, MetadataPolicy.STRIP).read_bytes()
    assert "Lumière".encode() not in stripped
    recipe = Recipe("p", form, 200, 200)
    render.render(made.photograph("coffee.jpg"), "image/jpeg", [recipe], tmp_path)
    assert (tmp_path / recipe.file_name).read_bytes() == stripped


@pytest.mark.parametrize("form", PICTURES)
def test_where_it_was_taken_and_with_what_stays_with_the_original(form: Format, tmp_path: Path) -> None:
    place: dict[int, made_metadata.Field] = {
        1: b"N", 2: made_metadata.degrees(52.5), 3: b"E", 4: made_metadata.degrees(13.4)
    }  # fmt: skip
    secret = b"SN-4711-GEHEIM"
    content = made_metadata.jpeg(
        exif=made_metadata.exif({0x010F: secret, 0x0110: secret}, {0xA431: secret}, place),
        xmp=made_metadata.xmp(f"<dc:description>{secret.decode()}</dc:description>"),
        iptc=made_metadata.iptc((2, 90, secret)),
    )
    recipe = Recipe("p", form, 200, 200, metadata=MetadataPolicy.ALL, statement=SAID)
    render.render(made.kept(tmp_path, "x.jpg", content), "image/jpeg", [recipe], tmp_path)
    assert secret not in (tmp_path / recipe.file_name).read_bytes()
    if form not in {Format.PDF, Format.GIF}:
        facts = metadata.read_metadata(tmp_path / recipe.file_name, form.media_type)
        assert (facts.latitude, facts.longitude) == (None, None)
        assert not [entry for entry in facts.entries if entry[0] == "gps"]


def test_the_picture_is_the_same_whatever_is_written_beside_it(tmp_path: Path) -> None:
    for form in (Format.JPEG, Format.PNG, Format.WEBP, Format.AVIF, Format.GIF, Format.TIFF):
        with Image.open(written(form, tmp_path)) as opened:
            one = opened.convert("RGB").tobytes()
        with Image.open(written(form, tmp_path, MetadataPolicy.STRIP)) as opened:
            assert opened.convert("RGB").tobytes() == one


def test_a_packet_is_well_formed_whatever_is_said() -> None:
    odd = replace(
        SAID, title='<&>"\x00\x0b]]>', creator="\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")
    )
    packet = xmp.packet(odd, MetadataPolicy.ALL)
    parsed = xml.dom.minidom.parseString(packet.decode())
    assert parsed.getElementsByTagName("dc:title")[0].toxml().count("&lt;&amp;&gt;") == 1
    assert xmp.packet(Statement(), MetadataPolicy.ALL) == b""
    assert xmp.packet(None, MetadataPolicy.ALL) == b""


def test_iptc_fields_are_cut_between_letters_at_their_octets() -> None:
    record = iptc.record(replace(Statement(), creator="ä" * 20), MetadataPolicy.RIGHTS)
    assert record.endswith("ä".encode() * 16)
    longest = iptc.record(replace(Statement(), creator="a" + "ä" * 20), MetadataPolicy.RIGHTS)
    assert longest.endswith(b"a" + "ä".encode() * 15)


def test_the_digest_counts_what_is_written_and_nothing_else() -> None:
    plain = Recipe("p", Format.JPEG, 200, 200)
    said = replace(plain, statement=SAID)
    assert said.params_digest != plain.params_digest
    assert replace(said, statement=replace(SAID, title="Another")).params_digest == said.params_digest
    assert replace(said, metadata=MetadataPolicy.STRIP).params_digest != plain.params_digest
    everything = replace(said, metadata=MetadataPolicy.ALL)
    assert replace(everything, statement=replace(SAID, title="Another")).params_digest != everything.params_digest
    assert replace(plain, statement=Statement()).params_digest == plain.params_digest


@needs_exiftool
def test_a_finished_jpeg_says_more_without_being_written_again(tmp_path: Path) -> None:
    plain = written(Format.JPEG, tmp_path, MetadataPolicy.STRIP).read_bytes()
    head = jpeg.head(SAID, MetadataPolicy.RIGHTS)
    assert plain.startswith(jpeg.START)
    path = made.kept(tmp_path, "said.jpg", head + plain[len(jpeg.START) :])
    found = told_by_exiftool(path)
    rights = {name: value for name, value in EXPECTED.items() if name.rpartition(":")[2] not in CONTENT}
    assert {name: found.get(name) for name in rights} == rights
    assert (found["IPTC:By-line"], found["IPTC:Credit"]) == (SAID.creator, SAID.credit)
    assert not set(found) & {"XMP-dc:Title", "XMP-dc:Subject", "IPTC:Keywords"}
    assert not [name for name in found if name.startswith("ExifTool:") and "Version" not in name], found
    with Image.open(path) as one, Image.open(tmp_path / "p.jpg") as other:
        assert one.tobytes() == other.tobytes()


def test_a_jpeg_of_which_nothing_is_said_begins_as_it_did() -> None:
    assert jpeg.head(None, MetadataPolicy.ALL) == jpeg.START
    assert jpeg.head(Statement(), MetadataPolicy.ALL) == jpeg.START
    assert jpeg.head(SAID, MetadataPolicy.STRIP) == jpeg.START


CONTENT = {"Title", "Description", "Subject"}
