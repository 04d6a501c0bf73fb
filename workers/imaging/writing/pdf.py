"""A PDF of one page that holds one picture, edge to edge: JPEG inside, its colours named by their profile.

The same picture gives the same bytes: no dates, no names of programs.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass

from PIL import Image

from workers.imaging import colour

_POINTS_PER_INCH = 72
#: What a pixel is on paper when nobody says: a point.
_USUAL_DPI = 72
_CHANNELS = {"L": (1, "DeviceGray"), "RGB": (3, "DeviceRGB"), "CMYK": (4, "DeviceCMYK")}


@dataclass(frozen=True)
class Page:
    """`picture` is L, RGB (sRGB) or CMYK; `profile` names its press profile where it is CMYK."""

    picture: Image.Image
    quality: int
    dpi: int
    press: str | None = None
    xmp: bytes = b""


def document(page: Page) -> bytes:
    """PDF 1.4."""
    return _numbered(_objects(page))


def _objects(page: Page) -> list[bytes]:
    """In the order of their numbers, from 1: they name each other by it."""
    picture = page.picture
    scale = _POINTS_PER_INCH / (page.dpi or _USUAL_DPI)
    across, down = (f"{side * scale:.2f}" for side in picture.size)
    content = f"q {across} 0 0 {down} 0 0 cm /P Do Q".encode()
    channels, device = _CHANNELS[picture.mode]
    space = b"/DeviceGray" if device == "DeviceGray" else b"[/ICCBased 6 0 R]"
    inverted = b" /Decode [1 0 1 0 1 0 1 0]" if picture.mode == "CMYK" else b""
    described = (
        f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height} /BitsPerComponent 8 "
        "/Filter /DCTDecode /ColorSpace "
    ).encode()
    profile = _profile(page)
    return [
        b"<< /Type /Catalog /Pages 2 0 R" + _catalogued(page) + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {across} {down}] /Contents 4 0 R "
            "/Resources << /XObject << /P 5 0 R >> >> >>"
        ).encode(),
        _stream(b"", content),
        _stream(described + space + inverted, _jpeg(picture, page.quality)),
        _stream(f"/N {channels} /Alternate /{device} /Filter /FlateDecode".encode(), zlib.compress(profile, 9)),
        _stream(b"/Type /Metadata /Subtype /XML", page.xmp),
    ]


def _catalogued(page: Page) -> bytes:
    said = b" /Metadata 7 0 R" if page.xmp else b""
    if page.press is None:
        return said
    name = page.press.encode()
    intent = b"<< /Type /OutputIntent /S /GTS_PDFX /OutputConditionIdentifier (%s) /DestOutputProfile 6 0 R >>" % name
    return said + b" /OutputIntents [" + intent + b"]"


def _profile(page: Page) -> bytes:
    if page.picture.mode == "CMYK" and page.press is not None:
        return colour.press_profile(page.press)
    return colour.srgb_tag() if page.picture.mode == "RGB" else b""


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, optimize=True)
    return target.getvalue()


def _stream(entries: bytes, content: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)


def _numbered(objects: list[bytes]) -> bytes:
    """The file around the objects: a header, the table of where they begin, and the way to it."""
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(written)
