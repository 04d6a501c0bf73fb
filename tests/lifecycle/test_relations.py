"""Relations between assets: no circles however they are tried, and nobody learns of an end they do not see."""

from __future__ import annotations

import itertools
from typing import Any

from domain.hub import Hub
from tests import acting
from tests.asking import Client, statements
from tests.assets.acts import accepted, created, events, picture, queries, refusal, unchanged
from tests.assets.together import together

OF = """query ($id: ID!) { asset(id: $id) {
  relations { id kind ofAsset { id } toAsset { id } } } }"""


def related(client: Client, one: dict[str, Any], other: dict[str, Any], kind: str = "DERIVED_FROM") -> dict[str, Any]:
    told = {"from": one["id"], "to": other["id"], "kind": kind}
    return client.mutate("assetRelationCreate", "relation { id kind ofAsset { id } toAsset { id } }", **told)


def test_a_relation_is_told_at_both_ends_and_taken_back(hub: Hub, client: Client) -> None:
    crop, whole = created(client, picture(1)), created(client, picture(2))
    made = accepted(related(client, crop, whole))["relation"]
    assert client.ask(OF, id=crop["id"])["asset"]["relations"] == [made]
    assert client.ask(OF, id=whole["id"])["asset"]["relations"] == [made]
    again = accepted(related(client, crop, whole))["relation"]
    assert again == made
    assert len(events(hub, "relation.created")) == 1
    accepted(client.mutate("assetRelationRemove", "asset { id }", relation=made["id"]))
    assert client.ask(OF, id=whole["id"])["asset"]["relations"] == []
    assert len(events(hub, "relation.removed")) == 1


def test_nothing_is_derived_from_itself_however_far_around(hub: Hub, client: Client) -> None:
    chain = [created(client, picture(place)) for place in range(4)]
    for one, other in itertools.pairwise(chain):
        accepted(related(client, one, other))
    with unchanged(hub):
        for earlier in chain:
            assert refusal(related(client, chain[-1], earlier))["code"] == "CONFLICT"
    accepted(related(client, chain[-1], chain[0], "LANGUAGE_VARIANT"))


def test_two_halves_of_a_circle_at_once_make_none(hub: Hub, client: Client) -> None:
    for place in range(0, 8, 2):
        one, other = created(client, picture(place)), created(client, picture(place + 1))
        answers = together([lambda: related(client, one, other), lambda: related(client, other, one)])  # noqa: B023  # called at once
        assert sum(answer["errors"] == [] for answer in answers) == 1


def test_who_sees_one_end_does_not_learn_of_the_other(hub: Hub, client: Client) -> None:
    org = acting.organisation(hub, "North")
    theirs = Client(hub, acting.member(hub, "designer", org_id=org))
    mine, hidden = created(theirs, picture(1)), created(client, picture(2))
    accepted(related(client, mine, hidden))
    assert theirs.ask(OF, id=mine["id"])["asset"]["relations"] == []
    with unchanged(hub):
        assert refusal(related(theirs, mine, hidden))["code"] == "NOT_FOUND"


def test_relations_of_many_assets_cost_as_much_as_those_of_one(hub: Hub, client: Client) -> None:
    whole = created(client, picture(0))
    for place in range(1, 6):
        accepted(related(client, created(client, picture(place)), whole))
    query = "query ($first: Int) { assets(first: $first) { nodes { relations { id } usedIn { nodeId } } } }"
    costs = []
    for first in (2, 6):
        with statements(hub) as sent:
            client.ask(query, first=first)
        costs.append(len(queries(sent)))
    assert costs[0] == costs[1]
