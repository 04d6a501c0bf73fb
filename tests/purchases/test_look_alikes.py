"""Pictures that look like the supplier's preview: at another supplier's, in the library, or the brand's own."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, refusal, unchanged
from tests.likeness.looks import brought, jpeg
from tests.purchases.buying import asked, bought, buyer, checked, covered, designer, license_, moved, supplier
from tests.working import work_off


@pytest.fixture
def stock(client: Client) -> str:
    return supplier(client)


def preview(client: Client, number: int = 1, change: str | None = "a quarter") -> str:
    """An upload of a supplier's small preview, which was looked at."""
    upload = client.upload(jpeg(number, change), "preview.jpg")
    work_off(client.hub)
    return upload


def test_the_same_picture_from_another_supplier_has_to_be_looked_at_first(hub: Hub, client: Client, stock: str) -> None:
    boss, mine = buyer(hub), designer(hub)
    asset = brought(client, jpeg(1))
    had = bought(hub, boss, stock, license_(hub, client.viewer.principal_id or 0), asset["id"], item="55")
    other = supplier(client, "another")
    upload = preview(mine)
    (found,) = checked(mine, supplier=other, item="9", upload=upload)
    assert found["kind"] == "SAME_PICTURE_OTHER_SUPPLIER"
    assert found["needsAcknowledgement"]
    assert 0 <= found["distance"] <= 64
    assert found["asset"] == {"id": asset["id"]}
    with unchanged(hub):
        error = refusal(asked(mine, other, item="9", upload=upload))
        assert (error["code"], error["assets"]) == ("LOOKS_ALIKE", [{"id": asset["id"]}])
    made = accepted(asked(mine, other, item="9", upload=upload, acknowledged=[asset["id"]]))["purchase"]
    accepted(moved(boss, "Approve", made))  # it was looked at
    (same,) = checked(mine, supplier=stock, item="55", upload=upload)[:1]
    assert (same["kind"], same["purchase"]["id"]) == ("ALREADY_LICENSED", had["id"])


def test_what_comes_to_look_alike_later_is_looked_at_by_whoever_approves(hub: Hub, client: Client, stock: str) -> None:
    boss, mine = buyer(hub), designer(hub)
    made = accepted(asked(mine, stock, upload=preview(mine)))["purchase"]
    asset = brought(client, jpeg(1))
    with unchanged(hub):
        assert refusal(moved(boss, "Approve", made))["assets"] == [{"id": asset["id"]}]
    assert accepted(moved(boss, "Approve", made, acknowledged=[asset["id"]]))["purchase"]["state"] == "APPROVED"


def test_a_picture_of_ones_own_is_told_and_booked_when_the_purchase_is_given_up(
    hub: Hub, client: Client, stock: str
) -> None:
    mine = designer(hub)
    asset = brought(client, jpeg(1))
    principal_id = client.viewer.principal_id or 0
    covered(hub, asset, license_(hub, principal_id, kind="OWNED"), principal_id)
    upload = preview(mine)
    (found,) = checked(mine, supplier=stock, item="9", upload=upload)
    assert (found["kind"], found["needsAcknowledgement"]) == ("OWNED_ALTERNATIVE", False)
    made = accepted(asked(mine, stock, item="9", upload=upload, fee={"amount": "80.00", "currency": "CHF"}))["purchase"]
    accepted(moved(mine, "Cancel", made))
    told = client.ask("{ avoidedSpend { nodes { avoidedBy amount { amount currency } } } }")["avoidedSpend"]["nodes"]
    assert told == [{"avoidedBy": "OWNED_ALTERNATIVE", "amount": {"amount": "80.00", "currency": "CHF"}}]


def test_the_same_picture_on_its_way_from_another_supplier_is_told(hub: Hub, client: Client, stock: str) -> None:
    first, second = designer(hub, "First"), designer(hub, "Second")
    made = accepted(asked(first, stock, upload=preview(first)))["purchase"]
    other = supplier(client, "another")
    (found,) = checked(second, supplier=other, item="9", upload=preview(second, change="JPEG q50"))
    assert (found["kind"], found["purchase"]["id"]) == ("SAME_PICTURE_OTHER_SUPPLIER", made["id"])
    assert found["asset"] is None
    assert not found["needsAcknowledgement"]


def test_a_preview_that_is_still_looked_at_says_so_and_one_of_somebody_else_is_none(
    hub: Hub, client: Client, stock: str
) -> None:
    mine = designer(hub)
    upload = mine.upload(jpeg(1), "preview.jpg")
    query = "query ($input: PurchaseCheckInput!) { purchaseCheck(input: $input) { item } }"
    answer = mine.answer(query, input={"supplier": stock, "item": "1", "upload": upload})
    assert answer["errors"][0]["extensions"]["code"] == "CONFLICT"
    work_off(hub)
    assert checked(mine, supplier=stock, item="1", upload=upload)[0]["kind"] == "CLEAR"
    answer = client.answer(query, input={"supplier": stock, "item": "1", "upload": upload})
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_nobody_is_told_of_pictures_that_they_may_not_see(hub: Hub, client: Client, stock: str) -> None:
    brought(client, jpeg(1))
    theirs = designer(hub, org_id=acting.organisation(hub, "North"))
    (found,) = checked(theirs, supplier=stock, item="9", upload=preview(theirs))
    assert found["kind"] == "CLEAR"
