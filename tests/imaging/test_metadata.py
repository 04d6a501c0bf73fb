"""Facts read from files whose metadata was written byte by byte, in honest and in hostile ways."""

import io
import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from domain.recipes import FailureCode
from tests.imaging import made, made_hostile, made_metadata
from tests.imaging.made_metadata import AGENCY, FULL_XMP, UTF8_MARK, Field
from workers.imaging import safely
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.metadata import Facts, Proposal, read_metadata

LIMITS = Limits()

CAMERA: dict[int, Field] = {
    0x010F: b"Canon",
    0x0110: b"EOS R5",
    0x0112: 6,
    0x013B: "Анна".encode(),
    0x8298: b"(c) Anna",
}
EXPOSURE: dict[int, Field] = {
    0x829A: [(1, 250)],
    0x829D: [(28, 10)],
    0x8827: 400,
    0x9003: b"2024:07:01 18:30:05",
    0x9011: b"+03:00",
    0x9291: b"25",
    0x920A: [(85, 1)],
    0xA434: b"RF85mm F1.2",
    0x927C: b"\0" * 5000,
}
PLACE: dict[int, Field] = {
    1: b"S",
    2: made_metadata.degrees(33.8567),
    3: b"E",
    4: made_metadata.degrees(151.2153),
}


def facts_of(content: bytes, folder: Path, kind: str = "image/jpeg") -> Facts:
    facts = read_metadata(made.kept(folder, "source", content), kind)
    json.dumps(facts.entries)
    return facts


def entry(facts: Facts, space: str, name: str) -> Any:
    found = {(s, n): value for s, n, value in facts.entries}
    return found.get((space, name))


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_the_camera_wrote_is_read(order: str, tmp_path: Path) -> None:
    facts = facts_of(made_metadata.jpeg(exif=made_metadata.exif(CAMERA, EXPOSURE, PLACE, order)), tmp_path)
    assert entry(facts, "exif", "Model") == "EOS R5"
    assert entry(facts, "exif", "LensModel") == "RF85mm F1.2"
    assert entry(facts, "exif", "ExposureTime") == 0.004
    assert entry(facts, "exif", "FNumber") == 2.8
    assert entry(facts, "exif", "ISOSpeedRatings") == 400
    assert entry(facts, "exif", "MakerNote") is None
    assert facts.proposal.creator == "Анна"
    assert facts.proposal.rights == "(c) Anna"
    assert facts.latitude == pytest.approx(-33.8567, abs=1e-5)
    assert facts.longitude == pytest.approx(151.2153, abs=1e-5)


def test_the_moment_of_capture_with_an_offset_is_that_instant_in_utc(tmp_path: Path) -> None:
    facts = facts_of(made_metadata.jpeg(exif=made_metadata.exif(CAMERA, EXPOSURE)), tmp_path)
    assert facts.proposal.captured_at == datetime(2024, 7, 1, 15, 30, 5, 250_000, tzinfo=UTC)
    assert facts.proposal.captured_zone_known


def test_the_moment_of_capture_without_an_offset_is_the_cameras_clock_and_says_so(tmp_path: Path) -> None:
    content = made_metadata.jpeg(exif=made_metadata.exif({}, {0x9003: b"2024:07:01 18:30:05"}))
    facts = facts_of(content, tmp_path)
    assert facts.proposal.captured_at == datetime(2024, 7, 1, 18, 30, 5, tzinfo=UTC)
    assert not facts.proposal.captured_zone_known


@pytest.mark.parametrize(
    "said", [b"0000:00:00 00:00:00", b"    :  :     :  :  ", b"2024:13:45 99:99:99", b"", b"\xff" * 19]
)
def test_a_clock_that_was_never_set_says_nothing(said: bytes, tmp_path: Path) -> None:
    facts = facts_of(made_metadata.jpeg(exif=made_metadata.exif({}, {0x9003: said})), tmp_path)
    assert facts.proposal.captured_at is None


@pytest.mark.parametrize(
    "place",
    [
        {1: b"N", 2: made_metadata.degrees(91), 3: b"E", 4: made_metadata.degrees(10)},
        {1: b"N", 2: [(1, 0), (0, 0), (0, 0)], 3: b"E", 4: made_metadata.degrees(10)},
        {1: b"N", 2: made_metadata.degrees(0), 3: b"E", 4: made_metadata.degrees(0)},
        {1: b"N", 2: made_metadata.degrees(50)},
        {2: b"nonsense", 4: b"nonsense"},
    ],
)
def test_an_impossible_place_is_no_place(place: dict[int, Field], tmp_path: Path) -> None:
    facts = facts_of(made_metadata.jpeg(exif=made_metadata.exif({}, {}, place)), tmp_path)
    assert (facts.latitude, facts.longitude) == (None, None)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reader", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_width_and_height_are_those_of_the_picture_as_displayed(orientation: int, reader: str, tmp_path: Path) -> None:
    facts = facts_of(made.lying(orientation, reader), tmp_path, f"image/{reader.lower()}")
    assert (facts.width, facts.height) == (240, 160)
    assert facts.orientation == orientation


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (made.encoded(made.quadrants(), "PNG"), "image/png", ("RGB", 8, False)),
        (made.encoded(made.half_transparent(), "PNG"), "image/png", ("RGB", 8, True)),
        (made.transparent_palette_png(), "image/png", ("RGB", 8, True)),
        (made.sixteen_bit_png(made.sixteen_bit_ramp()), "image/png", ("GRAY", 16, False)),
        (made.grey_tiff(made.sixteen_bit_ramp()), "image/tiff", ("GRAY", 16, False)),
        (made.in_cmyk((9, 9, 9, 9)), "image/jpeg", ("CMYK", 8, False)),
        (made.lab_tiff(50, 0, 0), "image/tiff", ("LAB", 8, False)),
        (made.encoded(made.quadrants(mode="1"), "PNG"), "image/png", ("GRAY", 1, False)),
        (made.photoshop(made.quadrants()), "image/vnd.adobe.photoshop", ("RGB", 8, False)),
    ],
)
def test_colour_space_depth_and_alpha_are_told(
    content: bytes, kind: str, expected: tuple[str, int, bool], tmp_path: Path
) -> None:
    facts = facts_of(content, tmp_path, kind)
    assert (facts.colour_space, facts.bit_depth, facts.has_alpha) == expected


def test_the_colour_profile_is_named(tmp_path: Path) -> None:
    assert facts_of(made.display_p3((1, 2, 3)), tmp_path, "image/png").profile == "Test P3"
    assert facts_of(made.in_cmyk((0, 0, 0, 0), with_profile=True), tmp_path).profile == (
        "FOGRA39L Coated (built from public characterisation data)"
    )


@pytest.mark.parametrize("reader", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_frames_and_pages_are_counted(reader: str, tmp_path: Path) -> None:
    kind = f"image/{reader.lower()}"
    assert facts_of(made.animation(reader, 5), tmp_path, kind).frames == 5
    assert facts_of(made.encoded(made.quadrants(), reader), tmp_path, kind).frames == 1


def test_the_previews_of_a_telephone_are_no_frames(tmp_path: Path) -> None:
    assert facts_of(made.multi_picture_jpeg(), tmp_path).frames == 1


def test_the_resolution_is_told_where_it_is_likely(tmp_path: Path) -> None:
    assert facts_of(made.encoded(made.quadrants(), "JPEG", dpi=(300, 300)), tmp_path).dpi == (300, 300)
    assert facts_of(made.encoded(made.quadrants(), "JPEG"), tmp_path).dpi is None


def with_xmp(packet: bytes, reader: str) -> bytes:
    if reader == "JPEG":
        return made_metadata.jpeg(xmp=packet)
    if reader == "PNG":
        return made.encoded(made.quadrants(), "PNG", pnginfo=made.png_text(**{"XML:com.adobe.xmp": packet.decode()}))
    if reader == "TIFF":
        return made.encoded(made.quadrants(), "TIFF", tiffinfo={700: packet})
    if reader == "PSD":
        return made.photoshop(made.quadrants(), resources=made_metadata.photoshop_resource(1060, packet))
    return made.encoded(made.quadrants(), reader, xmp=packet)


@pytest.mark.parametrize("reader", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "PSD"])
def test_xmp_is_read_from_every_format_that_carries_it(reader: str, tmp_path: Path) -> None:
    kind = "image/vnd.adobe.photoshop" if reader == "PSD" else f"image/{reader.lower()}"
    facts = facts_of(with_xmp(FULL_XMP, reader), tmp_path, kind)
    assert facts.proposal == Proposal(
        title="Cup",
        description="A cup & a saucer",
        keywords=("coffee", "кофе"),
        creator="Rachel, Иван",
        credit="Pikolo",
        rights="CC0",
        captured_at=datetime(2020, 2, 3, 9, 5, 6, tzinfo=UTC),
        captured_zone_known=True,
    )
    assert entry(facts, "dc", "title") == {"ru": "Чашка", "x-default": "Cup"}
    assert entry(facts, "Iptc4xmpCore", "CreatorContactInfo") == {"Iptc4xmpCore:CiAdrCity": "Montréal"}


def test_a_picture_with_hostile_xmp_is_still_a_picture(tmp_path: Path) -> None:
    for packet in (made_metadata.laughing_xmp(), made_metadata.fetching_xmp()):
        facts = facts_of(made_metadata.jpeg(xmp=packet, iptc=made_metadata.iptc((2, 5, b"Title"))), tmp_path)
        assert (facts.width, facts.proposal.title) == (240, "Title")


@pytest.mark.parametrize("place", ["JPEG", "TIFF", "TIFF as numbers", "PSD"])
def test_what_agencies_write_is_read(place: str, tmp_path: Path) -> None:
    padded = AGENCY + b"\0" * (-len(AGENCY) % 4)
    content, kind = {
        "JPEG": (made_metadata.jpeg(iptc=AGENCY), "image/jpeg"),
        "TIFF": (made.encoded(made.quadrants(), "TIFF", tiffinfo={33723: AGENCY}), "image/tiff"),
        "TIFF as numbers": (tiff_with_numbers(padded), "image/tiff"),
        "PSD": (
            made.photoshop(made.quadrants(), resources=made_metadata.photoshop_resource(0x0404, AGENCY)),
            "image/vnd.adobe.photoshop",
        ),
    }[place]
    facts = facts_of(content, tmp_path, kind)
    assert facts.proposal == Proposal(
        title="Заголовок",
        description="A harbour\nat dawn",
        keywords=("harbour", "порт"),
        creator="Li Wei",
        credit="Agency",
        rights="© Agency",
        captured_at=datetime(2019, 5, 6, 5, 8, 9, tzinfo=UTC),
        captured_zone_known=True,
    )


def tiff_with_numbers(record: bytes) -> bytes:
    """Many writers declare the record to be 32-bit numbers."""
    plain = made.encoded(made.quadrants(), "TIFF", tiffinfo={33723: record})
    declared = struct.pack("<HHI", 33723, 7, len(record))
    assert plain.count(declared) == 1
    return plain.replace(declared, struct.pack("<HHI", 33723, 4, len(record) // 4))


def test_xmp_goes_before_iptc_and_iptc_before_exif(tmp_path: Path) -> None:
    three = {
        "exif": made_metadata.exif({0x010E: b"from EXIF", 0x8298: b"EXIF", 0x013B: b"EXIF"}),
        "iptc": made_metadata.iptc((2, 120, b"from IPTC"), (2, 116, b"IPTC")),
        "xmp": made_metadata.xmp("<dc:description>from XMP</dc:description>"),
    }
    proposal = facts_of(made_metadata.jpeg(**three), tmp_path).proposal
    assert (proposal.description, proposal.rights, proposal.creator) == ("from XMP", "IPTC", "EXIF")


def test_what_a_camera_writes_by_default_is_no_description(tmp_path: Path) -> None:
    content = made_metadata.jpeg(exif=made_metadata.exif({0x010E: b"OLYMPUS DIGITAL CAMERA         "}))
    assert facts_of(content, tmp_path).proposal.description == ""


def test_windows_titles_and_keywords_are_read(tmp_path: Path) -> None:
    fields: dict[int, Field] = {
        0x9C9B: "Заголовок\0".encode("utf-16-le"),
        0x9C9E: "cup;  saucer ;cup\0".encode("utf-16-le"),
    }
    proposal = facts_of(made_metadata.jpeg(exif=made_metadata.exif(fields)), tmp_path).proposal
    assert proposal.title == "Заголовок"
    assert proposal.keywords == ("cup", "saucer")


def test_text_chunks_of_a_png_are_read_without_decoding_it(tmp_path: Path) -> None:
    content = made.encoded(
        made.quadrants(),
        "PNG",
        pnginfo=made.png_text(Title="Тень", Author="Ann", Copyright="CC0", Description="d\x07d"),
    )
    proposal = facts_of(content, tmp_path, "image/png").proposal
    assert (proposal.title, proposal.creator, proposal.rights, proposal.description) == ("Тень", "Ann", "CC0", "dd")
    # The pixels are gone, the header is not: a reader of headers does not mind.
    assert facts_of(content[: content.index(b"IDAT") + 4], tmp_path, "image/png").proposal == proposal


def test_a_document_says_what_it_is(tmp_path: Path) -> None:
    target = io.BytesIO()
    pages = [Image.new("RGB", (300, 200)) for _ in range(3)]
    pages[0].save(
        target, "PDF", save_all=True, append_images=pages[1:], resolution=72,
        title="Прайс", author="Sales", subject="Prices", keywords="price, list", creationDate=None,
    )  # fmt: skip
    facts = facts_of(target.getvalue(), tmp_path, "application/pdf")
    assert (facts.frames, facts.width, facts.height) == (3, None, None)
    assert entry(facts, "pdf", "PageWidth") == 300
    assert facts.proposal.title == "Прайс"
    assert facts.proposal.creator == "Sales"
    assert facts.proposal.description == "Prices"
    assert facts.proposal.keywords == ("price", "list")
    assert facts.proposal.captured_at is None


def test_the_packet_of_a_document_goes_before_its_information(tmp_path: Path) -> None:
    content = made_hostile.pdf_of_page(300, 200)
    facts = facts_of(content + FULL_XMP, tmp_path, "application/pdf")
    assert facts.proposal.title == "Cup"


def test_a_locked_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError) as refused:
        facts_of(made_hostile.locked_pdf(), tmp_path, "application/pdf")
    assert refused.value.failure.code == FailureCode.ENCRYPTED


@pytest.mark.parametrize("kind", ["application/postscript", "application/x-tar", "text/html", "image/x-icon"])
def test_of_other_kinds_nothing_is_said(kind: str, tmp_path: Path) -> None:
    assert facts_of(b"anything", tmp_path, kind) == Facts()


def test_entries_are_bounded_in_number_and_length(tmp_path: Path) -> None:
    keywords = [(2, 25, b"keyword %d" % n) for n in range(3000)]
    many = "".join(f"<photoshop:P{n}>{'x' * 50}</photoshop:P{n}>" for n in range(2000))
    content = made_metadata.jpeg(
        iptc=made_metadata.iptc(*keywords)[:60_000],
        xmp=made_metadata.xmp(many[:50_000].rsplit("<photoshop", 1)[0]),
        exif=made_metadata.exif({0x010E: b"d" * 30_000}),
    )  # fmt: skip
    facts = facts_of(content, tmp_path)
    assert len(facts.entries) <= LIMITS.entries
    assert len(facts.proposal.keywords) == LIMITS.list_values
    assert len(facts.proposal.description) == LIMITS.value_letters


def test_control_characters_never_reach_an_entry(tmp_path: Path) -> None:
    content = made_metadata.jpeg(iptc=made_metadata.iptc(UTF8_MARK, (2, 5, "a\0b\x1b[31mc\u0085d\nе".encode())))
    assert facts_of(content, tmp_path).proposal.title == "ab[31mcd\nе"


def test_flipped_bytes_in_the_metadata_never_make_the_picture_unreadable(tmp_path: Path) -> None:
    exif = made_metadata.exif(CAMERA, EXPOSURE, PLACE)
    for bitten in made_hostile.bitten(exif, 150):
        assert facts_of(made_metadata.jpeg(exif=bitten, iptc=AGENCY), tmp_path).proposal.credit == "Agency"
    for bitten in made_hostile.bitten(AGENCY, 100):
        facts_of(made_metadata.jpeg(iptc=bitten), tmp_path)
    for bitten in made_hostile.bitten(FULL_XMP, 100):
        facts_of(made_metadata.jpeg(xmp=bitten), tmp_path)


def test_the_sandbox_changes_nothing_in_the_facts(tmp_path: Path) -> None:
    content = made_metadata.jpeg(exif=made_metadata.exif(CAMERA, EXPOSURE, PLACE), iptc=AGENCY, xmp=FULL_XMP)
    direct = facts_of(content, tmp_path)
    assert safely.facts(tmp_path / "source", "image/jpeg") == direct
    assert direct.proposal.captured_at is not None
