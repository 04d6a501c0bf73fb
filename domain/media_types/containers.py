"""The formats that share a container: what a RIFF, an ISO base media file, a ZIP, an EBML or a TIFF holds."""

from __future__ import annotations

import re
import struct

_TIFF = {b"II*\x00": "<", b"MM\x00*": ">", b"II+\x00": "<", b"MM\x00+": ">"}
_DNG_VERSION_TAG = 50706
_ENTRY_BYTES = 12
#: Raw formats that are TIFF to the last byte of their header; the camera's own extension tells them apart.
_RAW_BY_NAME = {
    "nef": "image/x-nikon-nef",
    "nrw": "image/x-nikon-nef",
    "arw": "image/x-sony-arw",
    "sr2": "image/x-sony-arw",
    "pef": "image/x-pentax-pef",
    "srw": "image/x-samsung-srw",
    "3fr": "image/x-hasselblad-3fr",
    "iiq": "image/x-phaseone-iiq",
    "rwl": "image/x-leica-rwl",
}

_IN_CHUNKS = {
    b"WEBP": "image/webp",
    b"WAVE": "audio/wav",
    b"AVI ": "video/x-msvideo",
    b"AIFF": "audio/aiff",
    b"AIFC": "audio/aiff",
}

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"})
_HEIF = frozenset({b"mif1", b"msf1", b"mif2"})
_MOVIE_BRANDS = {
    b"crx ": "image/x-canon-cr3",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    b"jp2 ": "image/jp2",
    b"jxl ": "image/jxl",
}
#: A QuickTime file of the old kind begins with one of these instead of a brand.
_OLD_MOVIE_BOXES = frozenset({b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"})

_ZIP = frozenset({b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"})
_LOCAL_FILE = re.compile(rb"PK\x03\x04.{22}(..)(..)", re.DOTALL)
_MIMETYPE_ENTRY = re.compile(rb"PK\x03\x04.{26}mimetype([a-z0-9.+/-]{1,100})", re.DOTALL)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OFFICE_FOLDERS = {
    b"word/": ("wordprocessingml.document", {"dotx": "wordprocessingml.template"}),
    b"xl/": ("spreadsheetml.sheet", {}),
    b"ppt/": ("presentationml.presentation", {"potx": "presentationml.template"}),
}
_OFFICE_BY_NAME = {
    "docx": "wordprocessingml.document",
    "docm": "wordprocessingml.document",
    "xlsx": "spreadsheetml.sheet",
    "xlsm": "spreadsheetml.sheet",
    "pptx": "presentationml.presentation",
    "pptm": "presentationml.presentation",
    "dotx": "wordprocessingml.template",
    "potx": "presentationml.template",
}
_PACKAGES = frozenset(
    {
        "application/epub+zip",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.graphics",
        "application/vnd.adobe.indesign-idml-package",
    }
)


def recognise(head: bytes, extension: str) -> str | None:
    if head[:4] in {b"RIFF", b"FORM"}:
        return _IN_CHUNKS.get(head[8:12])
    if head[:4] in _TIFF:
        return _in_tiff(head, extension)
    if head[:4] in _ZIP:
        return _in_zip(head, extension)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return _in_boxes(head)


def _in_tiff(head: bytes, extension: str) -> str:
    if head[8:10] == b"CR":
        return "image/x-canon-cr2"
    if head[2:4] in {b"*\x00", b"\x00*"} and _DNG_VERSION_TAG in _first_directory(head):
        return "image/x-adobe-dng"
    return _RAW_BY_NAME.get(extension, "image/tiff")


def _first_directory(head: bytes) -> set[int]:
    """The tags of the first directory as far as it lies within the head."""
    order = _TIFF[head[:4]]
    if len(head) < 8:  # noqa: PLR2004 - the TIFF header itself
        return set()
    (at,) = struct.unpack_from(order + "I", head, 4)
    if at + 2 > len(head):
        return set()
    (count,) = struct.unpack_from(order + "H", head, at)
    whole = min(count, (len(head) - at - 2) // _ENTRY_BYTES)
    return {struct.unpack_from(order + "H", head, at + 2 + n * _ENTRY_BYTES)[0] for n in range(whole)}


def _in_boxes(head: bytes) -> str | None:
    # A box of half a gigabyte is rarer than a text whose fifth letter begins the word "free".
    if not head or head[0] >= ord(" "):
        return None
    if head[4:8] in _OLD_MOVIE_BOXES:
        return "video/quicktime"
    return _of_brands(head) if head[4:8] == b"ftyp" else None


def _of_brands(head: bytes) -> str:
    major, compatible = head[8:12], _compatible_brands(head)
    brands = {major} | compatible
    if major in _MOVIE_BRANDS:
        return _MOVIE_BRANDS[major]
    if brands & _AVIF and major not in _HEIC:
        return "image/avif"
    if brands & (_HEIC | _HEIF):
        return "image/heic" if brands & _HEIC else "image/heif"
    return "video/3gpp" if major.startswith((b"3gp", b"3g2")) else "video/mp4"


def _compatible_brands(head: bytes) -> set[bytes]:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[at : at + 4] for at in range(16, end - 3, 4)}


def _in_zip(head: bytes, extension: str) -> str:
    stated = _MIMETYPE_ENTRY.match(head)
    if stated:
        # The entry is stored, not compressed; what follows it directly is the next entry's signature.
        name = stated[1].decode("ascii")
        return name if name in _PACKAGES else "application/zip"
    names = _entry_names(head)
    for folder, (document, templates) in _OFFICE_FOLDERS.items():
        if any(name.startswith(folder) for name in names):
            return _OFFICE + templates.get(extension, document)
    if b"[Content_Types].xml" in names and extension in _OFFICE_BY_NAME:
        return _OFFICE + _OFFICE_BY_NAME[extension]
    if b"META-INF/MANIFEST.MF" in names:
        return "application/java-archive"
    return "application/x-sketch" if {b"document.json", b"meta.json"} & names else "application/zip"


def _entry_names(head: bytes) -> set[bytes]:
    return {
        head[found.end() : found.end() + int.from_bytes(found[1], "little")] for found in _LOCAL_FILE.finditer(head)
    }
