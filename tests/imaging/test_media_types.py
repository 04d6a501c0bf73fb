"""What a file is, told from its first bytes."""

import io
import json
import wave
import zipfile
from pathlib import Path

import pytest

from domain import media_types
from domain.media_types import Kind
from tests.imaging import made, made_hostile

OFFICE = "application/vnd.openxmlformats-officedocument."


def zipped(*entries: tuple[str, bytes], stored: bool = False) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def boxed(brand: bytes, *compatible: bytes) -> bytes:
    brands = brand + b"\0\0\0\0" + b"".join(compatible)
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\0\0\0\x08mdat"


def sound() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(b"\0\0" * 100)
    return target.getvalue()


def tiff_with_tag(tag: int) -> bytes:
    return b"II*\0\x08\0\0\0\x01\0" + tag.to_bytes(2, "little") + b"\x01\0\x04\0\0\0\x01\x04\0\0\0\0\0\0"


SAMPLES = {
    **{name: (content, kind) for name, (kind, content) in made.every_format().items()},
    "c.heic": (made.photograph("coffee.heic").read_bytes(), "image/heic"),
    "raw.dng": (tiff_with_tag(50706), "image/x-adobe-dng"),
    "renamed-dng.tif": (tiff_with_tag(50706), "image/x-adobe-dng"),
    "a.cr2": (b"II*\0\x10\0\0\0CR\x02\0" + b"\0" * 20, "image/x-canon-cr2"),
    "a.nef": (tiff_with_tag(256), "image/x-nikon-nef"),
    "a.arw": (tiff_with_tag(256), "image/x-sony-arw"),
    "a.cr3": (boxed(b"crx ", b"crx ", b"isom"), "image/x-canon-cr3"),
    "a.raf": (b"FUJIFILMCCD-RAW 0201", "image/x-fuji-raf"),
    "a.rw2": (b"IIU\0\x18\0\0\0", "image/x-panasonic-rw2"),
    "a.orf": (b"IIRO\x08\0\0\0", "image/x-olympus-orf"),
    "a.jxl": (b"\xff\x0a\xfa\x7f", "image/jxl"),
    "box.jxl": (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    "a.ico": (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0", "image/x-icon"),
    "a.svg": (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
    "doctype.svg": (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x"><svg width="1"/>', "image/svg+xml"),
    "svg-in-disguise.txt": (b"<svg onload='alert(1)'/>", "image/svg+xml"),
    "a.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "application/postscript"),
    "a.ai": (b"%PDF-1.5\n%\xe2\xe3\xcf\xd3", "application/illustrator"),
    "late.pdf": (b"\r\n\r\n%PDF-1.7\n", "application/pdf"),
    "a.mp4": (boxed(b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4"),
    "a.mov": (boxed(b"qt  ", b"qt  "), "video/quicktime"),
    "old.mov": (b"\0\0\0\x08wide\0\0\x12\x34mdat", "video/quicktime"),
    "a.m4a": (boxed(b"M4A ", b"mp42"), "audio/mp4"),
    "plain.m4a": (boxed(b"isom", b"mp41"), "audio/mp4"),
    "sequence.heic": (boxed(b"msf1", b"hevc", b"mif1"), "image/heic"),
    "still.avif": (boxed(b"mif1", b"avif", b"miaf"), "image/avif"),
    "a.webm": (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
    "a.mkv": (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", "video/x-matroska"),
    "a.avi": (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
    "a.wav": (sound(), "audio/wav"),
    "a.mp3": (b"ID3\x04\0\0\0\0\0\x21" + b"\0" * 40, "audio/mpeg"),
    "frames.mp3": (b"\xff\xfb\x90\x44" + b"\0" * 100, "audio/mpeg"),
    "a.flac": (b"fLaC\0\0\0\x22", "audio/flac"),
    "a.ogg": (b"OggS\0\2" + b"\0" * 20, "audio/ogg"),
    "a.zip": (zipped(("photo.txt", b"x")), "application/zip"),
    "empty.zip": (zipped(), "application/zip"),
    "a.docx": (
        zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"")),
        OFFICE + "wordprocessingml.document",
    ),
    "a.xlsx": (zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"")), OFFICE + "spreadsheetml.sheet"),
    "a.potx": (zipped(("[Content_Types].xml", b"<x/>"), ("ppt/x.xml", b"")), OFFICE + "presentationml.template"),
    "a.odt": (
        zipped(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b""), stored=True),
        "application/vnd.oasis.opendocument.text",
    ),
    "a.idml": (
        zipped(("mimetype", b"application/vnd.adobe.indesign-idml-package"), ("designmap.xml", b""), stored=True),
        "application/vnd.adobe.indesign-idml-package",
    ),
    "a.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 20, "application/msword"),
    "a.indd": (b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5\xbd\x31\xef\xe7\xfe\x74\xb7\x1d", "application/x-indesign"),
    "a.ttf": (b"\0\1\0\0\0\x0f\0\x80", "font/ttf"),
    "a.otf": (b"OTTO\0\x0c\0\x80", "font/otf"),
    "a.woff2": (b"wOF2\0\1\0\0", "font/woff2"),
    "a.txt": ("Пусть печатают. 🖨".encode(), "text/plain"),
    "cut.txt": (("ы" * 5000).encode()[:8191], "text/plain"),
    "cp1251.txt": ("Ясно, что это текст.".encode("cp1251"), "text/plain"),
    "utf16.txt": ("\ufeffHello".encode("utf-16-le"), "text/plain"),
    "freely.txt": (b"The free press", "text/plain"),
    "a.csv": (b"name;price\ncup;3\n", "text/csv"),
    "a.json": (json.dumps({"a": [1, 2]}).encode(), "application/json"),
    "json-by-content": (b'[{"a": 1}]', "application/json"),
    "a.xml": (b'<?xml version="1.0"?><order/>', "application/xml"),
    "a.html": (b"<!DOCTYPE html><html><body>", "text/html"),
    "html-in-disguise.csv": (b"  <script>alert(1)</script>", "text/html"),
    "a.exe": (b"MZ\x90\0" + b"\0" * 56 + b"\x40\0\0\0PE\0\0", "application/vnd.microsoft.portable-executable"),
    "noise.jpg": (bytes(range(1, 256)) * 8, "application/octet-stream"),
    "empty.jpg": (b"", "application/octet-stream"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_is_what_its_first_bytes_say(name: str) -> None:
    content, expected = SAMPLES[name]
    assert media_types.sniff(content[: media_types.HEAD_BYTES], name).type == expected


@pytest.mark.parametrize("name", made.every_format())
def test_a_picture_is_recognised_whatever_its_name(name: str) -> None:
    expected, content = made.every_format()[name]
    for pretended in ("x.txt", "x", "x.mp4", "x.html", "", "снимок"):
        assert media_types.sniff(content, pretended).type == expected


def test_every_type_says_its_kind_and_its_usual_extension() -> None:
    jpeg = media_types.sniff(b"\xff\xd8\xff\xe0", "UPPER.JPEG")
    assert (jpeg.kind, jpeg.extension) == (Kind.IMAGE, ".jpg")
    assert media_types.sniff(b"wOF2\0\1\0\0", "f").kind is Kind.FONT
    assert media_types.sniff(b"a,b\n1,2\n", "t.csv").kind is Kind.DATASET
    assert media_types.sniff(SAMPLES["a.idml"][0], "a.idml").kind is Kind.TEMPLATE


def test_a_name_never_turns_bytes_without_a_signature_into_something_active() -> None:
    for name in ("x.svg", "x.html", "x.jpg", "x.exe", "x.pdf", "x.mp4"):
        assert media_types.sniff(b"\x01\x02\x03\x04 nothing", name).type == "application/octet-stream"


def test_a_longer_head_changes_nothing() -> None:
    for name, (content, _) in SAMPLES.items():
        head = content[: media_types.HEAD_BYTES]
        assert media_types.sniff(head + b"\0<svg>" * 5000, name) == media_types.sniff(
            (head + b"\0<svg>" * 5000)[: media_types.HEAD_BYTES], name
        )


def test_stumps_and_bitten_files_are_always_given_some_type() -> None:
    for name, (content, _) in SAMPLES.items():
        for broken in (*made_hostile.stumps(content[:600], 60), *made_hostile.bitten(content[:600] or b"x", 20)):
            assert media_types.sniff(broken, name).type


def test_text_named_like_a_picture_is_a_mismatch_told_in_a_sentence() -> None:
    sentence = media_types.mismatch("Лето.jpg", media_types.sniff(b"not a picture at all", "Лето.jpg"))
    assert sentence is not None
    assert sentence.startswith("The name “Лето.jpg” promises a picture")
    assert sentence.endswith(".")
    assert "text/plain" in sentence


@pytest.mark.parametrize(
    ("name", "sample"),
    [("x.pdf", "a.png"), ("x.mp4", "a.jpg"), ("x.jpg", "a.pdf"), ("x.png", "a.html"), ("x.tif", "a.zip"),
     ("x.gif", "noise.jpg"), ("x.mp3", "a.exe"), ("x.jpg", "a.mp4"), ("x.svg", "a.html")],
)  # fmt: skip
def test_a_name_that_promises_another_kind_is_a_mismatch(name: str, sample: str) -> None:
    assert media_types.mismatch(name, media_types.sniff(SAMPLES[sample][0], name)) is not None


@pytest.mark.parametrize(
    ("name", "sample"),
    [("x.jpg", "a.png"), ("x.png", "a.webp"), ("x.mp4", "a.m4a"), ("x.mp4", "a.mov"), ("x.bin", "a.exe"),
     ("x.txt", "a.html"), ("x", "a.pdf"), ("x.ai", "a.ai"), ("x.docx", "a.zip")],
)  # fmt: skip
def test_a_relative_or_a_name_without_promise_is_no_mismatch(name: str, sample: str) -> None:
    assert media_types.mismatch(name, media_types.sniff(SAMPLES[sample][0], name)) is None


def test_the_photographs_of_this_tree_are_recognised() -> None:
    seen = {path.suffix: media_types.sniff(path.read_bytes()[:8192], path.name).type for path in _photographs()}
    assert seen == {".jpg": "image/jpeg", ".png": "image/png", ".heic": "image/heic"}


def _photographs() -> list[Path]:
    return [path for path in made.PICTURES.iterdir() if path.suffix in {".jpg", ".png", ".heic"}]
