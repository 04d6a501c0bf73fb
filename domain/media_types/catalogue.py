"""Every media type we have a word for: its kind, its extension, and the extensions that claim it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import filetype


class Kind(StrEnum):
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"
    TEMPLATE = "TEMPLATE"
    FONT = "FONT"
    ARCHIVE = "ARCHIVE"
    DATASET = "DATASET"


@dataclass(frozen=True)
class MediaType:
    """`extension` is the usual one, lower case with its dot, or empty where none is usual."""

    type: str
    kind: Kind
    extension: str


#: Type, then every extension that claims it, the usual one first.
_BY_KIND: dict[Kind, dict[str, str]] = {
    Kind.IMAGE: {
        "image/jpeg": "jpg jpeg jpe jfif",
        "image/png": "png apng",
        "image/webp": "webp",
        "image/avif": "avif avifs",
        "image/heic": "heic heics hif",
        "image/heif": "heif",
        "image/gif": "gif",
        "image/tiff": "tif tiff",
        "image/bmp": "bmp dib",
        "image/svg+xml": "svg",
        "image/vnd.adobe.photoshop": "psd psb",
        "image/jp2": "jp2 jpx jpf j2k",
        "image/jxl": "jxl",
        "image/x-icon": "ico cur",
        "image/x-exr": "exr",
        "image/vnd.radiance": "hdr",
        "image/x-adobe-dng": "dng",
        "image/x-canon-cr2": "cr2",
        "image/x-canon-cr3": "cr3",
        "image/x-canon-crw": "crw",
        "image/x-nikon-nef": "nef nrw",
        "image/x-sony-arw": "arw sr2",
        "image/x-fuji-raf": "raf",
        "image/x-olympus-orf": "orf",
        "image/x-panasonic-rw2": "rw2",
        "image/x-pentax-pef": "pef",
        "image/x-samsung-srw": "srw",
        "image/x-hasselblad-3fr": "3fr",
        "image/x-phaseone-iiq": "iiq",
        "image/x-leica-rwl": "rwl",
        "image/x-sigma-x3f": "x3f",
        "image/x-minolta-mrw": "mrw",
        "application/postscript": "eps ps epsf",
        "application/illustrator": "ai",
    },
    Kind.VIDEO: {
        "video/mp4": "mp4 m4v",
        "video/quicktime": "mov qt",
        "video/webm": "webm",
        "video/x-matroska": "mkv",
        "video/x-msvideo": "avi",
        "video/3gpp": "3gp 3g2",
        "video/mpeg": "mpg mpeg",
        "video/mp2t": "mts m2ts",
        "video/x-flv": "flv",
        "video/x-ms-wmv": "wmv asf",
        "application/mxf": "mxf",
        "video/ogg": "ogv",
    },
    Kind.AUDIO: {
        "audio/mpeg": "mp3 mp2",
        "audio/wav": "wav",
        "audio/flac": "flac",
        "audio/ogg": "ogg oga opus",
        "audio/mp4": "m4a m4b",
        "audio/aac": "aac",
        "audio/aiff": "aif aiff aifc",
        "audio/midi": "mid midi",
    },
    Kind.DOCUMENT: {
        "application/pdf": "pdf",
        "application/msword": "doc",
        "application/vnd.ms-excel": "xls",
        "application/vnd.ms-powerpoint": "ppt",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx docm",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx xlsm",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx pptm",
        "application/vnd.oasis.opendocument.text": "odt",
        "application/vnd.oasis.opendocument.spreadsheet": "ods",
        "application/vnd.oasis.opendocument.presentation": "odp",
        "application/vnd.oasis.opendocument.graphics": "odg",
        "application/epub+zip": "epub",
        "application/rtf": "rtf",
        "text/plain": "txt log",
        "text/markdown": "md",
        "text/html": "html htm xhtml",
        "text/vtt": "vtt",
        "application/x-subrip": "srt",
        "text/x-script": "sh",
    },
    Kind.TEMPLATE: {
        "application/x-indesign": "indd indt",
        "application/vnd.adobe.indesign-idml-package": "idml",
        "application/vnd.openxmlformats-officedocument.presentationml.template": "potx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.template": "dotx",
        "application/x-sketch": "sketch",
    },
    Kind.FONT: {
        "font/ttf": "ttf",
        "font/otf": "otf",
        "font/collection": "ttc",
        "font/woff": "woff",
        "font/woff2": "woff2",
    },
    Kind.ARCHIVE: {
        "application/zip": "zip",
        "application/x-7z-compressed": "7z",
        "application/vnd.rar": "rar",
        "application/gzip": "gz tgz",
        "application/x-bzip2": "bz2",
        "application/x-xz": "xz",
        "application/zstd": "zst",
        "application/x-tar": "tar",
        "application/java-archive": "jar",
    },
    Kind.DATASET: {
        "text/csv": "csv",
        "text/tab-separated-values": "tsv",
        "application/json": "json",
        "application/xml": "xml",
        "application/rdf+xml": "xmp rdf",
        "application/yaml": "yaml yml",
        "application/vnd.sqlite3": "sqlite sqlite3",
        "application/vnd.apache.parquet": "parquet",
        "application/x-ole-storage": "",
        "application/vnd.microsoft.portable-executable": "exe dll",
        "application/x-elf": "",
        "application/x-mach-binary": "",
        "application/octet-stream": "",
    },
}


def _entries() -> dict[str, MediaType]:
    return {
        name: MediaType(name, kind, "." + extensions.split()[0] if extensions else "")
        for kind, names in _BY_KIND.items()
        for name, extensions in names.items()
    }


CATALOGUE = _entries()
_CLAIMS = {
    extension: CATALOGUE[name]
    for names in _BY_KIND.values()
    for name, extensions in names.items()
    for extension in extensions.split()
}

#: Relatives that share their first bytes and differ by name only: (recognised, extension) → type.
NAMED_APART = {
    ("application/pdf", "ai"): "application/illustrator",
    ("application/postscript", "ai"): "application/illustrator",
    ("video/mp4", "m4a"): "audio/mp4",
    ("video/mp4", "m4b"): "audio/mp4",
    ("audio/ogg", "ogv"): "video/ogg",
    ("application/x-ole-storage", "doc"): "application/msword",
    ("application/x-ole-storage", "xls"): "application/vnd.ms-excel",
    ("application/x-ole-storage", "ppt"): "application/vnd.ms-powerpoint",
    ("text/plain", "csv"): "text/csv",
    ("text/plain", "tsv"): "text/tab-separated-values",
    ("text/plain", "md"): "text/markdown",
    ("text/plain", "srt"): "application/x-subrip",
    ("text/plain", "yaml"): "application/yaml",
    ("text/plain", "yml"): "application/yaml",
    ("text/plain", "json"): "application/json",
}


def extension_of(file_name: str) -> str:
    """Lower case, without its dot; empty when there is none."""
    stem, dot, last = file_name.strip().rpartition(".")
    return last.lower() if dot and stem else ""


def claimed_by(extension: str) -> MediaType | None:
    """What a name promises. None for extensions that promise nothing we could check."""
    return _CLAIMS.get(extension)


def other(head: bytes) -> MediaType | None:
    """What the `filetype` package recognises and our own tables do not."""
    guessed = filetype.guess(bytearray(head)) if head else None
    if guessed is None:
        return None
    kind = _KIND_OF_FAMILY.get(guessed.mime.partition("/")[0], Kind.DATASET)
    return CATALOGUE.get(guessed.mime) or MediaType(guessed.mime, kind, f".{guessed.extension}")


def unknown(extension: str) -> MediaType:
    """Bytes without a signature: of the formats that have none, a name may claim only these."""
    return CATALOGUE[_WITHOUT_SIGNATURE.get(extension, "application/octet-stream")]


_KIND_OF_FAMILY = {"image": Kind.IMAGE, "video": Kind.VIDEO, "audio": Kind.AUDIO, "font": Kind.FONT}
_WITHOUT_SIGNATURE = {"mp3": "audio/mpeg", "mts": "video/mp2t", "m2ts": "video/mp2t"}
