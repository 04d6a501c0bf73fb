"""Files made to hurt whoever opens them: bombs, needles, stumps, and pictures that are none."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

from tests.imaging import made


def bombs() -> dict[str, tuple[str, bytes]]:
    """File name → (media type, a few hundred bytes that claim billions of pixels)."""
    return {
        "bomb.png": ("image/png", png_claiming(60_000, 50_000)),
        "bomb.webp": ("image/webp", webp_claiming(16_383, 16_383)),
        "canvas.webp": ("image/webp", webp_canvas_claiming(1 << 16, 1 << 15)),
        "bomb.gif": ("image/gif", gif_claiming(65_535, 65_535)),
        "bomb.jpg": ("image/jpeg", jpeg_claiming(65_500, 65_500)),
        "bomb.tif": ("image/tiff", tiff_claiming(90_000, 90_000)),
        "bomb.bmp": ("image/bmp", bmp_claiming(90_000, 90_000)),
        "bomb.psd": ("image/vnd.adobe.photoshop", psd_claiming(90_000, 90_000)),
        "frames.gif": ("image/gif", gif_of_many_frames(3_000, 2_000, 1_000)),
    }


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return made.png([(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 4096)), (b"IEND", b"")])


def png_of_black(width: int, height: int) -> bytes:
    """A complete and valid one-bit picture, small as a file whatever its size."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\0" * (1 + (width + 7) // 8)) for _ in range(height)) + packer.flush()
    return made.png([(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")])


def webp_claiming(width: int, height: int) -> bytes:
    """Lossless, with the header alone."""
    bits = (width - 1) | (height - 1) << 14
    stream = b"\x2f" + struct.pack("<I", bits) + b"\0" * 64
    return _riff(b"VP8L" + struct.pack("<I", len(stream)) + stream + b"\0" * (len(stream) % 2))


def webp_canvas_claiming(width: int, height: int) -> bytes:
    """The extended header promises a canvas; the picture inside is small."""
    canvas = struct.pack("<I", 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inner = made.encoded(made.quadrants(16, 16), "WEBP")[12:]
    return _riff(b"VP8X" + struct.pack("<I", 10) + canvas + inner)


def gif_claiming(width: int, height: int) -> bytes:
    return _gif(width, height, [_gif_frame(width, height)])


def gif_of_many_frames(frames: int, width: int, height: int) -> bytes:
    return _gif(width, height, [_gif_frame(width, height)] * frames)


def jpeg_claiming(width: int, height: int) -> bytes:
    """A real JPEG whose frame header says otherwise."""
    honest = bytearray(made.encoded(made.quadrants(), "JPEG"))
    at = honest.index(b"\xff\xc0")
    honest[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(honest)


def tiff_claiming(width: int, height: int) -> bytes:
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 4)]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 12) + b"\0" * 4 + struct.pack("<H", len(entries)) + fields + b"\0" * 4


def tiff_in_a_circle() -> bytes:
    """The directory says that the next one is itself."""
    honest = bytearray(made.grey_tiff(made.sixteen_bit_ramp()))
    honest[-4:] = honest[4:8]
    return bytes(honest)


def bmp_claiming(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + header + b"\0" * 64


def psd_claiming(width: int, height: int) -> bytes:
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3) + b"\0" * 64


def needle() -> bytes:
    """1 × 60,000, complete and valid."""
    return png_of_black(1, 60_000)


def locked_pdf() -> bytes:
    """Asks for a password that nobody has."""
    digest = b"<" + b"5A" * 32 + b">"
    encryption = b"<</Filter/Standard/V 1/R 2/P -4/O " + digest + b"/U " + digest + b">>"
    return _pdf(b"612 792", b"/Encrypt " + encryption + b"/ID[<00112233><00112233>]")


def pdf_of_page(width: float, height: float) -> bytes:
    return _pdf(f"{width} {height}".encode(), b"")


def pdf_without_pages() -> bytes:
    return _assembled([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"], b"")


def stumps(content: bytes, count: int) -> Iterator[bytes]:
    """`content` cut off at `count` places, the first bytes and the last ones among them."""
    for step in range(count):
        yield content[: max(1, (len(content) - 1) * step // max(1, count - 1))]


def bitten(content: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """`content` with a few random bytes changed, `count` times."""
    chance = random.Random(seed)
    for _ in range(count):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 12)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield bytes(changed)


def _riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _gif(width: int, height: int, frames: list[bytes]) -> bytes:
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return b"GIF89a" + screen + b"".join(frames) + b";"


def _gif_frame(width: int, height: int) -> bytes:
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"


def _pdf(box: bytes, trailer: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 " + box + b"]/Contents 4 0 R>>"
    drawing = b"1 0 0 rg 0 0 1000 1000 re f"
    content = b"<</Length %d>>stream\n" % len(drawing) + drawing + b"\nendstream"
    return _assembled(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, content], trailer
    )


def _assembled(objects: list[bytes], trailer: bytes) -> bytes:
    whole, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(whole))
        whole += b"%d 0 obj" % number + content + b"endobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer<</Size %d/Root 1 0 R" % (len(objects) + 1) + trailer + b">>\n"
    return whole + table + end + b"startxref\n%d\n%%%%EOF\n" % len(whole)
