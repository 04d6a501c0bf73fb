"""The decision by cases: when and where, what is refused, and what a decision says of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.licensing import policy, territories, uses
from domain.licensing.codes import (
    AlternativeKind,
    Dimension,
    ExclusivityDirection,
    LicenseKind,
    LicenseStatus,
    Missing,
    Outcome,
    Purpose,
    ReasonCode,
    ReleaseStatus,
    Severity,
)
from domain.licensing.terms import (
    Embargo,
    Exclusivity,
    Member,
    Size,
    TerritoryGroup,
)
from domain.refusals import Invalid
from tests.licensing.terms_of import (
    MAY,
    codes,
    copies,
    days,
    decide,
    licence,
    permit,
    picture,
    prohibit,
    release,
)

C = ReasonCode
BERLIN_2026: Any = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), "zone": "Europe/Berlin"}


def test_what_no_licence_covers_is_denied() -> None:
    decided = decide(picture())
    assert (decided.outcome, codes(decided)) == (Outcome.DENIED, {C.NO_LICENSE})


def test_a_licence_of_unknown_kind_leaves_it_unknown_and_another_one_that_carries_it_settles_it() -> None:
    unknown = licence(permit(), kind=LicenseKind.UNKNOWN)
    decided = decide(picture(unknown))
    assert (decided.outcome, decided.missing) == (Outcome.UNKNOWN, (Missing.LICENSE_UNKNOWN,))
    assert decided.allowed_territories == ()
    assert decide(picture(unknown, licence(permit(2), key=2))).outcome == Outcome.ALLOWED


@pytest.mark.parametrize("status", [LicenseStatus.DRAFT, LicenseStatus.SUSPENDED, LicenseStatus.TERMINATED])
def test_only_an_active_licence_carries(status: LicenseStatus) -> None:
    assert codes(decide(picture(licence(permit(), status=status)))) == {C.LICENSE_NOT_ACTIVE}


# When.


def test_the_last_day_is_still_in_and_the_day_after_is_not() -> None:
    facts = picture(licence(permit(), **BERLIN_2026))
    assert decide(facts, window=days("2026-12-31", "2026-12-31")).outcome == Outcome.ALLOWED
    assert codes(decide(facts, window=days("2026-12-31", "2027-01-01"))) == {C.WINDOW_EXCEEDS_GRANT}
    assert codes(decide(facts, window=days("2027-01-01", "2027-01-01"))) == {C.EXPIRED}
    assert codes(decide(facts, window=days("2025-12-30", "2025-12-31"))) == {C.NOT_STARTED}


def test_a_day_of_another_zone_has_to_lie_wholly_in_the_licence() -> None:
    """31 December in New York ends six hours after it ended in Berlin."""
    facts = picture(licence(permit(), **BERLIN_2026))
    new_york = "America/New_York"
    late = decide(facts, window=days("2026-12-31", "2026-12-31"), zone=new_york)
    assert (late.outcome, codes(late)) == (Outcome.DENIED, {C.WINDOW_EXCEEDS_GRANT})
    assert decide(facts, window=days("2026-12-30", "2026-12-30"), zone=new_york).outcome == Outcome.ALLOWED
    assert decide(facts, window=days("2026-01-01", "2026-01-01"), zone=new_york).outcome == Outcome.ALLOWED
    tokyo = decide(facts, window=days("2026-01-01", "2026-12-31"), zone="Asia/Tokyo")
    assert tokyo.allowed_window == days("2026-01-02", "2026-12-31")


def test_a_prohibition_that_has_an_hour_of_the_day_forbids_the_day() -> None:
    barred = prohibit(2, starts_on=date(2026, 6, 1), ends_on=date(2026, 6, 1))
    facts = picture(licence(permit(), barred, zone="Europe/Berlin"))
    day = days("2026-05-31", "2026-05-31")
    assert decide(facts, window=day).outcome == Outcome.ALLOWED
    assert codes(decide(facts, window=day, zone="America/New_York")) == {C.PROHIBITED}


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("Europe/Berlin", "2026-03-29", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Europe/Berlin", "2026-10-25", datetime(2026, 10, 25, 23, tzinfo=UTC)),
        # Clocks in Cairo go from midnight to one: the day of 24 April 2026 begins at 01:00.
        ("Africa/Cairo", "2026-04-23", datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("America/Santiago", "2026-09-05", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ],
)
def test_a_term_that_ends_when_clocks_change_ends_with_its_day(zone: str, day: str, ends: datetime) -> None:
    last = date.fromisoformat(day)
    facts = picture(licence(permit(), ends_on=last, zone=zone))
    decided = decide(facts, window=days(day, day), as_of=datetime(2026, 1, 1, tzinfo=UTC))
    assert (decided.outcome, decided.valid_until) == (Outcome.ALLOWED, ends)


def test_leap_days_are_days() -> None:
    facts = picture(licence(permit(), starts_on=date(2028, 2, 29), ends_on=date(2028, 2, 29)))
    assert decide(facts, window=days("2028-02-29", "2028-02-29")).outcome == Outcome.ALLOWED
    assert codes(decide(facts, window=days("2028-02-28", "2028-02-29"))) == {C.WINDOW_EXCEEDS_GRANT}
    assert codes(decide(facts, window=days("2028-03-01", "2028-03-01"))) == {C.EXPIRED}


def test_two_grants_one_after_the_other_carry_two_uses_but_not_one() -> None:
    first = permit(1, ends_on=date(2026, 5, 20))
    second = permit(2, starts_on=date(2026, 5, 21))
    decided = decide(picture(licence(first, second)))
    assert (decided.outcome, codes(decided)) == (Outcome.DENIED, {C.WINDOW_EXCEEDS_GRANT})
    assert decided.allowed_window == days("2026-05-01", "2026-05-20")
    two = next(one for one in decided.alternatives if one.kind == AlternativeKind.TWO_USAGES)
    assert two.windows == (days("2026-05-01", "2026-05-20"), days("2026-05-21", "2026-05-31"))


def test_one_grant_has_to_carry_all_dimensions_of_a_territory() -> None:
    there = permit(1, territories=("DE",), channels=("print",))
    so = permit(2, territories=("FR",), channels=("web",))
    assert codes(decide(picture(licence(there, so)))) == {C.CHANNEL_NOT_GRANTED, C.TERRITORY_NOT_GRANTED}


def test_different_grants_may_carry_different_territories() -> None:
    facts = picture(licence(permit(1, territories=("DE",))), licence(permit(2, territories=("FR",)), key=2))
    decided = decide(facts, territories=("FR", "DE"))
    assert decided.outcome == Outcome.ALLOWED
    assert [(one.territories, one.grant_id) for one in decided.basis] == [(("DE",), 1), (("FR",), 2)]


def test_the_largest_part_of_the_window_lies_between_what_stands_in_the_way() -> None:
    embargo = Embargo(1, datetime(2026, 5, 9, 12, tzinfo=UTC), datetime(2026, 5, 12, tzinfo=UTC))
    decided = decide(picture(licence(permit()), embargoes=(embargo,)))
    assert codes(decided) == {C.EMBARGO}
    assert decided.allowed_window == days("2026-05-12", "2026-05-31")


# Where.


def test_britain_is_in_the_union_until_the_end_of_january_2020() -> None:
    def granted(as_of: str) -> Outcome:
        facts = picture(licence(permit(territories=("EU",)), groups_as_of=date.fromisoformat(as_of)))
        return decide(facts, territories=("GB",)).outcome

    assert granted("2020-01-31") == Outcome.ALLOWED
    assert granted("2020-02-01") == Outcome.DENIED


def test_croatia_joins_the_union_in_july_2013() -> None:
    def members(day: str) -> frozenset[str]:
        return territories.expanded(("EU",), date.fromisoformat(day), territories.GROUPS)

    assert "HR" not in members("2013-06-30")
    assert members("2013-07-01") - members("2013-06-30") == {"HR"}
    assert len(members("2026-11-22")) == 27


def test_groups_in_a_licence_are_read_as_of_its_first_day_and_in_a_use_as_of_its_own() -> None:
    facts = picture(licence(permit(territories=("EU",)), starts_on=date(2019, 6, 1)))
    assert decide(facts, territories=("GB",)).outcome == Outcome.ALLOWED
    assert "GB" not in decide(facts, territories=("EU",)).allowed_territories


#: One leaves on the tenth, another comes on the eleventh.
_OURS = TerritoryGroup(
    "OURS", (Member("FR", last_on=date(2026, 5, 10)), Member("AT", first_on=date(2026, 5, 11)), Member("CH"))
)


def test_a_group_without_a_day_forbids_whoever_is_in_it_on_any_day_of_the_window() -> None:
    alone = Exclusivity(1, ExclusivityDirection.OUTGOING, 2, territories=("OURS",))
    never = prohibit(105, territories=("OURS",))
    for facts in (
        picture(licence(permit()), exclusivities=(alone,), groups=(_OURS,)),
        picture(licence(permit()), releases=(release(never),), groups=(_OURS,)),
    ):
        whole = decide(facts, territories=("AT", "DE", "FR"))
        assert (whole.allowed_territories, whole.denied_territories) == (("DE",), ("AT", "FR"))
        assert decide(facts, territories=("AT",)).allowed_window == days("2026-05-01", "2026-05-10")
        assert decide(facts, territories=("FR",)).allowed_window == days("2026-05-11", "2026-05-31")
        for there, window in (("AT", days("2026-05-12", "2026-05-31")), ("FR", days("2026-05-01", "2026-05-10"))):
            assert decide(facts, territories=(there,), window=window).outcome == Outcome.DENIED


def test_a_group_without_a_day_allows_whoever_is_in_it_on_every_day_of_the_window() -> None:
    signed = release(permit(101, territories=("OURS",)), status=ReleaseStatus.LIMITED)
    facts = picture(licence(permit()), releases=(signed,), groups=(_OURS,))
    whole = decide(facts, territories=("AT", "CH", "FR"))
    assert (whole.allowed_territories, whole.denied_territories) == (("CH",), ("AT", "FR"))
    told = {(reason.code, reason.dimension, reason.territory) for reason in whole.reasons}
    assert told == {(C.RELEASE_LIMITED, Dimension.TERRITORY, there) for there in ("AT", "FR")}
    assert decide(facts, territories=("AT",)).allowed_window == days("2026-05-11", "2026-05-31")
    assert decide(facts, territories=("FR",), window=days("2026-05-01", "2026-05-10")).outcome == Outcome.ALLOWED
    but = release(permit(101, territories_except=("OURS",)), status=ReleaseStatus.LIMITED)
    facts = picture(licence(permit()), releases=(but,), groups=(_OURS,))
    assert decide(facts, territories=("AT", "DE", "FR")).allowed_territories == ("DE",)


def test_a_brand_may_define_groups_of_its_own() -> None:
    group = TerritoryGroup("ALPS", (Member("AT"), Member("CH"), Member("IT", first_on=date(2027, 1, 1))))
    facts = picture(licence(permit(territories=("AT", "CH"))), groups=(group,))
    assert decide(facts, territories=("ALPS",)).outcome == Outcome.ALLOWED


def test_a_country_covers_its_subdivisions_and_not_the_other_way_round() -> None:
    assert decide(picture(licence(permit(territories=("US",)))), territories=("US-CA",)).outcome == Outcome.ALLOWED
    assert decide(picture(licence(permit(territories=("US-CA",)))), territories=("US",)).outcome == Outcome.DENIED


def test_what_a_grant_excepts_in_part_it_does_not_carry_as_a_whole() -> None:
    facts = picture(licence(permit(territories_except=("US-CA",))))
    assert codes(decide(facts, territories=("US",))) == {C.TERRITORY_EXCLUDED}
    assert decide(facts, territories=("US-NY",)).outcome == Outcome.ALLOWED


def test_partial_answers_per_territory_and_otherwise_all_or_nothing() -> None:
    facts = picture(licence(permit(territories=("AT", "DE"))))
    asked = {"territories": ("AT", "DE", "FR")}
    whole, part = decide(facts, **asked), decide(facts, **asked, partial=True)
    assert (whole.outcome, part.outcome) == (Outcome.DENIED, Outcome.ALLOWED)
    for decided in (whole, part):
        assert (decided.allowed_territories, decided.denied_territories) == (("AT", "DE"), ("FR",))
        assert [(one.code, one.territory) for one in decided.reasons] == [(C.TERRITORY_NOT_GRANTED, "FR")]
        assert [one.territories for one in decided.alternatives] == [("AT", "DE")]


def test_worldwide_names_every_country() -> None:
    decided = decide(picture(licence(permit(territories=("DE",)))), territories=("WORLDWIDE",))
    assert len(decided.allowed_territories) + len(decided.denied_territories) == 249


# Refusals and bytes.


def test_a_use_that_says_nothing_that_can_be_decided_is_refused() -> None:
    facts = picture(licence(permit()))
    refused = (
        ({"window": days("2026-05-02", "2026-05-01")}, "order"),
        ({"window": days("1066-10-14", "1066-10-14")}, "range"),
        ({"territories": ("XX",)}, "territory"),
        ({"territories": ("UK",)}, "territory"),
        ({"territories": ("DE-TOOLONG",)}, "territory"),
        ({"territories": ()}, "empty"),
        ({"territories": ("EU",), "window": days("1950-01-01", "1950-01-01")}, "empty"),
        ({"channel": "print"}, "channel"),
        ({"channel": "print.papyrus"}, "channel"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"quantities": copies(0)}, "range"),
        ({"quantities": (*copies(1), *copies(2))}, "unique"),
    )
    for said, constraint in refused:
        with pytest.raises(Invalid) as raised:
            decide(facts, **said)
        assert raised.value.constraint == constraint, said


def test_every_failing_dimension_is_told_and_not_the_first() -> None:
    grant = permit(
        actions=("PRINT",), channels=("print",), territories=("FR",), ends_on=date(2025, 1, 1),
        purposes=(Purpose.EDITORIAL,), languages=("fr",), max_size=Size(long_edge_px=5),
    )  # fmt: skip
    decided = decide(picture(licence(grant, free_text=("x",))), party=9, language="de", size=Size(long_edge_px=6))
    assert {one.dimension for one in decided.reasons} == {
        Dimension.ACTION, Dimension.CHANNEL, Dimension.TERRITORY, Dimension.WINDOW, Dimension.PURPOSE,
        Dimension.LANGUAGE, Dimension.SIZE, Dimension.PARTY, Dimension.CONSTRAINT,
    }  # fmt: skip
    assert {one.severity for one in decided.reasons if one.dimension == Dimension.CONSTRAINT} == {Severity.APPROVAL}


def test_a_picture_under_very_many_grants_is_explained_in_bounded_words() -> None:
    many = [permit(key, territories=("DE",), territories_except=("FR",)) for key in range(1, 60)]
    decided = decide(picture(licence(*many)), territories=("WORLDWIDE",))
    assert len(decided.reasons) == 248
    assert codes(decided) == {C.TERRITORY_NOT_GRANTED}
    excepted = decide(picture(licence(*[replace(one, territories=("EU",)) for one in many])), territories=("FR",))
    assert codes(excepted) == {C.TERRITORY_NOT_GRANTED}


def test_the_same_facts_in_another_order_give_the_same_bytes() -> None:
    one, two = licence(permit(1, territories=("DE",))), licence(permit(2, territories=("FR",)), key=2)
    asked = {"territories": ("FR", "DE", "IT")}
    there, back = decide(picture(one, two), **asked), decide(picture(two, one), **asked)
    assert replace(there, policy_digest="") == replace(back, policy_digest="")
    again = decide(picture(one, two), territories=("IT", "DE", "FR", "DE"))
    assert policy.canonical(there) == policy.canonical(again)


def test_the_digest_is_of_the_rules_and_not_of_the_question() -> None:
    facts = picture(licence(permit()))
    digest = decide(facts).policy_digest
    assert decide(facts, channel="print.flyer").policy_digest == digest
    assert decide(picture(licence(permit(territories=("DE",))))).policy_digest != digest
    assert len(digest) == 64


def test_a_decision_ends_with_whatever_carries_it() -> None:
    facts = picture(licence(permit(ends_on=date(2026, 6, 30)), zone="Europe/Berlin"))
    window = days("2026-05-01", "2026-06-30")
    assert decide(facts, window=window).valid_until == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert decide(facts, window=MAY).valid_until == datetime(2026, 5, 31, 22, tzinfo=UTC)


def test_the_countries_and_channels_are_whole() -> None:
    assert len(territories.COUNTRIES) == 249
    assert {code.partition(".")[0] for code in uses.LEAVES} == uses.BRANCHES
    for group in territories.GROUPS.values():
        assert all(territories.is_place(member.territory) for member in group.members), group.code
