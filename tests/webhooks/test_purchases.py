"""What becomes of a purchase, told to machines that may know of it."""

from __future__ import annotations

from domain.permissions import Permission
from tests.assets.acts import accepted
from tests.purchases.buying import asked, buyer, designer, moved, supplier
from tests.webhooks.house import House
from tests.webhooks.test_rights import account, for_account

DOCUMENT = "query ($subject: ID!) { node(id: $subject) { ... on StockPurchase { item state } } }"
EVENTS = ["STOCK_PURCHASE_REQUESTED", "STOCK_PURCHASE_APPROVED"]


def test_what_becomes_of_a_purchase_is_told_to_whoever_may_know_of_it(house: House) -> None:
    stock = supplier(house.client)
    for permission in (Permission.PURCHASE_REQUEST, Permission.ASSET_VIEW):
        for_account(house, account(house, permission), events=EVENTS, document=DOCUMENT)
    made = accepted(asked(designer(house.hub), stock))["purchase"]
    accepted(moved(buyer(house.hub), "Approve", made))
    assert house.tell() == 2
    assert [(each["type"], each["data"]["node"]["item"]) for each in house.bodies] == [
        ("stock_purchase.requested", "100"),
        ("stock_purchase.approved", "100"),
    ]
