"""Grants: where a role holds, that a denial wins, that a grant ends, and who sees it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from domain import grants, identity
from domain.global_ids import encode
from domain.permissions import P
from domain.work import HUB
from tests.asking import Client
from tests.assets.acts import accepted as done
from tests.assets.acts import create, picture
from tests.people.folk import GRANT, House, accepted, change, not_done, number
from tests.working import mutate

TITLES = "{ assets { nodes { title } } }"
LONG_AGO, SOON = "2020-01-01T00:00:00Z", timedelta(hours=1)


def titles(client: Client) -> set[str]:
    return {each["title"] for each in client.ask(TITLES)["assets"]["nodes"]}


@pytest.fixture
def stock(house: House) -> dict[str, str]:
    """Assets by title: two kinds on the brand, one in an affiliate, one in a lightbox of the brand."""
    north = house.org("North")
    found = {"north org": north}
    for at, (title, org) in enumerate((("hero", None), ("boxed", None), ("local", north))):
        found[title] = done(create(house.admin, picture(at), title=title, organisation=org))["asset"]["id"]
    text = done(create(house.admin, b"%PDF-1.4\n%%EOF\n", "text.pdf", title="text"))["asset"]
    found["text"] = text["id"]
    box = house.done("lightboxCreate", "lightbox { id }", title="Box")
    put = {"lightbox": box, "expectedRevision": 1, "assets": [found["boxed"]]}
    accepted(mutate(house.admin, "lightboxAssetsAdd", "lightbox { id }", **put))
    return found | {"box": box}


def test_a_role_holds_where_it_was_granted_and_nowhere_else(house: House, stock: dict[str, str]) -> None:
    looking = house.new_role(P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    kind = {"organisation": house.top, "kind": "DOCUMENT"}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"organisation": house.top}, {"hero", "boxed", "local", "text"}),
        ({"organisation": stock["north org"]}, {"local"}),
        ({"lightbox": stock["box"]}, {"boxed"}),
        ({"asset": stock["hero"]}, {"hero"}),
        ({"assetKind": kind}, {"text"}),
    ]
    for scope, expected in cases:
        person = house.person()
        house.grant(person, looking, scope=scope)
        assert titles(house.as_(person)) == expected, scope
    told = [payload for _, _, _, _, payload in house.events("grant.created")]
    assert [each["scope"] for each in told] == ["ORGANISATION", "ORGANISATION", "LIGHTBOX", "ASSET", "ASSET_KIND"]


def test_a_denial_wins_over_every_grant_until_it_is_taken_back(house: House, stock: dict[str, str]) -> None:
    looking = house.new_role(P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    person = house.person()
    team = house.team(house.top, person)
    house.grant(person, looking)
    house.grant(team, looking)
    denied = house.grant(person, looking, scope={"asset": stock["hero"]}, denial=True)
    assert titles(house.as_(person)) == {"boxed", "local", "text"}
    by_team = house.grant(team, looking, stock["north org"], denial=True)
    assert titles(house.as_(person)) == {"boxed", "text"}
    for each in (denied, by_team):
        assert accepted(mutate(house.admin, "grantRevoke", GRANT, grant=each))["grant"]["revokedAt"]
    assert titles(house.as_(person)) == {"hero", "boxed", "local", "text"}


def test_a_grant_ends_when_it_said(house: House, stock: dict[str, str]) -> None:
    person, end = house.person(), house.hub.clock() + SOON
    role = house.new_role(P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    ending = house.grant(person, role, expiresAt=end.isoformat().replace("+00:00", "Z"))
    assert "hero" in titles(house.as_(person))
    for moment, expected in ((end - timedelta(microseconds=1), True), (end, False)):
        then = dataclasses.replace(house.hub, clock=lambda moment=moment: moment)  # type: ignore[misc]
        with then.reading(HUB) as work:
            viewer = identity.viewer_of_principal(work, number(person))
        assert ("hero" in titles(Client(then, viewer))) is expected
    after = Client(dataclasses.replace(house.hub, clock=lambda: end), house.admin.viewer)
    (error,) = mutate(after, "grantRevoke", GRANT, grant=ending)["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["grant"])


def test_a_grant_is_taken_back_once(house: House) -> None:
    person = house.person()
    given = house.grant(person, house.role("designer"))
    accepted(mutate(house.admin, "grantRevoke", GRANT, grant=given))
    assert house.viewer(person).holdings.reaches == {}
    assert not_done(house.admin, "grantRevoke", grant=given) == ("CONFLICT", ["grant"])


def test_the_same_is_not_granted_twice_but_may_be_with_another_end(house: House) -> None:
    person = house.person()
    wish = {"to": {"person": person}, "role": house.role("designer"), "scope": {"organisation": house.top}}
    given = accepted(mutate(house.admin, "grantCreate", GRANT, **wish))["grant"]["id"]
    assert not_done(house.admin, "grantCreate", **wish)[0] == "CONFLICT"
    ends = {"expiresAt": (house.hub.clock() + SOON).isoformat().replace("+00:00", "Z")}
    accepted(mutate(house.admin, "grantCreate", GRANT, **wish, **ends))
    accepted(mutate(house.admin, "grantRevoke", GRANT, grant=given))
    accepted(mutate(house.admin, "grantCreate", GRANT, **wish))


def test_what_cannot_be_granted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    person = house.person()
    given = {"to": {"person": person}, "role": house.role("viewer"), "scope": {"organisation": house.top}}
    wrong: list[tuple[dict[str, Any], tuple[str, list[str]]]] = [
        ({"to": {"person": encode("Person", 999)}}, ("NOT_FOUND", ["to", "person"])),
        ({"to": {"person": encode("ServiceAccount", number(person))}}, ("NOT_FOUND", ["to", "person"])),
        ({"to": {"serviceAccount": encode("ServiceAccount", number(person))}}, ("NOT_FOUND", ["to", "serviceAccount"])),
        ({"to": {"person": ""}}, ("NOT_FOUND", ["to", "serviceAccount"])),
        ({"to": {"team": encode("Team", 999)}}, ("NOT_FOUND", ["to"])),
        ({"role": encode("Role", 999)}, ("NOT_FOUND", ["role"])),
        ({"scope": {"organisation": encode("Organisation", 999)}}, ("NOT_FOUND", ["scope", "organisation"])),
        ({"scope": {"lightbox": encode("Lightbox", 999)}}, ("NOT_FOUND", ["scope", "lightbox"])),
        ({"scope": {"asset": encode("Asset", 999)}}, ("NOT_FOUND", ["scope", "asset"])),
        ({"scope": {"asset": "\u0000"}}, ("NOT_FOUND", ["scope", "asset"])),
        ({"expiresAt": LONG_AGO}, ("INVALID", ["expiresAt"])),
    ]
    for fields, expected in wrong:
        assert not_done(house.admin, "grantCreate", **{**given, **fields}) == expected, fields
    for to, scope in (({}, given["scope"]), ({"person": person, "team": person}, given["scope"]), (given["to"], {})):
        answer = house.admin.answer(
            "mutation ($input: GrantCreateInput!) { grantCreate(input: $input) { errors { code } } }",
            input={**given, "to": to, "scope": scope},
        )
        assert answer["errors"][0]["extensions"]["code"] in {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}
    monkeypatch.setattr(grants, "MAX_GRANTS", 0)
    assert not_done(house.admin, "grantCreate", **given) == ("CONFLICT", ["to"])


def test_a_team_that_is_put_away_gets_nothing(house: House) -> None:
    team = house.team()
    accepted(change(house.admin, house, "teamArchive", "team", team))
    wish = {"to": {"team": team}, "role": house.role("viewer"), "scope": {"organisation": house.top}}
    assert not_done(house.admin, "grantCreate", **wish) == ("CONFLICT", ["to"])


def test_grants_are_seen_by_their_holder_and_by_whoever_sees_the_people_there(house: House) -> None:
    north = house.org("North")
    person, other = house.person(north), house.person(north)
    team = house.team(north, person)
    own, ours = house.grant(person, house.role("viewer"), north), house.grant(team, house.role("partner"), north)
    query = """query ($id: ID!) { node(id: $id) { ... on Actor { grants { totalCount nodes { id role { name } } } }
      ... on Team { grants { totalCount nodes { id } } }
      ... on Organisation { grants { totalCount nodes { id actor { id } team { id } } } } } }"""

    def found(client: Client, id_: str) -> Any:
        node = client.ask(query, id=id_)["node"]
        return None if node is None else [each["id"] for each in node["grants"]["nodes"]]

    watcher = house.as_(house.manager(north))
    assert (found(watcher, person), found(watcher, team)) == ([own], [ours])
    assert found(watcher, north)[-2:] == [ours, own]
    mine = house.as_(person)
    assert (found(mine, person), found(mine, team), found(mine, north)) == ([own], [ours], [ours, own])
    blind = house.as_(other)
    assert (found(blind, person), found(blind, team), found(blind, north)) == (None, None, [])
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert blind.ask(node, id=own)["node"] is None
    assert not_done(blind, "grantRevoke", grant=own) == ("NOT_FOUND", ["grant"])
    assert not_done(mine, "grantRevoke", grant=own) == ("NOT_ALLOWED", None)


def test_a_grant_names_what_it_is_about_only_to_those_who_see_that(house: House, stock: dict[str, str]) -> None:
    person = house.person(house.org("South"))
    given = house.grant(person, house.new_role(P.TAG_CREATE), scope={"asset": stock["hero"]})
    boxed = house.grant(person, house.new_role(P.TAG_CREATE), scope={"lightbox": stock["box"]})
    query = """query ($id: ID!) { node(id: $id) { ... on Grant {
      asset { id } lightbox { id } organisation { id } actor { id } team { id } role { name } } } }"""
    seen = house.admin.ask(query, id=given)["node"]
    assert (seen["asset"]["id"], seen["actor"]["id"], seen["team"]) == (stock["hero"], person, None)
    assert house.admin.ask(query, id=boxed)["node"]["lightbox"] == {"id": stock["box"]}
    for each in (given, boxed):
        seen = house.as_(person).ask(query, id=each)["node"]
        assert (seen["asset"], seen["lightbox"], seen["actor"]["id"]) == (None, None, person)
        assert seen["organisation"] == {"id": house.top}
