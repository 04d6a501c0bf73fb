"""Three hundred files that are broken or mean harm, of every kind that is read here: always the same ones."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.formats import made_files, made_negatives, made_office
from tests.imaging import made, made_hostile

COUNT = 300
_MARKUP = "http://www.w3.org/2000/svg"

File = tuple[str, str, bytes]


def folder() -> list[File]:
    """(file name, media type, content), `COUNT` of them."""
    whole = {**made.every_format(), **made_files.every_kind()}
    whole["a.heic"] = ("image/heic", made.photograph("coffee.heic").read_bytes())
    files = [*_meant_to_harm(), *_passed_off(whole)]
    chance = random.Random(5)
    names = sorted(whole)
    while len(files) < COUNT:
        name = names[len(files) % len(names)]
        kind, content = whole[name]
        how = _WAYS[len(files) // len(names) % len(_WAYS)]
        files.append((f"{len(files)}-{how.__name__.strip('_')}-{name}", kind, how(content, chance)))
    return files[:COUNT]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, max(2, len(content) - 1))]


def _bitten(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 16)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _bitten_in_the_head(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(min(len(changed), 128))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(changed)


def _hollow(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    length = chance.randrange(1, max(2, len(content) // 3))
    return content[:at] + b"\0" * length + content[at + length :]


def _doubled(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[max(0, at - 64) : at] * chance.randint(2, 30) + content[at:]


_WAYS = (_cut, _bitten, _hollow, _bitten_in_the_head, _doubled)


def _passed_off(whole: dict[str, tuple[str, bytes]]) -> Iterator[File]:
    """Each kind's content under the next kind's name, and words under all."""
    names = sorted(whole)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        if whole[name][0] != whole[other][0]:
            yield f"other-{other}", whole[other][0], whole[name][1]
    for name in names[::3]:
        yield f"words-{name}", whole[name][0], b"Dear Sir or Madam, " * 50
    for name in names[::4]:
        yield f"empty-{name}", whole[name][0], b""


def _meant_to_harm() -> Iterator[File]:
    for name, (kind, content) in made_hostile.bombs().items():
        yield name, kind, content
    yield "needle.png", "image/png", made_hostile.needle()
    yield "locked.pdf", "application/pdf", made_hostile.locked_pdf()
    yield "circle.tif", "image/tiff", made_hostile.tiff_in_a_circle()
    yield "laughs.svg", "image/svg+xml", _laughing()
    yield "nested.svg", "image/svg+xml", _svg("<g>" * 20_000 + "</g>" * 20_000)
    yield "circle.svg", "image/svg+xml", _svg('<g id="a"><use href="#a"/><use href="#a"/></g><use href="#a"/>')
    yield "many.svg", "image/svg+xml", _multiplying()
    yield "wide.svg", "image/svg+xml", _svg("", size='width="999999999" height="999999999"')
    yield "sizeless.svg", "image/svg+xml", _svg("", size="")
    yield "blur.svg", "image/svg+xml", _blurred()
    yield "huge.psb", "image/vnd.adobe.photoshop", _photoshop(2, 290_000, 290_000, 16)
    yield "huge.psd", "image/vnd.adobe.photoshop", _photoshop(1, 29_000, 29_000, 16)
    yield "none.psb", "image/vnd.adobe.photoshop", _photoshop(2, 0, 10, 8)
    yield "huge.dng", "image/x-adobe-dng", _larger(made_negatives.negative(), 64, 60_000, 48, 60_000)
    yield "huge.jxl", "image/jxl", b"\xff\x0a" + b"\xff" * 64
    yield "bomb.zip", "application/zip", _swollen_zip()
    yield "bomb.docx", _word(), made_office.zipped({"word/document.xml": b"<a>" + b" " * 60_000_000 + b"</a>"})
    yield "laughs.docx", _word(), made_office.zipped({"word/document.xml": _laughing()})
    yield "deep.docx", _word(), made_office.zipped({"word/document.xml": b"<a>" * 200_000})
    yield "far.xlsx", f"{made_office.OFFICE}.spreadsheetml.sheet", _far_away()
    yield "noise.doc", "application/msword", _compound(random.Random(2))
    yield "noise.xls", "application/vnd.ms-excel", _compound(random.Random(3))
    yield "noise.ppt", "application/vnd.ms-powerpoint", _compound(random.Random(4))
    yield "deep.rtf", "application/rtf", b"{\\rtf1" + b"{" * 100_000 + b"deep"
    yield "claims.wav", "audio/wav", made_files.waves((0.1, 0.5))[:4] + b"\xff\xff\xff\x7f" + b"WAVE" + b"\0" * 40
    yield "listing.m3u8.mp4", "video/mp4", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    yield "wide.mp4", "video/mp4", _widened(made_files.film())
    yield "loops.ttf", "font/ttf", b"\0\1\0\0\xff\xff\0\0\0\0\0\0" + b"glyf\0\0\0\0\0\0\0\x0c\xff\xff\xff\xff" * 300
    yield "noise.pdf", "application/pdf", b"%PDF-1.7\n" + random.Random(1).randbytes(20_000)
    yield "circle.pdf", "application/pdf", _own_parent()


def _word() -> str:
    return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _far_away() -> bytes:
    """Words in the last cell that a sheet has, a hundred columns each a thousand wide."""
    columns = '<cols><col min="1" max="100" width="1000" customWidth="1"/></cols>'
    cell = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far away</t></is></c></row>'
    with zipfile.ZipFile(io.BytesIO(made_office.sheet(("near",)))) as book:
        files = {name: book.read(name) for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    files[name] = files[name].replace(b"<sheetData>", f"{columns}<sheetData>".encode())
    files[name] = files[name].replace(b"</sheetData>", f"{cell}</sheetData>".encode())
    return made_office.zipped(files)


def _compound(chance: random.Random) -> bytes:
    """The head of a compound file as old Office wrote it, its tables in a circle, and noise."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    head += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 0, 0, 4096, 0, 1, 0, 1, 0)
    return (head + struct.pack("<I", 0) * 109)[:512].ljust(512, b"\0") + chance.randbytes(8192)


def _svg(inside: str, size: str = 'width="100" height="100"') -> bytes:
    return f'<svg xmlns="{_MARKUP}" xmlns:xlink="http://www.w3.org/1999/xlink" {size}>{inside}</svg>'.encode()


def _laughing() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE svg [<!ENTITY l0 "ha">{entities}]><svg xmlns="{_MARKUP}"><text>&l11;</text></svg>'.encode()


def _multiplying() -> bytes:
    groups = "".join(f'<g id="g{n}">{f"<use href={chr(34)}#g{n - 1}{chr(34)}/>" * 10}</g>' for n in range(1, 10))
    return _svg(f'<defs><rect id="g0" width="9" height="9"/>{groups}</defs><use href="#g9"/>')


def _blurred() -> bytes:
    return _svg(
        '<filter id="f" width="900%" height="900%">' + '<feGaussianBlur stdDeviation="900"/>' * 200 + "</filter>"
        '<rect width="100" height="100" filter="url(#f)"/>',
        'width="9000" height="9000"',
    )


def _photoshop(version: int, width: int, height: int, bits: int) -> bytes:
    header = b"8BPS" + struct.pack(">H6xHIIHH", version, 3, height, width, bits, 3)
    return header + struct.pack(">II", 0, 0) + struct.pack(">Q" if version == 2 else ">I", 0) + b"\0\1" + b"\0" * 64


def _larger(content: bytes, width: int, to_width: int, height: int, to_height: int) -> bytes:
    fields = ((256, width, to_width), (257, height, to_height))
    for tag, before, after in fields:
        old, new = (struct.pack("<HHII", tag, 4, 1, value) for value in (before, after))
        content = content.replace(old, new)
    return content


def _widened(content: bytes) -> bytes:
    """The track and the sample entry say that the film is 65,535 pixels wide and high."""
    at = content.index(b"avc1", content.index(b"stsd"))
    return content[: at + 28] + b"\xff\xff\xff\xff" + content[at + 32 :]


def _swollen_zip() -> bytes:
    """A directory of 65,535 entries that all mean one and the same file of a gigabyte."""
    packed = zlib.compress(b"\0" * 1_000_000, 9)[2:-4]
    entry = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), 1 << 30, 5, 0)
    local = b"PK\x03\x04" + entry + b"a.bin" + packed
    central = b"PK\x01\x02\x14\0" + entry + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a.bin"
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, len(central) * 65_535, len(local), 0)
    return local + central * 65_535 + end


def _own_parent() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 99999999/Kids[2 0 R 2 0 R 2 0 R]/Parent 2 0 R>>endobj\n"
        b"trailer<</Root 1 0 R/Size 3>>\n%%EOF\n"
    )
