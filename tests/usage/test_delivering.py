"""What is delivered for a use is one use, from its first delivery on, against the caps it was given out under."""

from __future__ import annotations

from functools import partial

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing import answering
from domain.licensing.codes import CapPer, Outcome
from domain.usage import decisions, delivering
from domain.usage.decisions import Mode
from domain.usage.refusing import RightsDenied
from domain.work import HUB
from storage.tables import UsageRow
from tests.asking import Client
from tests.assets.acts import events, unchanged
from tests.assets.together import together
from tests.usage.using import Licensed, cap, counters, licensed, periods, phases, recorded


def given_out(it: Licensed, amount: int | None = None) -> int:
    """A decision by which the picture is delivered for this use; its id."""
    with it.hub.writing(it.viewer) as work:
        asked = it.request(amount)
        found = answering.decision(work, it.version_id, asked)
        assert found.outcome == Outcome.ALLOWED
        return decisions.keep(work, it.version_id, asked, found, Mode.DELIVER).id


def deliver(it: Licensed, decision_id: int) -> bool:
    """Whether it may be; the hub itself records it."""
    try:
        with it.hub.writing(HUB) as work:
            delivering.used(work, decision_id)
    except RightsDenied:
        return False
    return True


def test_the_first_delivery_is_the_use_and_further_ones_are_not(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    decision = given_out(it, 400)
    assert counters(hub, it.license_id) == [(0, 0)]
    assert deliver(it, decision)
    with unchanged(hub):
        assert deliver(it, decision)
    assert counters(hub, it.license_id) == [(400, 0)]
    assert (phases(hub), len(events(hub, "usage.confirmed"))) == (["ACTUAL"], 1)
    with hub.reading(HUB) as work:
        row = work.session.scalars(sa.select(UsageRow)).one()
        assert (row.source, row.decision_id, row.reserved_by) == ("DELIVERY", decision, client.viewer.principal_id)
        assert recorded(hub, row.id) == [("RESERVED", 400), ("ACTUAL", 400)]


def test_of_twenty_deliveries_at_once_by_one_decision_one_is_counted(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    decision = given_out(it, 900)
    assert together([partial(deliver, it, decision)] * 20) == [True] * 20
    assert counters(hub, it.license_id) == [(900, 0)]
    assert phases(hub) == ["ACTUAL"]


def test_of_twenty_decisions_delivered_at_once_as_many_pass_as_the_cap_holds(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    given = [given_out(it, 150) for _ in range(20)]
    passed = together([partial(deliver, it, decision) for decision in given])
    assert sum(passed) == 6
    assert counters(hub, it.license_id) == [(900, 0)]
    assert phases(hub) == ["ACTUAL"] * 6


def test_what_does_not_fit_any_more_is_refused_and_writes_nothing(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    decision = given_out(it, 600)
    it.reserve(401)
    with unchanged(hub):
        assert not deliver(it, decision)


def test_a_delivery_counts_in_the_period_of_its_window(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000, per=CapPer.YEAR))
    assert deliver(it, given_out(it, 10))
    assert [used for used, _ in periods(hub).values()] == [10] * len(periods(hub))
    assert sum(used for used, _ in periods(hub).values()) >= 10


def test_a_use_without_caps_is_registered_all_the_same(hub: Hub, client: Client) -> None:
    it = licensed(client)
    assert deliver(it, given_out(it))
    assert phases(hub) == ["ACTUAL"]


def test_the_database_lets_one_decision_be_delivered_as_one_use(hub: Hub, client: Client) -> None:
    it = licensed(client)
    assert deliver(it, given_out(it))
    columns = [column.key for column in UsageRow.__table__.columns if column.key not in {"id", "phase", "resolved_at"}]
    names = ", ".join(columns)
    again = f"INSERT INTO usage (phase, {names}) SELECT 'RESERVED', {names} FROM usage"
    with unchanged(hub), hub.database.engine.connect() as connection:
        with pytest.raises(sa.exc.DatabaseError, match=r"(?i)unique"):
            connection.execute(sa.text(again))
        connection.rollback()
