"""Roles as data: what they may say, who may change them, and that everybody who holds one holds what it says now."""

from __future__ import annotations

from typing import Any

import pytest

from domain import founding, roles
from domain.global_ids import encode
from domain.permissions import ROLES, P
from tests.people.folk import ROLE, House, accepted, change, not_done
from tests.working import mutate


def test_every_brand_begins_with_the_roles_of_the_trade(house: House) -> None:
    found = house.admin.ask("{ roles { name description permissions revision } }")["roles"]
    assert [each["name"] for each in found] == sorted(seed.name for seed in ROLES)
    by_name = {each["name"]: set(each["permissions"]) for each in found}
    assert by_name == {seed.name: {each.name for each in seed.permissions} for seed in ROLES}


def test_a_role_is_made_and_changed_for_all_who_hold_it(house: House) -> None:
    wish = {"name": " Photo  editor ", "permissions": ["ASSET_VIEW", "ASSET_UPDATE", "ASSET_VIEW"], "description": ""}
    made = accepted(mutate(house.admin, "roleCreate", ROLE, **wish))["role"]
    assert (made["name"], made["permissions"], made["description"]) == (
        "Photo editor",
        ["ASSET_UPDATE", "ASSET_VIEW"],
        None,
    )
    person = house.person()
    house.grant(person, made["id"])
    assert house.viewer(person).holdings.anywhere(P.ASSET_UPDATE)
    done = accepted(change(house.admin, house, "roleUpdate", "role", made["id"], permissions=["ASSET_VIEW"]))["role"]
    assert (done["permissions"], done["name"], done["revision"]) == (["ASSET_VIEW"], "Photo editor", 2)
    assert not house.viewer(person).holdings.anywhere(P.ASSET_UPDATE)
    done = accepted(change(house.admin, house, "roleUpdate", "role", made["id"], name="Onlooker", description="Looks."))
    assert (done["role"]["name"], done["role"]["description"]) == ("Onlooker", "Looks.")
    accepted(change(house.admin, house, "roleArchive", "role", made["id"]))
    assert not house.viewer(person).holdings.anywhere(P.ASSET_VIEW)
    giving = {"to": {"person": person}, "role": made["id"], "scope": {"organisation": house.top}}
    assert not_done(house.admin, "grantCreate", **giving) == ("CONFLICT", ["role"])
    events = house.events("role.created", "role.updated", "role.archived")
    assert [payload["permissions"] for _, _, _, _, payload in events][:2] == [
        ["asset.update", "asset.view"],
        ["asset.view"],
    ]


def test_admin_stays_everything(house: House) -> None:
    admin = house.role("admin")
    for mutation, more in (
        ("roleUpdate", {"permissions": ["ASSET_VIEW"]}),
        ("roleUpdate", {"name": "boss"}),
        ("roleArchive", {}),
    ):
        told = not_done(house.admin, mutation, role=admin, expectedRevision=house.revision(admin), **more)
        assert told == ("CONFLICT", ["role"])


def test_a_seeded_role_may_change_but_keeps_its_name_through_the_next_start(house: House) -> None:
    designer, finance = house.role("designer"), house.role("finance")
    told = not_done(house.admin, "roleUpdate", role=designer, expectedRevision=1, name="drafter")
    assert told == ("CONFLICT", ["name"])
    accepted(change(house.admin, house, "roleUpdate", "role", designer, permissions=["ASSET_VIEW"]))
    accepted(change(house.admin, house, "roleArchive", "role", finance))
    founding.found(house.hub)
    found = {each["name"]: each for each in house.admin.ask("{ roles { id name permissions } }")["roles"]}
    assert found["designer"] == {"id": designer, "name": "designer", "permissions": ["ASSET_VIEW"]}
    assert "finance" not in found


BROKEN: list[tuple[dict[str, Any], tuple[str, list[str]]]] = [
    ({"name": "", "permissions": ["ASSET_VIEW"]}, ("INVALID", ["name"])),
    ({"name": "\u0000", "permissions": ["ASSET_VIEW"]}, ("INVALID", ["name"])),
    ({"name": "x" * 101, "permissions": ["ASSET_VIEW"]}, ("INVALID", ["name"])),
    ({"name": "x", "permissions": []}, ("INVALID", ["permissions"])),
    ({"name": "x", "permissions": ["ASSET_VIEW"], "description": "x" * 2001}, ("INVALID", ["description"])),
    ({"name": "ADMIN", "permissions": ["ASSET_VIEW"]}, ("CONFLICT", ["name"])),
    ({"name": "ａdmin", "permissions": ["ASSET_VIEW"]}, ("CONFLICT", ["name"])),
    ({"name": "brand  Manager", "permissions": ["ASSET_VIEW"]}, ("CONFLICT", ["name"])),
]


def test_what_a_role_cannot_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for fields, expected in BROKEN:
        assert not_done(house.admin, "roleCreate", **fields) == expected
    mine = house.new_role(P.ASSET_VIEW)
    for fields, expected in BROKEN:
        assert not_done(house.admin, "roleUpdate", role=mine, expectedRevision=1, **fields) == expected
    for wrong in (encode("Role", 999), encode("Team", 1), "x"):
        told = not_done(house.admin, "roleArchive", role=wrong, expectedRevision=1)
        assert told == ("NOT_FOUND", ["role"])
    monkeypatch.setattr(roles, "MAX_ROLES", 1)
    assert not_done(house.admin, "roleCreate", name="x", permissions=["ASSET_VIEW"])[0] == "CONFLICT"


def test_roles_are_made_on_the_brand_of_what_one_holds_everywhere(house: House) -> None:
    keeper = house.person()
    house.grant(keeper, house.new_role(P.ROLE_MANAGE, P.ASSET_VIEW))
    local = house.person(house.org(), "admin")
    client = house.as_(keeper)
    made = accepted(mutate(client, "roleCreate", ROLE, name="Looker", permissions=["ASSET_VIEW"]))["role"]
    for fields in ({"permissions": ["ASSET_VIEW", "ASSET_UPDATE"]}, {"permissions": ["PEOPLE_MANAGE"]}):
        assert not_done(client, "roleCreate", name="More", **fields) == ("NOT_ALLOWED", None)
        told = not_done(client, "roleUpdate", role=made["id"], expectedRevision=1, **fields)
        assert told == ("NOT_ALLOWED", None)
    accepted(change(client, house, "roleUpdate", "role", made["id"], name="Watcher"))
    greater = house.role("designer")
    for mutation, more in (("roleUpdate", {"permissions": ["ASSET_VIEW"]}), ("roleArchive", {})):
        assert not_done(client, mutation, role=greater, expectedRevision=1, **more) == ("NOT_ALLOWED", None)
    told = not_done(house.as_(local), "roleCreate", name="Local", permissions=["ASSET_VIEW"])
    assert told == ("NOT_ALLOWED", None)


def test_a_token_with_fewer_permissions_makes_no_role_of_the_others(house: House) -> None:
    limited = house.as_(house.person(role="admin"))
    held = limited.viewer.holdings.limited_to(frozenset({P.ROLE_MANAGE, P.ASSET_VIEW, P.PEOPLE_VIEW}))
    limited.viewer = type(limited.viewer)(
        limited.viewer.principal_id, limited.viewer.org_id, "limited", is_administrator=False, holdings=held
    )
    assert not_done(limited, "roleCreate", name="More", permissions=["ASSET_UPDATE"]) == ("NOT_ALLOWED", None)
    accepted(mutate(limited, "roleCreate", ROLE, name="Less", permissions=["ASSET_VIEW"]))


def test_whoever_has_nothing_to_do_with_people_sees_the_roles_they_hold(house: House) -> None:
    partner = house.person(house.org(), "partner")
    team = house.team(house.top, partner)
    house.grant(team, house.role("viewer"))
    found = house.as_(partner).ask("{ roles { id name } }")["roles"]
    assert [each["name"] for each in found] == ["partner", "viewer"]
    hidden = house.role("legal")
    assert house.as_(partner).ask("query ($id: ID!) { node(id: $id) { id } }", id=hidden)["node"] is None
