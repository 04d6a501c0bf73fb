"""Brands, and which assets carry which."""

from __future__ import annotations

from typing import Any

import pytest

from domain import brands
from domain.global_ids import encode
from tests.assets.acts import change as change_asset
from tests.assets.acts import created, picture, unchanged
from tests.people.folk import BRAND, House, accepted, change, not_done, number
from tests.people.test_organisations import bring
from tests.working import mutate

BRANDS = "query ($id: ID!) { node(id: $id) { ... on Organisation { brands { id name archived } } } }"
LOOK = "query ($id: ID!) { asset(id: $id) { revision brand { id name archived } } }"


def brand(house: House, org: str, name: str) -> str:
    return house.done("brandCreate", BRAND, organisation=org, name=name)


def test_a_brand_is_made_renamed_and_put_away(house: House) -> None:
    made = brand(house, house.top, "  Sun  &  Sea ")
    assert house.admin.ask(BRANDS, id=house.top)["node"]["brands"] == [
        {"id": made, "name": "Sun & Sea", "archived": False}
    ]
    assert (
        accepted(change(house.admin, house, "brandUpdate", "brand", made, name="SUN & SEA"))["brand"]["revision"] == 2
    )
    assert accepted(change(house.admin, house, "brandArchive", "brand", made))["brand"]["archived"]
    assert house.admin.ask(BRANDS, id=house.top)["node"]["brands"] == []
    for mutation, more in (("brandUpdate", {"name": "x"}), ("brandArchive", {})):
        assert not_done(house.admin, mutation, brand=made, expectedRevision=3, **more) == ("CONFLICT", ["brand"])
        assert not_done(house.admin, mutation, brand=made, expectedRevision=2, **more)[0] == "STALE_REVISION"
    events = house.events("brand.created", "brand.updated", "brand.archived")
    assert [(type_, subject, payload) for type_, subject, _, _, payload in events] == [
        ("brand.created", "Brand", {}),
        ("brand.updated", "Brand", {"revision": 2}),
        ("brand.archived", "Brand", {"revision": 3}),
    ]


def test_a_name_is_given_once_in_an_organisation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    brand(house, house.top, "Sun")
    other = brand(house, house.top, "Moon")
    assert not_done(house.admin, "brandCreate", organisation=house.top, name="sun") == ("CONFLICT", ["name"])
    assert not_done(house.admin, "brandUpdate", brand=other, expectedRevision=1, name="ＳＵＮ") == (
        "CONFLICT",
        ["name"],
    )
    brand(house, house.org(), "Sun")
    monkeypatch.setattr(brands, "MAX_BRANDS", 2)
    told = not_done(house.admin, "brandCreate", organisation=house.top, name="Stars")
    assert told == ("CONFLICT", ["organisation"])


def test_brands_are_kept_by_whoever_may_where_they_are(house: House) -> None:
    north = house.org("North")
    made = brand(house, north, "Sun")
    keeper = house.person(north, "librarian")
    designer = house.person(north, "designer")
    stranger = house.person(house.org("South"), "admin")
    accepted(mutate(house.as_(keeper), "brandCreate", BRAND, organisation=north, name="Moon"))
    accepted(change(house.as_(keeper), house, "brandUpdate", "brand", made, name="Mars"))
    revision = house.revision(made)
    for client, expected in (
        (house.as_(designer), ("NOT_ALLOWED", None)),
        (house.as_(stranger), ("NOT_FOUND", ["brand"])),
    ):
        for mutation, more in (("brandUpdate", {"name": "Mine"}), ("brandArchive", {})):
            assert not_done(client, mutation, brand=made, expectedRevision=revision, **more) == expected
    assert not_done(house.as_(designer), "brandCreate", organisation=north, name="x") == ("NOT_ALLOWED", None)
    own = not_done(house.as_(keeper), "brandCreate", organisation=house.top, name="x")
    assert own == ("NOT_ALLOWED", None)
    query = "query ($id: ID!) { node(id: $id) { id } }"
    assert house.as_(stranger).ask(query, id=made)["node"] is None


def test_an_asset_carries_a_brand_of_its_own_organisation_or_of_one_above(house: House) -> None:
    north, south = house.org("North"), house.org("South")
    high, own, other = brand(house, house.top, "High"), brand(house, north, "Own"), brand(house, south, "Other")
    for at, (given, org) in enumerate(((high, None), (high, north), (own, north))):
        assert bring(house.admin, at, organisation=org, brand=given)["asset"]["brand"]["id"] == given
    for org in (None, north):
        with unchanged_but_for_an_upload(house) as upload:
            payload = house.admin.mutate("assetCreate", "asset { id }", upload=upload, organisation=org, brand=other)
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("CONFLICT", ["brand"])]
    local = house.as_(house.person(north, "designer"))
    told = bring(local, 9, brand=other)["errors"][0]
    assert (told["code"], told["path"]) == ("NOT_FOUND", ["brand"])
    assert bring(local, 9, brand=high)["errors"] == []


def test_a_brand_is_given_changed_and_taken_away(house: House) -> None:
    one, two = brand(house, house.top, "One"), brand(house, house.top, "Two")
    asset = created(house.admin, picture(1))
    for given, expected in ((one, "One"), (two, "Two")):
        asset = accepted(change_asset(house.admin, "assetUpdate", asset, brand=given))["asset"]
        assert house.admin.ask(LOOK, id=asset["id"])["asset"]["brand"]["name"] == expected
    asset = accepted(change_asset(house.admin, "assetUpdate", asset, title="New"))["asset"]
    assert house.admin.ask(LOOK, id=asset["id"])["asset"]["brand"]["name"] == "Two"
    accepted(change(house.admin, house, "brandArchive", "brand", two))
    assert house.admin.ask(LOOK, id=asset["id"])["asset"]["brand"] == {"id": two, "name": "Two", "archived": True}
    asset = accepted(change_asset(house.admin, "assetUpdate", asset, brand=None))["asset"]
    assert house.admin.ask(LOOK, id=asset["id"])["asset"]["brand"] is None
    for wrong, code in (
        (two, "CONFLICT"),
        (encode("Brand", 999), "NOT_FOUND"),
        (encode("Tag", number(one)), "NOT_FOUND"),
    ):
        with unchanged(house.hub):
            (error,) = change_asset(house.admin, "assetUpdate", asset, brand=wrong)["errors"]
        assert (error["code"], error["path"]) == (code, ["brand"])


class unchanged_but_for_an_upload:  # noqa: N801  # reads as a sentence where it is used
    """Proves that a refusal left every row as it was after the upload that it was about."""

    def __init__(self, house: House) -> None:
        self.house = house

    def __enter__(self) -> str:
        upload = self.house.admin.upload(picture(50 + self.house.made[0]))
        self.house.made[0] += 1
        self.proof: Any = unchanged(self.house.hub)
        self.proof.__enter__()
        return upload

    def __exit__(self, *told: object) -> None:
        self.proof.__exit__(*told)
