"""What runs until its licence ends: told of in time, once each, and withdrawn at the end, by the licence's own days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import activating
from domain.licensing.terms import Window
from domain.usage import ending
from domain.work import HUB
from storage.tables import EventRow, LicenseRow, UsageAlertRow, UsageRow
from tests.asking import Client
from tests.lifecycle.turning import job
from tests.likeness.looks import brought, jpeg
from tests.usage.using import Licensed, at, licensed, successor
from tests.working import tools_of
from workers import usage as chores


def days(hub: Hub) -> list[int]:
    """What was told, in order."""
    with hub.reading(HUB) as work:
        rows = sa.select(EventRow.payload).where(EventRow.type == "usage.ending").order_by(EventRow.id)
        return [payload["days"] for payload in work.session.scalars(rows)]


def withdrawn(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        return work.session.scalar(sa.select(sa.func.count(UsageRow.withdrawn_at))) or 0


def pass_over(hub: Hub) -> None:
    chores.pass_over_usages(tools_of(hub), job())


def until(client: Client, ends_on: date, **more: Any) -> Licensed:
    """A picture whose licence ends that day."""
    return licensed(client, ends_on=ends_on, **more)


def test_a_use_that_runs_to_the_end_is_told_of_four_times_and_then_withdrawn(hub: Hub, client: Client) -> None:
    end = date(2027, 6, 30)
    it = until(client, end)
    began = at(hub, datetime(2027, 1, 1, 12, tzinfo=UTC))
    it.confirm(it.reserve(hub=began, window=Window(date(2027, 1, 1), end)), hub=began)
    short = it.reserve(hub=began, window=Window(date(2027, 1, 1), date(2027, 6, 29)))
    it.confirm(short, hub=began)  # it is over before
    told = []
    for left in (100, 91, 90, 89, 60, 30, 29, 8, 7, 6, 2, 1, 0):
        then = at(hub, datetime(2027, 6, 30, 12, tzinfo=UTC) - timedelta(days=left))
        for _ in range(2):
            pass_over(then)
        told.append((left, len(days(hub)), withdrawn(hub)))
    assert days(hub) == [90, 30, 7, 1]
    assert next(left for left, count, _ in told if count == 1) == 90
    assert {count for _, _, count in told} == {0}
    pass_over(at(hub, datetime(2027, 6, 30, 21, 59, tzinfo=UTC)))  # 23:59 in Berlin
    assert withdrawn(hub) == 0
    for _ in range(2):
        pass_over(at(hub, datetime(2027, 6, 30, 22, 0, tzinfo=UTC)))
    assert withdrawn(hub) == 1
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(sa.func.count()).where(EventRow.type == "usage.withdrawn")) == 1


def test_who_comes_late_is_told_once_and_a_clock_that_goes_back_tells_nothing_again(hub: Hub, client: Client) -> None:
    it = until(client, date(2027, 6, 30))
    began = at(hub, datetime(2027, 6, 20, 12, tzinfo=UTC))
    it.confirm(it.reserve(hub=began, window=Window(date(2027, 6, 20), date(2027, 6, 30))), hub=began)
    pass_over(began)
    assert days(hub) == [30]
    pass_over(at(hub, datetime(2027, 6, 24, 12, tzinfo=UTC)))
    assert days(hub) == [30, 7]
    for back in (datetime(2027, 6, 10, tzinfo=UTC), datetime(2027, 4, 10, tzinfo=UTC)):
        pass_over(at(hub, back))
    assert days(hub) == [30, 7]


def test_a_terminated_licence_ends_what_runs_under_it(hub: Hub, client: Client) -> None:
    it = until(client, date(2027, 6, 30))
    it.confirm(it.reserve())
    reserved = it.reserve()
    with hub.writing(client.viewer) as work:
        row = work.session.get_one(LicenseRow, it.license_id)
        activating.terminate(work, row.id, row.revision, "They took it back.")
    pass_over(hub)
    assert withdrawn(hub) == 1
    with hub.reading(HUB) as work:
        assert work.session.get_one(UsageRow, reserved).withdrawn_at is None  # nothing is out by it


def test_what_took_the_place_of_a_licence_says_when_it_ends(hub: Hub, client: Client) -> None:
    old = until(client, date(2027, 6, 30))
    began = at(hub, datetime(2027, 6, 1, 12, tzinfo=UTC))
    old.confirm(old.reserve(hub=began, window=Window(date(2027, 6, 1), date(2027, 6, 30))), hub=began)
    pass_over(began)
    assert days(hub) == [30]
    draft = successor(old, ends_on=date(2028, 1, 1))
    with hub.writing(client.viewer) as work:
        row = work.session.get_one(LicenseRow, old.license_id)
        activating.supersede(work, row.id, row.revision, draft, "Longer.")
    pass_over(at(hub, datetime(2027, 7, 3, 12, tzinfo=UTC)))
    assert withdrawn(hub) == 0
    assert days(hub) == [30]


def test_a_licence_without_an_end_ends_nothing(hub: Hub, client: Client) -> None:
    it = licensed(client)
    it.confirm(it.reserve())
    pass_over(at(hub, datetime(2027, 6, 1, tzinfo=UTC)))
    assert (days(hub), withdrawn(hub)) == ([], 0)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_batches_leave_nobody_out(hub: Hub, client: Client, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(ending, "AT_ONCE", 2)
    end = hub.clock().date() + timedelta(days=5)
    it = until(client, end)
    today = hub.clock().date()
    for _ in range(count):
        it.confirm(it.reserve(window=Window(today, end)))
    pass_over(hub)
    assert days(hub) == [7] * count
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(UsageAlertRow)) == count


RECALL = """query ($license: ID!, $day: Date!) { recallSimulation(license: $license, endsOn: $day) {
  affectedCount organisationCount channels { channel count } lostFee { amount currency }
  replacements { usage { id } version { id } distance } }
  runningUsagesAfter(date: $day, license: $license) { nodes { id endsOn phase } totalCount } }"""


def test_a_recall_says_what_breaks_and_what_could_be_used_instead(hub: Hub, client: Client) -> None:
    end = hub.clock().date() + timedelta(days=99)
    it = licensed(client, ends_on=end, asset=brought(client, jpeg(1)))
    other = licensed(client, number=2, asset=brought(client, jpeg(1, "a quarter")))
    licensed(client, number=3, asset=brought(client, jpeg(1, "JPEG q50")), channels=("web",))
    today = hub.clock().date()
    runs = it.reserve(window=Window(today, end))
    it.confirm(runs)
    it.reserve(window=Window(today, today + timedelta(days=5)))
    it.void(it.reserve(window=Window(today, end)))
    license_id, day = encode("License", it.license_id), (today + timedelta(days=49)).isoformat()
    found = client.ask(RECALL, license=license_id, day=day)
    told = found["recallSimulation"]
    assert (told["affectedCount"], told["organisationCount"]) == (1, 1)
    assert told["channels"] == [{"channel": "print.flyer", "count": 1}]
    assert told["lostFee"] is None
    (instead,) = told["replacements"]
    assert instead["usage"]["id"] == encode("Usage", runs)
    assert instead["version"]["id"] == other.asset["current"]["id"]
    assert found["runningUsagesAfter"]["totalCount"] == 1
    assert client.ask(RECALL, license=license_id, day=end.isoformat())["recallSimulation"]["affectedCount"] == 0


def test_a_use_is_withdrawn_as_of_the_end_whenever_somebody_looks(hub: Hub, client: Client) -> None:
    end = date(2027, 6, 30)
    began = at(hub, datetime(2027, 6, 1, 12, tzinfo=UTC))
    ended, taken_back = until(client, end), licensed(client, number=2)
    for it in (ended, taken_back):
        it.confirm(it.reserve(hub=began, window=Window(date(2027, 6, 1), end)), hub=began)
    gone = datetime(2027, 6, 20, 8, 30, tzinfo=UTC)
    with at(hub, gone).writing(client.viewer) as work:
        row = work.session.get_one(LicenseRow, taken_back.license_id)
        activating.terminate(work, row.id, row.revision, "They took it back.")
    pass_over(at(hub, datetime(2027, 7, 1, 9, tzinfo=UTC)))
    with hub.reading(HUB) as work:
        moments = list(work.session.scalars(sa.select(UsageRow.withdrawn_at).order_by(UsageRow.id)))
    assert moments == [datetime(2027, 6, 30, 22, tzinfo=UTC), gone]  # midnight in Berlin
