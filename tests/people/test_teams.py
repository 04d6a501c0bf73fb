"""Teams: who is in them, and that what a team holds its members hold, as long as they are in it."""

from __future__ import annotations

import pytest

from domain import teams
from domain.global_ids import encode
from domain.permissions import P
from tests.people.folk import TEAM, House, accepted, change, not_done, number
from tests.working import mutate


def test_a_team_is_made_renamed_joined_left_and_put_away(house: House) -> None:
    one, two = house.person(), house.service()
    team = house.team()
    done = accepted(change(house.admin, house, "teamUpdate", "team", team, name=" Launch  crew "))["team"]
    assert (done["name"], done["revision"]) == ("Launch crew", 2)
    done = accepted(change(house.admin, house, "teamMembersAdd", "team", team, members=[two, one, one]))["team"]
    assert (done["revision"], done["members"]) == (3, {"totalCount": 2, "nodes": [{"id": one}, {"id": two}]})
    done = accepted(change(house.admin, house, "teamMembersAdd", "team", team, members=[one]))["team"]
    assert done["members"]["totalCount"] == 2
    done = accepted(change(house.admin, house, "teamMembersRemove", "team", team, members=[one]))["team"]
    assert done["members"]["nodes"] == [{"id": two}]
    done = accepted(change(house.admin, house, "teamMembersRemove", "team", team, members=[one]))["team"]
    assert (done["members"]["totalCount"], done["revision"]) == (1, 6)
    assert accepted(change(house.admin, house, "teamArchive", "team", team))["team"]["archived"]
    for mutation, more in (
        ("teamUpdate", {"name": "x"}),
        ("teamArchive", {}),
        ("teamMembersAdd", {"members": [one]}),
        ("teamMembersRemove", {"members": [two]}),
    ):
        told = not_done(house.admin, mutation, team=team, expectedRevision=7, **more)
        assert told == ("CONFLICT", ["team"]), mutation
    changes = [payload for _, _, _, _, payload in house.events("team.members_changed")]
    assert [payload.get("added", payload.get("removed")) for payload in changes] == [
        [number(one), number(two)],
        [],
        [number(one)],
        [],
    ]


def test_members_hold_what_the_team_holds_as_long_as_they_are_in_it(house: House) -> None:
    person = house.person()
    team = house.team(house.top, person)
    house.grant(team, house.role("designer"))
    assert house.viewer(person).holdings.anywhere(P.ASSET_CREATE)
    accepted(change(house.admin, house, "teamMembersRemove", "team", team, members=[person]))
    assert not house.viewer(person).holdings.anywhere(P.ASSET_CREATE)
    accepted(change(house.admin, house, "teamMembersAdd", "team", team, members=[person]))
    assert house.viewer(person).holdings.anywhere(P.ASSET_CREATE)
    accepted(change(house.admin, house, "teamArchive", "team", team))
    assert not house.viewer(person).holdings.anywhere(P.ASSET_CREATE)


def test_who_cannot_be_a_member(house: House) -> None:
    team, person = house.team(), house.person()
    wish = {"team": team, "expectedRevision": 1}
    wrong = [encode("Person", 9999), encode("ServiceAccount", number(person)), team, "x", "\u0000"]
    for each in wrong:
        for mutation in ("teamMembersAdd", "teamMembersRemove"):
            told = not_done(house.admin, mutation, **wish, members=[person, each])
            assert told == ("NOT_FOUND", ["members"])
    for members in ([], [encode("Person", at) for at in range(1, 102)]):
        told = not_done(house.admin, "teamMembersAdd", **wish, members=members)
        assert told[1] == ["members"]


def test_there_are_limits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = (house.person() for _ in range(3))
    team, other = house.team(house.top, one, two), house.team()
    monkeypatch.setattr(teams, "MAX_MEMBERS", 2)
    told = not_done(house.admin, "teamMembersAdd", team=team, expectedRevision=2, members=[three])
    assert told == ("CONFLICT", ["members"])
    monkeypatch.setattr(teams, "MAX_JOINED", 1)
    told = not_done(house.admin, "teamMembersAdd", team=other, expectedRevision=1, members=[one])
    assert told == ("CONFLICT", ["members"])
    monkeypatch.setattr(teams, "MAX_TEAMS", 2)
    told = not_done(house.admin, "teamCreate", organisation=house.top, name="More")
    assert told == ("CONFLICT", ["organisation"])


def test_a_name_is_given_once_in_an_organisation(house: House) -> None:
    house.done("teamCreate", TEAM, organisation=house.top, name="Crew")
    other = house.team()
    assert not_done(house.admin, "teamCreate", organisation=house.top, name="CREW") == ("CONFLICT", ["name"])
    assert not_done(house.admin, "teamUpdate", team=other, expectedRevision=1, name="crew") == ("CONFLICT", ["name"])
    house.done("teamCreate", TEAM, organisation=house.org(), name="Crew")


def test_teams_are_kept_by_whoever_looks_after_people_there(house: House) -> None:
    north = house.org("North")
    manager, member = house.as_(house.manager(north)), house.person(north, "designer")
    stranger = house.as_(house.person(house.org("South"), "admin"))
    team = house.team(north, member)
    accepted(mutate(manager, "teamCreate", TEAM, organisation=north, name="Crew"))
    assert not_done(manager, "teamCreate", organisation=house.top, name="Crew") == ("NOT_ALLOWED", None)
    for client, expected in ((house.as_(member), ("NOT_ALLOWED", None)), (stranger, ("NOT_FOUND", ["team"]))):
        for mutation, more in (("teamUpdate", {"name": "x"}), ("teamArchive", {})):
            assert not_done(client, mutation, team=team, expectedRevision=2, **more) == expected
    query = """query ($id: ID!) { node(id: $id) { ... on Team { name organisation { name }
      members { totalCount nodes { id } } } } }"""
    assert stranger.ask(query, id=team)["node"] is None
    outsider = house.person(house.org("East"))
    accepted(change(house.admin, house, "teamMembersAdd", "team", team, members=[outsider]))
    found = house.as_(outsider).ask(query, id=team)["node"]  # one's own team, and of those in it oneself
    assert (found["organisation"], found["members"]) == (None, {"totalCount": 1, "nodes": [{"id": outsider}]})
    mine = house.as_(outsider).ask("{ me { person { teams { id } } } }")["me"]["person"]["teams"]
    assert mine == [{"id": team}]
