"""Days of one zone as days of another: which of a use's days lie wholly in a term, and which have a part in it.

A day begins at its first instant in its zone, whatever the clocks do that night; one that a zone skipped has no length.
Days are ordinals (`date.toordinal`), both ends included; a span whose first day is after its last one is empty. Where a
use names no zone (`asked` is None) its days are those of whatever term they are held against, and UTC's elsewhere.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.refusals import Invalid

Span = tuple[int, int]

#: Before and after everything that can be asked for.
SINCE_EVER: Final = 0
FOR_EVER: Final = 10_000_000
ALWAYS: Final[Span] = (SINCE_EVER, FOR_EVER)

#: Years that a use may lie in: beyond them no zone is known.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199

_DAY: Final = timedelta(days=1)
_FIRST: Final = date(FIRST_YEAR - 1, 1, 1)
_LAST: Final = date(LAST_YEAR + 1, 12, 31)


@lru_cache(maxsize=1024)
def zone(name: str, path: tuple[str, ...] = ("zone",)) -> ZoneInfo:
    """Refused where there is no zone of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is no time zone: name one such as Europe/Berlin.", path, "zone") from None


@lru_cache(maxsize=65536)
def begins(day: date, name: str) -> datetime:
    """The day's first instant, in UTC. Midnight itself where it comes once, the first of two, or the end of the gap."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(name)).astimezone(UTC)


def ends(day: date, name: str) -> datetime:
    """The instant after the day's last one."""
    return begins(day + _DAY, name)


@lru_cache(maxsize=65536)
def within(first: date | None, last: date | None, name: str, asked: str | None) -> Span:
    """The days of the zone `asked` that lie wholly in the term, which is of the zone `name`."""
    lo = SINCE_EVER if first is None else _first_inside(clamped(first), name, asked)
    hi = FOR_EVER if last is None else _last_inside(clamped(last), name, asked)
    return lo, hi


@lru_cache(maxsize=65536)
def touching(first: date | None, last: date | None, name: str, asked: str | None) -> Span:
    """The days of the zone `asked` that have any part in the term, which is of the zone `name`."""
    if first is not None and last is not None and first > last:
        return FOR_EVER, SINCE_EVER
    if asked is None or asked == name:
        return within(first, last, name, name)
    starts = None if first is None else begins(clamped(first), name)
    stops = None if last is None else ends(clamped(last), name)
    return meeting(starts, stops, asked)


def meeting(starts: datetime | None, stops: datetime | None, asked: str | None) -> Span:
    """The days that have any part in the time from `starts` until before `stops`."""
    asked = asked or "UTC"
    if starts is not None and stops is not None and starts >= stops:
        return FOR_EVER, SINCE_EVER
    lo, hi = SINCE_EVER, FOR_EVER
    if starts is not None:
        day = _local(starts, asked) - _DAY
        while ends(day, asked) <= starts:
            day += _DAY
        lo = day.toordinal()
    if stops is not None:
        day = _local(stops, asked) + _DAY
        while begins(day, asked) >= stops:
            day -= _DAY
        hi = day.toordinal()
    return lo, hi


def common(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def contains(span: Span, window: Span) -> bool:
    return span[0] <= window[0] and window[1] <= span[1]


def overlaps(span: Span, window: Span) -> bool:
    return max(span[0], window[0]) <= min(span[1], window[1])


def _first_inside(first: date, name: str, asked: str | None) -> int:
    if asked is None or name == asked:
        return first.toordinal()
    instant = begins(first, name)
    day = _local(instant, asked) - _DAY
    while begins(day, asked) < instant:
        day += _DAY
    return day.toordinal()


def _last_inside(last: date, name: str, asked: str | None) -> int:
    if asked is None or name == asked:
        return last.toordinal()
    instant = ends(last, name)
    day = _local(instant, asked) + _DAY
    while ends(day, asked) > instant:
        day -= _DAY
    return day.toordinal()


def _local(instant: datetime, asked: str) -> date:
    return clamped(instant.astimezone(zone(asked)).date())


def clamped(day: date) -> date:
    return min(max(day, _FIRST), _LAST)
