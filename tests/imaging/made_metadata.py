"""EXIF, IPTC-IIM and XMP written byte by byte, and put into pictures where cameras and agencies put them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.imaging import made

#: An EXIF value: text in bytes, rationals as pairs, or a short number.
Field = bytes | int | Sequence[tuple[int, int]]

UTF8_MARK = (1, 90, b"\x1b%G")


def jpeg(*, exif: bytes = b"", xmp: bytes = b"", iptc: bytes = b"", comment: bytes = b"") -> bytes:
    """`made.quadrants` as a JPEG that carries what is given."""
    segments = b""
    if exif:
        segments += _segment(0xE1, b"Exif\0\0" + exif)
    if xmp:
        segments += _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    if iptc:
        segments += _segment(0xED, b"Photoshop 3.0\0" + photoshop_resource(0x0404, iptc))
    if comment:
        segments += _segment(0xFE, comment)
    plain = made.encoded(made.quadrants(), "JPEG", quality=95, subsampling=0)
    return plain[:2] + segments + plain[2:]


def photoshop_resource(number: int, content: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + b"\0" * (len(content) % 2)


def iptc(*datasets: tuple[int, int, bytes]) -> bytes:
    """(record, dataset, value) in IIM's own form."""
    return b"".join(b"\x1c" + struct.pack(">BBH", r, d, len(value)) + value for r, d, value in datasets)


def exif(
    main: dict[int, Field],
    details: dict[int, Field] | None = None,
    gps: dict[int, Field] | None = None,
    order: str = "<",
) -> bytes:
    """A TIFF structure with the main directory, the EXIF directory and the GPS directory."""
    pointers: dict[int, Field] = {0x8769: 0, 0x8825: 0} if gps else {0x8769: 0}
    size = len(_directory(main | pointers, order, 8))
    details_at = 8 + size
    inner = _directory(details or {}, order, details_at)
    gps_at = details_at + len(inner)
    pointers[0x8769] = details_at
    if gps:
        pointers[0x8825] = gps_at
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return head + _directory(main | pointers, order, 8) + inner + (_directory(gps, order, gps_at) if gps else b"")


def degrees(value: float) -> list[tuple[int, int]]:
    """Degrees, minutes and seconds to a hundredth, as receivers write them."""
    whole = int(value)
    minutes = int((value - whole) * 60)
    seconds = round(((value - whole) * 60 - minutes) * 6000)
    return [(whole, 1), (minutes, 1), (seconds, 100)]


def xmp(body: str, namespaces: str = "") -> bytes:
    """`body` inside one description, in a whole packet."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
        ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"'
        f' {namespaces}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>{" " * 200}<?xpacket end="w"?>'
    ).encode()


def laughing_xmp() -> bytes:
    """Entities that unfold to gigabytes."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>'.encode() + xmp("<dc:title>&l9;</dc:title>")


def fetching_xmp() -> bytes:
    """An entity that stands for a file of the reader's own machine."""
    document_type = b'<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    return document_type + xmp("<dc:title>&secret;</dc:title>")


def _segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def _directory(fields: dict[int, Field], order: str, at: int) -> bytes:
    """Entries first, then the values that are too long for them."""
    beyond = at + 2 + 12 * len(fields) + 4
    entries, values = b"", b""
    for tag, field in sorted(fields.items()):
        kind, count, packed = _packed(tag, field, order)
        if len(packed) > 4:
            entries += struct.pack(order + "HHII", tag, kind, count, beyond + len(values))
            values += packed + b"\0" * (len(packed) % 2)
        else:
            entries += struct.pack(order + "HHI", tag, kind, count) + packed.ljust(4, b"\0")
    return struct.pack(order + "H", len(fields)) + entries + b"\0\0\0\0" + values


def _packed(tag: int, field: Field, order: str) -> tuple[int, int, bytes]:
    if isinstance(field, bytes):
        undefined = tag in {0x9000, 0x927C, 0x9286}
        bytes_kind = 1 if 0x9C9B <= tag <= 0x9C9F else 7
        if undefined or bytes_kind == 1:
            return (7 if undefined else 1), len(field), field
        return 2, len(field) + 1, field + b"\0"
    if isinstance(field, int):
        is_pointer = tag in {0x8769, 0x8825}
        return (4, 1, struct.pack(order + "I", field)) if is_pointer else (3, 1, struct.pack(order + "H", field))
    return 5, len(field), b"".join(struct.pack(order + "II", *pair) for pair in field)


#: A packet with everything that a proposal is made of.
FULL_XMP = xmp(
    '<dc:title><rdf:Alt><rdf:li xml:lang="ru">Чашка</rdf:li>'
    '<rdf:li xml:lang="x-default">Cup</rdf:li></rdf:Alt></dc:title>'
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">A cup &amp; a saucer</rdf:li></rdf:Alt></dc:description>'
    "<dc:creator><rdf:Seq><rdf:li>Rachel</rdf:li><rdf:li>Иван</rdf:li></rdf:Seq></dc:creator>"
    "<dc:subject><rdf:Bag><rdf:li>coffee</rdf:li><rdf:li>Coffee</rdf:li><rdf:li>кофе</rdf:li></rdf:Bag></dc:subject>"
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">CC0</rdf:li></rdf:Alt></dc:rights>'
    "<photoshop:Credit>Pikolo</photoshop:Credit><xmp:CreateDate>2020-02-03T04:05:06-05:00</xmp:CreateDate>"
    '<Iptc4xmpCore:CreatorContactInfo rdf:parseType="Resource">'
    "<Iptc4xmpCore:CiAdrCity>Montréal</Iptc4xmpCore:CiAdrCity></Iptc4xmpCore:CreatorContactInfo>",
)

#: An agency's record, likewise.
AGENCY = iptc(
    (1, 90, b"\x1b%G"),
    (2, 5, "Заголовок".encode()),
    (2, 25, b"harbour"),
    (2, 25, "порт".encode()),
    (2, 55, b"20190506"),
    (2, 60, b"070809+0200"),
    (2, 80, b"Li Wei"),
    (2, 110, b"Agency"),
    (2, 116, "© Agency".encode()),
    (2, 120, b"A harbour\rat dawn"),
)
