"""Rights that exiftool wrote into files, as the hub proposes them; and what is wrong on purpose."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from domain.licensing import proposals
from domain.licensing.codes import Alteration, Dimension, DutyKind, LicenseKind, ReleaseStatus
from domain.licensing.proposals import Constraint, LicenseProposal, ProposedDuty, ProposedParty, Role
from domain.statements import DataMining
from tests.imaging import made, made_hostile, made_metadata
from workers.imaging.embedded import xmp
from workers.imaging.limits import Limits
from workers.imaging.metadata import read_metadata

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
PLUS = 'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"'


def proposed_by(path: Path, media_type: str) -> LicenseProposal | None:
    facts = read_metadata(path, media_type)
    return proposals.proposal({(space, name): value for space, name, value in facts.entries})


def of_jpeg(folder: Path, body: str, spaces: str = PLUS) -> LicenseProposal | None:
    content = made_metadata.jpeg(xmp=made_metadata.xmp(body, spaces))
    return proposed_by(made.kept(folder, "x.jpg", content), "image/jpeg")


@needs_exiftool
@pytest.mark.parametrize(
    ("form", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff")],
)
def test_what_another_program_wrote_is_proposed(form: str, media_type: str, tmp_path: Path) -> None:
    path = made.kept(tmp_path, f"x.{form.lower()}", made.encoded(made.quadrants(), form))
    said = [
        "-XMP-plus:Licensor={LicensorName=Lens & Söhne,LicensorURL=https://lens.example/,LicensorEmail=a@lens.example}",
        "-XMP-plus:CopyrightOwner={CopyrightOwnerName=Ada Lens,CopyrightOwnerID=PLUS-7}",
        "-XMP-plus:MediaSummaryCode=|PLUS|V0120|U001|1IAC2BOB7DZA8RDE|",
        "-XMP-plus:LicenseStartDate=2026:02:01",
        "-XMP-plus:LicenseEndDate=2027:01:31",
        "-XMP-plus:RegionConstraints=Not in Bavaria.",
        "-XMP-plus:RegionConstraints-de=Nicht in Bayern.",
        "-XMP-plus:ImageAlterationConstraints=No Cropping",
        "-XMP-plus:CreditLineRequired=Credit on Image",
        "-XMP-plus:ModelReleaseStatus=Unlimited Model Releases",
        "-XMP-photoshop:Credit=Ada Lens",
        "-XMP-xmpRights:WebStatement=https://lens.example/rights",
        "-XMP-cc:License=https://example.org/a-licence-of-our-own",
    ]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *said, str(path)], check=True, timeout=60)
    proposed = proposed_by(path, media_type)
    assert proposed is not None
    assert proposed.kind is LicenseKind.RIGHTS_MANAGED
    assert proposed.parties == (
        ProposedParty(Role.LICENSOR, "Lens & Söhne", url="https://lens.example/"),
        ProposedParty(Role.COPYRIGHT_OWNER, "Ada Lens", "PLUS-7"),
    )
    assert (proposed.starts_on, proposed.ends_on) == (date(2026, 2, 1), date(2027, 1, 31))
    assert proposed.duties == (ProposedDuty(DutyKind.CREDIT_ON_IMAGE, "Ada Lens"),)
    assert proposed.alterations == (Alteration.CROP,)
    assert proposed.model_release is ReleaseStatus.UNLIMITED
    assert proposed.constraints == (Constraint(Dimension.TERRITORY, "Not in Bavaria."),)
    assert proposed.terms_url == "https://example.org/a-licence-of-our-own"
    assert proposed.unread == ()
    assert proposed.usages is not None
    assert [item.code for item in proposed.usages.usages[0]] == ["2BOB", "7DZA", "8RDE"]


def test_rights_are_read_however_much_else_a_file_says(tmp_path: Path) -> None:
    """A camera's and an editor's own facts come before, and are bounded; whose it is never falls to that."""
    limits = Limits()
    bulk = "".join(f"<photoshop:P{number}>x</photoshop:P{number}>" for number in range(limits.entries + 100))
    proposed = of_jpeg(
        tmp_path, f"{bulk}<plus:LicenseID>L-9</plus:LicenseID><plus:OtherConstraints>No.</plus:OtherConstraints>"
    )
    assert proposed is not None
    assert (proposed.license_id, [each.text for each in proposed.constraints]) == ("L-9", ["No."])
    exif = made_metadata.exif({0x010E: b"d" * 100}, {0x9286: b"x" * 100})
    iptc = made_metadata.iptc(*[(2, 25, b"word %d" % number) for number in range(300)])
    packet = made_metadata.xmp(f"{bulk}<plus:LicenseID>L-9</plus:LicenseID>", PLUS)
    facts = read_metadata(
        made.kept(tmp_path, "y.jpg", made_metadata.jpeg(xmp=packet, exif=exif, iptc=iptc)), "image/jpeg"
    )
    assert len(facts.entries) == limits.entries
    assert ("plus", "LicenseID", "L-9") in facts.entries


def test_a_schema_that_borrows_the_prefix_of_plus_is_not_plus(tmp_path: Path) -> None:
    body = "<plus:LicenseEndDate>2027-01-31</plus:LicenseEndDate><plus:LicenseID>L</plus:LicenseID>"
    assert of_jpeg(tmp_path, body, 'xmlns:plus="http://evil.example/ns/"') is None
    assert of_jpeg(tmp_path, body) is not None


def test_an_older_address_of_creative_commons_is_known(tmp_path: Path) -> None:
    body = '<cc:license rdf:resource="http://creativecommons.org/licenses/by-nc/2.0/"/>'
    for space in ("http://creativecommons.org/ns#", "http://web.resource.org/cc/"):
        proposed = of_jpeg(tmp_path, body, f'xmlns:cc="{space}"')
        assert proposed is not None
        assert (proposed.kind, proposed.code) == (LicenseKind.CREATIVE_COMMONS, "CC-BY-NC-2.0")


def test_a_hostile_packet_proposes_nothing(tmp_path: Path) -> None:
    for packet in (made_metadata.laughing_xmp(), made_metadata.fetching_xmp()):
        content = made_metadata.jpeg(xmp=packet)
        assert proposed_by(made.kept(tmp_path, "x.jpg", content), "image/jpeg") is None
    packet = made_metadata.xmp(
        "<plus:Licensor><rdf:Seq>" + "<rdf:li>" * 30 + "</rdf:li>" * 30 + "</rdf:Seq></plus:Licensor>", PLUS
    )
    assert proposed_by(made.kept(tmp_path, "x.jpg", made_metadata.jpeg(xmp=packet)), "image/jpeg") is None


def test_flipped_bytes_never_break_a_proposal(tmp_path: Path) -> None:
    packet = made_metadata.xmp(
        '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>A</plus:LicensorName>'
        "<plus:LicensorURL>https://a.example/</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
        "<plus:MediaSummaryCode>|PLUS|V0120|U001|1IAC2BOB7DZA8RDE|</plus:MediaSummaryCode>"
        "<plus:LicenseEndDate>2027-01-31</plus:LicenseEndDate><plus:DataMining>DMI-PROHIBITED</plus:DataMining>",
        PLUS,
    )
    whole = of_entries(packet)
    assert whole is not None
    assert whole.data_mining is DataMining.PROHIBITED
    read = [of_entries(bitten) for bitten in made_hostile.bitten(packet, 300)]
    assert None in read
    assert whole in read
    assert any(each is not None and each.unread for each in read)


def of_entries(packet: bytes) -> LicenseProposal | None:
    """Without a picture around it, for the picture's reader would open each of them."""
    return proposals.proposal(xmp.parse(packet, Limits()))
