"""From what is known of a version to all that is allowed of it: by the engine's clauses and bars, for one use of each
class that the terms tell apart.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final, TypeAlias

from domain.licensing import clearing, spans, uses, weighing
from domain.licensing.clearing import Cleared
from domain.licensing.codes import Action, Effect, TakedownStatus
from domain.licensing.compiled import alphabet, classes, days
from domain.licensing.compiled.classes import ANYBODY, Places, Terms, Use
from domain.licensing.compiled.days import Box, Boxes
from domain.licensing.passing import PASSES, Ask
from domain.licensing.terms import Facts, Request, Subject, TerritoryGroup, Window


@dataclass(frozen=True)
class Part:
    """As `storage.tables.DeliverablePartRow` keeps it."""

    party: int
    uses: int
    channels: tuple[int, ...]
    box: Box
    places: tuple[int, ...]
    subdivisions: str | None


#: All that is allowed of a version, in the same order for the same.
Reach: TypeAlias = tuple[Part, ...]
#: Whole countries as numbers, and parts of some as text.
Area: TypeAlias = tuple[tuple[int, ...], str | None]
#: Organisations of which the same is allowed.
Parties: TypeAlias = tuple[int, ...]
#: Per parties, box and area what is allowed there: per use the channels, by their place among the classes.
_Found: TypeAlias = Mapping[tuple[Parties, Box, Area], Mapping[Use, set[int]]]

#: Questions to the engine about one version; terms that take more to tell apart are never listed.
MOST_ASKED: Final = 20_000
#: Decisions read no clock, and neither clauses nor bars the window.
_WHENEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ANY_DAY: Final = Window(_WHENEVER.date(), _WHENEVER.date())


def reach_of(facts: Facts, groups: Mapping[str, TerritoryGroup]) -> Reach:
    """Everything that `deciding.decide` lets out without a quantity, a size, alterations or a context; nothing where
    that takes more than `MOST_ASKED` questions.
    """
    versions = clearing.subjects(facts, facts.version_id)
    if any(_is_out(subject) for subject in versions):
        return ()
    terms = Terms.of(facts, versions)
    channels, alike = classes.of_channels(terms), {use[0]: use for use in classes.of_uses(terms)}
    parties = classes.of_parties(terms)
    if len(channels) * len(alike) * len(parties) > MOST_ASKED:
        return ()
    places = classes.of_places(terms, groups)
    firsts, areas = tuple(each.first for each in places), dict[int, Area]()
    found: dict[tuple[Parties, Box, Area], dict[Use, set[int]]] = defaultdict(lambda: defaultdict(set))
    for use, (at, leaves), party in product(alike, enumerate(channels), parties):
        if not _may_carry(terms, use[0], leaves[0]):
            continue
        ask = Ask(_request(use, leaves[0], party[0]), firsts, groups, {})
        for box, bits in _passing(clearing.cleared(facts, versions, ask), len(places)):
            if bits not in areas:
                areas[bits] = _area(places, bits)
            found[party, box, areas[bits]][use].add(at)
    return tuple(sorted(_parts(found, channels, alike), key=_order))


def digest(reach: Reach) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(repr([astuple(part) for part in reach]).encode()).hexdigest()


def _is_out(subject: Subject) -> bool:
    """Whether nothing at all is allowed, whatever it stands under; this only saves time."""
    return subject.held or not subject.rights or any(each.status != TakedownStatus.LIFTED for each in subject.takedowns)


def _may_carry(terms: Terms, action: Action, leaf: str) -> bool:
    """Whether any licence permits it at all; this only saves time."""
    grants = (grant for each in terms.licenses for grant in each.grants if grant.effect == Effect.PERMIT)
    return any(weighing.permits(grant, action) and uses.covers(grant.channels, leaf) for grant in grants)


def _request(use: Use, leaf: str, party: int) -> Request:
    action, purpose = use
    return Request(action, leaf, (), _ANY_DAY, party, _WHENEVER, purpose=purpose)


def _passing(cleared: Cleared, count: int) -> Iterable[tuple[Box, int]]:
    """Boxes of days, each with the places, as bits, where every clause is carried and nothing is in the way."""
    if not all(any(option.rank >= PASSES for option in clause.options) for clause in cleared.clauses):
        return ()
    alike: dict[Boxes, int] = defaultdict(int)
    for place in (1 << at for at in range(count)):
        alike[_of_place(cleared, place)] |= place
    return days.shared({places: boxes for boxes, places in alike.items() if boxes}).items()


def _of_place(cleared: Cleared, place: int) -> Boxes:
    found: Boxes = ((spans.SINCE_EVER, spans.FOR_EVER, spans.FOR_EVER),)
    for clause in cleared.clauses:
        carrying = [
            (first, last, last)
            for option in clause.options
            if option.rank >= PASSES
            for first, last in option.days(place)
        ]
        found = days.both(found, carrying)
        if not found:
            return ()
    for bar in cleared.bars:
        if bar.rank < PASSES and bar.places & place:
            found = days.without(found, bar.span)
    return found


def _area(places: Sequence[Places], bits: int) -> Area:
    countries = 0
    named: list[str] = []
    inside: set[str] = set()
    for at, alike in enumerate(places):
        named += alike.parts
        if bits >> at & 1:
            countries |= alike.countries
            inside.update(alike.parts)
    told = " ".join(f"{'+' if code in inside else '-'}{code}" for code in sorted(named))
    return alphabet.words_of(countries), f" {told} " if named else None


def _parts(found: _Found, channels: Sequence[Sequence[str]], alike: Mapping[Use, Iterable[Use]]) -> Iterator[Part]:
    """What is allowed to anybody is not said again of those who are named."""
    for (parties, box, (words, subdivisions)), said in found.items():
        known = {} if ANYBODY in parties else found.get(((ANYBODY,), box, (words, subdivisions)), {})
        together: dict[frozenset[int], int] = defaultdict(int)
        for use, leaves in said.items():
            more = frozenset(leaves - known.get(use, set()))
            for action, purpose in alike[use] if more else ():
                together[more] |= alphabet.use(action, purpose)
        for some, bits in together.items():
            leaves_of = alphabet.channels(leaf for at in some for leaf in channels[at])
            yield from (Part(party, bits, leaves_of, box, words, subdivisions) for party in parties)


def _order(part: Part) -> tuple[Any, ...]:
    return part.party, part.uses, part.channels, part.box, part.places, part.subdivisions or ""
