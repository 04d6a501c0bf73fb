"""A use with its places and days laid out for comparing: what could carry it, and what stands in its way.

A use passes where every `Clause` is carried by one of its options and no `Bar` stands in the way. Places are bits, in
the order of the use's places; days are those of the use's zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from domain.licensing import spans, territories
from domain.licensing.codes import Outcome, Purpose, Severity
from domain.licensing.counting import Counted
from domain.licensing.spans import ALWAYS, Span
from domain.licensing.terms import Facts, Grant, License, Release, Request, Subject, TerritoryGroup
from domain.licensing.weighing import Failure

#: Outcomes from worst to best, as they are compared.
RANKS: Final = (
    Outcome.DENIED,
    Outcome.UNKNOWN,
    Outcome.NEEDS_APPROVAL,
    Outcome.ALLOWED_WITH_DUTIES,
    Outcome.ALLOWED,
)
#: The worst that lets something out.
PASSES: Final = RANKS.index(Outcome.ALLOWED_WITH_DUTIES)
FREE: Final = RANKS.index(Outcome.ALLOWED)
RANK: Final = {Severity.DENY: 0, Severity.UNKNOWN: 1, Severity.APPROVAL: 2}


@dataclass(frozen=True, slots=True)
class Option:
    """One grant that might carry the use: how well at best, where, and on which days."""

    rank: int
    places: int
    #: Of these, those that it would carry if they were not excepted.
    excepted: int
    span: Span
    #: All days of its term, also those that are in it in part only.
    touches: Span
    failures: tuple[Failure, ...] = ()
    counted: tuple[Counted, ...] = ()
    grant: Grant | None = None
    terms: License | Release | None = None

    def holds(self, window: Span) -> bool:
        if window[0] < self.span[0] or self.span[1] < window[1]:
            return False
        return not self.counted or not any(one.is_full(window) for one in self.counted)


@dataclass(frozen=True, slots=True)
class Clause:
    """Something that has to be carried, place by place, by one of the options."""

    version_id: int
    options: tuple[Option, ...]
    #: Whose release it is about; None: a licence's.
    release_id: int | None = None

    def carried(self, window: Span, rank: int) -> int:
        """The places that an option of at least this rank carries for the whole window."""
        found = 0
        for option in self.options:
            if option.rank >= rank and option.holds(window):
                found |= option.places
        return found


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that stands in the way in these places on these days, whatever else allows it."""

    version_id: int
    failure: Failure
    places: int
    span: Span = ALWAYS
    grant_id: int | None = None
    license_id: int | None = None
    release_id: int | None = None

    @property
    def rank(self) -> int:
        return RANK[self.failure.severity]


@dataclass(frozen=True, slots=True)
class Ask:
    """A use with its places written out, and what is read beside the facts of each version."""

    request: Request
    places: tuple[str, ...]
    groups: Mapping[str, TerritoryGroup]
    #: How many of the versions each licence covers: as many times a use counts against its caps.
    shares: Mapping[int, int]

    @property
    def everywhere(self) -> int:
        return (1 << len(self.places)) - 1


def may_be_commercial(request: Request) -> bool:
    """What a use leaves open may be anything."""
    return request.purpose in {None, Purpose.COMMERCIAL}


def releases(facts: Facts, subject: Subject) -> list[Release]:
    ids = {rights.release_id for rights in subject.rights if rights.release_id is not None}
    return [facts.releases[key] for key in sorted(ids)]


def term(grant: Grant, terms: License | Release, asked: str | None) -> tuple[Span, Span]:
    """The days wholly in the grant's term, and those that touch it."""
    first, last = _first(grant.starts_on, terms.starts_on), _last(grant.ends_on, terms.ends_on)
    return spans.within(first, last, terms.zone, asked), spans.touching(first, last, terms.zone, asked)


def _first(one: date | None, other: date | None) -> date | None:
    return other if one is None else one if other is None else max(one, other)


def _last(one: date | None, other: date | None) -> date | None:
    return other if one is None else one if other is None else min(one, other)


def _areas(grant: Grant, terms: License | Release, ask: Ask) -> tuple[frozenset[str], frozenset[str]]:
    day = terms.groups_as_of or terms.starts_on or grant.starts_on or ask.request.window.first
    area = territories.expanded(grant.territories, day, ask.groups)
    return area, territories.expanded(grant.territories_except, day, ask.groups)


def granted(grant: Grant, terms: License | Release, ask: Ask) -> tuple[int, int]:
    area, excepted = _areas(grant, terms, ask)
    return _covered(area, excepted, ask.places)


def forbidden(grant: Grant, terms: License | Release, ask: Ask) -> int:
    area, excepted = _areas(grant, terms, ask)
    return touched(area, excepted, ask.places)


@lru_cache(maxsize=4096)
def _covered(area: frozenset[str], excepted: frozenset[str], places: tuple[str, ...]) -> tuple[int, int]:
    found, without = 0, 0
    for at, place in enumerate(places):
        if territories.covers(area, place):
            if territories.touches(excepted, place):
                without |= 1 << at
            else:
                found |= 1 << at
    return found, without


@lru_cache(maxsize=4096)
def touched(area: frozenset[str], excepted: frozenset[str], places: tuple[str, ...]) -> int:
    left = frozenset(code for code in area if not territories.covers(excepted, code))
    found = 0
    for at, place in enumerate(places):
        if territories.touches(left, place) and not territories.covers(excepted, place):
            found |= 1 << at
    return found
