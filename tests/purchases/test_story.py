"""A picture from the wish to the licence, and everybody who may not have a part in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.purchases import savings
from domain.work import HUB, Viewer
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, events, picture, reasons, refusal, unchanged
from tests.assets.together import together
from tests.lifecycle.turning import later
from tests.purchases.buying import (
    SELECTED,
    asked,
    bought,
    buyer,
    checked,
    designer,
    kinds,
    license_,
    moved,
    mutate,
    supplier,
)


@pytest.fixture
def stock(client: Client) -> str:
    return supplier(client)


def test_a_picture_is_asked_for_approved_ordered_and_licensed(hub: Hub, client: Client, stock: str) -> None:
    mine, boss = designer(hub), buyer(hub)
    fee = {"amount": "12.50", "currency": "EUR"}
    made = accepted(asked(mine, stock, title="Two  boats", fee=fee))["purchase"]
    assert (made["state"], made["subscribed"], made["subscriberCount"]) == ("REQUESTED", True, 1)
    assert made["title"] == "Two boats"
    made = accepted(moved(boss, "Approve", made))["purchase"]
    made = accepted(moved(boss, "Order", made, orderRef="A 17"))["purchase"]
    asset = created(client, picture(1))
    told = {"license": license_(hub, client.viewer.principal_id or 0), "asset": asset["id"]}
    made = accepted(moved(boss, "License", made, **told))["purchase"]
    assert (made["state"], made["asset"]["id"]) == ("LICENSED", asset["id"])
    for event in ("requested", "approved", "ordered", "licensed"):
        assert len(events(hub, f"stock_purchase.{event}")) == 1
    query = "query ($id: ID!) { node(id: $id) { ... on StockPurchase { fee { amount currency } orderRef } } }"
    assert boss.ask(query, id=made["id"])["node"] == {"fee": fee, "orderRef": "A 17"}
    hidden = mine.answer(query, id=made["id"])
    assert hidden["data"]["node"]["fee"] is None
    assert hidden["extensions"]["denied"] == [{"path": ["node", "fee"], "permission": "field.money"}]


def test_an_address_names_supplier_and_item(hub: Hub, client: Client, stock: str) -> None:
    url = "https://www.stock.example.com/photos/two-boats-4711?from=search"
    made = accepted(
        mutate(client, "stockPurchaseRequest", "purchase { item supplier { id } }", url=url, licenseTier="S")
    )
    assert made["purchase"] == {"item": "4711", "supplier": {"id": stock}}
    with unchanged(hub):
        for odd in ("https://other.example.com/photos/two-boats-4711", "nothing"):
            told = {"url": odd, "licenseTier": "S"}
            assert refusal(mutate(client, "stockPurchaseRequest", "purchase { id }", **told))["constraint"] == "address"
        for told in ({"item": "1"}, {"item": "1", "url": url, "supplier": stock}, {}):
            said = {"licenseTier": "S", **told}
            assert refusal(mutate(client, "stockPurchaseRequest", "purchase { id }", **said))["constraint"] == "choice"
        assert refusal(asked(client, stock, tier="standard"))["constraint"] == "format"
        assert refusal(asked(client, stock, item="a b"))["constraint"] == "format"
        assert refusal(asked(client, stock, fee={"amount": "1.234", "currency": "EUR"}))["constraint"] == "digits"


def test_who_comes_second_hears_of_the_first_and_waits_for_it(hub: Hub, client: Client, stock: str) -> None:
    first, second = designer(hub, "First"), designer(hub, "Second")
    made = accepted(asked(first, stock))["purchase"]
    fee = {"amount": "30.00", "currency": "EUR"}
    for _ in range(2):  # asking again changes nothing more
        error = refusal(asked(second, stock, fee=fee))
        assert (error["code"], error["__typename"]) == ("ALREADY_REQUESTED", "AlreadyRequestedError")
        assert error["purchase"] == {"id": made["id"], "subscribed": True}
    told = client.ask("{ stockPurchases { nodes { id subscriberCount } totalCount } }")["stockPurchases"]
    assert told == {"nodes": [{"id": made["id"], "subscriberCount": 2}], "totalCount": 1}
    mine = second.ask("{ stockPurchases(mine: true) { nodes { id } } }")["stockPurchases"]["nodes"]
    assert mine == [{"id": made["id"]}]
    avoided = client.ask("{ avoidedSpend { nodes { avoidedBy amount { amount } purchase { id } } totalCount } }")
    assert avoided["avoidedSpend"] == {
        "nodes": [{"avoidedBy": "PENDING", "amount": {"amount": "30.00"}, "purchase": {"id": made["id"]}}],
        "totalCount": 1,
    }
    assert client.ask("{ avoidedSpendTotals { minorUnits currency } }")["avoidedSpendTotals"] == [
        {"minorUnits": "3000", "currency": "EUR"}
    ]
    assert len(events(hub, "stock_purchase.subscribed")) == len(events(hub, "spend.avoided")) == 1
    accepted(asked(second, stock, tier="EXTENDED"))  # under other terms it is something else


def test_who_asks_for_their_own_again_spares_nothing(hub: Hub, client: Client, stock: str) -> None:
    mine, fee = designer(hub), {"amount": "30.00", "currency": "EUR"}
    made = accepted(asked(mine, stock, fee=fee))["purchase"]
    with unchanged(hub):
        assert refusal(asked(mine, stock, fee=fee))["purchase"]["id"] == made["id"]
    assert client.ask("{ avoidedSpendTotals { currency } }") == {"avoidedSpendTotals": []}


def test_of_many_who_ask_at_once_one_asks_and_all_wait(hub: Hub, client: Client, stock: str) -> None:
    people = [designer(hub, f"Designer {number}") for number in range(8)]
    answers = together([lambda mine=mine: asked(mine, stock) for mine in people])  # type: ignore[misc]  # bound now
    (made,) = [answer["purchase"] for answer in answers if not answer["errors"]]
    others = [refusal(answer) for answer in answers if answer["errors"]]
    assert {error["code"] for error in others} == {"ALREADY_REQUESTED"}
    assert {error["purchase"]["id"] for error in others} == {made["id"]}
    told = client.ask("{ stockPurchases { nodes { subscriberCount } } }")["stockPurchases"]["nodes"]
    assert told == [{"subscriberCount": 8}]


def test_what_is_over_can_be_asked_for_again(hub: Hub, client: Client, stock: str) -> None:
    mine, boss = designer(hub), buyer(hub)
    made = accepted(asked(mine, stock))["purchase"]
    rejected = accepted(moved(boss, "Reject", made, reason="Too dear."))["purchase"]
    assert rejected["state"] == "REJECTED"
    assert reasons(hub, "stock_purchase.rejected") == ["Too dear."]
    again = accepted(asked(mine, stock))["purchase"]
    with unchanged(hub):
        for verb, told in (("Approve", {}), ("Cancel", {}), ("Reject", {"reason": "No."}), ("Order", {})):
            assert refusal(moved(boss, verb, rejected, **told))["code"] == "CONFLICT"
        assert refusal(moved(boss, "Approve", {**again, "revision": 7}))["current"] == again["revision"]
    assert accepted(moved(mine, "Cancel", again))["purchase"]["state"] == "CANCELLED"
    with hub.reading(HUB) as work:
        assert savings.totals(work) == []  # it was needed, and nobody said what it costs


def test_nobody_decides_about_their_own_wish(hub: Hub, stock: str) -> None:
    boss, other, mine = buyer(hub), buyer(hub, name="Another"), designer(hub)
    made = accepted(asked(boss, stock))["purchase"]
    with unchanged(hub):
        assert refusal(moved(boss, "Approve", made))["code"] == "CONFLICT"
        assert refusal(moved(mine, "Approve", made))["permission"] == "purchase.approve"
        assert refusal(moved(mine, "Cancel", made))["permission"] == "purchase.approve"
    assert accepted(moved(other, "Approve", made))["purchase"]["state"] == "APPROVED"


def test_what_is_licensed_is_not_bought_again_until_the_licence_ends(hub: Hub, client: Client, stock: str) -> None:
    boss = buyer(hub)
    ends_on = (hub.clock() + timedelta(days=10)).date()
    licensed = license_(hub, client.viewer.principal_id or 0, ends_on=ends_on)
    had = bought(hub, boss, stock, licensed)
    (found,) = checked(client, supplier=stock, item="100", licenseTier="STANDARD")
    assert (found["kind"], found["purchase"]["id"], found["gap"]) == ("ALREADY_LICENSED", had["id"], None)
    error = refusal(asked(client, stock, fee={"amount": "9", "currency": "EUR"}))
    assert (error["code"], error["purchase"]["id"]) == ("ALREADY_LICENSED", had["id"])
    assert client.ask("{ avoidedSpend { nodes { avoidedBy } } }")["avoidedSpend"]["nodes"] == [
        {"avoidedBy": "ALREADY_LICENSED"}
    ]
    (found,) = checked(client, supplier=stock, item="100", licenseTier="EXTENDED")
    assert (found["kind"], found["gap"]) == (
        "LICENSED_BUT_INSUFFICIENT",
        "It is licensed as STANDARD, not as EXTENDED.",
    )
    then = Client(later(hub, days=12), client.viewer)
    (found,) = checked(then, supplier=stock, item="100", licenseTier="STANDARD")
    assert (found["kind"], found["gap"]) == ("LICENSED_BUT_INSUFFICIENT", f"Its licence ended on {ends_on}.")
    accepted(asked(then, stock))


def test_approval_finds_out_again_whether_it_still_has_to_be_bought(hub: Hub, client: Client, stock: str) -> None:
    boss, mine = buyer(hub), designer(hub)
    other = supplier(client, "another")
    fee = {"amount": "40", "currency": "JPY"}
    waiting = accepted(asked(mine, other, item="7", fee=fee))["purchase"]
    licensed = license_(hub, client.viewer.principal_id or 0)
    told = {"supplier": other, "item": "7", "licenseTier": "STANDARD", "license": licensed}
    with unchanged(hub):
        assert refusal(mutate(mine, "stockPurchaseRecord", SELECTED, **told))["permission"] == "purchase.approve"
    accepted(mutate(boss, "stockPurchaseRecord", SELECTED, **told))
    with unchanged(hub):
        assert refusal(moved(boss, "Approve", waiting))["code"] == "ALREADY_LICENSED"
    accepted(moved(boss, "Reject", waiting, reason="We have it."))
    assert client.ask("{ avoidedSpendTotals { minorUnits currency } }")["avoidedSpendTotals"] == [
        {"minorUnits": "40", "currency": "JPY"}
    ]


def test_affiliates_know_of_their_own_purchases_alone(hub: Hub, client: Client, stock: str) -> None:
    north, south = acting.organisation(hub, "North"), acting.organisation(hub, "South")
    theirs, others = designer(hub, "Their designer", north), designer(hub, "Another", south)
    made = accepted(asked(theirs, stock))["purchase"]
    query = "query ($id: ID!) { node(id: $id) { id } stockPurchases { nodes { id } totalCount } }"
    unseen = {"node": None, "stockPurchases": {"nodes": [], "totalCount": 0}}
    assert others.ask(query, id=made["id"]) == unseen
    assert client.ask(query, id=made["id"])["stockPurchases"]["totalCount"] == 1
    assert kinds(checked(others, supplier=stock, item="100")) == ["CLEAR"]
    error = refusal(asked(others, stock))
    assert (error["code"], error["purchase"]) == ("ALREADY_REQUESTED", None)
    with unchanged(hub):
        assert refusal(moved(others, "Cancel", made))["code"] == "NOT_FOUND"
    viewer = Client(hub, acting.member(hub, "viewer"))
    assert viewer.ask(query, id=made["id"]) == unseen
    assert viewer.ask("{ suppliers { id } }") == {"suppliers": []}
    with unchanged(hub):
        assert refusal(asked(viewer, stock))["code"] == "NOT_FOUND"


SCRIPTS = (
    "UPDATE stock_purchase SET state = 'LICENSED'",
    "UPDATE stock_purchase SET state = 'ORDERED'",
    "UPDATE stock_purchase SET license_tier = 'OTHER'",
    "UPDATE stock_purchase SET fee_minor = 1",
    "UPDATE stock_purchase SET intended_use = '{}'",
    "UPDATE stock_purchase SET requested_by = requested_by + 1",
    "DELETE FROM stock_purchase WHERE NOT EXISTS (SELECT 1 FROM purchase_subscriber WHERE purchase_id = id)",
    "UPDATE avoided_spend SET amount_minor = 1",
    "DELETE FROM avoided_spend",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_database_itself_keeps_purchases_and_memos(hub: Hub, client: Client, stock: str, script: str) -> None:
    fee = {"amount": "30.00", "currency": "EUR"}
    accepted(asked(designer(hub), stock, fee=fee))
    refusal(asked(client, stock, fee=fee))
    with hub.database.writing() as session:
        session.execute(sa.text("DELETE FROM purchase_subscriber"))
    with unchanged(hub), pytest.raises(sa.exc.IntegrityError), hub.database.writing() as session:
        session.execute(sa.text(script))


def test_a_supplier_is_changed_and_put_away(hub: Hub, client: Client, admin: Viewer, stock: str) -> None:
    mine = designer(hub)
    made = accepted(asked(mine, stock))["purchase"]
    told = {"supplier": stock, "expectedRevision": 1}
    with unchanged(hub):
        assert refusal(mutate(mine, "supplierUpdate", "supplier { id }", **told, name="X"))["permission"] == (
            "supplier.manage"
        )
        assert refusal(mutate(client, "supplierCreate", "supplier { id }", key="stock", name="X"))["code"] == "CONFLICT"
    changed = mutate(client, "supplierUpdate", "supplier { name revision archivedAt }", **told, name="Y", archived=True)
    assert accepted(changed)["supplier"]["name"] == "Y"
    with unchanged(hub):
        assert refusal(asked(mine, stock, item="2"))["code"] == "CONFLICT"
        url = "https://stock.example.com/photos/boats-1"
        told = {"url": url, "licenseTier": "STANDARD"}
        assert refusal(mutate(mine, "stockPurchaseRequest", "purchase { id }", **told))["constraint"] == "address"
    accepted(moved(buyer(hub), "Approve", made))  # what is under way goes on
    assert len(events(hub, "supplier.updated")) == 1
