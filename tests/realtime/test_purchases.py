"""Whoever asked for a picture that is being bought already hears what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.hub import Hub
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, refusal
from tests.purchases.buying import asked, buyer, designer, moved, supplier
from tests.realtime.talking import Talk, here, serving, talking, token_of

CHANGES = """subscription ($mine: Boolean!, $ids: [ID!], $after: String) {
  stockPurchaseChanged(mine: $mine, ids: $ids, after: $after) { cursor change purchase { id state } }
}"""


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    with serving(hub) as found:
        yield found


def told(talk: Talk) -> tuple[str, str]:
    event = talk.hear()["payload"]["data"]["stockPurchaseChanged"]
    return event["purchase"]["id"], event["change"]


def test_the_first_and_the_second_who_asked_hear_what_becomes_of_it(hub: Hub, client: Client, address: str) -> None:
    stock = supplier(client)
    first, second, third = (designer(hub, name) for name in ("First", "Second", "Third"))
    made = accepted(asked(first, stock))["purchase"]
    assert refusal(asked(second, stock))["code"] == "ALREADY_REQUESTED"
    place = here(hub)
    other = accepted(asked(third, stock, item="200"))["purchase"]
    tokens = [token_of(hub, each.viewer, f"imp_{at}") for at, each in enumerate((first, second, third))]
    boss = buyer(hub)
    with (
        talking(address, tokens[0]) as one,
        talking(address, tokens[1]) as two,
        talking(address, tokens[2]) as three,
        talking(address, tokens[2]) as all_of_them,
    ):
        for talk in (one, two, three):
            talk.subscribe("1", CHANGES, mine=True, after=place)
        all_of_them.subscribe("1", CHANGES, mine=False, after=place)
        made = accepted(moved(boss, "Approve", made))["purchase"]
        accepted(moved(boss, "Reject", made, reason="We have enough boats."))
        for talk in (one, two):
            assert [told(talk), told(talk)] == [(made["id"], "APPROVED"), (made["id"], "REJECTED")]
            assert talk.is_silent()
        assert told(three) == (other["id"], "REQUESTED")
        assert three.is_silent()
        changes = [told(all_of_them) for _ in range(3)]
        assert changes == [(other["id"], "REQUESTED"), (made["id"], "APPROVED"), (made["id"], "REJECTED")]


def test_who_may_not_know_of_purchases_hears_of_none(hub: Hub, client: Client, address: str) -> None:
    north = acting.organisation(hub, "North")
    apart = token_of(hub, designer(hub, "Apart", org_id=north).viewer, "imp_apart")
    place = here(hub)
    accepted(asked(designer(hub), supplier(client)))
    with talking(address, apart) as talk:
        talk.subscribe("1", CHANGES, mine=False, after=place)
        assert talk.is_silent()
