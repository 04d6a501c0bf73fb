"""The facts embedded in a file: its size and colours, where and when it was taken, and what people wrote into it.

Nothing is decoded and nothing in the file is believed beyond its own description: the proposal is an offer to fill
empty fields, never a licence or a right.
"""

from __future__ import annotations

import mmap
import re
import warnings
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

from workers.imaging import colour, formats, opening, pdf
from workers.imaging.embedded import dates, exif, iptc, letters, tiff, xmp
from workers.imaging.embedded.dates import Moment
from workers.imaging.embedded.letters import Value
from workers.imaging.limits import Limits

_SPACES = {"1": "GRAY", "L": "GRAY", "LA": "GRAY", "La": "GRAY", "I": "GRAY", "F": "GRAY", "LAB": "LAB", "CMYK": "CMYK"}
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
_DEPTHS = {"1": 1, "I": 32, "F": 32}
_PALETTE = 3
_LIKELY_DPI = (5.0, 30_000.0)
_KEYWORD_BORDER = re.compile(r"[;,\n]")
#: An uncompressed XMP packet is searched in this much of a PDF's end.
_PDF_TAIL = 67_108_864


@dataclass(frozen=True)
class Proposal:
    """What the file says about itself, for fields that are still empty; "" and () where it says nothing.

    `captured_at` is UTC; where `captured_zone_known` is false it is the camera's clock as it stood.
    """

    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    creator: str = ""
    credit: str = ""
    rights: str = ""
    captured_at: datetime | None = None
    captured_zone_known: bool = False


@dataclass(frozen=True)
class Facts:
    """`width` × `height` in pixels as displayed, orientation applied; None for documents.

    `colour_space` is RGB, GRAY, CMYK or LAB; `frames` counts frames or pages. `dpi` is what the file claims.
    `entries` are (namespace, name, JSON value), namespaces `exif`, `gps`, `iptc`, `png`, `gif`, `pdf`, `media`, `raw`,
    `font`, `zip`, `office` and the usual XMP prefixes. `text` is what the file says to who reads it, for search.
    """

    width: int | None = None
    height: int | None = None
    orientation: int = 1
    mode: str | None = None
    colour_space: str | None = None
    profile: str | None = None
    bit_depth: int | None = None
    has_alpha: bool = False
    frames: int = 1
    dpi: tuple[float, float] | None = None
    latitude: float | None = None
    longitude: float | None = None
    entries: tuple[tuple[str, str, Value], ...] = ()
    proposal: Proposal = field(default_factory=Proposal)
    text: str = ""


def read_metadata(source: Path, media_type: str, limits: Limits | None = None) -> Facts:
    """The facts of a file; empty `Facts` for kinds we cannot look into.

    `PictureError` when the file itself is unreadable. Broken metadata in a sound file is left out, never refused.
    """
    limits = limits or Limits()
    if media_type in pdf.MEDIA_TYPES:
        return _of_document(source, limits)
    if (reader := formats.reader_of(source, media_type)) is not None:
        return _of_known(formats.known(reader, source, media_type, limits), limits)
    if media_type not in opening.READERS:
        return Facts()
    with opening.opened(source, media_type, limits) as picture, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _of_picture(picture, source, media_type, limits)


@dataclass
class _Said:
    """Everything written in one file, by the language it is written in."""

    exif: exif.Exif = field(default_factory=exif.Exif)
    iptc: dict[str, Value] = field(default_factory=dict)
    xmp: dict[tuple[str, str], Value] = field(default_factory=dict)
    own: dict[tuple[str, str], Value] = field(default_factory=dict)

    def of_xmp(self, prefix: str, name: str) -> str:
        return xmp.preferred(self.xmp.get((prefix, name)))

    def of_iptc(self, name: str) -> str:
        return xmp.preferred(self.iptc.get(name))

    def of_own(self, *names: str) -> str:
        found = (xmp.preferred(value) for (_, name), value in self.own.items() if name in names)
        return next(found, "")


def _of_picture(picture: Any, source: Path, media_type: str, limits: Limits) -> Facts:
    turn = opening.turn_left_to_do(picture)
    width, height = picture.size[::-1] if turn > 4 else picture.size  # noqa: PLR2004 - 5 to 8 lie on a side
    profile = picture.info.get("icc_profile")
    said = _Said(
        exif=exif.read(picture, limits),
        iptc=iptc.read(picture, source, limits),
        xmp=xmp.parse(_packet_of(picture, source, limits), limits),
        own=_comments(picture, media_type, limits),
    )
    return Facts(
        width=width,
        height=height,
        orientation=opening.orientation(picture),
        mode=picture.mode,
        colour_space="GRAY" if picture.mode.startswith("I;16") else _SPACES.get(picture.mode, "RGB"),
        profile=_profile_name(profile, limits),
        bit_depth=_bit_depth(picture, source, media_type),
        has_alpha=picture.mode in _ALPHA_MODES or "transparency" in picture.info,
        frames=opening.count_frames(picture, source, media_type, limits),
        dpi=_dpi(picture),
        latitude=said.exif.latitude,
        longitude=said.exif.longitude,
        entries=_entries(said, limits),
        proposal=_proposal(said, limits),
    )


def _of_document(source: Path, limits: Limits) -> Facts:
    document = pdf.describe(source, limits)
    own: dict[tuple[str, str], Value] = {
        ("pdf", name): text for name, raw in document.information.items() if (text := letters.clean(raw, limits))
    }
    own["pdf", "PageWidth"], own["pdf", "PageHeight"] = round(document.width, 2), round(document.height, 2)
    said = _Said(xmp=xmp.parse(_packet_of_pdf(source, limits), limits), own=own)
    return Facts(
        frames=document.pages,
        entries=_entries(said, limits),
        proposal=_proposal(said, limits),
        text=document.text,
    )


def _of_known(known: formats.Known, limits: Limits) -> Facts:
    """Of a kind with a reader of its own."""
    own = {
        (space, name): value
        for space, name, raw in known.entries
        if (value := letters.clean_value(raw, limits)) is not None
    }
    said = _Said(xmp=xmp.parse(known.xmp, limits), own=own)
    proposed = _proposal(said, limits)
    return Facts(
        width=known.width,
        height=known.height,
        orientation=known.orientation,
        mode=known.mode,
        colour_space=_SPACES.get(known.mode, "RGB") if known.mode else None,
        profile=_profile_name(known.profile, limits),
        bit_depth=known.bit_depth,
        has_alpha=known.has_alpha,
        frames=known.frames,
        entries=_entries(said, limits),
        proposal=replace(
            proposed,
            title=proposed.title or letters.clean(known.title, limits),
            creator=proposed.creator or letters.clean(known.creator, limits),
            rights=proposed.rights or letters.clean(known.rights, limits),
        ),
        text=known.text,
    )


def _profile_name(profile: bytes | None, limits: Limits) -> str | None:
    return letters.clean(colour.description(profile) or "", limits) or None if profile else None


def _packet_of(picture: Image.Image, source: Path, limits: Limits) -> bytes | str:
    """Where each format keeps it."""
    for place in ("xmp", "XML:com.adobe.xmp"):
        packet = picture.info.get(place)
        if isinstance(packet, bytes | str) and packet:
            return packet
    for number, _, value in getattr(picture, "resources", ()):
        if number == 1060:  # noqa: PLR2004 - Photoshop's number for XMP
            return bytes(value)
    return tiff.raw_tag(source, 700, limits.xmp_bytes) if picture.format == "TIFF" else b""


def _packet_of_pdf(source: Path, limits: Limits) -> bytes:
    """The last packet that stands uncompressed in the file, as writers are asked to leave it."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        start = held.rfind(b"<x:xmpmeta", max(0, len(held) - _PDF_TAIL))
        end = held.find(b"</x:xmpmeta>", start) if start >= 0 else -1
        return held[start : end + 12] if 0 <= end - start <= limits.xmp_bytes else b""


def _comments(picture: Image.Image, media_type: str, limits: Limits) -> dict[tuple[str, str], Value]:
    """Comments and text chunks of the format itself."""
    found: dict[tuple[str, str], Value] = {}
    # Not `picture.text`, which decodes the whole picture to reach the chunks behind it.
    for name, value in list(picture.info.items())[: limits.entries] if media_type == "image/png" else ():
        if isinstance(name, str) and isinstance(value, str) and not name.startswith(("XML:", "Raw profile")):
            _keep(found, "png", name, value, limits)
    comment = picture.info.get("comment")
    if isinstance(comment, bytes):
        _keep(found, media_type.partition("/")[2], "Comment", letters.decoded(comment), limits)
    return found


def _keep(found: dict[tuple[str, str], Value], space: str, name: str, value: str, limits: Limits) -> None:
    name, text = letters.clean(name, limits), letters.clean(value, limits)
    if name and text:
        found[space, name[:80]] = text


def _bit_depth(picture: Any, source: Path, media_type: str) -> int:
    """Per channel, as stored: Pillow hands out eight bits where the file has more."""
    with source.open("rb") as file:
        head = file.read(65_536)
    if media_type == "image/png":
        return 8 if head[25] == _PALETTE else head[24]
    if media_type == "image/vnd.adobe.photoshop":
        return int.from_bytes(head[22:24], "big")
    if media_type == "image/avif" and (at := head.find(b"av1C")) >= 0:
        flags = head[at + 6]
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    bits = (getattr(picture, "tag_v2", None) or {}).get(258) or picture.info.get("bit_depth")
    if isinstance(bits, tuple):
        bits = bits[0]
    return bits if isinstance(bits, int) else 16 if picture.mode.startswith("I;16") else _DEPTHS.get(picture.mode, 8)


def _dpi(picture: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    least, most = _LIKELY_DPI
    return (round(across, 3), round(down, 3)) if least <= across <= most and least <= down <= most else None


def _entries(said: _Said, limits: Limits) -> tuple[tuple[str, str, Value], ...]:
    """What says whose it is comes first: however much a camera writes, that is kept."""
    rights = [(prefix, name, value) for (prefix, name), value in said.xmp.items() if prefix in xmp.RIGHTS]
    every: list[tuple[str, str, Value]] = rights + [(space, name, value) for (space, name), value in said.own.items()]
    every += [("exif", name, value) for name, value in said.exif.values.items()]
    every += [("gps", name, value) for name, value in said.exif.gps.items()]
    every += [("iptc", name, value) for name, value in said.iptc.items()]
    every += [(prefix, name, value) for (prefix, name), value in said.xmp.items() if prefix not in xmp.RIGHTS]
    return tuple(every[: limits.entries])


def _proposal(said: _Said, limits: Limits) -> Proposal:
    """XMP before IPTC before EXIF before the format's own comments: newer tools write the former."""
    moment = _captured(said)
    return Proposal(
        title=_first(
            said.of_xmp("dc", "title"),
            said.of_iptc("ObjectName"),
            said.of_xmp("photoshop", "Headline"),
            said.of_iptc("Headline"),
            said.exif.text("XPTitle"),
            said.of_own("Title"),
        ),
        description=_first(
            said.of_xmp("dc", "description"),
            said.of_iptc("Caption"),
            said.exif.description,
            said.of_own("Description", "Subject", "Comment"),
        ),
        keywords=_keywords(said, limits),
        creator=_first(
            said.of_xmp("dc", "creator"), said.of_iptc("Byline"), said.exif.text("Artist"), said.of_own("Author")
        ),
        credit=_first(said.of_xmp("photoshop", "Credit"), said.of_iptc("Credit")),
        rights=_first(
            said.of_xmp("dc", "rights"),
            said.of_iptc("CopyrightNotice"),
            said.exif.text("Copyright"),
            said.of_own("Copyright"),
        ),
        captured_at=moment.instant if moment else None,
        captured_zone_known=moment.zone_known if moment else False,
    )


def _first(*texts: str) -> str:
    return next((text for text in texts if text), "")


def _keywords(said: _Said, limits: Limits) -> tuple[str, ...]:
    """Every keyword once, however it is capitalised, in the order they were written."""
    listed: list[Any] = []
    for value in (said.xmp.get(("dc", "subject")), said.iptc.get("Keywords")):
        listed += value if isinstance(value, list) else [value] if value else []
    loose = said.exif.text("XPKeywords") or said.of_own("Keywords")
    listed += _KEYWORD_BORDER.split(loose) if not listed else []
    words: dict[str, str] = {}
    for word in listed:
        if isinstance(word, str) and word.strip():
            words.setdefault(word.strip().casefold(), word.strip())
    return tuple(words.values())[: limits.list_values]


def _captured(said: _Said) -> Moment | None:
    """When the picture was taken. A PDF's creation is not a capture, and neither is the last change of a file."""
    return (
        said.exif.captured
        or dates.from_iso(said.of_xmp("exif", "DateTimeOriginal"))
        or dates.from_iso(said.of_xmp("photoshop", "DateCreated"))
        or dates.from_iptc(said.of_iptc("DateCreated"), said.of_iptc("TimeCreated"))
        or (dates.from_iso(said.of_xmp("xmp", "CreateDate")) if ("pdf", "PageWidth") not in said.own else None)
    )
