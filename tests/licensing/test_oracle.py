"""The engine against brute force, on random facts and uses; and what must hold of it whatever they are.

    IMPRIMATUR_ORACLE_CASES=100000 uv run pytest tests/licensing/test_oracle.py -n 2 --timeout=0

runs a hundred thousand; without it a few thousand are run. A case that fails names its seed.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
import rfc8785

from domain.licensing import deciding, policy, territories
from domain.licensing.codes import AlternativeKind, Dimension, Missing, Outcome, ReasonCode
from domain.licensing.terms import Alternative, Decision, Facts, License, Request, Window
from tests.licensing import oracle, oracle_owed, random_terms

CASES = int(os.environ.get("IMPRIMATUR_ORACLE_CASES", "1600"))
#: Of what holds whatever the cases are, fewer do.
FEWER = CASES // 4
#: Parts that run beside each other.
PARTS = 4

#: All that a decision may say of these cases, one way or another.
_KINDS = {
    *map(str, Outcome), *map(str, ReasonCode), *map(str, Missing),
    *("owes", "rests on a release", "rests on parts", "rests on two grants", "is in part"),
    *("COPIES left", "IMPRESSIONS left", "PLACEMENTS left", "SEATS left"),
}  # fmt: skip
_PASSES = {Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES}


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_says_what_brute_force_says(part: int) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(part, CASES, PARTS):
        facts, request = random_terms.case(seed)
        request = replace(request, as_of=request.as_of + timedelta(hours=Random(seed).choice((0, 0, 900, 2_000))))
        decided = deciding.decide(facts, request)
        assert _as_answered(decided, facts) == oracle.answer(facts, request), seed
        assert _as_owed(decided) == oracle_owed.owed(facts, request, decided.allowed_territories), seed
        assert (decided.epoch, decided.evaluated_at) == (facts.epoch, request.as_of)
        outcomes[decided.outcome] += 1
    assert set(outcomes) == set(Outcome), "cases that reach every outcome"


def test_no_kind_of_answer_hangs_on_a_single_seed() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(min(CASES, 1600)):
        kinds.update(_kinds(deciding.decide(*random_terms.case(seed), proposing=False)))
    assert set(kinds) == _KINDS
    assert min(kinds.values()) >= 10


@pytest.mark.parametrize("part", range(PARTS))
def test_asking_for_less_never_turns_allowed_into_denied(part: int) -> None:
    held = 0
    for seed in range(part, FEWER, PARTS):
        facts, request = random_terms.case(seed)
        dice, first = Random(seed), request.window.first
        whole = replace(request, partial=False, window=Window(first, first + timedelta(days=dice.randrange(30))))
        if dice.random() < 0.5:
            facts = random_terms.free(dice, whole.window)
        if deciding.decide(facts, whole).outcome in _PASSES:
            for _ in range(4):
                assert deciding.decide(facts, _less(facts, whole, dice)).outcome in _PASSES, seed
            held += 1
    assert held > FEWER // PARTS // 20


def test_another_prohibition_never_turns_denied_into_allowed() -> None:
    for seed in range(FEWER):
        facts, request = random_terms.case(seed)
        if deciding.decide(facts, request).outcome not in _PASSES:
            more = _with_prohibition(facts, seed)
            if not request.partial:
                assert deciding.decide(more, request).outcome not in _PASSES, seed


def test_the_same_question_gives_the_same_bytes() -> None:
    for seed in range(FEWER):
        once = policy.canonical(deciding.decide(*random_terms.case(seed)))
        facts, request = random_terms.case(seed)
        turned = replace(request, territories=request.territories[::-1])
        assert policy.canonical(deciding.decide(facts, turned)) == once, seed


def test_facts_and_decisions_are_written_as_rfc_8785_has_it() -> None:
    for seed in range(FEWER // 4):
        facts, request = random_terms.case(seed)
        decided = deciding.decide(facts, request)
        assert policy.canonical(decided) == rfc8785.dumps(policy.plain(decided))
        odd = replace(decided, policy_digest="".join(map(chr, range(0x250))) + "\u2028\ufffe\U0001f600")
        assert policy.canonical(odd) == rfc8785.dumps(policy.plain(odd))
        for each in (*facts.subjects.values(), *facts.licenses.values(), *facts.releases.values()):
            assert policy._bytes(each) == rfc8785.dumps(policy.plain(each))


def test_what_is_proposed_instead_would_pass_and_no_more_would() -> None:
    kinds: Counter[AlternativeKind] = Counter()
    for seed in range(FEWER):
        facts, request = random_terms.case(seed)
        for one in deciding.decide(facts, request).alternatives:
            if one.kind != AlternativeKind.BUY_EXTENDED:
                kinds[one.kind] += 1
                _holds(facts, deciding_places(facts, request), one, seed)
    assert set(kinds) == set(AlternativeKind) - {AlternativeKind.BUY_EXTENDED, AlternativeKind.OTHER_ASSET}
    assert min(kinds.values()) >= 3, "no kind of answer hangs on one seed"


def deciding_places(facts: Facts, request: Request) -> Request:
    """The use with its places written out, so that another first day means no other ones."""
    decided = deciding.decide(facts, request)
    return replace(request, territories=decided.allowed_territories + decided.denied_territories)


def _less(facts: Facts, whole: Request, dice: Random) -> Request:
    """Where a later first day means other places, it is the same first day: another place is not less."""
    less, groups = random_terms.narrowed(dice, whole), territories.all_groups(facts.groups)
    before, after = (set(deciding.asked(each, groups)[0].places) for each in (whole, less))
    return less if after <= before else replace(less, window=Window(whole.window.first, less.window.last))


def _as_answered(decided: Decision, facts: Facts) -> oracle.Answer:
    window = decided.allowed_window
    places = decided.allowed_territories + decided.denied_territories
    reasons, nowhere = set(), set()
    for one in decided.reasons:
        if one.dimension == Dimension.TERRITORY:
            nowhere |= {(one.component, place) for place in ([one.territory] if one.territory else places)}
        elif one.code != ReasonCode.COMPONENT_DENIED:
            reasons.add((one.component, str(one.code), one.license_id, one.grant_id, one.release_id))
    return oracle.Answer(
        str(decided.outcome),
        decided.allowed_territories,
        decided.denied_territories,
        None if window is None else (window.first, window.last),
        frozenset(reasons),
        frozenset(nowhere),
        frozenset(str(one) for one in decided.missing),
    )


def _as_owed(decided: Decision) -> oracle_owed.Owed:
    basis = [(one.version_id, one.territories, one.grant_id, one.license_id, one.release_id) for one in decided.basis]
    duties = [(one.version_id, str(one.kind), one.parameter, one.license_id, one.grant_id) for one in decided.duties]
    assert len(set(duties)) == len(duties)
    remaining = [
        (one.cap_id, str(one.unit), one.limit, one.used, one.reserved, one.remaining, one.after)
        for one in decided.remaining
    ]
    return oracle_owed.Owed(tuple(basis), frozenset(duties), tuple(remaining), decided.valid_until)


def _kinds(decided: Decision) -> set[str]:
    found = {str(each) for each in (decided.outcome, *decided.missing, *(one.code for one in decided.reasons))}
    found |= {"owes"} if decided.duties else set()
    found |= {"rests on a release"} if any(one.release_id for one in decided.basis) else set()
    found |= {"rests on parts"} if len({one.version_id for one in decided.basis}) > 1 else set()
    found |= {"rests on two grants"} if len({one.grant_id for one in decided.basis if one.license_id}) > 1 else set()
    found |= {"is in part"} if decided.allowed_territories and decided.denied_territories else set()
    return found | {f"{one.unit} left" for one in decided.remaining}


def _with_prohibition(facts: Facts, seed: int) -> Facts:
    barred = random_terms.prohibition(Random(seed), 999)
    licenses: dict[int, License] = dict(facts.licenses)
    licenses[1] = replace(licenses[1], grants=(*licenses[1].grants, barred))
    return replace(facts, licenses=licenses)


def _holds(facts: Facts, request: Request, one: Alternative, seed: int) -> None:
    for window in one.windows:
        assert oracle.passes(facts, replace(request, window=window)), seed
    if one.kind == AlternativeKind.TERRITORIES:
        assert oracle.passes(facts, replace(request, territories=one.territories)), seed
    if one.kind == AlternativeKind.WITHOUT_ALTERATIONS:
        assert oracle.passes(facts, replace(request, alterations=())), seed
    if one.quantity is not None:
        others = tuple(quantity for quantity in request.quantities if quantity.unit != one.quantity.unit)
        more = replace(one.quantity, amount=one.quantity.amount + 1)
        assert oracle.passes(facts, replace(request, quantities=(*others, one.quantity))), seed
        assert not oracle.passes(facts, replace(request, quantities=(*others, more))), seed
    if one.kind == AlternativeKind.TWO_USAGES:
        first, second = one.windows
        assert (first.first, second.last) == (request.window.first, request.window.last), seed
        assert Window(first.first, second.last) == request.window, seed
