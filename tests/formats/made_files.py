"""Small files of every kind that is not a plain picture, made from nothing: what is in them is known to the letter.

Everything is deterministic but the films, whose encoders may differ from version to version.
"""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from functools import cache
from typing import Any

import av
import numpy as np
import pylibjxl
from PIL import Image, ImageFont

from tests.imaging import made

#: Frames per second of every film made here.
RATE = 25
SAMPLES_PER_SECOND = 48_000
#: A TIFF field: tag, type, values.
Field = tuple[int, int, Any]
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


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


def negative(
    width: int = 64, height: int = 48, *, preview: bytes = b"", light: tuple[float, float, float] = (0.6, 0.3, 0.1)
) -> bytes:
    """A digital negative (DNG 1.1): a plain area of light as a Bayer sensor sees it, 12 bits in 16, RGGB.

    With a `preview`, a JPEG, the sensor's picture stands in a directory below it, as cameras do it.
    """
    sensor = np.empty((height, width), np.uint16)
    red, green, blue = (round(part * 4095) for part in light)
    sensor[0::2, 0::2], sensor[0::2, 1::2], sensor[1::2, 0::2], sensor[1::2, 1::2] = red, green, green, blue
    data = sensor.astype("<u2").tobytes()
    # ColorMatrix1 takes XYZ to the camera's own colours: here sRGB's primaries, so that the camera sees sRGB.
    matrix = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
    raw: list[Field] = [
        (254, 4, (0,)),
        (256, 4, (width,)),
        (257, 4, (height,)),
        (258, 3, (16,)),
        (259, 3, (1,)),
        (262, 3, (32803,)),
        (273, 4, (0,)),  # its place, filled in below
        (277, 3, (1,)),
        (278, 4, (height,)),
        (279, 4, (len(data),)),
        (33421, 3, (2, 2)),
        (33422, 1, (0, 1, 1, 2)),
        (50717, 4, (4095,)),
    ]
    camera: list[Field] = [
        (271, 2, b"Imprimatur\0"),
        (272, 2, b"Test camera\0"),
        (274, 3, (1,)),
        (50706, 1, (1, 1, 0, 0)),
        (50708, 2, b"Imprimatur Test\0"),
        (50721, 10, matrix),
        (50728, 5, (1.0, 1.0, 1.0)),
        (50778, 3, (21,)),
    ]
    if not preview:
        return _tiff([sorted([*raw, *camera])], [data])
    with Image.open(io.BytesIO(preview)) as opened:
        size = opened.size
    small: list[Field] = [
        (254, 4, (1,)),
        (256, 4, (size[0],)),
        (257, 4, (size[1],)),
        (258, 3, (8, 8, 8)),
        (259, 3, (7,)),
        (262, 3, (6,)),
        (273, 4, (0,)),
        (277, 3, (3,)),
        (278, 4, (size[1],)),
        (279, 4, (len(preview),)),
        (330, 4, (0,)),  # the directory of the sensor's picture, likewise
    ]
    return _tiff([sorted([*small, *camera]), raw], [preview, data])


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


def archive(**files: bytes) -> bytes:
    return zipped({name.replace("__", "."): content for name, content in (files or {"a__txt": b"one"}).items()})


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as holder:
        for name, content in files.items():
            holder.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return target.getvalue()


def letter(text: str = "Dear printer, please print.") -> bytes:
    """A Word document of one paragraph, with a title."""
    body = f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    return zipped(
        {
            "[Content_Types].xml": (
                b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                b'<Default Extension="xml" ContentType="application/xml"/>'
                b'<Override PartName="/word/document.xml" ContentType="application/'
                b'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
            ),
            "_rels/.rels": (
                b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                b'<Relationship Id="r1" Target="word/document.xml" Type="http://schemas.openxmlformats.org/'
                b'officeDocument/2006/relationships/officeDocument"/></Relationships>'
            ),
            "docProps/core.xml": (
                b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
                b' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A letter</dc:title>'
                b"<dc:creator>Ada</dc:creator></cp:coreProperties>"
            ),
            "word/document.xml": body.encode(),
        }
    )


def open_letter(text: str = "Print <text:span>this</text:span> gladly.", more: str = "") -> bytes:
    """An OpenDocument text: a word inside a word's style must stay in its place."""
    return open_document("text", f"<office:text><text:p>{text}</text:p>{more}</office:text>")


def open_sheet(text: str) -> bytes:
    cell = f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    rows = f'<table:table table:name="Prices"><table:table-row>{cell}</table:table-row></table:table>'
    return open_document("spreadsheet", f"<office:spreadsheet>{rows}</office:spreadsheet>")


def open_slide(text: str) -> bytes:
    place = 'svg:x="2cm" svg:y="2cm" svg:width="20cm" svg:height="5cm"'
    frame = f"<draw:frame {place}><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"
    return open_document(
        "presentation", f'<office:presentation><draw:page draw:name="one">{frame}</draw:page></office:presentation>'
    )


def open_document(kind: str, body: str) -> bytes:
    """An OpenDocument of this kind and body."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
        for name, space in (
            *((each, each) for each in ("office", "text", "table")),
            ("draw", "drawing"),
            ("svg", "svg-compatible"),
        )
    )
    content = (
        f'<office:document-content{names} xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2">'
        f"<office:body>{body}</office:body></office:document-content>"
    )
    named = f"application/vnd.oasis.opendocument.{kind}"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        f'manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="{named}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as holder:
        holder.writestr(zipfile.ZipInfo("mimetype", (2026, 1, 1, 0, 0, 0)), named)
        holder.writestr("content.xml", content)
        holder.writestr("META-INF/manifest.xml", manifest)
    return target.getvalue()


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


def every_kind() -> dict[str, tuple[str, bytes]]:
    """File name → (media type, content), beside `made.every_format`."""
    quadrants = made.quadrants()
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return {
        "a.jxl": ("image/jxl", jpeg_xl()),
        "a.svg": ("image/svg+xml", drawing()),
        "a.psb": ("image/vnd.adobe.photoshop", large_photoshop(quadrants)),
        "deep.psd": ("image/vnd.adobe.photoshop", large_photoshop(quadrants, 16, 1)),
        "a.dng": ("image/x-adobe-dng", negative()),
        "a.mp4": ("video/mp4", film()),
        "a.mov": ("video/quicktime", film(container="mov")),
        "a.webm": ("video/webm", film(container="webm", codec="libvpx-vp9")),
        "a.mp3": ("audio/mpeg", recording()),
        "a.flac": ("audio/flac", recording(container="flac", codec="flac")),
        "a.wav": ("audio/wav", waves((1, 0.2), (1, 0.9), (1, 0.05))),
        "a.ttf": ("font/ttf", font()),
        "a.zip": ("application/zip", archive(one__txt=b"1" * 1000, two__jpg=b"2")),
        "a.docx": (office, letter()),
        "a.odt": ("application/vnd.oasis.opendocument.text", open_letter()),
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


def _tiff(directories: list[list[Field]], pictures: list[bytes]) -> bytes:
    """Little-endian; the first directory names the second as its sub-directory, and each its own picture."""
    starts, at = [], 8
    for entries in directories:
        starts.append(at)
        at += 6 + 12 * len(entries) + sum(_room(_values(kind, values)) for _, kind, values in entries)
    places = []
    for picture in pictures:
        places.append(at)
        at += len(picture) + len(picture) % 2
    body = b""
    for number, entries in enumerate(directories):
        filled = {273: places[number], 330: starts[-1]}
        body += _directory(entries, starts[number], filled)
    return b"II*\0\x08\0\0\0" + body + b"".join(one + b"\0" * (len(one) % 2) for one in pictures)


def _directory(entries: list[Field], at: int, filled: dict[int, int]) -> bytes:
    """What is longer than four bytes stands behind the entries."""
    fields, behind = b"", b""
    beyond = at + 6 + 12 * len(entries)
    for tag, kind, values in entries:
        content = struct.pack("<I", filled[tag]) if tag in filled else _values(kind, values)
        if _room(content):
            fields += struct.pack("<HHII", tag, kind, len(values), beyond + len(behind))
            behind += content + b"\0" * (len(content) % 2)
        else:
            fields += struct.pack("<HHI", tag, kind, len(values)) + content.ljust(4, b"\0")
    return struct.pack("<H", len(entries)) + fields + b"\0\0\0\0" + behind


def _room(content: bytes) -> int:
    return len(content) + len(content) % 2 if len(content) > 4 else 0


def _values(kind: int, values: Any) -> bytes:
    if kind == 2:
        return bytes(values)
    if kind in {5, 10}:
        return b"".join(struct.pack("<II" if kind == 5 else "<ii", round(value * 10_000), 10_000) for value in values)
    return struct.pack(f"<{len(values)}{ {1: 'B', 3: 'H', 4: 'I'}[kind] }", *values)
