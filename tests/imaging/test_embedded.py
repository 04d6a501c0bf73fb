"""The languages of metadata one by one: XMP, IPTC-IIM, dates, and text of unknown encoding."""

from datetime import UTC, datetime

import pytest

from tests.imaging import made_metadata
from tests.imaging.made_metadata import AGENCY, FULL_XMP, UTF8_MARK
from workers.imaging.embedded import dates, iptc, letters, xmp
from workers.imaging.limits import Limits

LIMITS = Limits()


def test_properties_written_as_attributes_are_read_as_well() -> None:
    packet = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        b' xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:City="Oslo" p:Headline="Fjord"'
        b' xmlns:own="http://example.org/own/" own:Code="7"/></rdf:RDF>'
    )
    assert xmp.parse(packet, LIMITS) == {
        ("photoshop", "City"): "Oslo",
        ("photoshop", "Headline"): "Fjord",
        ("own", "Code"): "7",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_xmp_in_other_encodings_is_read(encoding: str) -> None:
    inside = 'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="Ёлка"'
    space = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    packet = f'<rdf:RDF xmlns:rdf="{space}"><rdf:Description {inside}/></rdf:RDF>'
    assert xmp.parse(packet.encode(encoding), LIMITS) == {("dc", "title"): "Ёлка"}


@pytest.mark.parametrize(
    "packet",
    [
        made_metadata.laughing_xmp(),
        made_metadata.fetching_xmp(),
        b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/x.dtd'>" + FULL_XMP,
        b"<a>" * 5000,
        made_metadata.xmp("<dc:title>" + "<b>" * 100 + "</b>" * 100 + "</dc:title>"),
        made_metadata.xmp("<dc:title>x</dc:title>" * 20_001),
        made_metadata.xmp("<dc:title>" + "x" * 1_100_000 + "</dc:title>"),
        b"not xml",
        b"",
        b"\xff\xfe\x00",
        FULL_XMP[:300],
    ],
)
def test_hostile_or_broken_xmp_says_nothing_and_costs_nothing(packet: bytes) -> None:
    assert xmp.parse(packet, LIMITS) == {}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Москва".encode(), "Москва"),
        ("Москва, Красная площадь".encode("cp1251"), "Москва, Красная площадь"),
        ("Café à la crème, Grüße".encode("cp1252"), "Café à la crème, Grüße"),
        (b"plain", "plain"),
        (b"\x81\x8d\xff", "\ufffd\ufffdÿ"),
        (b"padded\0\0  \0", "padded"),
    ],
)
def test_text_of_unknown_encoding_is_read_as_what_it_resembles(raw: bytes, expected: str) -> None:
    assert letters.decoded(raw) == expected
    found = iptc.parse(made_metadata.iptc((2, 120, raw)), LIMITS)
    assert found == {"Caption": letters.clean(expected, LIMITS)}


def test_a_declared_character_set_is_believed_even_when_the_text_breaks_it() -> None:
    assert iptc.parse(made_metadata.iptc(UTF8_MARK, (2, 120, b"caf\xe9!")), LIMITS) == {"Caption": "caf\ufffd!"}


@pytest.mark.parametrize(
    "record",
    [b"\x1c", b"\x1c\x02\x78\xff\xff", b"\x1c\x02\x78\x80\x04\xff\xff\xff\xff" + b"x" * 20, b"\0" * 50, AGENCY[:-5]],
)
def test_a_broken_record_is_read_as_far_as_it_goes(record: bytes) -> None:
    assert isinstance(iptc.parse(record, LIMITS), dict)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2020-02-03T04:05:06.789Z", (datetime(2020, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC), True)),
        ("2020-02-03T04:05+05:30", (datetime(2020, 2, 2, 22, 35, tzinfo=UTC), True)),
        ("2020-02-03", (datetime(2020, 2, 3, tzinfo=UTC), False)),
        ("2020-02", None),
        ("2020", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("1500-01-01", None),
        ("yesterday", None),
    ],
)
def test_dates_of_xmp_are_moments_or_nothing(said: str, expected: tuple[datetime, bool] | None) -> None:
    moment = dates.from_iso(said)
    assert (None if moment is None else (moment.instant, moment.zone_known)) == expected


def test_dates_of_documents_are_moments() -> None:
    moment = dates.from_pdf("D:20240102030405+03'00'")
    assert moment == dates.Moment(datetime(2024, 1, 2, 0, 4, 5, tzinfo=UTC), zone_known=True)
