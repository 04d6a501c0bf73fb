"""What may stand after a field's colon: kinds, media types, numbers, days and ranges of them."""

import re
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, cast

from storage.index.conditions import Between, Condition, Instant, Is, Number, StartsWith
from storage.index.query.lexer import QuerySyntaxError

_NUMBERS: Final[dict[str, Number]] = {"width": "width", "height": "height", "size": "byte_size"}
_INSTANTS: Final[dict[str, Instant]] = {
    "created": "created_at",
    "updated": "updated_at",
    "captured": "captured_at",
}
_KNOWN: Final = (
    "title, description, tag, campaign, file, creator, kind, type, width, height, size, created, updated, captured"
)
_DAY: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_NUMBER: Final = re.compile(r"\d{1,15}")
_DECEMBER: Final = 12
End: TypeAlias = Literal["first", "last"]


def condition(field: str, field_at: int, text: str, at: int) -> Condition:
    """The comparison `field:text` makes; positions are for the sentence when it makes none."""
    if not text:
        raise QuerySyntaxError(f"After “{field}:” a value must follow.", at)
    if field == "kind":
        return Is("kind", text)
    if field == "type":
        return _media_type(text, at)
    if field in _NUMBERS:
        return _number_range(_NUMBERS[field], text, at)
    if field in _INSTANTS:
        return _day_range(_INSTANTS[field], text, at)
    raise QuerySyntaxError(f"There is no field “{field}”; there are {_KNOWN}.", field_at)


def _media_type(text: str, at: int) -> Condition:
    star = text.find("*")
    if star < 0:
        # `type:image` is the family, `type:image/png` the type itself.
        return Is("media_type", text.lower()) if "/" in text else StartsWith("media_type", text.lower() + "/")
    if star < len(text) - 1:
        raise QuerySyntaxError("A star may only stand at the end of a media type.", at + star)
    return StartsWith("media_type", text[:-1].lower())


def _number_range(field: Number, text: str, at: int) -> Condition:
    low, high = _ends(text, at)
    if high is None:
        return Is(field, _number(low, at))
    ends = [_number(end, at) if end else None for end in (low, high)]
    return Between(field, *ends)


def _day_range(field: Instant, text: str, at: int) -> Condition:
    low, high = _ends(text, at)
    if high is None:
        return Between(field, _instant(low, at, "first"), _instant(low, at, "last"))
    first = _instant(low, at, "first") if low else None
    last = _instant(high, at, "last") if high else None
    return Between(field, first, last)


def _ends(text: str, at: int) -> tuple[str, str | None]:
    low, dots, high = text.partition("..")
    if dots and not low and not high:
        raise QuerySyntaxError("A range needs at least one end.", at)
    return low, high if dots else None


def _number(text: str, at: int) -> int:
    if not _NUMBER.fullmatch(text) or not text.isascii():
        raise QuerySyntaxError(f"“{text}” is no whole number.", at)
    return int(text)


def _instant(text: str, at: int, end: End) -> datetime:
    """The first moment of the year, month or day, or the one after its last."""
    found = _DAY.fullmatch(text) if text.isascii() else None
    if not found:
        raise QuerySyntaxError(f"“{text}” is no day; write 2024, 2024-06 or 2024-06-30.", at)
    year, month, day = (int(part) if part else None for part in cast("tuple[str | None, ...]", found.groups()))
    try:
        return _moment(year or 0, month, day, end)
    except (ValueError, OverflowError):
        raise QuerySyntaxError(f"There is no day “{text}”.", at) from None


def _moment(year: int, month: int | None, day: int | None, end: End) -> datetime:
    start = datetime(year, 1 if month is None else month, 1 if day is None else day, tzinfo=UTC)
    if end == "first":
        return start
    if month is None:
        return start.replace(year=year + 1)
    if day is None:
        return start.replace(year=year + month // _DECEMBER, month=month % _DECEMBER + 1)
    return datetime.fromordinal(start.toordinal() + 1).replace(tzinfo=UTC)
