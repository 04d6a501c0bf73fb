"""Lists of people: filtered, ordered, paged, and never by what the viewer may not see."""

from __future__ import annotations

from typing import Any

import pytest

from domain.hub import Hub
from domain.permissions import P
from domain.texts import fold
from domain.work import HUB
from storage.tables import PrincipalRow
from tests.asking import Client, statements
from tests.assets.acts import queries
from tests.people.folk import PERSON, House, accepted, change
from tests.working import mutate

LIST = """query ($where: ActorWhere, $orderBy: [ActorOrder!], $first: Int, $after: String) {
  people(where: $where, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes { name } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
def north(house: House) -> str:
    """An affiliate with Bea and Cid in it, and Dan below it; Ann is on the brand."""
    org = house.org("North")
    for name, where in (("Ann", house.top), ("bea", org), ("Cid", org), ("Dan", house.org("Below", org))):
        wish = {"email": f"{name}@{'zoo' if name == 'Ann' else 'example'}.com", "name": name, "organisation": where}
        accepted(mutate(house.admin, "personInvite", PERSON, **wish))
    return org


def names(client: Client, **variables: Any) -> list[str]:
    found = client.ask(LIST, **variables)["people"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["name"] for each in found["nodes"]]


def test_people_are_found_by_what_they_are_like(house: House, north: str) -> None:
    account = house.service(north)
    gone = house.person(north, name="Eve")
    accepted(change(house.admin, house, "principalDisable", "principal", gone))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["Administrator", "Ann", "Cid", "Dan", "Eve", "bea", house.look(account)["name"]]),
        ({"name": {"eq": "Ann"}}, ["Ann"]),
        ({"name": {"startsWith": "A"}}, ["Administrator", "Ann"]),
        ({"name": {"eq": "ANN"}}, ["Ann"]),
        ({"name": {"startsWith": "\uff22E"}}, ["bea"]),  # a wide B
        ({"name": {"startsWith": "%"}}, []),
        ({"name": {"oneOf": ["Cid", "Dan", "dan"]}}, ["Cid", "Dan"]),
        ({"email": {"eq": "ANN@zoo.COM"}}, ["Ann"]),
        ({"email": {"startsWith": "Be"}}, ["bea"]),
        ({"email": {"oneOf": ["cid@example.com", "x@example.com"]}}, ["Cid"]),
        ({"organisation": {"eq": north}}, ["Cid", "Eve", "bea", house.look(account)["name"]]),
        (
            {"organisation": {"eq": north, "includeDescendants": True}, "kind": {"eq": "PERSON"}},
            ["Cid", "Dan", "Eve", "bea"],
        ),
        ({"organisation": {"oneOf": []}}, []),
        ({"kind": {"eq": "SERVICE_ACCOUNT"}}, [house.look(account)["name"]]),
        ({"state": {"eq": "DISABLED"}}, ["Eve"]),
        ({"state": {"oneOf": ["ACTIVE"]}}, ["Administrator", house.look(account)["name"]]),
        ({"state": {"eq": "INVITED"}, "NOT": {"name": {"eq": "Ann"}}}, ["Cid", "Dan", "bea"]),
        ({"OR": [{"name": {"eq": "Ann"}}, {"name": {"eq": "Cid"}}]}, ["Ann", "Cid"]),
        ({"AND": [{"name": {"startsWith": "A"}}, {"email": {"startsWith": "a"}}]}, ["Ann"]),
        ({"OR": []}, []),
        ({"NOT": {}}, []),
    ]
    for where, expected in cases:
        assert names(house.admin, where=where) == expected, where


@pytest.mark.parametrize("name", ["Straße", "ΣΊΣΥΦΟΣ", "\uff21nn", "İpek", "e\u0301"])
def test_a_name_is_compared_as_every_folded_text_is(hub: Hub, name: str) -> None:
    with hub.writing(HUB) as work:
        row = PrincipalRow(org_id=1, kind="PERSON", name="Before", created_at=work.now)
        work.session.add(row)
        work.session.flush()
        row.name = name
    with hub.reading(HUB) as work:
        assert work.session.get_one(PrincipalRow, row.id).name_folded == fold(name)


def test_people_are_ordered_and_paged(house: House, north: str) -> None:
    del north
    cases: list[tuple[list[dict[str, str]], list[str]]] = [
        ([{"field": "NAME", "direction": "DESC"}], ["bea", "Dan", "Cid", "Ann", "Administrator"]),
        ([{"field": "EMAIL"}], ["Administrator", "Ann", "bea", "Cid", "Dan"]),
        ([{"field": "CREATED_AT", "direction": "DESC"}], ["Dan", "Cid", "bea", "Ann", "Administrator"]),
        ([{"field": "EMAIL", "direction": "DESC"}, {"field": "NAME"}], ["Dan", "Cid", "bea", "Ann", "Administrator"]),
    ]
    for order, expected in cases:
        assert names(house.admin, orderBy=order) == expected
        for size in (1, 2):
            found: list[str] = []
            after = None
            while True:
                page = house.admin.ask(LIST, orderBy=order, first=size, after=after)["people"]
                found += [each["name"] for each in page["nodes"]]
                after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"]:
                    break
            assert found == expected


def nested(depth: int) -> dict[str, Any]:
    return {"NOT": nested(depth - 1)} if depth else {"name": {"eq": "x"}}


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"where": {"name": {"eq": "\u0000"}}}, "INVALID"),
    ({"where": {"email": {"startsWith": "a\u0000"}}}, "INVALID"),
    ({"where": {"name": {"oneOf": ["x"] * 101}}}, "INVALID"),
    ({"where": nested(7)}, "INVALID"),
    ({"where": nested(60)}, "TOO_DEEP"),
    ({"where": {"OR": [{"name": {"eq": "x"}}] * 60}}, "INVALID"),
    ({"where": {"organisation": {"eq": "x"}}}, "NOT_FOUND"),
    ({"where": {"organisation": {"oneOf": ["T3JnYW5pc2F0aW9uOjE"] * 101}}}, "INVALID"),
    ({"orderBy": [{"field": "NAME"}, {"field": "NAME"}]}, "INVALID"),
    ({"first": 101}, "PAGE_TOO_LARGE"),
    ({"after": "x"}, "BAD_CURSOR"),
]


def test_what_cannot_be_asked_is_refused(house: House) -> None:
    for variables, code in BROKEN:
        answer = house.admin.answer(LIST, **variables)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code], variables


def test_an_address_decides_nothing_for_whoever_may_see_none(house: House, north: str) -> None:
    watcher = house.as_(house.person(role="designer", name="Watcher"))
    for variables, argument in (
        ({"where": {"email": {"eq": "ann@zoo.com"}}}, "where"),
        ({"where": {"NOT": {"OR": [{"AND": [{"email": {"eq": "x"}}]}]}}}, "where"),
        ({"where": {"email": {}}}, "where"),
        ({"orderBy": [{"field": "NAME"}, {"field": "EMAIL"}]}, "orderBy"),
    ):
        answer = watcher.answer(LIST, **variables)
        (error,) = answer["errors"]
        told = {"code": "NOT_ALLOWED", "argument": argument, "permission": "field.personal"}
        assert (answer["data"], error["extensions"]) == (None, told)
    local = house.person(name="Local")
    house.grant(local, house.new_role(P.PEOPLE_VIEW))
    house.grant(local, house.new_role(P.FIELD_PERSONAL), north)
    client = house.as_(local)
    assert names(client, where={"email": {"startsWith": "ann"}}) == []  # seen by name, but not their address
    assert names(client, where={"email": {"startsWith": "c"}}) == ["Cid"]
    assert names(client, where={"NOT": {"email": {"eq": "ann@zoo.com"}}}).count("Ann") == 1
    own = house.admin.ask("query ($id: ID!) { node(id: $id) { ... on Person { email } } }", id=local)["node"]["email"]
    assert names(client, where={"email": {"eq": own}}) == ["Local"]
    ordered = names(client, orderBy=[{"field": "EMAIL"}])
    assert ordered[-4:] == ["bea", "Cid", "Dan", "Local"]
    assert set(ordered[:-4]) == {"Administrator", "Ann", "Watcher"}


def test_a_list_shows_only_whom_one_may_know_of(house: House, north: str) -> None:
    inside = house.as_(house.manager(north))
    assert "Ann" not in names(inside)
    assert {"bea", "Cid", "Dan"} < set(names(inside))
    assert names(inside, where={"organisation": {"eq": house.top}}) == []
    alone = house.person(house.org("South"), "partner", name="Alone")
    assert names(house.as_(alone)) == ["Alone"]


DEEP = """query ($first: Int) { people(first: $first) { totalCount nodes { name state viewerCan
  organisation { name viewerCan parent { name } } teams { name organisation { name } }
  grants(first: 2) { totalCount nodes { role { name permissions } organisation { name } actor { id } } }
  ... on Person { email } } } }"""


@pytest.mark.parametrize("who", ["administrator", "manager"])
def test_a_page_of_people_takes_as_many_statements_for_twenty_as_for_six(house: House, who: str) -> None:
    north, team = house.org("North"), house.team()
    for at in range(20):
        person = house.person(north if at % 2 else house.top, "viewer")
        accepted(change(house.admin, house, "teamMembersAdd", "team", team, members=[person]))
    manager = house.manager(house.top, P.FIELD_PERSONAL)
    client = house.admin if who == "administrator" else house.as_(manager)
    counts = {}
    for first in (6, 20):
        with statements(house.hub) as sent:
            page = client.ask(DEEP, first=first)["people"]
        assert len(page["nodes"]) == first
        counts[first] = len(queries(sent))
    assert len(set(counts.values())) == 1, counts
