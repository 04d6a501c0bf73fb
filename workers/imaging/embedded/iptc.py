"""IPTC-IIM: what picture agencies have written since 1991 (IIM specification 4.2, records 1 and 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from workers.imaging.embedded import letters, tiff
from workers.imaging.limits import Limits

_NAMES = {
    5: "ObjectName",
    10: "Urgency",
    15: "Category",
    20: "SupplementalCategories",
    25: "Keywords",
    30: "ReleaseDate",
    37: "ExpirationDate",
    40: "SpecialInstructions",
    55: "DateCreated",
    60: "TimeCreated",
    62: "DigitalCreationDate",
    80: "Byline",
    85: "BylineTitle",
    90: "City",
    92: "Sublocation",
    95: "ProvinceState",
    100: "CountryCode",
    101: "Country",
    103: "TransmissionReference",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    118: "Contact",
    120: "Caption",
    122: "CaptionWriter",
}
_REPEATED = frozenset({20, 25, 80, 85, 118})
_MARKER, _ENVELOPE, _APPLICATION, _CHARACTER_SET = 0x1C, 1, 2, 90
_UTF8 = b"\x1b%G"
_EXTENDED = 0x8000
_RESOURCE = 0x0404
_TIFF_TAG = 33723
_LONGEST = 4_194_304


def read(picture: Image.Image, source: Path, limits: Limits) -> dict[str, letters.Value]:
    """Dataset name → text, or a list of texts for datasets that repeat. Never refuses."""
    return parse(_record_of(picture, source), limits)


def parse(record: bytes, limits: Limits) -> dict[str, letters.Value]:
    """Where the record does not name its character set, UTF-8 is tried and else the likelier code page."""
    datasets = _datasets(record[:_LONGEST], limits.entries)
    declared_utf8 = (_ENVELOPE, _CHARACTER_SET, _UTF8) in datasets
    found: dict[str, Any] = {}
    for number, dataset, raw in datasets:
        if number != _APPLICATION or dataset not in _NAMES:
            continue
        said = raw.decode("utf-8", "replace") if declared_utf8 else letters.decoded(raw)
        text = letters.clean(said, limits)
        if text and dataset in _REPEATED:
            found.setdefault(_NAMES[dataset], []).append(text)
        elif text:
            found.setdefault(_NAMES[dataset], text)
    return {name: value[: limits.list_values] if isinstance(value, list) else value for name, value in found.items()}


def _datasets(record: bytes, limit: int) -> list[tuple[int, int, bytes]]:
    """(record, dataset, value) up to the first byte that is no marker."""
    found: list[tuple[int, int, bytes]] = []
    at = 0
    while at + 5 <= len(record) and record[at] == _MARKER and len(found) < limit:
        number, dataset = record[at + 1], record[at + 2]
        length = int.from_bytes(record[at + 3 : at + 5], "big")
        at += 5
        if length & _EXTENDED:
            width = length & ~_EXTENDED
            length = int.from_bytes(record[at : at + width], "big")
            at += width
        found.append((number, dataset, record[at : at + length]))
        at += length
    return found


def _record_of(picture: Image.Image, source: Path) -> bytes:
    """Where each format keeps it: Photoshop's resources in JPEG and PSD, a tag in TIFF."""
    resources = picture.info.get("photoshop")
    if isinstance(resources, dict) and isinstance(resources.get(_RESOURCE), bytes):
        return bytes(resources[_RESOURCE])
    for number, _, value in getattr(picture, "resources", ()):
        if number == _RESOURCE:
            return bytes(value)
    # Not through Pillow, which keeps one number of the many that writers declare the bytes to be.
    return tiff.raw_tag(source, _TIFF_TAG, _LONGEST) if picture.format == "TIFF" else b""
