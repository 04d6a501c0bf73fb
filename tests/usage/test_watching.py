"""Exclusivity that was promised to us: told of before it ends, once each, by its own days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.global_ids import encode
from domain.hub import Hub
from domain.usage import watching
from domain.work import BRAND_ORG_ID
from tests.asking import Client
from tests.assets.acts import accepted, created, events, picture
from tests.usage.test_ending import pass_over
from tests.usage.using import at

END = date(2027, 6, 30)


def promised(client: Client, asset: dict[str, Any], **more: Any) -> str:
    told = {"direction": "INCOMING", "endsOn": END.isoformat(), "zone": "Europe/Berlin", **more}
    told = {"asset": asset["id"], "holder": encode("Organisation", BRAND_ORG_ID), **told}
    found: str = accepted(client.mutate("exclusivityGive", "exclusivity { id }", **told))["exclusivity"]["id"]
    return found


def told(hub: Hub) -> list[int]:
    return [each["days"] for each in events(hub, "exclusivity.ending")]


def test_what_was_promised_to_us_is_told_of_four_times_before_it_ends(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    exclusivity = promised(client, asset)
    promised(client, asset, direction="OUTGOING")
    promised(client, asset, endsOn=None)
    counts = []
    for moment in (
        datetime(2027, 3, 31, 12, tzinfo=UTC),  # 91 days
        datetime(2027, 3, 31, 22, tzinfo=UTC),  # the next day in Berlin
        datetime(2027, 5, 30, 12, tzinfo=UTC),
        datetime(2027, 5, 31, 12, tzinfo=UTC),
        datetime(2027, 6, 22, 12, tzinfo=UTC),
        datetime(2027, 6, 23, 12, tzinfo=UTC),
        datetime(2027, 6, 29, 12, tzinfo=UTC),
        datetime(2027, 6, 30, 12, tzinfo=UTC),
        datetime(2027, 7, 1, 12, tzinfo=UTC),
        datetime(2027, 4, 10, 12, tzinfo=UTC),  # the clock is set back
    ):
        for _ in range(2):
            pass_over(at(hub, moment))
        counts.append(len(told(hub)))
    assert counts == [0, 1, 1, 2, 2, 3, 4, 4, 4, 4]
    assert told(hub) == [90, 30, 7, 1]
    (first, *_) = events(hub, "exclusivity.ending")
    assert encode("Exclusivity", first["exclusivity"]) == exclusivity
    assert (first["ends_on"], first["holder"]) == ("2027-06-30", BRAND_ORG_ID)


def test_what_was_ended_is_watched_no_more_and_who_comes_too_late_is_not_told(hub: Hub, client: Client) -> None:
    exclusivity = promised(client, created(client, picture(1)))
    pass_over(at(hub, datetime(2027, 7, 1, 12, tzinfo=UTC)))
    assert told(hub) == []
    accepted(client.mutate("exclusivityEnd", "exclusivity { id }", exclusivity=exclusivity, reason="Given back."))
    pass_over(at(hub, datetime(2027, 6, 29, 12, tzinfo=UTC)))
    assert told(hub) == []


def test_batches_leave_no_exclusivity_out(hub: Hub, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "AT_ONCE", 2)
    asset = created(client, picture(1))
    for _ in range(5):
        promised(client, asset)
    pass_over(at(hub, datetime(2027, 6, 29, 12, tzinfo=UTC)))
    assert told(hub) == [1] * 5
