"""Points in time as cameras and editors write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_EXIF = re.compile(r"(\d{4})[:\-/](\d\d)[:\-/](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(?:\.(\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?")
_IPTC = re.compile(r"(\d{4})(\d\d)(\d\d)(?: (\d\d)(\d\d)(\d\d)([+-]\d{4})?)?")
_PDF = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|[+-]\d\d'?\d\d)?")
_ZONE = re.compile(r"([+-])(\d\d):?'?(\d\d)")
#: Real offsets lie between −12 and +14 hours.
_WIDEST_ZONE = timedelta(hours=14)
#: A later year is a slip, and the last ones do not survive a change of zone.
_LAST_LIKELY = 2200
#: Photography begins here; clocks that were never set say less.
_FIRST_PHOTOGRAPH = 1826


@dataclass(frozen=True)
class Moment:
    """`instant` is UTC. Without a known zone it holds the camera's own clock reading, taken as if it were UTC."""

    instant: datetime
    zone_known: bool


def from_exif(text: str, offset: str = "", fraction: str = "") -> Moment | None:
    """`YYYY:MM:DD HH:MM:SS`, with EXIF's separate offset and fraction of a second where they exist."""
    found = _EXIF.match(text.strip())
    return _moment(found.groups(), fraction, offset) if found else None


def from_iso(text: str) -> Moment | None:
    """XMP's dates; a year or a month alone is no moment."""
    found = _ISO.match(text.strip())
    return _moment(found.groups()[:6], found[7] or "", found[8] or "") if found else None


def from_iptc(date: str, time: str) -> Moment | None:
    """`CCYYMMDD` and `HHMMSS±HHMM`."""
    found = _IPTC.match(f"{date.strip()} {time.strip()}".strip())
    return _moment(found.groups()[:6], "", found[7] or "") if found else None


def from_pdf(text: str) -> Moment | None:
    """`D:YYYYMMDDHHmmSS±HH'mm`."""
    found = _PDF.match(text.strip())
    return _moment(found.groups()[:6], "", found[7] or "") if found else None


def _moment(parts: tuple[str | None, ...], fraction: str, offset: str) -> Moment | None:
    digits = re.match(r"\d*", fraction.strip())
    micro = int((digits[0] if digits else "")[:6].ljust(6, "0"))
    zone = _zone(offset.strip())
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        local = datetime(year, month, day, hour, minute, min(second, 59), micro, tzinfo=zone or UTC)
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Moment(instant, zone is not None) if _FIRST_PHOTOGRAPH <= instant.year <= _LAST_LIKELY else None


def _zone(offset: str) -> timezone | None:
    if offset == "Z":
        return UTC
    found = _ZONE.fullmatch(offset)
    if not found:
        return None
    shift = timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1)
    return timezone(shift) if abs(shift) <= _WIDEST_ZONE else None
