"""What runs on a release: told of before that ends, withdrawn once it has or is revoked, however it was given."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing import assessing, releases
from domain.licensing.codes import Purpose
from domain.licensing.terms import Window
from domain.work import HUB
from storage.tables import AssetRightsRow, UsageRow
from tests.asking import Client
from tests.assets.acts import events
from tests.licensing.writing import assessed, number, release
from tests.usage.test_ending import days, pass_over, withdrawn
from tests.usage.using import Licensed, at, licensed

END = date(2027, 6, 30)
BEGAN = datetime(2027, 6, 1, 12, tzinfo=UTC)
LIMITS: dict[str, Any] = {"actions": ["ANY"], "channels": ["print"], "territories": ["DE"]}


def released(client: Client, **more: Any) -> tuple[Licensed, int]:
    """A picture under a licence without an end, which somebody is to be seen in, and the id of what they signed."""
    it = licensed(client)
    signed = release(client, zone="Europe/Berlin", **{"status": "UNLIMITED", **more})
    assessed(client, it.asset, releases=[signed["id"]], recognisablePeople=True)
    return it, number(signed)


def used(hub: Hub, it: Licensed, **more: Any) -> int:
    began = at(hub, BEGAN)
    usage_id = it.reserve(hub=began, window=Window(BEGAN.date(), END), **more)
    it.confirm(usage_id, hub=began)
    return usage_id


def revoke(hub: Hub, client: Client, release_id: int) -> None:
    with hub.writing(client.viewer) as work:
        row = releases.by_id(work, [release_id])[release_id]
        releases.revoke(work, release_id, row.revision, "They took it back.")


@pytest.mark.parametrize("more", [{}, {"status": "LIMITED", "grants": [LIMITS]}])
def test_what_rests_on_a_release_is_withdrawn_when_that_is_revoked(
    hub: Hub, client: Client, more: dict[str, Any]
) -> None:
    it, release_id = released(client, **more)
    usage_id, reserved = used(hub, it), it.reserve(until=hub.clock().replace(year=2027, month=1))
    used(hub, it, purpose=Purpose.EDITORIAL)  # it needs none
    gone = at(hub, datetime(2027, 6, 20, 8, 30, tzinfo=UTC))
    pass_over(gone)
    assert (days(hub), withdrawn(hub)) == ([], 0)
    revoke(gone, client, release_id)
    for hour in (9, 10):
        pass_over(at(hub, datetime(2027, 6, 20, hour, tzinfo=UTC)))
    assert withdrawn(hub) == 1
    with hub.reading(HUB) as work:
        assert work.session.get_one(UsageRow, usage_id).withdrawn_at == gone.clock()
        assert work.session.get_one(UsageRow, reserved).withdrawn_at is None  # nothing is out by it
    told = {"release": release_id, "ends_on": "2027-06-19"}
    assert [told.items() <= each.items() for each in events(hub, "usage.withdrawn")] == [True]


@pytest.mark.parametrize(
    "more",
    [{"endsOn": END.isoformat()}, {"status": "LIMITED", "grants": [{**LIMITS, "endsOn": END.isoformat()}]}],
)
def test_the_end_of_a_release_is_told_of_and_ends_what_rests_on_it(
    hub: Hub, client: Client, more: dict[str, Any]
) -> None:
    it, release_id = released(client, **more)
    usage_id = used(hub, it)
    for day in (1, 2, 22, 23, 24, 28, 29, 30, 29, 10):  # the clock is set back at last
        for _ in range(2):
            pass_over(at(hub, datetime(2027, 6, day, 12, tzinfo=UTC)))
    assert days(hub) == [30, 7, 1]
    assert {(each["release"], each["ends_on"]) for each in events(hub, "usage.ending")} == {(release_id, "2027-06-30")}
    pass_over(at(hub, datetime(2027, 6, 30, 21, 59, tzinfo=UTC)))  # 23:59 in Berlin
    assert withdrawn(hub) == 0
    pass_over(at(hub, datetime(2027, 7, 1, 9, tzinfo=UTC)))
    with hub.reading(HUB) as work:
        moment = work.session.get_one(UsageRow, usage_id).withdrawn_at
    assert moment == datetime(2027, 6, 30, 22, tzinfo=UTC)  # midnight in Berlin


def test_a_release_that_is_no_longer_said_of_the_picture_ends_nothing(hub: Hub, client: Client) -> None:
    it, release_id = released(client)
    used(hub, it)
    fresh = release(client, status="UNLIMITED")
    assessed(client, it.asset, releases=[fresh["id"]], recognisablePeople=True)
    with hub.writing(client.viewer) as work:
        (said,) = work.session.scalars(sa.select(AssetRightsRow.id).where(AssetRightsRow.release_id == release_id))
        assessing.withdraw(work, said, "Signed anew.")
    revoke(hub, client, release_id)
    pass_over(at(hub, datetime(2027, 6, 20, 9, tzinfo=UTC)))
    assert withdrawn(hub) == 0
