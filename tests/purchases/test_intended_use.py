"""Whether a licence serves is decided by what the picture is wanted for, where somebody says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB
from storage.tables import RoleRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, refusal, unchanged
from tests.licensing.writing import assessed, release
from tests.purchases.buying import asked, bought, buyer, designer, moved, mutate, supplier
from tests.usage.using import Licensed, cap, licensed

CHECK = """query ($input: PurchaseCheckInput!) { purchaseCheck(input: $input) { findings {
  kind gap license { id } decision { outcome reasons { code } } } } }"""


@pytest.fixture
def stock(client: Client) -> str:
    return supplier(client)


def use(hub: Hub, amount: int = 200_000, **more: Any) -> dict[str, Any]:
    today = hub.clock().date()
    return {
        "action": "PRINT",
        "channel": "print.flyer",
        "territories": ["DE"],
        "window": {"from": today.isoformat(), "to": (today + timedelta(days=30)).isoformat()},
        "quantity": {"unit": "COPIES", "amount": amount},
        "purpose": "COMMERCIAL",
        **more,
    }


def half_used(hub: Hub, client: Client, stock: str) -> Licensed:
    """A picture that was bought with 500,000 copies, of which 400,000 are printed."""
    it = licensed(client, cap(500_000))
    bought(hub, buyer(hub), stock, encode("License", it.license_id), it.asset["id"])
    it.confirm(it.reserve(400_000))
    return it


def findings(client: Client, stock: str, **more: Any) -> list[dict[str, Any]]:
    told = {"supplier": stock, "item": "100", **more}
    found: list[dict[str, Any]] = client.ask(CHECK, input=told)["purchaseCheck"]["findings"]
    return found


def test_a_licence_that_is_nearly_used_up_says_what_it_lacks(hub: Hub, client: Client, stock: str) -> None:
    it = half_used(hub, client, stock)
    (small,) = findings(client, stock, intendedUse=use(hub, 100_000))
    assert (small["kind"], small["gap"], small["decision"]["outcome"]) == ("ALREADY_LICENSED", None, "ALLOWED")
    assert small["license"] == {"id": encode("License", it.license_id)}
    (large,) = findings(client, stock, intendedUse=use(hub, 200_000))
    assert (large["kind"], large["gap"]) == (
        "LICENSED_BUT_INSUFFICIENT",
        "It lacks: 400000 + 200000 > 500000 COPIES.",
    )
    assert [each["code"] for each in large["decision"]["reasons"]] == ["CAP_EXCEEDED"]


def test_what_does_not_serve_may_be_bought_again_and_what_serves_may_not(hub: Hub, client: Client, stock: str) -> None:
    half_used(hub, client, stock)
    mine = designer(hub)
    with unchanged(hub):
        assert refusal(asked(mine, stock, tier="EXTENDED", intendedUse=use(hub, 100_000)))["code"] == "ALREADY_LICENSED"
    made = accepted(asked(mine, stock, tier="EXTENDED", intendedUse=use(hub, 200_000)))["purchase"]
    accepted(moved(buyer(hub, name="Another"), "Approve", made))


def test_an_approval_decides_about_the_use_as_it_stands_then(hub: Hub, client: Client, stock: str) -> None:
    it = licensed(client, cap(500_000))
    bought(hub, buyer(hub), stock, encode("License", it.license_id), it.asset["id"])
    reserved = it.reserve(400_000)
    made = accepted(asked(designer(hub), stock, tier="EXTENDED", intendedUse=use(hub)))["purchase"]
    it.void(reserved)  # there is room again
    boss = buyer(hub, name="Another")
    with unchanged(hub):
        assert refusal(moved(boss, "Approve", made))["code"] == "ALREADY_LICENSED"


def test_a_use_that_cannot_be_decided_is_refused(hub: Hub, client: Client, stock: str) -> None:
    with unchanged(hub):
        wrongs: tuple[dict[str, Any], ...] = (
            {"channel": "print"},
            {"territories": []},
            {"window": {"from": "2027-01-02", "to": "2027-01-01"}},
            {"quantity": {"unit": "COPIES", "amount": 0}},
        )
        for wrong in wrongs:
            told = {"supplier": stock, "item": "1", "licenseTier": "STANDARD", "intendedUse": use(hub, **wrong)}
            assert refusal(mutate(client, "stockPurchaseRequest", "purchase { id }", **told))["code"] == "INVALID"


def test_who_is_known_to_be_in_the_picture_has_to_have_released_it(hub: Hub, client: Client, stock: str) -> None:
    it = licensed(client, cap(500_000))
    bought(hub, buyer(hub), stock, encode("License", it.license_id), it.asset["id"])
    (serves,) = findings(client, stock, intendedUse=use(hub, 1))
    assert serves["kind"] == "ALREADY_LICENSED"
    assessed(client, it.asset, recognisablePeople=True)
    (lacks,) = findings(client, stock, intendedUse=use(hub, 1))
    assert (lacks["kind"], lacks["gap"]) == ("LICENSED_BUT_INSUFFICIENT", "It lacks: RELEASE_MISSING.")
    (serves,) = findings(client, stock, intendedUse=use(hub, 1, purpose="EDITORIAL"))
    assert serves["kind"] == "ALREADY_LICENSED"
    row = release(client)
    told = {"release": row["id"], "expectedRevision": row["revision"], "status": "UNLIMITED"}
    accepted(client.mutate("releaseSign", "release { id }", **told))
    assessed(client, it.asset, releases=[row["id"]])
    (serves,) = findings(client, stock, intendedUse=use(hub, 1))
    assert (serves["kind"], serves["gap"]) == ("ALREADY_LICENSED", None)


def test_whoever_may_not_know_of_releases_is_told_of_the_licence_alone(hub: Hub, client: Client, stock: str) -> None:
    it = licensed(client, cap(500_000))
    bought(hub, buyer(hub), stock, encode("License", it.license_id), it.asset["id"])
    assessed(client, it.asset, recognisablePeople=True)
    with hub.writing(HUB) as work:
        work.session.add(RoleRow(name="asking", permissions=["asset.view", "purchase.request"], created_at=work.now))
    asking = Client(hub, acting.member(hub, "asking"))
    (told,) = findings(asking, stock, intendedUse=use(hub, 1))
    assert told["kind"] == "ALREADY_LICENSED"
