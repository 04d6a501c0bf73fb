"""A clock that is set back frees nothing that is reserved, ends nothing twice, and brings nothing back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.hub import Hub
from domain.licensing import answering
from domain.licensing.codes import CapPer, Outcome
from domain.licensing.terms import Window
from domain.refusals import Conflict, Invalid
from domain.usage import reserving
from domain.usage.refusing import RightsDenied
from domain.work import HUB
from tests.asking import Client
from tests.assets.acts import events, unchanged
from tests.usage.using import Licensed, at, cap, counters, licensed, periods, phases

NOW = datetime(2028, 2, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SPRING = Window(date(2028, 3, 1), date(2028, 3, 31))


def time_out(hub: Hub, moment: datetime) -> int:
    with at(hub, moment).writing(HUB) as work:
        return reserving.time_out(work)


def reserved(it: Licensed, amount: int, moment: datetime) -> int:
    return it.reserve(amount, hub=at(it.hub, moment), window=SPRING, until=moment + DAY)


def test_a_reservation_stands_until_its_moment_comes_however_often_the_clock_is_set(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100))
    usage = reserved(it, 80, NOW)
    for moment in (NOW - 30 * DAY, NOW + DAY / 2, NOW - 400 * DAY):
        with unchanged(hub):
            assert time_out(hub, moment) == 0
            with pytest.raises(RightsDenied):
                reserved(it, 21, moment)
    with unchanged(hub), pytest.raises(Invalid):
        it.reserve(1, hub=at(hub, NOW), window=SPRING, until=NOW - DAY)
    it.confirm(usage, hub=at(hub, NOW - 3 * DAY))
    assert (phases(hub), counters(hub, it.license_id)) == (["ACTUAL"], [(80, 0)])


def test_what_ran_out_of_time_does_not_come_back(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100))
    usage = reserved(it, 80, NOW)
    assert time_out(hub, NOW + DAY) == 1
    for moment in (NOW - DAY, NOW, NOW + 2 * DAY):
        with unchanged(hub):
            assert time_out(hub, moment) == 0
            with pytest.raises(Conflict):
                it.confirm(usage, hub=at(hub, moment))
    again = reserved(it, 80, NOW - DAY)  # by a clock that shows the day before again
    assert (phases(hub), counters(hub, it.license_id)) == (["VOID", "RESERVED"], [(0, 80)])
    assert time_out(hub, NOW + DAY / 2) == 1
    assert len(events(hub, "usage.timed_out")) == 2
    with unchanged(hub), pytest.raises(Conflict):
        it.confirm(again, hub=at(hub, NOW - DAY))


def test_a_use_counts_in_the_periods_of_its_own_days_whatever_the_clock_shows(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(100, per=CapPer.DAY))
    leap = Window(date(2028, 2, 28), date(2028, 3, 1))
    for moment, amount in ((NOW, 60), (NOW - 700 * DAY, 40)):
        it.confirm(it.reserve(amount, hub=at(hub, moment), window=leap), hub=at(hub, moment))
    assert periods(hub) == dict.fromkeys(("2028-02-28", "2028-02-29", "2028-03-01"), (100, 0))
    with unchanged(hub), pytest.raises(RightsDenied):
        it.reserve(1, hub=at(hub, NOW - 5000 * DAY), window=leap)


@pytest.mark.parametrize("days", [0, 1, 365, -365, -3650])
def test_a_decision_depends_on_the_days_of_the_use_and_not_on_the_clock(hub: Hub, client: Client, days: int) -> None:
    it = licensed(client, cap(100), ends_on=date(2028, 3, 31))
    with at(hub, NOW + days * DAY).reading(client.viewer) as work:
        asked = it.request(50, window=SPRING, as_of=work.now)
        inside = answering.decision(work, it.version_id, asked)
        beyond = it.request(50, window=Window(date(2028, 3, 31), date(2028, 4, 1)), as_of=work.now)
        outside = answering.decision(work, it.version_id, beyond)
    assert (inside.outcome, outside.outcome) == (Outcome.ALLOWED, Outcome.DENIED)
    ends = datetime(2028, 3, 31, 22, tzinfo=UTC)  # midnight in Berlin, where it is summer by then
    assert inside.valid_until == max(ends, inside.evaluated_at)
