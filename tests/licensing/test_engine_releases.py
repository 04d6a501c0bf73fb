"""The decision by cases: people and things to be seen, and what they have agreed to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.licensing.codes import (
    MinorAge,
    Missing,
    Outcome,
    Purpose,
    ReasonCode,
    ReleaseKind,
    ReleaseStatus,
)
from domain.licensing.terms import Facts, Release, Rights
from tests.licensing.terms_of import codes, days, decide, licence, permit, picture, prohibit, release

C = ReasonCode


def seen(*releases: Release, people: bool | None = True, property: bool | None = False) -> Facts:  # noqa: A002 as PLUS says
    return picture(licence(permit()), releases=releases, rights=(Rights(900, people=people, property=property),))


def test_somebody_to_be_seen_has_to_have_agreed_to_be_advertised_with() -> None:
    assert codes(decide(seen())) == {C.RELEASE_MISSING}
    assert decide(seen(release())).outcome == Outcome.ALLOWED
    assert decide(seen(), purpose=Purpose.EDITORIAL).outcome == Outcome.ALLOWED
    assert decide(seen(), purpose=None).outcome == Outcome.DENIED, "what is left open may be commercial"


def test_where_nobody_looked_somebody_has_to() -> None:
    decided = decide(seen(people=None))
    assert (decided.outcome, decided.missing) == (Outcome.NEEDS_APPROVAL, (Missing.RELEASE_STATUS_UNKNOWN,))
    decided = decide(seen(people=False, property=None))
    assert (decided.outcome, decided.missing) == (Outcome.NEEDS_APPROVAL, (Missing.PROPERTY_STATUS_UNKNOWN,))


def test_one_who_saw_somebody_outweighs_one_who_did_not() -> None:
    both = (Rights(1, people=False, property=False), Rights(2, people=True))
    assert codes(decide(picture(licence(permit()), rights=both))) == {C.RELEASE_MISSING}


def test_a_release_for_a_house_is_none_for_its_owner() -> None:
    house = release(kind=ReleaseKind.PROPERTY)
    assert codes(decide(seen(house, property=True))) == {C.RELEASE_MISSING}
    assert decide(seen(house, release(key=2), property=True)).outcome == Outcome.ALLOWED


def test_everybody_has_to_have_agreed_and_not_one() -> None:
    decided = decide(seen(release(), release(key=2, status=ReleaseStatus.NON)))
    assert [(one.code, one.release_id) for one in decided.reasons] == [(C.RELEASE_MISSING, 2)]


def test_a_release_that_does_not_apply_asks_for_nothing() -> None:
    assert decide(seen(release(status=ReleaseStatus.NAP))).outcome == Outcome.ALLOWED


def test_a_limited_release_carries_what_its_grants_carry() -> None:
    limited = release(permit(5, channels=("print",), territories=("DE",)), status=ReleaseStatus.LIMITED)
    decided = decide(seen(limited))
    assert [(one.code, one.grant_id) for one in decided.reasons] == [(C.RELEASE_LIMITED, 5)]
    assert decide(seen(limited), channel="print.flyer").outcome == Outcome.ALLOWED
    assert decide(seen(limited), channel="print.flyer", territories=("FR",)).outcome == Outcome.DENIED
    assert codes(decide(seen(release(status=ReleaseStatus.LIMITED)))) == {C.RELEASE_LIMITED}


def test_a_release_ends_on_its_last_day() -> None:
    ending = release(ends_on=date(2026, 5, 30))
    decided = decide(seen(ending))
    assert (codes(decided), decided.allowed_window) == ({C.RELEASE_LIMITED}, days("2026-05-01", "2026-05-30"))
    assert decide(seen(ending), window=days("2026-05-30", "2026-05-30")).outcome == Outcome.ALLOWED


def test_what_somebody_does_not_want_is_forbidden_though_the_release_is_unlimited() -> None:
    unwilling = release(prohibit(5, industries=("PHARMA",)))
    assert codes(decide(seen(unwilling), industry="PHARMA")) == {C.PROHIBITED}
    assert decide(seen(unwilling), industry="FOOD").outcome == Outcome.ALLOWED
    assert codes(decide(seen(unwilling))) == {C.PROHIBITED}, "what is left open may be pharmaceutical"


def test_a_release_holds_until_the_day_it_is_revoked_on() -> None:
    revoked = seen(release(revoked_at=datetime(2026, 5, 20, 15, tzinfo=UTC)))
    decided = decide(revoked)
    assert (codes(decided), decided.allowed_window) == ({C.RELEASE_REVOKED}, days("2026-05-01", "2026-05-19"))
    assert decide(revoked, purpose=Purpose.EDITORIAL).outcome == Outcome.ALLOWED


@pytest.mark.parametrize(
    "young", [release(kind=ReleaseKind.MINOR, guardian=True), release(minor_age=MinorAge.A17, guardian=True)]
)
def test_somebody_under_age_does_not_advertise_everything(young: Release) -> None:
    assert codes(decide(seen(young), industry="ALCOHOL")) == {C.MINOR_RESTRICTED}
    assert decide(seen(young), industry="TOYS").outcome == Outcome.ALLOWED
    untold = decide(seen(young))
    assert (untold.outcome, untold.missing) == (Outcome.UNKNOWN, (Missing.INDUSTRY_NOT_GIVEN,))


def test_a_guardian_has_to_have_signed_for_somebody_under_age() -> None:
    young = release(kind=ReleaseKind.MINOR)
    decided = decide(seen(young), industry="TOYS")
    assert (decided.outcome, decided.missing) == (Outcome.DENIED, (Missing.GUARDIAN_UNKNOWN,))
    assert decide(seen(replace(young, guardian=True)), industry="TOYS").outcome == Outcome.ALLOWED
