"""A clock that is set back lets nothing out that is not allowed at the moment which it shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.hub import Hub
from domain.work import Viewer
from tests.delivery.licensed import FLYER, FLYERS, HOME, Licensed

#: The clock shows this first; licences begin that day.
THEN = datetime(2028, 2, 29, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def it(hub: Hub, admin: Viewer) -> Licensed:
    return Licensed(hub, admin, {"grants": [HOME], "startsOn": "2028-02-29"})


def test_an_address_from_later_opens_nothing_before_its_licence_begins(it: Licensed) -> None:
    paths = it.paths(it.partner, at=THEN)
    assert it.statuses(paths[:2], at=THEN) == [200, 200]
    assert it.get(paths[2], at=THEN).status_code == 302
    for back in (HOUR * 13, DAY, 400 * DAY):
        assert it.statuses(paths, at=THEN - back) == [451] * 3, back
    midnight = datetime(2028, 2, 29, tzinfo=UTC)
    assert it.statuses(paths[:2], at=midnight) == [200, 200]
    assert it.statuses(paths[:2], at=midnight - timedelta(microseconds=1)) == [451, 451]
    assert it.statuses(paths[:2], at=THEN + HOUR / 2) == [200, 200]
    assert it.statuses(paths[:2], at=THEN + HOUR) == [410, 410]


def test_one_of_a_licence_that_had_begun_opens_as_before(it: Licensed) -> None:
    now = THEN + 3 * DAY
    paths = it.paths(it.partner, at=now)
    for back in (HOUR, DAY, 2 * DAY):
        assert it.statuses(paths[:2], at=now - back) == [200, 200]


def test_what_an_address_from_later_opens_is_kept_for_no_longer_than_one_of_now(it: Licensed) -> None:
    now = THEN + 3 * DAY
    paths = it.paths(it.partner, at=now)
    for back in (HOUR, DAY, 2 * DAY):
        then = now - back
        fresh = [_seconds(it, path, then) for path in it.paths(it.partner, at=then)[:2]]
        assert [_seconds(it, path, then) for path in paths[:2]] == fresh, back


def _seconds(it: Licensed, path: str, at: datetime) -> int:
    found = it.get(path, at=at).headers["Cache-Control"]
    return int(found.partition("max-age=")[2].partition(",")[0])


def test_a_decision_from_later_serves_nobody_until_its_moment_comes(it: Licensed) -> None:
    now = THEN + 3 * DAY
    it.told(it.partner, at=now)
    (first,) = it.kept()
    assert it.told(it.partner, at=now - DAY)["download"] is not None
    second = it.kept()[-1]
    assert (second.id > first.id, second.decided_at) == (True, now - DAY)
    it.told(it.partner, at=now + HOUR)
    assert len(it.kept()) == 2
    nothing = {"download": None, "thumb": None, "latest": None}
    assert it.told(it.partner, at=THEN - DAY) == nothing
    assert len(it.kept()) == 2


def test_a_named_use_is_decided_by_its_own_days_whatever_the_clock_shows(hub: Hub, admin: Viewer) -> None:
    it = Licensed(hub, admin, {"grants": [FLYERS], "startsOn": "2028-02-29", "endsOn": "2028-03-31"})
    use = FLYER | {"window": {"from": "2028-02-29", "to": "2028-03-31"}}
    paths = it.paths(it.partner, use, at=THEN)
    for moment in (THEN, THEN - DAY, THEN - 300 * DAY):
        assert it.statuses(paths[:2], at=moment) == [200, 200]
    too_soon = FLYER | {"window": {"from": "2028-02-28", "to": "2028-03-31"}}
    assert it.told(it.partner, too_soon, at=THEN)["download"] is None


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Europe/Berlin", date(2027, 3, 28), datetime(2027, 3, 27, 23, tzinfo=UTC)),
        ("Europe/Berlin", date(2027, 10, 31), datetime(2027, 10, 30, 22, tzinfo=UTC)),
        # Clocks go from midnight to one there: the day begins at one.
        ("Africa/Cairo", date(2027, 4, 30), datetime(2027, 4, 29, 22, tzinfo=UTC)),
        ("America/New_York", date(2028, 2, 29), datetime(2028, 2, 29, 5, tzinfo=UTC)),
    ],
)
def test_addresses_end_with_the_last_day_of_the_licence_also_when_clocks_change(
    hub: Hub, admin: Viewer, zone: str, day: date, begins: datetime
) -> None:
    told = {"startsOn": day.isoformat(), "endsOn": day.isoformat(), "zone": zone}
    it = Licensed(hub, admin, {"grants": [HOME], **told})
    nothing = {"download": None, "thumb": None, "latest": None}
    assert it.told(it.partner, at=begins - timedelta(seconds=1)) == nothing
    hours = {date(2027, 3, 28): 23, date(2027, 10, 31): 25, date(2027, 4, 30): 23}.get(day, 24)
    ends = begins + hours * HOUR
    last = it.told(it.partner, at=ends - timedelta(minutes=1))["download"]
    assert last["validUntil"] == f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    path = "/files/" + last["url"].partition("/files/")[2]
    assert it.statuses([path], at=ends - timedelta(seconds=1)) == [200]
    assert it.statuses([path], at=ends) == [410]
    assert it.told(it.partner, at=ends) == nothing
    assert it.statuses([path], at=begins - HOUR) == [451]
