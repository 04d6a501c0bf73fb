"""EXIF: what the camera wrote."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from PIL import ExifTags, Image

from workers.imaging import opening
from workers.imaging.embedded import dates, letters
from workers.imaging.embedded.dates import Moment
from workers.imaging.limits import Limits

#: Blobs, and pointers that mean nothing outside the file.
_SKIPPED = frozenset({"MakerNote", "ExifOffset", "GPSInfo", "PrintImageMatching"})
#: How a TIFF stores its pixels, and what has a reader of its own.
_SKIPPED_NUMBERS = frozenset(
    {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 700}
    | {33723, 34377, 34675, 40965, 50341}
)
_UTF16 = frozenset({0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F})
_USER_COMMENT = 0x9286
_LONGEST_RAW = 16_384
#: What cameras put where a person's description should be.
_NO_DESCRIPTION = ("olympus digital camera", "sony dsc", "dcim", "samsung", "minolta digital", "kodak digital")


@dataclass
class Exif:
    """`values` by EXIF's own names; `latitude` and `longitude` in degrees, north and east positive."""

    values: dict[str, letters.Value] = field(default_factory=dict)
    gps: dict[str, letters.Value] = field(default_factory=dict)
    latitude: float | None = None
    longitude: float | None = None
    captured: Moment | None = None

    def text(self, name: str) -> str:
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def description(self) -> str:
        said = self.text("ImageDescription")
        return "" if said.lower().startswith(_NO_DESCRIPTION) else said


def read(picture: Image.Image, limits: Limits) -> Exif:
    """Never refuses: what cannot be read is left out."""
    found = Exif()
    try:
        directory = opening.embedded_exif(picture)
        found.values = dict(_named(directory, ExifTags.TAGS, limits))
        found.values |= dict(_named(directory.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS, limits))
        position = directory.get_ifd(ExifTags.IFD.GPSInfo)
        found.gps = dict(_named(position, ExifTags.GPSTAGS, limits))
    except Exception:  # noqa: BLE001 - a reader may raise anything over a stranger's bytes
        return found
    found.latitude, found.longitude = _place(position)
    found.captured = _captured(found)
    return found


def _named(directory: Any, names: dict[int, str], limits: Limits) -> Iterator[tuple[str, letters.Value]]:
    for number in list(directory)[: limits.entries]:
        name = names.get(number)
        if name is None or name in _SKIPPED or number in _SKIPPED_NUMBERS:
            continue
        try:
            value = letters.clean_value(_plain(number, directory[number]), limits)
        except (ValueError, TypeError, KeyError, struct.error, ZeroDivisionError, OverflowError):
            continue
        if value is not None:
            yield name, value


def _plain(number: int, value: Any) -> Any:
    if isinstance(value, str):
        # Pillow reads every text as Latin-1, which loses nothing: the bytes can be had back.
        return letters.decoded(value.encode("latin-1", "replace").split(b"\x00")[0])
    if isinstance(value, bytes):
        return _from_bytes(number, value[:_LONGEST_RAW])
    if isinstance(value, tuple):
        return [_plain(number, part) for part in value[:64]]
    return value if isinstance(value, int) else float(value)


def _from_bytes(number: int, value: bytes) -> str | None:
    if number in _UTF16:
        return value.decode("utf-16-le", "replace").split("\x00")[0]
    if number == _USER_COMMENT:
        return _user_comment(value)
    stripped = value.rstrip(b"\x00")
    return stripped.decode("ascii") if stripped.isascii() and stripped.decode("ascii").isprintable() else None


def _user_comment(value: bytes) -> str:
    """Eight bytes name the character set."""
    charset, said = value[:8].rstrip(b"\x00 "), value[8:]
    if charset != b"UNICODE":
        return letters.decoded(said)
    # Written in the byte order of the file, of the camera, or with a mark: the guess with more spaces wins.
    little, big = said.decode("utf-16-le", "replace"), said.decode("utf-16-be", "replace")
    return max((little, big), key=lambda guess: sum(letter.isascii() or letter.isalpha() for letter in guess))


def _place(position: dict[int, Any]) -> tuple[float | None, float | None]:
    """Both or none: half a position is no place. 0°, 0° is what receivers say that know nothing."""
    tags = ExifTags.GPS
    latitude = _degrees(position.get(tags.GPSLatitude), position.get(tags.GPSLatitudeRef), "S", 90)
    longitude = _degrees(position.get(tags.GPSLongitude), position.get(tags.GPSLongitudeRef), "W", 180)
    if latitude is None or longitude is None or (latitude, longitude) == (0.0, 0.0):
        return None, None
    return latitude, longitude


def _degrees(parts: Any, side: Any, negative: str, most: float) -> float | None:
    try:
        numbers = [float(part) for part in parts][:3]
        degrees = math.fsum(number / 60.0**place for place, number in enumerate(numbers))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if not numbers or not math.isfinite(degrees) or not 0 <= degrees <= most:
        return None
    sign = -1 if str(side).strip("\x00 ").upper() == negative else 1
    return round(sign * degrees, 7)


def _captured(found: Exif) -> Moment | None:
    for date, offset, fraction in (
        ("DateTimeOriginal", "OffsetTimeOriginal", "SubsecTimeOriginal"),
        ("DateTimeDigitized", "OffsetTimeDigitized", "SubsecTimeDigitized"),
    ):
        moment = dates.from_exif(found.text(date), found.text(offset), found.text(fraction))
        if moment is not None:
            return moment
    return None
