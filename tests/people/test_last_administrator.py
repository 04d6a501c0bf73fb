"""Somebody goes on administering the hub, whatever is done and however much of it at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from domain.permissions import P
from tests.asking import Client
from tests.people.folk import GRANT, SELECTIONS, House, accepted, change, holder, not_done, number
from tests.working import at_once, mutate


def me(client: Client) -> str:
    found: str = client.ask("{ me { person { id } } }")["me"]["person"]["id"]
    return found


def administrator(house: House) -> str:
    """A second one, who has come in: a service account needs no invitation."""
    return house.service(role="admin")


def own_grant(client: Client) -> str:
    found: str = client.ask("{ me { person { grants { nodes { id } } } } }")["me"]["person"]["grants"]["nodes"][0]["id"]
    return found


def test_the_last_administrator_stays(house: House) -> None:
    last = me(house.admin)
    wish = {"principal": last, "expectedRevision": house.revision(last)}
    assert not_done(house.admin, "principalDisable", **wish) == ("CONFLICT", ["principal"])
    assert not_done(house.admin, "grantRevoke", grant=own_grant(house.admin)) == ("CONFLICT", ["grant"])
    denial = {"to": {"person": last}, "scope": {"organisation": house.top}, "denial": True}
    for role in (house.role("admin"), house.new_role(P.ASSET_VIEW)):
        assert not_done(house.admin, "grantCreate", **denial, role=role)[0] == "CONFLICT"
    team = house.team(house.top, last)
    wish = {**denial, "to": {"team": team}, "role": house.role("viewer")}
    assert not_done(house.admin, "grantCreate", **wish)[0] == "CONFLICT"


def test_who_has_never_come_in_or_only_for_a_while_is_no_other_administrator(house: House) -> None:
    last = me(house.admin)
    house.person(role="admin")
    soon = (house.hub.clock() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    house.grant(house.service(), house.role("admin"), expiresAt=soon)
    house.service(house.org(), "admin")
    house.grant(house.service(), house.role("admin"), scope={"assetKind": {"organisation": house.top, "kind": "IMAGE"}})
    assert house.administrators() == [number(last)]
    wish = {"principal": last, "expectedRevision": house.revision(last)}
    assert not_done(house.admin, "principalDisable", **wish) == ("CONFLICT", ["principal"])


def test_with_another_administrator_one_may_go(house: House) -> None:
    last, other = me(house.admin), administrator(house)
    assert house.administrators() == [number(last), number(other)]
    accepted(change(house.as_(other), house, "principalDisable", "principal", last))
    assert house.administrators() == [number(other)]
    wish = {"principal": other, "expectedRevision": 1}
    assert not_done(house.as_(other), "principalDisable", **wish) == ("CONFLICT", ["principal"])


def test_an_administrator_by_a_team_counts_as_long_as_they_are_in_it(house: House) -> None:
    other = house.service()
    team = house.team(house.top, other)
    house.grant(team, house.role("admin"))
    accepted(mutate(house.as_(other), "grantRevoke", GRANT, grant=own_grant(house.admin)))
    assert house.administrators() == [number(other)]
    client = house.as_(other)
    house.admin = client
    revision = house.revision(team)
    assert not_done(client, "teamMembersRemove", team=team, expectedRevision=revision, members=[other]) == (
        "CONFLICT",
        ["members"],
    )
    assert not_done(client, "teamArchive", team=team, expectedRevision=revision) == ("CONFLICT", ["team"])


def test_of_two_last_administrators_who_shut_each_other_out_at_once_one_stays(house: House) -> None:
    one, two = me(house.admin), administrator(house)
    for _ in range(3):
        acts = [partial(shut_out, house, house.as_(one), two), partial(shut_out, house, house.as_(two), one)]
        answers = at_once(acts)
        assert sorted(len(answer["errors"]) for answer in answers) == [0, 1], answers
        (left,) = house.administrators()
        gone = two if left == number(one) else one
        accepted(change(house.as_(two if gone == one else one), house, "principalEnable", "principal", gone))


def test_of_many_ways_to_lose_the_last_administrators_at_once_some_fail(house: House) -> None:
    """Three administrators; each is shut out, stripped, and denied at once, by the two others and by themselves."""
    first = me(house.admin)
    for _ in range(2):
        others = [administrator(house) for _ in range(2)]
        everybody = [first, *others]
        clients = {each: house.as_(each) for each in everybody}
        role = house.role("admin")
        acts: list[Callable[[], dict[str, Any]]] = []
        for at, each in enumerate(everybody):
            by = clients[everybody[(at + 1) % 3]]
            acts.append(partial(shut_out, house, by, each))
            acts.append(partial(mutate, clients[each], "grantRevoke", GRANT, grant=own_grant(clients[each])))
            denial = {"to": holder(each), "role": role, "scope": {"organisation": house.top}, "denial": True}
            acts.append(partial(mutate, by, "grantCreate", GRANT, **denial))
        answers = at_once(acts)
        assert any(answer["errors"] for answer in answers)
        left = house.administrators()
        assert left
        first = next(each for each in everybody if number(each) == left[0])
        house.admin = house.as_(first)


def shut_out(house: House, client: Client, principal: str) -> dict[str, Any]:
    revision = client.ask("query ($id: ID!) { node(id: $id) { ... on Actor { revision } } }", id=principal)["node"]
    fields = {"principal": principal, "expectedRevision": revision["revision"]}
    return mutate(client, "principalDisable", SELECTIONS["principalDisable"], **fields)
