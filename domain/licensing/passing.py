"""A use with its places and days laid out for comparing: what could carry it, and what stands in its way.

A use passes where every `Clause` is carried by one of its options and no `Bar` stands in the way. Places are bits, in
the order of the use's places; days are those of the use's zone.

Nothing here depends on the window: groups that terms without a day of their own name are read on each day as they are
on that day. So what forbids one day of a window forbids it all, and what carries it carries each of its days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from domain.licensing import spans, territories
from domain.licensing.codes import Outcome, Purpose, Severity
from domain.licensing.counting import Counted
from domain.licensing.spans import ALWAYS, Span
from domain.licensing.terms import Facts, Grant, License, Release, Request, Subject, TerritoryGroup
from domain.licensing.territories import Area
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
class Spell:
    """Where a grant reaches on some days."""

    span: Span
    places: int
    #: Those beside them that it would reach if they were not excepted.
    excepted: int


@dataclass(frozen=True, slots=True)
class Option:
    """One grant that might carry the use: how well at best, where, and on which days."""

    rank: int
    #: Of all days, one after the other; more than one where groups change that have no day to be read as of.
    spells: tuple[Spell, ...]
    span: Span
    #: All days of its term, also those that are in it in part only.
    touches: Span
    failures: tuple[Failure, ...] = ()
    counted: tuple[Counted, ...] = ()
    grant: Grant | None = None
    terms: License | Release | None = None

    @property
    def places(self) -> int:
        """Those that it reaches on any day."""
        return _any(each.places for each in self.spells)

    def reached(self, window: Span) -> int:
        """The places that it reaches on each day of the window."""
        if len(self.spells) == 1:
            return self.spells[0].places
        return _every(each.places for each in self.spells if spans.overlaps(each.span, window))

    def excepted(self, window: Span) -> int:
        """The places that it would reach so if they were not excepted."""
        if len(self.spells) == 1:
            return self.spells[0].excepted
        inside = [each for each in self.spells if spans.overlaps(each.span, window)]
        return _every(each.places | each.excepted for each in inside) & _any(each.excepted for each in inside)

    def days(self, place: int) -> list[Span]:
        """Of its term those on which it reaches the place; what lies in none of these spans it does not carry there."""
        found: list[Span] = []
        for each in self.spells:
            if each.places & place:
                follows = found and found[-1][1] + 1 == each.span[0]
                found.append((found.pop()[0] if follows else each.span[0], each.span[1]))
        return [spans.common(self.span, span) for span in found]

    def holds(self, window: Span) -> bool:
        """Whether it carries all days of the window, wherever it reaches."""
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
                found |= option.reached(window)
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


def granted(grant: Grant, terms: License | Release, ask: Ask) -> tuple[Spell, ...]:
    """Where a permission reaches, of all days."""
    found: list[Spell] = []
    for span, area, excepted in _areas(grant, terms, ask):
        there = _covered(area, excepted, ask.places)
        same = found and (found[-1].places, found[-1].excepted) == there
        found.append(Spell((found.pop().span[0] if same else span[0], span[1]), *there))
    return tuple(found)


def everywhere(ask: Ask) -> tuple[Spell, ...]:
    """As something reaches that has no places of its own."""
    return (Spell(ALWAYS, ask.everywhere, 0),)


def forbidden(grant: Grant, terms: License | Release, ask: Ask) -> list[tuple[Span, int]]:
    """Where a prohibition forbids, and on which days; not those on which it does so nowhere."""
    return forbidding(_areas(grant, terms, ask), ask)


def forbidding(areas: Iterable[Area], ask: Ask) -> list[tuple[Span, int]]:
    """The same, of what is meant and left out on each day."""
    found: list[tuple[Span, int]] = []
    for span, area, excepted in areas:
        there = _touched(area, excepted, ask.places)
        same = found and found[-1][1] == there
        found.append(((found.pop()[0][0] if same else span[0], span[1]), there))
    return [(span, there) for span, there in found if there]


def _areas(grant: Grant, terms: License | Release, ask: Ask) -> list[Area]:
    day = terms.groups_as_of or terms.starts_on or grant.starts_on
    return territories.meant(grant.territories, grant.territories_except, day, ask.groups)


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
def _touched(area: frozenset[str], excepted: frozenset[str], places: tuple[str, ...]) -> int:
    left = frozenset(code for code in area if not territories.covers(excepted, code))
    found = 0
    for at, place in enumerate(places):
        if territories.touches(left, place) and not territories.covers(excepted, place):
            found |= 1 << at
    return found


def _any(places: Iterable[int]) -> int:
    found = 0
    for each in places:
        found |= each
    return found


def _every(places: Iterable[int]) -> int:
    found = -1
    for each in places:
        found &= each
    return found
