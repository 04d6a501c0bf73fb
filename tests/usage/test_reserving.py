"""Reservations against caps: exact whoever comes, resolved once, and kept by the database itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from domain.global_ids import decode
from domain.hub import Hub
from domain.licensing.codes import Action, CapPer, CapUnit, ReasonCode
from domain.licensing.terms import Quantity, Window
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound
from domain.usage import reserving
from domain.usage.refusing import RightsDenied
from domain.work import HUB
from storage.tables import ComponentRow, RightsDecisionRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import created, events, picture, unchanged
from tests.assets.together import together
from tests.lifecycle.turning import later
from tests.usage.using import cap, counters, licensed, periods, phases, recorded


def test_a_use_is_reserved_and_then_confirmed_with_what_was_really_used(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    usage = it.reserve(600, reference="Order 7")
    assert counters(hub, it.license_id) == [(0, 600)]
    it.confirm(usage, Quantity(CapUnit.COPIES, 450))
    assert counters(hub, it.license_id) == [(450, 0)]
    assert recorded(hub, usage) == [("RESERVED", 600), ("ACTUAL", 450)]
    with hub.reading(HUB) as work:
        kept = work.session.scalars(sa.select(RightsDecisionRow)).one()
        assert (kept.outcome, kept.mode, kept.request["quantities"]) == (
            "ALLOWED",
            "RESERVE",
            [{"unit": "COPIES", "amount": 600}],
        )
    assert len(events(hub, "usage.reserved")) == len(events(hub, "usage.confirmed")) == 1


def test_what_does_not_fit_is_denied_with_every_reason_and_leaves_nothing(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000), territories_except=("US",))
    it.reserve(600)
    with unchanged(hub):
        with pytest.raises(RightsDenied) as refused:
            it.reserve(401)
        assert {each.code for each in refused.value.decision.reasons} == {ReasonCode.CAP_EXCEEDED}
        with pytest.raises(RightsDenied) as refused:
            it.reserve(401, territories=("US",))
        assert {each.code for each in refused.value.decision.reasons} >= {ReasonCode.TERRITORY_EXCLUDED}
        with pytest.raises(RightsDenied):  # a cap that has to be counted, and nothing said
            it.reserve(None)
    it.reserve(400)
    assert counters(hub, it.license_id) == [(0, 1_000)]


def test_what_is_given_up_is_free_again(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    usage = it.reserve(1_000)
    it.void(usage)
    assert counters(hub, it.license_id) == [(0, 0)]
    assert recorded(hub, usage) == [("RESERVED", 1_000), ("VOID", 0)]
    it.reserve(1_000)


def test_a_reservation_is_resolved_once(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    confirmed, voided = it.reserve(1), it.reserve(1)
    it.confirm(confirmed)
    it.void(voided)
    with unchanged(hub):
        for usage in (confirmed, voided):
            with pytest.raises(Conflict):
                it.confirm(usage)
            with pytest.raises(Conflict):
                it.void(usage)
        with pytest.raises(NotFound):
            it.confirm(999)


def test_more_than_was_reserved_is_decided_anew(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    usage, other = it.reserve(300), it.reserve(300)
    with unchanged(hub):
        with pytest.raises(RightsDenied):
            it.confirm(usage, Quantity(CapUnit.COPIES, 701))
        with pytest.raises(Invalid):
            it.confirm(usage, Quantity(CapUnit.COPIES, -1))
        with pytest.raises(Invalid):
            it.confirm(usage, Quantity(CapUnit.COPIES, 1), Quantity(CapUnit.COPIES, 2))
    it.confirm(usage, Quantity(CapUnit.COPIES, 700))
    assert counters(hub, it.license_id) == [(700, 300)]
    assert recorded(hub, usage) == [("RESERVED", 300), ("VOID", 0), ("RESERVED", 700), ("ACTUAL", 700)]
    it.confirm(other)
    assert counters(hub, it.license_id) == [(1_000, 0)]


def test_a_unit_that_was_not_reserved_is_more_than_was_reserved(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000), cap(5, CapUnit.PLACEMENTS))
    both = (Quantity(CapUnit.COPIES, 10), Quantity(CapUnit.PLACEMENTS, 2))
    usage = it.reserve(quantities=both)
    assert counters(hub, it.license_id) == [(0, 10), (0, 2)]
    it.confirm(usage, Quantity(CapUnit.PLACEMENTS, 1))
    assert counters(hub, it.license_id) == [(10, 0), (1, 0)]


def test_time_runs_out(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    usage, longer = it.reserve(500), it.reserve(500, until=hub.clock() + timedelta(days=30))
    with unchanged(hub):
        for wrong in (hub.clock(), hub.clock() - timedelta(days=1), hub.clock() + timedelta(days=91)):
            with pytest.raises(Invalid):
                it.reserve(1, until=wrong)
    then = later(hub, hours=25)
    with unchanged(hub), pytest.raises(Conflict):
        it.confirm(usage, hub=then)
    with then.writing(HUB) as work:
        assert reserving.time_out(work) == 1
    assert phases(hub) == ["VOID", "RESERVED"]
    assert counters(hub, it.license_id) == [(0, 500)]
    with then.writing(HUB) as work:
        assert reserving.time_out(work) == 0
    it.confirm(longer, hub=then)
    assert len(events(hub, "usage.timed_out")) == 1


def test_a_cap_that_begins_anew_counts_in_every_period_that_is_touched(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100, per=CapPer.MONTH))
    window = Window(date(2027, 1, 30), date(2027, 3, 1))
    usage = it.reserve(60, window=window)
    assert periods(hub) == {"2027-01-01": (0, 60), "2027-02-01": (0, 60), "2027-03-01": (0, 60)}
    with unchanged(hub), pytest.raises(RightsDenied):
        it.reserve(41, window=Window(date(2027, 3, 31), date(2027, 4, 2)))
    it.reserve(41, window=Window(date(2027, 4, 1), date(2027, 4, 2)))
    it.confirm(usage, Quantity(CapUnit.COPIES, 50))
    told = periods(hub)
    assert (told["2027-02-01"], told["2027-04-01"]) == ((50, 0), (0, 41))
    assert counters(hub, it.license_id) == [(0, 0)]


def test_a_month_is_one_of_the_licences_zone(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100, per=CapPer.MONTH), zone="Asia/Tokyo")
    it.reserve(60, window=Window(date(2027, 1, 31), date(2027, 1, 31)), zone="America/New_York")
    assert set(periods(hub)) == {"2027-01-01", "2027-02-01"}


def test_a_day_after_day_cap_has_an_end_of_what_is_counted(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100, per=CapPer.DAY))
    with unchanged(hub), pytest.raises(Invalid):
        it.reserve(1, window=Window(date(2027, 1, 1), date(2028, 6, 1)))
    it.reserve(1, window=Window(date(2028, 2, 28), date(2028, 3, 1)))
    assert list(periods(hub)) == ["2028-02-28", "2028-02-29", "2028-03-01"]


def test_the_parts_of_a_composite_take_of_their_own_caps(hub: Hub, client: Client) -> None:
    whole, part = licensed(client, cap(1_000), number=1), licensed(client, cap(500), number=2)
    with hub.writing(HUB) as work:
        told = {"composite_version_id": whole.version_id, "part_version_id": part.version_id}
        work.session.add(ComponentRow(**told, created_at=work.now, created_by=client.viewer.principal_id))
    usage = whole.reserve(400)
    assert counters(hub, part.license_id) == [(0, 400)]
    with unchanged(hub), pytest.raises(RightsDenied):
        whole.reserve(101)
    whole.confirm(usage, Quantity(CapUnit.COPIES, 100))
    assert counters(hub, whole.license_id) == counters(hub, part.license_id) == [(100, 0)]


def test_only_the_licence_that_carries_the_use_is_counted(hub: Hub, client: Client) -> None:
    first = licensed(client, cap(100))
    second = licensed(client, cap(1_000), number=2, asset=first.asset)
    for _ in range(2):
        first.reserve(90)
    told = [counters(hub, each.license_id)[0][1] for each in (first, second)]
    assert sum(told) == 180
    first.reserve(800)
    assert [counters(hub, each.license_id)[0][1] for each in (first, second)] in ([90, 890], [0, 980])


def test_without_a_cap_the_register_still_knows_of_the_use(hub: Hub, client: Client) -> None:
    it = licensed(client)
    usage = it.reserve()
    it.confirm(usage)
    assert recorded(hub, usage) == [("RESERVED", 0), ("ACTUAL", 0)]


def test_nobody_reserves_for_others_or_what_they_do_not_see(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    north = acting.organisation(hub, "North")
    partner = acting.member(hub, "partner", org_id=north)
    request = replace(it.request(1), party=north)
    with unchanged(hub), hub.writing(partner) as work, pytest.raises(NotFound):
        reserving.reserve(work, it.version_id, request)
    theirs = Client(hub, acting.member(hub, "designer", org_id=north))
    mine = created(theirs, picture(9))
    with unchanged(hub), hub.writing(theirs.viewer) as work, pytest.raises(NotAllowed):
        reserving.reserve(work, decode(mine["current"]["id"])[1], replace(request, party=1))


def test_twenty_at_once_take_exactly_what_there_is(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100), cap(50, CapUnit.PLACEMENTS))
    both = (Quantity(CapUnit.COPIES, 7), Quantity(CapUnit.PLACEMENTS, 1))

    def attempt() -> int | None:
        try:
            return it.reserve(quantities=both)
        except RightsDenied:
            return None

    answers = [usage for usage in together([attempt] * 20) if usage is not None]
    assert len(answers) == 14  # 14 × 7 = 98
    assert counters(hub, it.license_id) == [(0, 98), (0, 14)]

    def resolve(place: int, usage: int) -> None:
        if place % 2:
            it.void(usage)
        else:
            it.confirm(usage, Quantity(CapUnit.COPIES, place))

    together([lambda each=each: resolve(*each) for each in enumerate(answers)])  # type: ignore[misc]  # bound now
    assert counters(hub, it.license_id) == [(sum(range(0, 14, 2)), 0), (7, 0)]


def test_of_many_who_resolve_the_same_reservation_one_does(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100))
    usage = it.reserve(60)

    def attempt(place: int) -> bool:
        try:
            if place % 2:
                it.void(usage)
            else:
                it.confirm(usage, Quantity(CapUnit.COPIES, 60))
        except Conflict:
            return False
        return True

    assert sum(together([lambda place=place: attempt(place) for place in range(8)])) == 1  # type: ignore[misc]
    assert counters(hub, it.license_id) in ([(60, 0)], [(0, 0)])


SCRIPTS = (
    "UPDATE usage_record SET quantity = 0",
    "DELETE FROM usage_record",
    "UPDATE usage SET channel = 'web.site'",
    "UPDATE usage SET territories = '[]'",
    "UPDATE usage SET phase = 'VOID'",
    "UPDATE usage SET ends_on = starts_on",
    "DELETE FROM usage",
    "UPDATE rights_decision SET outcome = 'ALLOWED'",
    "DELETE FROM rights_decision",
    "UPDATE grant_cap SET reserved = 101",
    "UPDATE grant_cap SET at_most = 1000",
    (
        "INSERT INTO usage_record (usage_id, version_id, license_id, grant_id, cap_id, unit, quantity, phase,"
        " recorded_at) SELECT usage_id, version_id, license_id, grant_id, cap_id, unit, 41, 'RESERVED', recorded_at"
        " FROM usage_record WHERE phase = 'RESERVED'"
    ),
    (
        "INSERT INTO usage_record (usage_id, version_id, license_id, grant_id, cap_id, unit, quantity, phase,"
        " reservation_id, recorded_at) SELECT usage_id, version_id, license_id, grant_id, cap_id, unit, 1, 'ACTUAL',"
        " id, recorded_at FROM usage_record WHERE phase = 'RESERVED'"
    ),
    (
        "INSERT INTO usage_record (usage_id, version_id, license_id, grant_id, cap_id, period_starts_on, unit,"
        " quantity, phase, recorded_at) SELECT usage_id, version_id, license_id, grant_id, cap_id, '2026-01-01', unit,"
        " 1, 'RESERVED', recorded_at FROM usage_record WHERE phase = 'RESERVED'"
    ),
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_database_itself_keeps_the_register_and_the_caps(hub: Hub, client: Client, script: str) -> None:
    it = licensed(client, cap(100))
    it.confirm(it.reserve(60))
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(sa.text(script))


def test_an_action_that_is_not_granted_is_not_reserved(hub: Hub, client: Client) -> None:
    it = licensed(client)
    with unchanged(hub), pytest.raises(RightsDenied) as refused:
        it.reserve(action=Action.AI_TRAIN)
    assert "AI_USE_FORBIDDEN" in refused.value.message or "ACTION_NOT_GRANTED" in refused.value.message
