"""What the terms of a version tell apart: the channels, actions, purposes, parties and places of which the same is
allowed, each class with one that stands for it.

Two are alike that all of the engine's predicates answer alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from domain.licensing import territories, uses
from domain.licensing.codes import AI_ACTIONS, ANY, WORLDWIDE, Action, CapUnit, Purpose
from domain.licensing.compiled import alphabet
from domain.licensing.terms import Facts, Grant, License, Release, Subject, TerritoryGroup

T = TypeVar("T")
Use: TypeAlias = tuple[Action, Purpose | None]

#: Nobody that any terms name: numbers of organisations begin at 1.
ANYBODY = 0
#: Every part of a country that the terms do not name; no code looks like that.
REST = "*"


@dataclass(frozen=True)
class Terms:
    """Everything that the versions of one composite stand under."""

    holders: tuple[License | Release, ...]
    subjects: tuple[Subject, ...]

    @classmethod
    def of(cls, facts: Facts, versions: Sequence[Subject]) -> Terms:
        rights = [each for subject in versions for each in subject.rights]
        licenses = sorted({each.license_id for each in rights if each.license_id is not None})
        releases = sorted({each.release_id for each in rights if each.release_id is not None})
        held = [facts.licenses[key] for key in licenses]
        return cls((*held, *(facts.releases[key] for key in releases)), tuple(versions))

    @property
    def grants(self) -> Iterable[Grant]:
        return (grant for holder in self.holders for grant in holder.grants)

    @property
    def licenses(self) -> Iterable[License]:
        return (each for each in self.holders if isinstance(each, License))


def of_channels(terms: Terms) -> tuple[tuple[str, ...], ...]:
    """Leaves, by what terms have them in their channels and which caps count in them."""
    said = {grant.channels for grant in terms.grants}
    said |= {each.channels for subject in terms.subjects for each in subject.exclusivities if each.channels}
    return _leaves(tuple(sorted(said)), tuple(sorted({cap.unit for grant in terms.grants for cap in grant.caps})))


@lru_cache(maxsize=1024)
def _leaves(lists: tuple[tuple[str, ...], ...], counted: tuple[CapUnit, ...]) -> tuple[tuple[str, ...], ...]:
    def told(leaf: str) -> Hashable:
        return tuple(uses.covers(each, leaf) for each in lists), tuple(uses.counts(unit, leaf) for unit in counted)

    return _alike(alphabet.LEAVES, told)


def of_uses(terms: Terms) -> tuple[tuple[Use, ...], ...]:
    """Actions with purposes."""
    grants = list(terms.grants)
    return _uses(
        tuple(sorted({grant.actions for grant in grants})),
        tuple(sorted({duty.actions for grant in grants for duty in grant.duties})),
        tuple(sorted({grant.purposes for grant in grants if grant.purposes})),
        may_sublicense=all(each.sublicensable for each in terms.licenses),
        may_need_release=any(isinstance(each, Release) for each in terms.holders) or _may_show(terms.subjects),
    )


@lru_cache(maxsize=1024)
def _uses(
    granted: tuple[tuple[str, ...], ...],
    owing: tuple[tuple[Action, ...], ...],
    limited: tuple[tuple[Purpose, ...], ...],
    *,
    may_sublicense: bool,
    may_need_release: bool,
) -> tuple[tuple[Use, ...], ...]:
    def told(use: Use) -> Hashable:
        action, purpose = use
        return (
            tuple((action in each, ANY in each) for each in granted),
            tuple(action in each for each in owing),
            action in AI_ACTIONS,
            may_sublicense or action == Action.SUBLICENSE,
            bool(limited) and purpose is None,
            tuple(purpose in each for each in limited),
            may_need_release and purpose in {None, Purpose.COMMERCIAL},
        )

    return _alike(alphabet.USES, told)


def of_parties(terms: Terms) -> tuple[tuple[int, ...], ...]:
    """`ANYBODY`, then organisations that the terms name, by which of them do."""
    holders = [each.holder_org_id for subject in terms.subjects for each in subject.exclusivities]
    users = [frozenset({each.licensee_org_id, *each.end_user_org_ids} - {None}) for each in terms.licenses]
    seats = [frozenset(each.seat_org_ids) for each in terms.licenses]
    named = {*holders, *(org_id for some in (*users, *seats) for org_id in some if org_id is not None)}

    def told(org_id: int) -> Hashable:
        return (
            tuple(org_id in some for some in users),
            tuple(org_id in some for some in seats),
            tuple(org_id == one for one in holders),
        )

    return ((ANYBODY,), *_alike(sorted(named), told))


@dataclass(frozen=True)
class Places:
    """Places that are alike, and one that stands for them."""

    first: str
    #: Bits, in the order of `alphabet.COUNTRIES`.
    countries: int
    #: Subdivisions that the terms name, and `REST` of their countries.
    parts: tuple[str, ...] = ()


def of_places(terms: Terms, groups: Mapping[str, TerritoryGroup]) -> list[Places]:
    """All countries, the subdivisions that the terms name on any day and `REST` of each such country."""
    pairs = _areas(terms, groups)
    areas = {area for pair in pairs for area in pair} | {_left(*pair) for pair in pairs if pair[1]}
    if not any("-" in code for area in areas for code in area):
        return _countries(areas)
    parts = {code for area in areas for code in area if "-" in code}
    places = [*alphabet.COUNTRIES, *sorted(parts), *sorted({f"{code[:2]}-{REST}" for code in parts})]

    def told(place: str) -> Hashable:
        return tuple((territories.covers(area, place), territories.touches(area, place)) for area in areas)

    return [
        Places(some[0], _bits(code for code in some if "-" not in code), tuple(code for code in some if "-" in code))
        for some in _alike(places, told)
    ]


def _countries(areas: Iterable[frozenset[str]]) -> list[Places]:
    """Where no area has a subdivision in it, a country is covered by it and touched by it, or neither."""
    alike = [(1 << len(alphabet.COUNTRIES)) - 1]
    for area in areas:
        inside = _bits_of(area)
        alike = [part for one in alike for part in (one & inside, one & ~inside) if part]
    return [Places(alphabet.COUNTRIES[(one & -one).bit_length() - 1], one) for one in alike]


@lru_cache(maxsize=4096)
def _bits_of(area: frozenset[str]) -> int:
    return _bits(area)


def _bits(codes: Iterable[str]) -> int:
    return sum(1 << _COUNTRY[code] for code in codes)


_COUNTRY: Final = {country: at for at, country in enumerate(alphabet.COUNTRIES)}


def _areas(terms: Terms, groups: Mapping[str, TerritoryGroup]) -> set[tuple[frozenset[str], frozenset[str]]]:
    """What each of the terms means on any day, and what it leaves out then, as the engine reads it."""
    said = {
        (grant.territories, grant.territories_except, holder.groups_as_of or holder.starts_on or grant.starts_on)
        for holder in terms.holders
        for grant in holder.grants
    }
    for subject in terms.subjects:
        for each in subject.exclusivities:
            said.add((each.territories or (WORLDWIDE,), (), each.groups_as_of or each.starts_on))
    return {
        (area, left)
        for whole, excepted, day in said
        for _, area, left in territories.meant(whole, excepted, day, groups)
    }


def _left(area: frozenset[str], excepted: frozenset[str]) -> frozenset[str]:
    return frozenset(code for code in area if not territories.covers(excepted, code))


def _may_show(subjects: Iterable[Subject]) -> bool:
    """Whether anybody or anything may be recognised in one of them, as `barring` sees it."""
    for subject in subjects:
        for said in ([each.people for each in subject.rights], [each.property for each in subject.rights]):
            if any(said) or all(one is None for one in said):
                return True
    return False


def _alike(each: Iterable[T], told: Callable[[T], Hashable]) -> tuple[tuple[T, ...], ...]:
    found: dict[Hashable, list[T]] = defaultdict(list)
    for one in each:
        found[told(one)].append(one)
    return tuple(tuple(some) for some in found.values())
