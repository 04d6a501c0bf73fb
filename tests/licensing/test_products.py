"""Grants and uses that are for a product: written, decided, reserved, delivered, listed, and refused."""

from __future__ import annotations

from typing import Any

import pytest

from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.licensing import grants
from domain.work import HUB, Viewer
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets.acts import accepted, created, picture, unchanged
from tests.delivery.licensed import FLYER, FLYERS, Licensed
from tests.licensing import writing
from tests.licensing.test_deliverable_story import compile_what_is_due
from tests.licensing.test_engine_story import DECISION, GRANT, ask, licensed, use
from tests.products.test_register import made, mutate
from tests.schema import samples_licensing
from tests.schema.samples import Brand
from tests.schema.samples_purchases import supplier as supplier_of
from tests.usage.test_story import told

MATRIX = "query ($input: RightsMatrixInput!) { rightsMatrix(input: $input) { cells { outcome } } }"
UNKNOWN = encode("Product", 4711)


@pytest.fixture
def brand(hub: Hub, client: Client) -> Brand:
    return Brand(hub, client)


def named(client: Client, *codes: str) -> list[str]:
    return [made(client, code)["id"] for code in codes]


def test_a_grant_for_a_product_carries_uses_for_it_alone(client: Client, brand: Brand) -> None:
    mug, cup, pen = named(client, "MUG", "CUP", "PEN")
    asset = brand.asset()
    version = asset["current"]["id"]
    licensed(brand, asset, {**GRANT, "products": [cup, mug, mug]})
    assert [ask(client, version, product=each)["outcome"] for each in (mug, cup, pen)] == [
        "ALLOWED",
        "ALLOWED",
        "DENIED",
    ]
    (reason,) = ask(client, version, product=pen)["reasons"]
    assert (reason["code"], reason["dimension"]) == ("CONTEXT_NOT_GRANTED", "PRODUCT")
    assert (reason["expected"], reason["actual"]) == ("CUP, MUG", "PEN")
    assert reason["message"] == "Die Lizenz gilt nur für CUP, MUG."
    open_ = ask(client, version)
    assert (open_["outcome"], open_["missing"]) == ("UNKNOWN", ["PRODUCT_NOT_GIVEN"])
    assert open_["reasons"][0]["message"] == "Bitte das Produkt angeben: die Lizenz gilt für CUP, MUG."


def test_what_is_forbidden_for_a_product_is_forbidden_where_none_is_named(client: Client, brand: Brand) -> None:
    mug, pen = named(client, "MUG", "PEN")
    asset = brand.asset()
    licensed(brand, asset, GRANT, {**GRANT, "effect": "PROHIBIT", "products": [mug]})
    version = asset["current"]["id"]
    assert [ask(client, version, product=each)["outcome"] for each in (mug, pen, None)] == [
        "DENIED",
        "ALLOWED",
        "DENIED",
    ]
    cells = {}
    for product in (mug, pen):
        given = use(version, channels=["print.flyer"], product=product)
        del given["channel"]
        cells[product] = client.ask(MATRIX, input=given)["rightsMatrix"]["cells"]
    assert cells == {mug: [{"outcome": "DENIED"}], pen: [{"outcome": "ALLOWED"}]}


def test_a_licence_says_its_products_to_whoever_may_know_of_both(hub: Hub, client: Client) -> None:
    mug, cup = named(client, "MUG", "CUP")
    row = writing.draft(client, grants=[{**GRANT, "products": [mug, cup]}, GRANT])
    query = "query ($id: ID!) { license(id: $id) { grants { products { code } } } }"
    told = {"grants": [{"products": [{"code": "MUG"}, {"code": "CUP"}]}, {"products": []}]}
    assert client.ask(query, id=row["id"])["license"] == told
    stranger = Client(hub, member(hub, "partner", org_id=organisation(hub, "South")))
    assert stranger.ask(query, id=row["id"]) == {"license": None}


@pytest.mark.parametrize("given", ["unknown", "no product", "archived", "another tenant's"])
def test_a_grant_for_what_is_no_product_of_ours_is_refused_and_nothing_is_written(
    hub: Hub, client: Client, given: str
) -> None:
    (mug,) = named(client, "MUG")
    if given == "archived":
        accepted(mutate(client, "productUpdate", "product { id }", product=mug, expectedRevision=1, archived=True))
    theirs = made(client, "THEIRS", organisation=encode("Organisation", organisation(hub, "South")))["id"]
    wrong = {"unknown": UNKNOWN, "no product": encode("Asset", 1), "archived": mug, "another tenant's": theirs}[given]
    told = {"title": "A licence", "startsOn": "2026-01-01", "kind": "RIGHTS_MANAGED"}
    with unchanged(hub):
        payload = client.mutate(
            "licenseCreate", "license { id }", **told, grants=[GRANT, {**GRANT, "products": [wrong]}]
        )
    (error,) = payload["errors"]
    assert error["code"] == ("CONFLICT" if given == "archived" else "NOT_FOUND")
    assert error["path"] == ["grants", "1", "products"]
    row = writing.draft(client)
    with unchanged(hub):
        changed = {"license": row["id"], "expectedRevision": 1, "grants": [{**GRANT, "products": [wrong]}]}
        assert client.mutate("licenseUpdate", "license { id }", **changed)["errors"][0]["code"] == error["code"]


def test_a_licence_of_an_affiliate_may_name_its_own_products_and_those_above(hub: Hub, client: Client) -> None:
    south = encode("Organisation", organisation(hub, "South"))
    (mug,) = named(client, "MUG")
    theirs = made(client, "THEIRS", organisation=south)["id"]
    row = writing.draft(client, organisation=south, grants=[{**GRANT, "products": [theirs, mug]}])
    with hub.reading(HUB) as work:
        (grant,) = grants.of_licenses(work, [decode(row["id"])[1]])[decode(row["id"])[1]]
        assert grant.products == sorted(decode(each)[1] for each in (theirs, mug))


DOWNLOAD = """query ($id: ID!, $use: UseInput) { node(id: $id) {
  ... on AssetVersion { download(use: $use) { url } } } }"""


@pytest.mark.parametrize("given", ["unknown", "no product", "another tenant's"])
def test_a_use_for_what_is_no_product_of_ours_is_refused_at_every_door(
    hub: Hub, client: Client, brand: Brand, given: str
) -> None:
    theirs = made(client, "THEIRS", organisation=encode("Organisation", organisation(hub, "South")))["id"]
    wrong = {"unknown": UNKNOWN, "no product": encode("Asset", 1), "another tenant's": theirs}[given]
    who = Client(hub, member(hub, "designer", org_id=organisation(hub, "North")))
    version = (
        brand.asset()["current"]["id"] if given != "another tenant's" else created(who, picture(77))["current"]["id"]
    )
    asking = who if given == "another tenant's" else client
    asked = use(version, product=wrong)
    fetched = {name: each for name, each in asked.items() if name != "versionId"}
    matrix = {name: each for name, each in asked.items() if name != "channel"} | {"channels": ["print.flyer"]}
    with unchanged(hub):
        for query, variables in (
            (DECISION, {"input": asked}),
            (MATRIX, {"input": matrix}),
            (DOWNLOAD, {"id": version, "use": fetched}),
        ):
            (error,) = asking.answer(query, **variables)["errors"]
            assert error["extensions"]["code"] == "NOT_FOUND", query
        (refused,) = told(asking, "rightsReserve", "usage { id }", use=asked)["errors"]
        assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["product"])


def test_what_is_fetched_or_reserved_for_a_product_is_so_for_it_alone(hub: Hub, admin: Viewer, client: Client) -> None:
    mug, pen = named(client, "MUG", "PEN")
    it = Licensed(hub, admin, {"grants": [FLYERS | {"products": [mug]}]})
    given = [it.told(it.partner, FLYER | {"product": each})["download"] for each in (mug, pen, None)]
    assert [each is not None for each in given] == [True, False, False]
    (row,) = it.kept()
    assert (row.outcome, row.request["product"]) == ("ALLOWED", decode(mug)[1])
    paths = it.paths(it.partner, FLYER | {"product": mug})
    assert it.statuses(paths[:2]) == [200, 200]
    version = encode("AssetVersion", it.version.id)
    partner = Client(hub, it.partner)
    (refused,) = told(partner, "rightsReserve", "usage { id }", use={"versionId": version, **FLYER, "product": pen})[
        "errors"
    ]
    assert (refused["code"], refused["decision"]["outcome"]) == ("RIGHTS_DENIED", "DENIED")
    accepted(told(partner, "rightsReserve", "usage { id }", use={"versionId": version, **FLYER, "product": mug}))


def test_a_list_of_what_may_be_delivered_leaves_out_what_is_for_a_product(
    hub: Hub, client: Client, brand: Brand
) -> None:
    """It has no word for a product, and so lists what is allowed for any."""
    (mug,) = named(client, "MUG")
    for_all, for_mugs, not_for_mugs = brand.asset(), brand.asset(), brand.asset()
    licensed(brand, for_all)
    licensed(brand, for_mugs, {**GRANT, "products": [mug]})
    licensed(brand, not_for_mugs, GRANT, {**GRANT, "effect": "PROHIBIT", "products": [mug]})
    compile_what_is_due(hub)
    wanted: dict[str, Any] = {
        "channel": "print.flyer",
        "territories": ["DE"],
        "purpose": "COMMERCIAL",
        "action": "PRINT",
    }
    wanted |= {"window": {"from": "2026-05-01", "to": "2026-05-31"}}
    query = "query ($use: DeliverableFilter!) { assets(where: {deliverableFor: $use}) { nodes { id } } }"
    assert client.ask(query, use=wanted)["assets"]["nodes"] == [{"id": for_all["id"]}]


def test_what_is_wanted_for_a_product_is_not_bought_where_a_licence_for_it_serves(
    hub: Hub, client: Client, brand: Brand
) -> None:
    mug, pen = named(client, "MUG", "PEN")
    supplier = supplier_of(brand)
    license_ = samples_licensing.active(brand, grants=[{**GRANT, "products": [mug]}])["id"]
    told_of = {"supplier": supplier, "item": "7", "licenseTier": "STANDARD", "license": license_}
    accepted(client.mutate("stockPurchaseRecord", "purchase { id }", **told_of))
    query = """query ($input: PurchaseCheckInput!) { purchaseCheck(input: $input) {
      findings { kind gap decision { outcome reasons { expected actual } } } } }"""
    intended = {name: each for name, each in use("").items() if name != "versionId"}
    found = {}
    for product in (mug, pen):
        asked = {"supplier": supplier, "item": "7", "intendedUse": {**intended, "product": product}}
        found[product] = client.ask(query, input=asked)["purchaseCheck"]["findings"][0]
    assert found[mug] == {"kind": "ALREADY_LICENSED", "gap": None, "decision": {"outcome": "ALLOWED", "reasons": []}}
    assert found[pen]["kind"] == "LICENSED_BUT_INSUFFICIENT"
    assert found[pen]["decision"]["reasons"] == [{"expected": "MUG", "actual": "PEN"}]
