"""Everything that some terms allow, compiled: against the engine, without a database, on random facts."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest

from domain.licensing import deciding, spans, territories
from domain.licensing.codes import Coverage, Effect, ExclusivityDirection, LicenseKind, LicenseStatus
from domain.licensing.compiled import alphabet, classes, compiling, days
from domain.licensing.compiled.compiling import Part
from domain.licensing.passing import Ask
from domain.licensing.spans import Span
from domain.licensing.terms import Exclusivity, Facts, Grant, License, Rights, Subject, Window
from tests.licensing import random_terms, written
from tests.licensing.listed import PASSES, use

CASES = int(os.environ.get("IMPRIMATUR_COMPILED_CASES", "120"))
#: Asked of each.
USES = 25
PARTS = 4
ORGS = {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_compiled_passes_where_the_engine_lets_it_out_and_nowhere_else(part: int) -> None:
    passed = 0
    for seed in range(part, CASES, PARTS):
        dice = Random(seed)
        facts = random_terms.facts(dice)
        facts = facts if dice.random() < 0.3 else written.generous(dice, facts)
        if dice.random() < 0.5:
            whole = Window(random_terms.FROM, random_terms.FROM + timedelta(days=random_terms.SPAN))
            facts = random_terms.undated(dice, facts, whole) if dice.random() < 0.4 else random_terms.free(dice, whole)
        groups = territories.all_groups(facts.groups)
        reach = compiling.reach_of(facts, groups)
        for _ in range(USES):
            request = use(dice, ORGS)
            allowed = deciding.decide(facts, request, proposing=False).outcome in PASSES
            assert passes(reach, *deciding.asked(request, groups)) == allowed, (seed, request)
            passed += allowed
    assert passed > CASES // PARTS


def test_windows_pass_in_some_places_exactly_where_one_box_has_them_and_all_of_these() -> None:
    for seed in range(400):
        dice = Random(seed)
        of_places = {1 << at: days.largest(_box(dice) for _ in range(dice.randrange(4))) for at in range(4)}
        shared = days.shared(of_places)
        for first in range(8):
            for last in range(first, 8):
                inside = {at for at, boxes in of_places.items() if _has(boxes, first, last)}
                for bits in range(1, 16):
                    wanted = {1 << at for at in range(4) if bits >> at & 1} <= inside
                    found = any(bits & ~places == 0 and _has((box,), first, last) for box, places in shared.items())
                    assert found == wanted, (seed, first, last, bits)


def test_a_window_that_touches_what_is_barred_is_in_no_box() -> None:
    boxes = days.without(((1, 9, 9),), (4, 5))
    assert boxes == ((1, 3, 3), (6, 9, 9))
    assert days.without(boxes, (7, 6)) == boxes, "nothing is barred by no day"
    assert days.without(boxes, (0, 20)) == ()


def test_every_country_is_in_one_class_whatever_terms_name() -> None:
    for seed in range(60):
        facts = random_terms.facts(Random(seed))
        terms = classes.Terms.of(facts, list(facts.subjects.values()))
        groups = territories.all_groups(facts.groups)
        places = classes.of_places(terms, groups)
        assert sum(each.countries for each in places) == (1 << len(alphabet.COUNTRIES)) - 1
        spells = territories.spells(("OWN", "EU", "DE"), groups)
        assert all(one[1] + 1 == other[0] for one, other in pairwise(spells))
        assert (spells[0][0], spells[-1][1]) == spans.ALWAYS


def test_the_bits_of_countries_fill_words_that_both_databases_hold() -> None:
    words = alphabet.countries(alphabet.COUNTRIES)
    assert words == alphabet.words_of((1 << len(alphabet.COUNTRIES)) - 1)
    assert all(0 <= word < 2**63 for word in (*words, *alphabet.channels(alphabet.LEAVES)))
    assert 0 < alphabet.RULES < 2**62


def test_who_is_given_something_alone_is_the_only_one_that_it_is_listed_for() -> None:
    exclusive = Exclusivity(1, ExclusivityDirection.OUTGOING, 2, channels=("web",), territories=("DE",))
    facts = _plain(exclusivities=(exclusive,))
    reach = compiling.reach_of(facts, territories.all_groups(()))
    assert {part.party for part in reach} == {classes.ANYBODY, 2}


def passes(reach: compiling.Reach, ask: Ask, window: Span) -> bool:
    return any(_lets_out(part, ask, window) for part in reach)


def _lets_out(part: Part, ask: Ask, window: Span) -> bool:
    """As `filtering` says it in SQL."""
    asked = ask.request
    channels = zip(alphabet.channels([asked.channel]), part.channels, strict=True)
    return (
        part.party in {classes.ANYBODY, asked.party}
        and bool(part.uses & alphabet.use(asked.action, asked.purpose))
        and all(word & ~known == 0 for word, known in channels)
        and _has((part.box,), *window)
        and all(_covers(part, place) for place in ask.places)
    )


def _covers(part: Part, place: str) -> bool:
    named = part.subdivisions or ""
    if "-" in place:
        for code in (place, f"{place[:2]}-{classes.REST}"):
            if f" +{code} " in named or f" -{code} " in named:
                return f" +{code} " in named
    country = zip(alphabet.countries([place[:2]]), part.places, strict=True)
    return all(word & ~known == 0 for word, known in country)


def _has(boxes: days.Boxes, first: int, last: int) -> bool:
    return any(box[0] <= first <= box[1] and last <= box[2] for box in boxes)


def _box(dice: Random) -> days.Box:
    return dice.randrange(8), dice.randrange(8), dice.randrange(8)


def _plain(**more: object) -> Facts:
    """Allowed everything, everywhere, to everybody."""
    grant = Grant(1, Effect.PERMIT, ("ANY",), ("ANY",), ("ANY",))
    terms = License(1, LicenseKind.ROYALTY_FREE, LicenseStatus.ACTIVE, date(2020, 1, 1), grants=(grant,))
    said = (Rights(1, license_id=1, coverage=Coverage.WHOLE, people=False, property=False),)
    return Facts(1, {1: replace(Subject(1, 1, said), **more)}, {1: terms})  # type: ignore[arg-type]  # its own fields
