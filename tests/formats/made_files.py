"""Small files of every kind that is not a plain picture, made from nothing: what is in them is known to the letter.

Everything is deterministic but the films, whose encoders may differ from version to version.
"""

from __future__ import annotations

import io
import struct
import wave
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pylibjxl
from PIL import Image, ImageFont

from tests.formats import made_negatives, made_office
from tests.imaging import made

#: Frames per second of every film made here.
RATE = 25
SAMPLES_PER_SECOND = 48_000
FONTS = Path(__file__).with_name("fonts")


def jpeg_xl(mode: str = "RGB") -> bytes:
    """`quadrants`, lossless."""
    content: bytes = pylibjxl.encode(np.asarray(made.quadrants(mode=mode)), lossless=True)
    return content


def drawing() -> bytes:
    """`quadrants` as vectors, 240 × 160, with words in it."""
    colours = [f"rgb{colour}" for colour in made.CORNERS]
    places = [(0, 0), (120, 0), (120, 80), (0, 80)]
    areas = "".join(
        f'<rect x="{x}" y="{y}" width="120" height="80" fill="{colour}"/>'
        for (x, y), colour in zip(places, colours, strict=True)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="240" height="160" viewBox="0 0 240 160">'
        f"<title>Four fields</title>{areas}<text x='8' y='150' font-size='9'>spring campaign</text></svg>"
    ).encode()


def large_photoshop(picture: Image.Image, bits: int = 8, version: int = 2, *, packed: bool = True) -> bytes:
    """A flat Photoshop file of either version, each row packed as literal runs or nothing packed."""
    mode = {"L": 1, "RGB": 3, "CMYK": 4}[picture.mode]
    header = b"8BPS" + struct.pack(">H6xHIIHH", version, len(picture.getbands()), *picture.size[::-1], bits, mode)
    bands = [np.asarray(band) for band in picture.split()]
    if picture.mode == "CMYK":
        bands = [255 - band for band in bands]
    rows = [_deepened(row, bits) for band in bands for row in band]
    layers = struct.pack(">Q" if version == 2 else ">I", 0)
    sections = struct.pack(">II", 0, 0) + layers
    if not packed:
        return header + sections + struct.pack(">H", 0) + b"".join(rows)
    runs = [_literal_runs(row) for row in rows]
    lengths = struct.pack(f">{len(runs)}{'I' if version == 2 else 'H'}", *map(len, runs))
    return header + sections + struct.pack(">H", 1) + lengths + b"".join(runs)


@cache
def film(seconds: int = 3, container: str = "mp4", codec: str = "libx264", *, black: int = 1) -> bytes:
    """`quadrants` as a film, its first seconds black, with a tone of 1 kHz at −20 dBFS beside it."""
    target = io.BytesIO()
    picture = np.asarray(made.quadrants(320, 180))
    with av.open(target, "w", format=container) as holder:
        holder.metadata["title"] = "A test film"
        seen: Any = holder.add_stream(codec, rate=RATE)
        seen.width, seen.height, seen.pix_fmt, seen.thread_count = 320, 180, "yuv420p", 1
        heard: Any = holder.add_stream("libopus" if container == "webm" else "aac", rate=SAMPLES_PER_SECOND)
        for number in range(RATE * seconds):
            shown = picture if number >= RATE * black else np.zeros_like(picture)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="rgb24")
            frame.pts = number
            holder.mux(seen.encode(frame))
        holder.mux(seen.encode())
        _mux_tone(holder, heard, seconds)
    return target.getvalue()


@cache
def recording(seconds: int = 3, container: str = "mp3", codec: str = "libmp3lame") -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=container) as holder:
        _mux_tone(holder, holder.add_stream(codec, rate=SAMPLES_PER_SECOND), seconds)
    return target.getvalue()


def waves(*parts: tuple[float, float], rate: int = 8_000) -> bytes:
    """A WAV of (seconds, loudness 0–1) in a row: a tone of 440 Hz."""
    target = io.BytesIO()
    pieces = [
        level * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate) * 32_767 for seconds, level in parts
    ]
    with wave.open(target, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(np.concatenate(pieces).astype("<i2").tobytes())
    return target.getvalue()


def font() -> bytes:
    """Aileron Regular (CC0), which Pillow carries in itself."""
    face = ImageFont.load_default(10)
    assert isinstance(face, ImageFont.FreeTypeFont)
    content: bytes = face.font_bytes
    return content


def pages(*texts: str) -> bytes:
    """A PDF with one line of Helvetica on each page."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(texts)))
    objects.append(f"<</Type/Pages/Count {len(texts)}/Kids[{kids}]>>".encode())
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number, text in enumerate(texts):
        drawn = f"BT /F1 24 Tf 20 {60 + 20 * number} Td ({text}) Tj ET".encode()
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents {5 + 2 * number} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>".encode()
        )
        objects.append(b"<</Length %d>>stream\n" % len(drawn) + drawn + b"\nendstream")
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n" % size
        + table
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    )


def web_font() -> bytes:
    """`font` as WOFF: each table packed by itself."""
    plain = font()
    (count,) = struct.unpack_from(">H", plain, 4)
    tables = [struct.unpack_from(">4sIII", plain, 12 + 16 * number) for number in range(count)]
    at = 44 + 20 * count
    entries, packed = b"", b""
    for tag, checksum, offset, length in tables:
        content = zlib.compress(plain[offset : offset + length], 9)
        content = content if len(content) < length else plain[offset : offset + length]
        entries += struct.pack(">4sIIII", tag, at + len(packed), len(content), length, checksum)
        packed += content + b"\0" * (-len(content) % 4)
    head = struct.pack(">4s4sIHHIHHIIIII", b"wOFF", plain[:4], at + len(packed), count, 0, len(plain), 1, 0, *[0] * 5)
    return head + entries + packed


def every_kind() -> dict[str, tuple[str, bytes]]:
    """File name → (media type, content), beside `made.every_format`."""
    quadrants = made.quadrants()
    office, open_document = made_office.OFFICE, "application/vnd.oasis.opendocument"
    return {
        "a.jxl": ("image/jxl", jpeg_xl()),
        "a.svg": ("image/svg+xml", drawing()),
        "a.psb": ("image/vnd.adobe.photoshop", large_photoshop(quadrants)),
        "deep.psd": ("image/vnd.adobe.photoshop", large_photoshop(quadrants, 16, 1)),
        "a.dng": ("image/x-adobe-dng", made_negatives.negative()),
        "packed.dng": ("image/x-adobe-dng", made_negatives.packed_negative(quadrants)),
        "a.mrw": ("image/x-minolta-mrw", made_negatives.minolta_negative(quadrants)),
        "deep.tif": ("image/tiff", made_negatives.deep_tiff(quadrants)),
        "pages.tif": ("image/tiff", made.animation("TIFF", 3)),
        "moving.gif": ("image/gif", made.animation("GIF", 3)),
        "moving.webp": ("image/webp", made.animation("WEBP", 3)),
        "a.mp4": ("video/mp4", film()),
        "a.mov": ("video/quicktime", film(container="mov")),
        "a.webm": ("video/webm", film(container="webm", codec="libvpx-vp9")),
        "a.mp3": ("audio/mpeg", recording()),
        "a.flac": ("audio/flac", recording(container="flac", codec="flac")),
        "a.wav": ("audio/wav", waves((1, 0.2), (1, 0.9), (1, 0.05))),
        "a.ttf": ("font/ttf", font()),
        "a.otf": ("font/otf", (FONTS / "aileron.otf").read_bytes()),
        "a.woff": ("font/woff", web_font()),
        "a.woff2": ("font/woff2", (FONTS / "aileron.woff2").read_bytes()),
        "a.zip": ("application/zip", made_office.archive(one__txt=b"1" * 1000, two__jpg=b"2")),
        "a.docx": (f"{office}.wordprocessingml.document", made_office.letter()),
        "a.xlsx": (f"{office}.spreadsheetml.sheet", made_office.sheet()),
        "a.pptx": (f"{office}.presentationml.presentation", made_office.slides()),
        "a.odt": (f"{open_document}.text", made_office.open_letter()),
        "a.pdf": ("application/pdf", pages("First page", "Second page")),
        "a.txt": ("text/plain", "Пусть печатают.\nLet it be printed.\n".encode()),
        "a.csv": ("text/csv", b"name;price\ncup;3\n"),
    }


def _mux_tone(holder: Any, stream: Any, seconds: int) -> None:
    times = np.arange(SAMPLES_PER_SECOND * seconds) / SAMPLES_PER_SECOND
    tone = (0.1 * np.sin(2 * np.pi * 1000 * times)).astype(np.float32)
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=stream.codec_context.layout)
    fifo = av.AudioFifo()
    frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
    frame.sample_rate = SAMPLES_PER_SECOND
    for part in resampler.resample(frame):
        fifo.write(part)
    size = stream.codec_context.frame_size or 1024
    while (piece := fifo.read(size, partial=True)) is not None:
        holder.mux(stream.encode(piece))
    holder.mux(stream.encode())


def _deepened(row: Any, bits: int) -> bytes:
    if bits == 8:
        content: bytes = row.tobytes()
    elif bits == 16:
        content = (row.astype(np.uint16) * 257).astype(">u2").tobytes()
    else:
        shown = row.astype(np.float64) / 255
        light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
        content = light.astype(">f4").tobytes()
    return content


def _literal_runs(row: bytes) -> bytes:
    return b"".join(bytes([len(part) - 1]) + part for part in (row[at : at + 128] for at in range(0, len(row), 128)))
