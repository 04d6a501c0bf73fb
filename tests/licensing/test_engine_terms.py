"""The decision by cases: how, by whom, how many, and whatever stands in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.licensing.codes import (
    Action,
    Alteration,
    AlternativeKind,
    CapPer,
    CapUnit,
    Coverage,
    DutyKind,
    ExclusivityDirection,
    LicenseKind,
    LicenseStatus,
    Missing,
    Outcome,
    Purpose,
    ReasonCode,
    TakedownStatus,
)
from domain.licensing.terms import (
    Duty,
    Exclusivity,
    Quantity,
    Rights,
    Size,
    Takedown,
)
from domain.refusals import Conflict
from tests.licensing.terms_of import (
    NOBODY_TO_SEE,
    cap,
    codes,
    copies,
    days,
    decide,
    licence,
    made_of,
    permit,
    picture,
    prohibit,
)

C = ReasonCode


# How, by whom, how many.


def test_a_branch_of_channels_covers_its_leaves() -> None:
    facts = picture(licence(permit(channels=("print",))))
    assert decide(facts, channel="print.flyer").outcome == Outcome.ALLOWED
    assert codes(decide(facts, channel="web.site")) == {C.CHANNEL_NOT_GRANTED}


def test_machines_that_learn_are_named_or_not_allowed() -> None:
    assert codes(decide(picture(licence(permit())), action=Action.AI_TRAIN)) == {C.AI_USE_FORBIDDEN}
    named = permit(actions=("AI_INPUT", "ANY"))
    assert decide(picture(licence(named)), action=Action.AI_INPUT).outcome == Outcome.ALLOWED
    assert codes(decide(picture(licence(named, prohibit(2))), action=Action.AI_INPUT)) == {C.PROHIBITED}


def test_a_prohibition_of_any_licence_wins_over_all() -> None:
    barred = licence(prohibit(2, territories=("DE",), purposes=(Purpose.COMMERCIAL,)), key=2)
    facts = picture(licence(permit()), barred)
    assert codes(decide(facts)) == {C.PURPOSE_FORBIDDEN}
    assert decide(facts, purpose=Purpose.EDITORIAL).outcome == Outcome.ALLOWED
    assert decide(facts, territories=("FR",)).outcome == Outcome.ALLOWED
    assert codes(decide(facts, purpose=None)) == {C.PURPOSE_FORBIDDEN}, "what is left open may be commercial"
    assert decide(picture(licence(permit()), replace(barred, status=LicenseStatus.TERMINATED))).outcome == (
        Outcome.ALLOWED
    )


def test_who_is_not_named_is_not_licensed() -> None:
    facts = picture(licence(permit(), end_user_org_ids=(5,)))
    assert decide(facts, party=5).outcome == Outcome.ALLOWED
    assert codes(decide(facts, party=6)) == {C.PARTY_NOT_LICENSED}
    assert decide(picture(licence(permit(), sublicensable=True)), party=6).outcome == Outcome.ALLOWED
    assert decide(picture(licence(permit(), licensee_org_id=None)), party=6).outcome == Outcome.ALLOWED


def test_whoever_has_a_seat_keeps_it_when_all_are_taken() -> None:
    facts = picture(licence(permit(), end_user_org_ids=(5, 6), seats=1, seat_org_ids=(5,)))
    assert decide(facts, party=5).outcome == Outcome.ALLOWED
    assert codes(decide(facts, party=6)) == {C.SEATS_EXHAUSTED}


def test_a_sublicence_needs_a_licence_that_gives_some() -> None:
    assert codes(decide(picture(licence(permit())), action=Action.SUBLICENSE)) == {C.ACTION_NOT_GRANTED}


def test_a_cap_counts_what_is_used_and_reserved_and_names_what_is_left() -> None:
    full = cap(CapUnit.COPIES, 500_000, used=400_000, reserved=50_000)
    facts = picture(licence(permit(caps=(full,)), kind=LicenseKind.ROYALTY_FREE))
    fits = decide(facts, channel="print.flyer", quantities=copies(50_000))
    assert (fits.outcome, fits.remaining[0].remaining, fits.remaining[0].after) == (Outcome.ALLOWED, 50_000, 0)
    over = decide(facts, channel="print.flyer", quantities=copies(50_001))
    assert codes(over) == {C.CAP_EXCEEDED}
    assert [(one.kind, one.quantity) for one in over.alternatives] == [
        (AlternativeKind.BUY_EXTENDED, None),
        (AlternativeKind.QUANTITY, Quantity(CapUnit.COPIES, 50_000)),
    ]


def test_how_many_has_to_be_said_where_it_is_counted() -> None:
    facts = picture(licence(permit(caps=(cap(CapUnit.COPIES, 10),))))
    untold = decide(facts, channel="print.flyer")
    assert (untold.outcome, untold.missing) == (Outcome.UNKNOWN, (Missing.QUANTITY_NOT_GIVEN,))
    assert decide(facts, channel="web.site").outcome == Outcome.ALLOWED, "a page has no copies"


def test_a_cap_per_month_is_held_in_each_month_that_the_use_touches() -> None:
    full = cap(CapUnit.COPIES, 100, used=60, per=CapPer.MONTH, since=date(2026, 5, 1))
    facts = picture(licence(permit(caps=(full,))))
    asked = {"channel": "print.flyer", "quantities": copies(50)}
    assert decide(facts, **asked, window=days("2026-06-01", "2026-06-30")).outcome == Outcome.ALLOWED
    both = decide(facts, **asked, window=days("2026-05-20", "2026-06-30"))
    assert (codes(both), both.allowed_window) == ({C.CAP_EXCEEDED}, days("2026-06-01", "2026-06-30"))


def test_alterations_beyond_those_allowed_are_refused_and_it_would_do_unaltered() -> None:
    facts = picture(licence(permit(alterations=(Alteration.CROP,))))
    assert decide(facts, alterations=(Alteration.CROP,)).outcome == Outcome.ALLOWED
    decided = decide(facts, alterations=(Alteration.CROP, Alteration.FLIP))
    assert codes(decided) == {C.ALTERATION_FORBIDDEN}
    assert [one.kind for one in decided.alternatives] == [AlternativeKind.WITHOUT_ALTERATIONS]


def test_a_size_is_held_to_its_limit_and_has_to_be_said() -> None:
    facts = picture(licence(permit(max_size=Size(page_share=5_000))))
    assert decide(facts, size=Size(page_share=5_000)).outcome == Outcome.ALLOWED
    assert codes(decide(facts, size=Size(page_share=5_001))) == {C.SIZE_EXCEEDED}
    assert decide(facts, size=Size(long_edge_px=10)).missing == (Missing.SIZE_NOT_GIVEN,)


def test_a_grant_for_a_language_covers_its_regions() -> None:
    facts = picture(licence(permit(languages=("de",))))
    assert decide(facts, language="de-AT").outcome == Outcome.ALLOWED
    assert codes(decide(facts, language="en")) == {C.CONTEXT_NOT_GRANTED}
    assert decide(facts).outcome == Outcome.UNKNOWN
    barred = picture(licence(permit(), prohibit(2, languages=("de-AT",))))
    assert decide(barred, language="de").outcome == Outcome.DENIED
    assert decide(barred, language="de-CH").outcome == Outcome.ALLOWED


def test_words_that_nobody_turned_into_grants_need_approval() -> None:
    decided = decide(picture(licence(free_text=("not for politics",))))
    assert (decided.outcome, codes(decided)) == (Outcome.NEEDS_APPROVAL, {C.FREE_TEXT_CONSTRAINT})


def test_an_approval_by_somebody_is_a_condition_and_no_duty() -> None:
    asked = Duty(1, DutyKind.APPROVAL_BY, "the estate")
    decided = decide(picture(licence(permit(duties=(asked,)))))
    assert (decided.outcome, codes(decided), decided.duties) == (Outcome.NEEDS_APPROVAL, {C.APPROVAL_REQUIRED}, ())


def test_of_two_grants_the_one_that_owes_nothing_is_used() -> None:
    owing = permit(1, duties=(Duty(1, DutyKind.CREDIT_AREA),))
    assert decide(picture(licence(owing))).outcome == Outcome.ALLOWED_WITH_DUTIES
    decided = decide(picture(licence(owing, permit(2))))
    assert (decided.outcome, decided.basis[0].grant_id, decided.duties) == (Outcome.ALLOWED, 2, ())


# What stands in the way.


def test_a_takedown_beats_everything_until_it_is_lifted() -> None:
    for status in (TakedownStatus.OPEN, TakedownStatus.ENFORCED):
        decided = decide(picture(licence(permit()), takedowns=(Takedown(1, status),)))
        assert (codes(decided), decided.allowed_window) == ({C.TAKEDOWN}, None)
    lifted = picture(licence(permit()), takedowns=(Takedown(1, TakedownStatus.LIFTED),))
    assert decide(lifted).outcome == Outcome.ALLOWED


def test_what_is_held_needs_approval() -> None:
    decided = decide(picture(licence(permit()), held=True))
    assert (decided.outcome, codes(decided)) == (Outcome.NEEDS_APPROVAL, {C.LEGAL_HOLD})


def test_what_was_given_away_exclusively_is_for_its_holder_alone() -> None:
    given = Exclusivity(1, ExclusivityDirection.OUTGOING, 5, channels=("web",), territories=("DE",))
    facts = picture(licence(permit(), sublicensable=True), exclusivities=(given,))
    assert codes(decide(facts)) == {C.EXCLUSIVITY_CONFLICT}
    assert decide(facts, party=5).outcome == Outcome.ALLOWED
    assert decide(facts, channel="print.flyer").outcome == Outcome.ALLOWED
    assert decide(facts, territories=("AT",)).outcome == Outcome.ALLOWED
    watched = replace(given, direction=ExclusivityDirection.INCOMING)
    assert decide(picture(licence(permit()), exclusivities=(watched,))).outcome == Outcome.ALLOWED


# Composites.


def test_a_composite_is_no_freer_than_its_strictest_part_and_owes_what_all_owe() -> None:
    own = picture(licence(permit()))
    credited = permit(2, territories=("DE",), duties=(Duty(1, DutyKind.CREDIT_AREA, "Ada"),))
    facts = made_of(own, v8=picture(licence(credited, key=2)))
    allowed = decide(facts)
    assert allowed.outcome == Outcome.ALLOWED_WITH_DUTIES
    assert [(one.version_id, one.parameter) for one in allowed.duties] == [(8, "Ada")]
    decided = decide(facts, territories=("DE", "FR"))
    told = [(one.code, one.territory, one.component) for one in decided.reasons]
    assert told == [(C.COMPONENT_DENIED, None, 8), (C.TERRITORY_NOT_GRANTED, "FR", 8)]
    assert decided.allowed_territories == ("DE",)


def test_each_part_under_a_licence_counts_against_its_cap() -> None:
    own = licence(permit())
    stock = licence(permit(2, caps=(cap(CapUnit.COPIES, 100),)), key=2)
    facts = made_of(picture(own), v8=picture(stock), v9=picture(stock))
    asked = {"channel": "print.flyer"}
    assert decide(facts, **asked, quantities=copies(50)).outcome == Outcome.ALLOWED
    over = decide(facts, **asked, quantities=copies(51))
    assert codes(over) == {C.CAP_EXCEEDED, C.COMPONENT_DENIED}
    assert Quantity(CapUnit.COPIES, 50) in {one.quantity for one in over.alternatives}


def test_a_part_that_two_parts_share_is_asked_once_and_one_that_contains_itself_is_refused() -> None:
    stock = licence(permit(2, caps=(cap(CapUnit.COPIES, 100),)), key=2)
    own = picture(licence(permit()))
    facts = made_of(own, v8=own, v9=own, v10=picture(stock))
    shared = facts.subjects[7].components[2:]
    subjects = {
        **facts.subjects,
        8: replace(facts.subjects[8], components=shared),
        9: replace(facts.subjects[9], components=shared),
    }
    diamond = replace(facts, subjects=subjects)
    assert decide(diamond, channel="print.flyer", quantities=copies(100)).outcome == Outcome.ALLOWED
    circle = {**subjects, 10: replace(subjects[10], components=facts.subjects[7].components[:1])}
    with pytest.raises(Conflict, match="part of itself"):
        decide(replace(facts, subjects=circle))


def test_a_licence_for_a_part_does_not_carry_the_whole() -> None:
    rights = (NOBODY_TO_SEE, Rights(1, license_id=1, coverage=Coverage.COMPONENT))
    facts = replace(picture(rights=rights), licenses={1: licence(permit())})
    assert codes(decide(facts)) == {C.NO_LICENSE}
    narrow = replace(picture(licence(permit(2), key=2), rights=rights), licenses={
        1: licence(permit(territories=("FR",))), 2: licence(permit(2), key=2)
    })  # fmt: skip
    assert codes(decide(narrow)) == {C.TERRITORY_NOT_GRANTED}
    assert decide(narrow, territories=("FR",)).outcome == Outcome.ALLOWED


def test_an_owned_picture_of_the_same_is_proposed_where_it_would_pass() -> None:
    bought, owned = picture(licence(permit(territories=("FR",)))), picture(licence(permit(2), key=2))
    facts = made_of(bought, v8=owned, v9=picture(licence(permit(3, channels=("print",)), key=3)))
    subjects = {**facts.subjects, 7: replace(facts.subjects[7], components=())}
    decided = decide(replace(facts, subjects=subjects, twins=(9, 8)))
    assert [(one.kind, one.version_id) for one in decided.alternatives] == [(AlternativeKind.OTHER_ASSET, 8)]
