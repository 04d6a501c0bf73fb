"""A use whose licence changes: what carries it now says when it ends, and what carried it once says nothing more."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import activating
from domain.licensing.codes import ANY, CapUnit, Effect
from domain.licensing.terms import Grant, Quantity, Window
from domain.work import HUB
from storage.tables import LicenseRow
from tests.asking import Client
from tests.usage.test_ending import days, pass_over, until, withdrawn
from tests.usage.using import Licensed, at, cap, licensed, successor

COUNTED = """query ($license: ID!, $day: Date!) {
  recallSimulation(license: $license, endsOn: $day) { affectedCount }
  runningUsagesAfter(date: $day, license: $license) { totalCount }
  usages(license: $license) { totalCount } }"""


def counted(client: Client, license_id: int, day: date) -> tuple[int, int, int]:
    """Uses that a recall on that day would break, those that run after it, and all, under the licence."""
    found = client.ask(COUNTED, license=encode("License", license_id), day=day.isoformat())
    told = found["recallSimulation"]["affectedCount"]
    return told, found["runningUsagesAfter"]["totalCount"], found["usages"]["totalCount"]


def test_a_use_that_moved_to_another_licence_ends_with_that_one_alone(hub: Hub, client: Client) -> None:
    end = date(2027, 6, 30)
    small = licensed(client, cap(100), ends_on=end)
    large = licensed(client, cap(1_000), number=2, asset=small.asset)
    began = at(hub, datetime(2027, 6, 20, 12, tzinfo=UTC))
    moves, stays = (small.reserve(amount, hub=began, window=Window(date(2027, 6, 20), end)) for amount in (60, 30))
    given_up = small.reserve(5, window=Window(date(2027, 6, 20), end))
    small.void(given_up)
    day = date(2027, 6, 25)
    assert (counted(client, small.license_id, day), counted(client, large.license_id, day)) == ((2, 2, 3), (0, 0, 0))
    small.confirm(moves, Quantity(CapUnit.COPIES, 500), hub=began)
    small.confirm(stays, hub=began)
    assert (counted(client, small.license_id, day), counted(client, large.license_id, day)) == ((1, 1, 2), (1, 1, 1))
    pass_over(began)
    assert days(hub) == [30]
    pass_over(at(hub, datetime(2027, 7, 1, 12, tzinfo=UTC)))
    assert withdrawn(hub) == 1


def superseded(it: Licensed, *permits: Grant, ends_on: date | None = None) -> None:
    """By a licence that grants these beside what permits nothing of ours."""
    elsewhere = Grant(0, Effect.PERMIT, (ANY,), ("web",), (ANY,), ends_on=date(2027, 1, 1))
    draft = successor(it, ends_on=ends_on, permits=(elsewhere, *permits))
    with it.hub.writing(it.viewer) as work:
        row = work.session.get_one(LicenseRow, it.license_id)
        activating.supersede(work, row.id, row.revision, draft, "In other words.")


def permit(*territories: str, ends_on: date | None = None, without: tuple[str, ...] = ()) -> Grant:
    return Grant(0, Effect.PERMIT, (ANY,), ("print",), territories, without, ends_on=ends_on)


SHORT, LONG = date(2027, 6, 25), date(2027, 6, 28)


@pytest.mark.parametrize(
    ("permits", "ends_on"),
    [
        ((permit("DE", ends_on=SHORT),), SHORT),
        ((permit("DE", ends_on=SHORT), permit(ANY, ends_on=LONG)), LONG),  # whichever carries it longest
        ((permit("DE", ends_on=SHORT), permit("AT", ends_on=LONG)), SHORT),
        ((permit("DE", ends_on=SHORT), permit(ANY, ends_on=LONG, without=("DE",))), SHORT),
        ((permit("DE", ends_on=LONG), permit("AT", ends_on=SHORT)), LONG),
        ((permit("DE", ends_on=SHORT), permit("DE")), None),
        ((permit("AT", ends_on=SHORT),), None),  # nobody knows what carries it, so that the licence's own end counts
    ],
)
def test_what_took_the_place_of_a_licence_may_end_grant_by_grant(
    hub: Hub, client: Client, permits: tuple[Grant, ...], ends_on: date | None
) -> None:
    old = until(client, date(2027, 6, 30))
    began = at(hub, datetime(2027, 6, 1, 12, tzinfo=UTC))
    old.confirm(old.reserve(hub=began, window=Window(date(2027, 6, 1), date(2027, 6, 30))), hub=began)
    superseded(old, *permits)
    pass_over(began)
    assert days(hub) == ([] if ends_on is None else [30])
    for day in range(20, 30):
        pass_over(at(hub, datetime(2027, 6, day, 12, tzinfo=UTC)))
        assert withdrawn(hub) == (ends_on is not None and day > ends_on.day)


def test_what_is_used_in_many_places_ends_where_it_ends_first(hub: Hub, client: Client) -> None:
    old = until(client, date(2027, 6, 30))
    began = at(hub, datetime(2027, 6, 1, 12, tzinfo=UTC))
    window = Window(date(2027, 6, 1), date(2027, 6, 30))
    old.confirm(old.reserve(hub=began, window=window, territories=("DACH",)), hub=began)
    superseded(old, permit("AT", "DE", ends_on=LONG), permit("CH", ends_on=SHORT))
    pass_over(at(hub, datetime(2027, 6, 25, 12, tzinfo=UTC)))
    assert withdrawn(hub) == 0
    pass_over(at(hub, datetime(2027, 6, 26, 12, tzinfo=UTC)))
    assert withdrawn(hub) == 1


def test_a_licence_that_took_a_place_ends_before_its_grants(hub: Hub, client: Client) -> None:
    old = until(client, date(2027, 6, 30))
    began = at(hub, datetime(2027, 6, 1, 12, tzinfo=UTC))
    old.confirm(old.reserve(hub=began, window=Window(date(2027, 6, 1), date(2027, 6, 30))), hub=began)
    superseded(old, permit("DE", ends_on=LONG), ends_on=SHORT)
    pass_over(at(hub, datetime(2027, 6, 26, 12, tzinfo=UTC)))
    assert withdrawn(hub) == 1
    with hub.reading(HUB) as work:
        assert work.session.get_one(LicenseRow, old.license_id).status == "TERMINATED"
