"""Organisations: a tree with paths, who sees which, and how one is closed."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain.permissions import P
from storage.tables import GrantRow, OrganisationRow
from tests.asking import Client
from tests.assets.acts import picture
from tests.people.folk import TOP, House, accepted, change, not_done, number

LIST = "{ organisations(first: 100) { totalCount nodes { id name } } }"


def test_an_organisation_stands_below_its_parent_and_its_path_says_so(house: House) -> None:
    affiliate = house.org("North")
    agency = house.org("Studio", affiliate, "AGENCY")
    with house.hub.database.reading() as session:
        rows = {row.id: row for row in session.scalars(sa.select(OrganisationRow))}
    one, two = rows[number(affiliate)], rows[number(agency)]
    assert (one.path, two.path) == (f"/1/{one.id}/", f"/1/{one.id}/{two.id}/")
    query = """query ($id: ID!) { node(id: $id) { ... on Organisation {
      kind revision parent { name kind parent { name parent { id } } } children { totalCount nodes { id } } } } }"""
    found = house.admin.ask(query, id=agency)["node"]
    assert (found["kind"], found["revision"], found["parent"]["name"]) == ("AGENCY", 1, "North")
    assert found["parent"]["parent"]["parent"] is None
    assert house.admin.ask(query, id=affiliate)["node"]["children"] == {"totalCount": 1, "nodes": [{"id": agency}]}
    created = house.events("organisation.created")
    assert [event[1:4] for event in created] == [("Organisation", one.id, TOP), ("Organisation", two.id, one.id)]


def test_organisations_nest_eight_deep_and_no_deeper(house: House) -> None:
    below = house.top
    for _ in range(7):
        below = house.org(parent=below)
    told = not_done(house.admin, "organisationCreate", name="Too deep", kind="AGENCY", parent=below)
    assert told == ("CONFLICT", ["parent"])


def test_siblings_have_different_names_and_others_need_not(house: House) -> None:
    north = house.org("North")
    house.org("North", north)
    assert not_done(house.admin, "organisationCreate", name=" NORTH ", kind="AGENCY", parent=house.top) == (
        "CONFLICT",
        ["name"],
    )
    south = house.org("South")
    assert change(house.admin, house, "organisationUpdate", "organisation", south, name="nörth")["errors"] == []
    wish = {"organisation": south, "expectedRevision": 2, "name": "north"}
    assert not_done(house.admin, "organisationUpdate", **wish) == ("CONFLICT", ["name"])
    same = change(house.admin, house, "organisationUpdate", "organisation", south, name="NÖRTH")
    assert accepted(same)["organisation"]["name"] == "NÖRTH"


@pytest.mark.parametrize("name", ["", " \u0000 ", "x" * 201, "\u202e"])
def test_a_name_that_is_none_is_refused(house: House, name: str) -> None:
    told = not_done(house.admin, "organisationCreate", name=name, kind="AFFILIATE", parent=house.top)
    assert told == ("INVALID", ["name"])
    assert not_done(house.admin, "organisationUpdate", organisation=house.top, expectedRevision=1, name=name) == (
        "INVALID",
        ["name"],
    )


def test_there_is_one_brand(house: House) -> None:
    told = not_done(house.admin, "organisationCreate", name="Other", kind="BRAND", parent=house.top)
    assert told == ("INVALID", ["kind"])
    assert not_done(house.admin, "organisationArchive", organisation=house.top, expectedRevision=1) == (
        "CONFLICT",
        ["organisation"],
    )


def test_one_sees_ones_own_those_above_and_what_one_looks_after(house: House) -> None:
    north, south = house.org("North"), house.org("South")
    below = house.org("Below", north)
    partner = house.as_(house.person(below, "partner"))
    assert seen(partner) == {house.top, north, below}
    assert seen(house.as_(house.person(north, "designer"))) == {house.top, north, below}
    manager = house.person(south)
    house.grant(manager, house.new_role(P.ORGANISATION_MANAGE), north)
    assert seen(house.as_(manager)) == {house.top, south, north, below}
    for stranger, hidden in ((partner, south), (house.as_(house.person(south)), below)):
        assert stranger.ask("query ($id: ID!) { node(id: $id) { id } }", id=hidden)["node"] is None


def test_those_above_are_known_by_name_and_nothing_of_them_is(house: House) -> None:
    north = house.org("North")
    house.person(north)
    house.team(house.top)
    house.grant(house.person(), house.role("viewer"))
    partner = house.as_(house.person(house.org("Below", north), "partner"))
    query = """query ($id: ID!) { node(id: $id) { ... on Organisation { name viewerCan
      people { totalCount nodes { id } } teams { totalCount } grants { totalCount nodes { id } }
      children { totalCount nodes { name } } } } }"""
    for above, child in ((house.top, "North"), (north, "Below")):
        found = partner.ask(query, id=above)["node"]
        assert found.pop("name")
        assert found == {
            "viewerCan": [],
            "people": {"totalCount": 0, "nodes": []},
            "teams": {"totalCount": 0},
            "grants": {"totalCount": 0, "nodes": []},
            "children": {"totalCount": 1, "nodes": [{"name": child}]},
        }


def test_an_organisation_is_made_by_whoever_manages_the_one_above_and_is_theirs_at_once(house: House) -> None:
    north = house.org("North")
    chief = house.person(north, "admin")
    wish = {"kind": "AGENCY", "parent": north}
    document = """mutation ($input: OrganisationCreateInput!) {
      organisationCreate(input: $input) { organisation { id parent { id } viewerCan } errors { message } } }"""
    made = house.as_(chief).ask(document, input={"name": "Studio", **wish})["organisationCreate"]
    assert made["errors"] == []
    assert made["organisation"]["parent"] == {"id": north}
    assert made["organisation"]["viewerCan"] == [
        "UPDATE",
        "ARCHIVE",
        "ADD_ORGANISATION",
        "ADD_BRAND",
        "ADD_TEAM",
        "INVITE",
        "ADD_SERVICE_ACCOUNT",
    ]
    refused = {"name": "Own", "kind": "AGENCY", "parent": house.top}
    assert not_done(house.as_(chief), "organisationCreate", **refused) == ("NOT_ALLOWED", None)
    other = house.org("South")
    assert not_done(house.as_(chief), "organisationCreate", **{**refused, "parent": other}) == ("NOT_FOUND", ["parent"])
    for mutation, more in (("organisationUpdate", {"name": "Mine"}), ("organisationArchive", {})):
        own = {"organisation": north, "expectedRevision": 1, **more}
        assert not_done(house.as_(chief), mutation, **own) == ("NOT_ALLOWED", None)


def test_an_organisation_is_closed_only_when_nothing_of_it_lives(house: House) -> None:
    north = house.org("North")
    below, person, team = house.org("Below", north), house.person(north, "designer"), house.team(north)

    def close() -> tuple[str, list[str] | None]:
        wish = {"organisation": north, "expectedRevision": house.revision(north)}
        return not_done(house.admin, "organisationArchive", **wish)

    assert close() == ("CONFLICT", ["organisation"])
    for mutation, place, id_ in (
        ("organisationArchive", "organisation", below),
        ("principalDisable", "principal", person),
    ):
        accepted(change(house.admin, house, mutation, place, id_))
        assert close() == ("CONFLICT", ["organisation"])
    accepted(change(house.admin, house, "teamArchive", "team", team))
    closed = accepted(change(house.admin, house, "organisationArchive", "organisation", north))["organisation"]
    assert (closed["archived"], closed["revision"]) == (True, 2)
    listed = house.admin.ask("{ organisations { nodes { id } } all: organisations(archived: true) { totalCount } }")
    assert [each["id"] for each in listed["organisations"]["nodes"]] == [house.top]
    assert listed["all"]["totalCount"] == 3


def test_a_closed_organisation_grants_nothing_and_gets_nothing_new(house: House) -> None:
    north = house.org("North")
    outsider, gone = house.person(), house.person(north)
    house.grant(outsider, house.role("designer"), north)
    kept = house.grant(outsider, house.role("viewer"), north, denial=True)
    accepted(change(house.admin, house, "principalDisable", "principal", gone))
    assert number(north) in _orgs(house, outsider)
    accepted(change(house.admin, house, "organisationArchive", "organisation", north))
    assert _orgs(house, outsider) == set()
    with house.hub.database.reading() as session:
        standing = sa.select(GrantRow.id).where(GrantRow.org_id == number(north), GrantRow.revoked_at.is_(None))
        assert list(session.scalars(standing)) == [number(kept)]
    new: list[tuple[str, dict[str, Any], list[str]]] = [
        ("organisationCreate", {"name": "x", "kind": "AGENCY", "parent": north}, ["parent"]),
        ("organisationUpdate", {"organisation": north, "expectedRevision": 2, "name": "x"}, ["organisation"]),
        ("organisationArchive", {"organisation": north, "expectedRevision": 2}, ["organisation"]),
        ("brandCreate", {"organisation": north, "name": "x"}, ["organisation"]),
        ("teamCreate", {"organisation": north, "name": "x"}, ["organisation"]),
        ("serviceAccountCreate", {"organisation": north, "name": "x"}, ["organisation"]),
        ("personInvite", {"organisation": north, "name": "x", "email": "x@example.com"}, ["organisation"]),
        ("principalEnable", {"principal": gone, "expectedRevision": house.revision(gone)}, ["principal"]),
    ]
    for mutation, fields, path in new:
        assert not_done(house.admin, mutation, **fields) == ("CONFLICT", path), mutation
    scope = {"to": {"person": outsider}, "role": house.role("viewer")}
    for told in ({"organisation": north}, {"assetKind": {"organisation": north, "kind": "IMAGE"}}):
        path = ["scope", "organisation"]
        assert not_done(house.admin, "grantCreate", **scope, scope=told) == ("CONFLICT", path)
    upload = house.admin.upload(picture(1))
    payload = house.admin.mutate("assetCreate", "asset { id }", upload=upload, organisation=north)
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("CONFLICT", ["organisation"])]


def test_an_asset_is_brought_to_an_organisation_where_one_may_and_sees_it(house: House) -> None:
    north, south = house.org("North"), house.org("South")
    chief = house.person(house.top, "designer")
    made = bring(house.as_(chief), 1, organisation=north)
    assert (made["errors"], made["asset"]["organisation"]["id"]) == ([], north)
    local = house.person(north, "designer")
    assert bring(house.as_(local), 2)["asset"]["organisation"]["id"] == north
    told = bring(house.as_(local), 3, organisation=house.top)["errors"][0]
    assert (told["code"], told["path"]) == ("NOT_ALLOWED", None)
    told = bring(house.as_(local), 3, organisation=south)["errors"][0]
    assert (told["code"], told["path"]) == ("NOT_FOUND", ["organisation"])
    house.grant(local, house.new_role(P.ASSET_CREATE), south)
    told = bring(house.as_(local), 3, organisation=south)["errors"][0]
    assert (told["code"], told["path"]) == ("NOT_ALLOWED", None)  # they could not look at it
    house.grant(local, house.role("agency"), south)
    assert bring(house.as_(local), 3, organisation=south)["errors"] == []


def test_what_is_listed_comes_in_pages(house: House) -> None:
    for _ in range(5):
        house.org()
    query = """query ($after: String) { organisations(first: 2, after: $after) {
      nodes { id } pageInfo { hasNextPage endCursor } } }"""
    seen_, after = [], None
    while True:
        page = house.admin.ask(query, after=after)["organisations"]
        seen_ += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (len(seen_), len(set(seen_))) == (6, 6)
    nested = "query ($id: ID!, $after: String) { node(id: $id) { ... on Organisation { children(first: 2, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } } }"  # noqa: E501  # one document
    children, after = [], None
    while True:
        page = house.admin.ask(nested, id=house.top, after=after)["node"]["children"]
        children += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [house.top, *children] == seen_
    back = "query ($id: ID!) { node(id: $id) { ... on Organisation { children(last: 2) { nodes { id } } } } }"
    last = house.admin.ask(back, id=house.top)["node"]["children"]["nodes"]
    assert [each["id"] for each in last] == children[-2:]


def bring(client: Client, number_: int, **fields: Any) -> dict[str, Any]:
    upload = client.upload(picture(number_))
    return client.mutate("assetCreate", "asset { id organisation { id } brand { id } }", upload=upload, **fields)


def seen(client: Client) -> set[str]:
    found = client.ask(LIST)["organisations"]
    assert found["totalCount"] == len(found["nodes"])
    return {each["id"] for each in found["nodes"]}


def _orgs(house: House, principal: str) -> set[int]:
    reach = house.viewer(principal).holdings.reach(P.ASSET_CREATE)
    return {org for scope in reach.allowed for org in getattr(scope, "orgs", None) or ()}
