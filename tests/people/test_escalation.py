"""Nobody gives more than they hold, or longer; nobody has power over somebody who holds more.

Each attempt is proven to have left every row as it was.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from domain.permissions import P
from tests.asking import Client, rows_everywhere
from tests.assets.acts import accepted as done
from tests.assets.acts import create, picture
from tests.people.folk import GRANT, PERSON, SELECTIONS, TEAM, House, accepted, change, holder, not_done
from tests.working import mutate

FORBIDDEN = ("NOT_ALLOWED", None)


@pytest.fixture
def chief(house: House) -> str:
    """Looks after people on the whole brand and holds what a designer holds."""
    made = house.manager(house.top)
    house.grant(made, house.role("designer"))
    return made


def give(house: House, to: str, role: str, scope: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"to": holder(to), "role": role, "scope": scope or {"organisation": house.top}, **more}


def test_one_gives_what_one_holds_and_not_a_permission_more(house: House, chief: str) -> None:
    client, person, own = house.as_(chief), house.person(), chief
    accepted(mutate(client, "grantCreate", GRANT, **give(house, person, house.role("designer"))))
    for role in ("admin", "librarian", "brand manager", "legal", "finance"):
        for to in (person, own):
            assert not_done(client, "grantCreate", **give(house, to, house.role(role))) == FORBIDDEN, role
    wish = {"name": "x", "organisation": house.top, "role": house.role("admin")}
    assert not_done(client, "personInvite", email="x@example.com", **wish) == FORBIDDEN
    assert not_done(client, "serviceAccountCreate", **wish) == FORBIDDEN
    wish["role"] = house.role("designer")
    accepted(mutate(client, "serviceAccountCreate", SELECTIONS["serviceAccountCreate"], **wish))


def test_one_gives_only_where_one_holds_it(house: House) -> None:
    north, south = house.org("North"), house.org("South")
    local = house.person(north, "admin")
    client, person = house.as_(local), house.person(north)
    hero = done(create(house.admin, picture(1), title="hero"))["asset"]["id"]
    mine = done(create(house.admin, picture(2), title="mine", organisation=north))["asset"]["id"]
    box = house.done("lightboxCreate", "lightbox { id }", title="Box")
    role = house.role("designer")
    allowed: list[dict[str, Any]] = [
        {"organisation": north},
        {"asset": mine},
        {"assetKind": {"organisation": north, "kind": "IMAGE"}},
    ]
    for scope in allowed:
        accepted(mutate(client, "grantCreate", GRANT, **give(house, person, role, scope)))
    refused: list[tuple[dict[str, Any], tuple[str, list[str] | None]]] = [
        ({"organisation": house.top}, FORBIDDEN),
        ({"assetKind": {"organisation": house.top, "kind": "IMAGE"}}, FORBIDDEN),
        ({"organisation": south}, ("NOT_FOUND", ["scope", "organisation"])),
        ({"asset": hero}, ("NOT_FOUND", ["scope", "asset"])),
        ({"lightbox": box}, ("NOT_FOUND", ["scope", "lightbox"])),
    ]
    for scope, expected in refused:
        assert not_done(client, "grantCreate", **give(house, person, role, scope)) == expected, scope
    house.grant(local, house.new_role(P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED))
    for scope in ({"asset": hero}, {"lightbox": box}):  # seen now, and still not theirs to give
        assert not_done(house.as_(local), "grantCreate", **give(house, person, role, scope)) == FORBIDDEN


def test_what_is_held_of_one_kind_or_one_lightbox_is_not_given_as_more(house: House) -> None:
    box = house.done("lightboxCreate", "lightbox { id }", title="Box")
    manager, person = house.manager(), house.person()
    role = house.new_role(P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    scope = {"assetKind": {"organisation": house.top, "kind": "IMAGE"}}
    house.grant(manager, role, scope=scope)
    house.grant(manager, role, scope={"lightbox": box})
    client = house.as_(manager)
    accepted(mutate(client, "grantCreate", GRANT, **give(house, person, role, scope)))
    accepted(mutate(client, "grantCreate", GRANT, **give(house, person, role, {"lightbox": box})))
    other = {"assetKind": {"organisation": house.top, "kind": "VIDEO"}}
    for more in ({"organisation": house.top}, other):
        assert not_done(client, "grantCreate", **give(house, person, role, more)) == FORBIDDEN


def test_whoever_is_denied_something_gives_it_to_nobody(house: House, chief: str) -> None:
    north, person, role = house.org("North"), house.person(), house.new_role(P.ASSET_UPDATE)
    denied = house.grant(chief, role, north, denial=True)
    assert not_done(house.as_(chief), "grantCreate", **give(house, person, role)) == FORBIDDEN
    assert not_done(house.as_(chief), "grantRevoke", grant=denied) == FORBIDDEN
    accepted(mutate(house.admin, "grantRevoke", GRANT, grant=denied))
    accepted(mutate(house.as_(chief), "grantCreate", GRANT, **give(house, person, role)))


def test_nobody_gives_for_longer_than_they_hold(house: House) -> None:
    now = house.hub.clock()
    end = now + timedelta(hours=1)
    manager = house.manager()
    house.grant(manager, house.role("admin"), expiresAt=spoken(end))
    client, own = house.as_(manager), manager
    person, role = house.person(), house.role("designer")
    for to in (person, own):
        assert not_done(client, "grantCreate", **give(house, to, role)) == FORBIDDEN
        beyond = spoken(end + timedelta(seconds=1))
        assert not_done(client, "grantCreate", **give(house, to, role, expiresAt=beyond)) == FORBIDDEN
    wish = {"email": "x@example.com", "name": "x", "organisation": house.top, "role": role}
    assert not_done(client, "personInvite", **wish) == FORBIDDEN
    assert not_done(client, "roleCreate", name="x", permissions=["ASSET_VIEW"]) == FORBIDDEN
    accepted(mutate(client, "grantCreate", GRANT, **give(house, person, role, expiresAt=spoken(end))))
    later = Client(dataclasses.replace(house.hub, clock=lambda: end), client.viewer)
    before = rows_everywhere(house.hub)
    payload = mutate(
        later, "grantCreate", GRANT, **give(house, person, role, expiresAt=spoken(end + timedelta(days=1)))
    )
    assert [error["code"] for error in payload["errors"]] == ["NOT_ALLOWED"]
    assert rows_everywhere(house.hub) == before


def test_nobody_has_power_over_somebody_who_holds_more(house: House, chief: str) -> None:
    client = house.as_(chief)
    equal, less = house.person(role="designer"), house.person(role="viewer")
    greater = [house.person(role="admin"), house.person(role="librarian"), house.service(role="legal")]
    local = house.person()
    house.grant(local, house.role("finance"), house.org("North"))
    by_team = house.person()
    house.grant(house.team(house.top, by_team), house.role("brand manager"))
    for above in (*greater, local, by_team):
        for mutation, more in (
            ("principalUpdate", {"name": "Mine"}),
            ("principalDisable", {}),
            ("principalEnable", {}),
        ):
            wish = {"principal": above, "expectedRevision": house.revision(above), **more}
            assert not_done(client, mutation, **wish) == FORBIDDEN
        for denial in (False, True):
            assert (
                not_done(client, "grantCreate", **give(house, above, house.role("viewer"), denial=denial)) == FORBIDDEN
            )
        team = house.team()
        for mutation in ("teamMembersAdd", "teamMembersRemove"):
            assert not_done(client, mutation, team=team, expectedRevision=1, members=[above]) == FORBIDDEN
    assert not_done(client, "personInviteAgain", person=greater[0]) == FORBIDDEN
    for below in (equal, less):
        accepted(change(client, house, "principalUpdate", "principal", below, name="Theirs"))
        accepted(mutate(client, "personInviteAgain", PERSON, person=below))
        accepted(change(client, house, "principalDisable", "principal", below))


def test_somebody_shut_out_is_let_in_only_by_who_could_shut_them_out(house: House, chief: str) -> None:
    greater = house.person(role="librarian")
    accepted(change(house.admin, house, "principalDisable", "principal", greater))
    wish = {"principal": greater, "expectedRevision": house.revision(greater)}
    assert not_done(house.as_(chief), "principalEnable", **wish) == FORBIDDEN


def test_nobody_takes_a_grant_from_somebody_who_holds_more(house: House, chief: str) -> None:
    greater = house.person(role="librarian")
    given = house.grant(greater, house.role("viewer"))
    assert not_done(house.as_(chief), "grantRevoke", grant=given) == FORBIDDEN
    lesser = house.person()
    given = house.grant(lesser, house.role("viewer"))
    accepted(mutate(house.as_(chief), "grantRevoke", GRANT, grant=given))


def test_nobody_joins_or_lets_join_a_team_that_holds_more(house: House, chief: str) -> None:
    client, person, strong, plain = house.as_(chief), house.person(), house.team(), house.team()
    house.grant(strong, house.role("admin"))
    house.grant(plain, house.role("viewer"))
    for members in ([chief], [person]):
        told = not_done(client, "teamMembersAdd", team=strong, expectedRevision=1, members=members)
        assert told == FORBIDDEN
    accepted(mutate(client, "teamMembersAdd", TEAM, team=plain, expectedRevision=1, members=[person, chief]))
    assert not_done(client, "grantCreate", **give(house, plain, house.role("admin"))) == FORBIDDEN
    boss = house.person(role="admin")
    accepted(change(house.admin, house, "teamMembersAdd", "team", plain, members=[boss]))
    for denial in (False, True):  # the boss is in it
        wish = give(house, plain, house.new_role(P.ASSET_VIEW), denial=denial)
        assert not_done(client, "grantCreate", **wish) == FORBIDDEN
    assert not_done(client, "teamArchive", team=plain, expectedRevision=house.revision(plain)) == FORBIDDEN


def test_nobody_slips_out_of_a_denial(house: House, chief: str) -> None:
    """By leaving the team that is denied, by putting it away, by lifting the denial, or by changing its role."""
    role = house.new_role(P.ASSET_DOWNLOAD)
    team = house.team(house.top, chief)
    denied = house.grant(team, role, denial=True)
    client = house.as_(chief)
    assert not client.viewer.holdings.anywhere(P.ASSET_DOWNLOAD)
    revision = house.revision(team)
    assert not_done(client, "teamMembersRemove", team=team, expectedRevision=revision, members=[chief]) == FORBIDDEN
    assert not_done(client, "teamArchive", team=team, expectedRevision=revision) == FORBIDDEN
    assert not_done(client, "grantRevoke", grant=denied) == FORBIDDEN
    house.grant(chief, house.new_role(P.ROLE_MANAGE))
    for mutation, more in (("roleArchive", {}), ("roleUpdate", {"permissions": ["ROLE_MANAGE"]})):
        told = not_done(house.as_(chief), mutation, role=role, expectedRevision=1, **more)
        assert told == FORBIDDEN


def test_a_denial_is_given_where_one_looks_after_people(house: House) -> None:
    north = house.org("North")
    manager, person = house.manager(north), house.person(north, "designer")
    role = house.new_role(P.ASSET_UPDATE)
    client = house.as_(manager)
    told = not_done(client, "grantCreate", **give(house, person, role, {"organisation": north}, denial=True))
    assert told == FORBIDDEN  # a designer holds more than somebody who only looks after people
    house.grant(manager, house.role("designer"), north)
    client = house.as_(manager)
    accepted(mutate(client, "grantCreate", GRANT, **give(house, person, role, {"organisation": north}, denial=True)))
    assert not house.viewer(person).holdings.in_org(P.ASSET_UPDATE, 2)
    assert not_done(client, "grantCreate", **give(house, person, role, denial=True)) == FORBIDDEN


def test_a_token_that_is_limited_gives_no_more_than_it_holds(house: House) -> None:
    admin = house.as_(house.person(role="admin"))
    kept = frozenset({P.PEOPLE_VIEW, P.PEOPLE_MANAGE, P.ASSET_VIEW})
    held = admin.viewer.holdings.limited_to(kept)
    admin.viewer = dataclasses.replace(admin.viewer, holdings=held, is_administrator=False)
    person = house.person()
    assert not_done(admin, "grantCreate", **give(house, person, house.role("designer"))) == FORBIDDEN
    accepted(mutate(admin, "grantCreate", GRANT, **give(house, person, house.role("viewer"))))
    other = house.person(role="designer")
    assert not_done(admin, "principalDisable", principal=other, expectedRevision=1) == FORBIDDEN


def test_whoever_lost_their_rights_meanwhile_uses_them_no_more(house: House) -> None:
    """A request that came before and is answered after: what counts is what they hold when it is their turn."""
    admin = house.as_(house.person(role="admin"))
    person = house.person()
    accepted(change(house.admin, house, "principalDisable", "principal", house_id(house, admin)))
    told = not_done(admin, "principalDisable", principal=person, expectedRevision=1)
    assert told == ("NOT_FOUND", ["principal"])
    assert not_done(admin, "grantCreate", **give(house, person, house.role("viewer"))) == ("NOT_FOUND", ["role"])
    assert not_done(admin, "roleCreate", name="x", permissions=["ASSET_VIEW"]) == FORBIDDEN


def house_id(house: House, client: Client) -> str:
    found: str = client.ask("{ me { person { id } } }")["me"]["person"]["id"]
    return found


def spoken(moment: Any) -> str:
    text: str = moment.isoformat().replace("+00:00", "Z")
    return text
