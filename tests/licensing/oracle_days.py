"""Days, places and words as the oracle compares them: by the quarters of an hour of a day, and one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from domain.licensing.terms import Facts, Grant, License, Release, Request, TerritoryGroup
from domain.licensing.territories import COUNTRIES, GROUPS

#: The days that are known here, in every zone; terms may begin and end anywhere.
FIRST, LAST = date(2026, 3, 16), date(2026, 5, 10)
QUARTER = timedelta(minutes=15)


def written_out(facts: Facts, codes: tuple[str, ...], day: date) -> set[str]:
    return _spelt(facts.groups, codes, day)


def in_term(first: date | None, last: date | None, day: date) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def lies_in(place: str, area: set[str]) -> bool:
    return place in area or place.split("-", maxsplit=1)[0] in area


def has_part_in(place: str, area: set[str]) -> bool:
    return lies_in(place, area) or any(code.split("-", maxsplit=1)[0] == place for code in area)


@cache
def _spelt(groups: tuple[TerritoryGroup, ...], codes: tuple[str, ...], day: date) -> set[str]:
    found: set[str] = set()
    own = {group.code: group for group in groups}
    for code in codes:
        if code in {"ANY", "WORLDWIDE"}:
            found |= COUNTRIES
        elif code in own or code in GROUPS:
            for member in (own.get(code) or GROUPS[code]).members:
                if in_term(member.first_on, member.last_on, day):
                    found.add(member.territory)
        else:
            found.add(code)
    return found


def between(moment: datetime, starts: datetime | None, ends: datetime | None) -> bool:
    if starts is not None and ends is not None and starts >= ends:
        return False
    return (starts is None or moment + QUARTER > starts) and (ends is None or moment < ends)


def days_of(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


@cache
def _calendar(zone: str) -> dict[date, list[datetime]]:
    """The quarters of an hour of each local day, by looking at each of them."""
    found: dict[date, list[datetime]] = {}
    moment = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) - timedelta(days=3)
    while moment.date() <= LAST + timedelta(days=3):
        found.setdefault(moment.astimezone(ZoneInfo(zone)).date(), []).append(moment)
        moment += QUARTER
    return found


def quarters(zone: str | None, day: date) -> list[datetime]:
    return _calendar(zone or "UTC")[day]


def after(zone: str, day: date) -> datetime:
    """The moment after the day's last quarter."""
    return quarters(zone, day)[-1] + QUARTER


@cache
def dates_in(zone: str, asked: str | None, day: date) -> frozenset[date]:
    """The days of `zone` that a day of `asked` has a part in."""
    if asked is None:
        return frozenset({day})
    here = ZoneInfo(zone)
    return frozenset(moment.astimezone(here).date() for moment in quarters(asked, day))


def in_both(terms: License | Release, grant: Grant | None, local: date) -> bool:
    inside = in_term(terms.starts_on, terms.ends_on, local)
    return inside and (grant is None or in_term(grant.starts_on, grant.ends_on, local))


def has_channel(granted: tuple[str, ...], channel: str) -> bool:
    parts = channel.split(".")
    above = {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    return "ANY" in granted or not above.isdisjoint(granted)


def context(grant: Grant, request: Request, name: str) -> tuple[list[str], str | None]:
    plural = {"industry": "industries"}.get(name, f"{name}s")
    said = getattr(request, name)
    return [str(word) for word in getattr(grant, plural)], None if said is None else str(said)


def is_under(said: str | None, word: str | None, name: str) -> bool:
    if said is None or word is None:
        return False
    return said == word or (name == "language" and said.split("-")[: len(word.split("-"))] == word.split("-"))
