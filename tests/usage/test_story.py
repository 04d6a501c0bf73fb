"""Reserving, confirming and the register over GraphQL, and everybody who may not look into it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing.codes import CapUnit
from domain.work import HUB
from storage.tables import UsageRecordRow
from tests import acting
from tests.asking import Client, statements
from tests.assets.acts import accepted, queries, refusal, unchanged
from tests.lifecycle.turning import job, later
from tests.lifecycle.turning import mutate as thrown_by
from tests.usage.using import Licensed, cap, counters, licensed
from tests.working import tools_of
from workers import usage as chores

SELECTED = """usage { id phase channel territories startsOn endsOn reference withdrawnAt organisation { id }
  version { id } decision { id outcome remaining { unit limit after } }
  records { phase unit quantity license { id } } }"""


def asked(client: Client, it: Licensed, amount: int | None, **more: Any) -> dict[str, Any]:
    """The payload of `rightsReserve`."""
    today = it.hub.clock().date()
    use = {
        "versionId": it.asset["current"]["id"],
        "action": "PRINT",
        "channel": "print.flyer",
        "territories": ["AT", "DE"],
        "window": {"from": today.isoformat(), "to": (today + timedelta(days=9)).isoformat(), "zone": "Europe/Berlin"},
        "purpose": "COMMERCIAL",
        **({} if amount is None else {"quantity": {"unit": "COPIES", "amount": amount}}),
        **more.pop("use", {}),
    }
    return told(client, "rightsReserve", SELECTED, use=use, **more)


def told(client: Client, name: str, selection: str, /, **fields: Any) -> dict[str, Any]:
    query = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {selection}
      errors {{ __typename code message path ... on RightsDeniedError {{ decision {{
        outcome reasons {{ code message }} alternatives {{ kind amount unit }} }} }} }} }} }}"""
    found: dict[str, Any] = client.ask(query, input=fields)[name]
    return found


def test_a_use_is_reserved_confirmed_and_read_back(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    made = accepted(asked(client, it, 400, reference="Order 7"))["usage"]
    assert (made["phase"], made["territories"], made["reference"]) == ("RESERVED", ["AT", "DE"], "Order 7")
    assert made["decision"]["outcome"] == "ALLOWED"
    assert made["decision"]["remaining"] == [{"unit": "COPIES", "limit": "1000", "after": "600"}]
    assert made["version"]["id"] == it.asset["current"]["id"]
    node = "query ($id: ID!) { node(id: $id) { ... on RightsDecision { outcome basis { license { id } } } } }"
    kept = client.ask(node, id=made["decision"]["id"])["node"]
    assert kept == {"outcome": "ALLOWED", "basis": [{"license": {"id": made["records"][0]["license"]["id"]}}]}
    actual = [{"unit": "COPIES", "amount": 380}]
    done = accepted(told(client, "usageConfirm", SELECTED, usage=made["id"], actual=actual))["usage"]
    assert [(each["phase"], each["quantity"]) for each in done["records"]] == [("RESERVED", "400"), ("ACTUAL", "380")]
    assert counters(hub, it.license_id) == [(380, 0)]
    with unchanged(hub):
        again = told(client, "usageVoid", SELECTED, usage=made["id"])
        assert refusal(again)["code"] == "CONFLICT"


def test_a_denied_use_says_why_and_what_would_pass(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    accepted(asked(client, it, 900))
    with unchanged(hub):
        error = refusal(asked(client, it, 200))
    assert (error["code"], error["__typename"]) == ("RIGHTS_DENIED", "RightsDeniedError")
    assert error["decision"]["outcome"] == "DENIED"
    assert [each["code"] for each in error["decision"]["reasons"]] == ["CAP_EXCEEDED"]
    assert {"kind": "QUANTITY", "amount": "100", "unit": "COPIES"} in error["decision"]["alternatives"]
    with unchanged(hub):
        nonsense = asked(client, it, 1, use={"channel": "print"})
        assert refusal(nonsense)["code"] == "INVALID"
        backwards = {"window": {"from": "2027-01-02", "to": "2027-01-01"}}
        assert refusal(asked(client, it, 1, use=backwards))["code"] == "INVALID"
        assert refusal(asked(client, it, 1, use={"territories": ["XX"]}))["code"] == "INVALID"


def test_the_register_is_each_organisations_own(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000))
    mine = accepted(asked(client, it, 1))["usage"]
    north, south = acting.organisation(hub, "North"), acting.organisation(hub, "South")
    theirs = Client(hub, acting.member(hub, "designer", org_id=north))
    other = Client(hub, acting.member(hub, "designer", org_id=south))
    own = licensed(theirs, number=2)
    used = accepted(asked(theirs, own, None))["usage"]
    query = """query ($id: ID!) { node(id: $id) { id } usages { nodes { id } totalCount }
      runningUsagesAfter(date: "2020-01-01") { nodes { id } totalCount } }"""
    one = {"nodes": [{"id": used["id"]}], "totalCount": 1}
    none: dict[str, Any] = {"nodes": [], "totalCount": 0}
    assert theirs.ask(query, id=mine["id"]) == {"node": None, "usages": one, "runningUsagesAfter": one}
    assert other.ask(query, id=used["id"]) == {"node": None, "usages": none, "runningUsagesAfter": none}
    assert client.ask(query, id=used["id"])["usages"]["totalCount"] == 2
    with unchanged(hub):
        assert refusal(told(other, "usageVoid", SELECTED, usage=used["id"]))["code"] == "NOT_FOUND"
    viewer = Client(hub, acting.member(hub, "viewer"))
    assert viewer.ask(query, id=mine["id"]) == {"node": None, "usages": none, "runningUsagesAfter": none}


def test_the_register_is_filtered_and_paged(hub: Hub, client: Client) -> None:
    one, two = licensed(client), licensed(client, number=2)
    uses = [accepted(asked(client, one, None))["usage"]["id"] for _ in range(3)]
    uses.append(accepted(asked(client, two, None))["usage"]["id"])
    accepted(told(client, "usageVoid", "usage { id }", usage=uses[0]))
    query = """query ($asset: ID, $version: ID, $phases: [UsagePhase!], $after: String) {
      usages(asset: $asset, version: $version, phases: $phases, first: 2, after: $after) {
        nodes { id } totalCount pageInfo { endCursor } } }"""
    page = client.ask(query, asset=one.asset["id"])["usages"]
    assert ([each["id"] for each in page["nodes"]], page["totalCount"]) == ([uses[2], uses[1]], 3)
    rest = client.ask(query, asset=one.asset["id"], after=page["pageInfo"]["endCursor"])["usages"]
    assert [each["id"] for each in rest["nodes"]] == [uses[0]]
    assert client.ask(query, version=two.asset["current"]["id"])["usages"]["totalCount"] == 1
    assert client.ask(query, phases=["VOID"])["usages"]["nodes"] == [{"id": uses[0]}]


def test_what_is_out_stands_in_the_way_of_the_trash(hub: Hub, client: Client) -> None:
    it = licensed(client)
    used = accepted(asked(client, it, None))["usage"]
    query = "query ($id: ID!) { asset(id: $id) { id revision usedIn { kind nodeId blocks } } }"
    asset = client.ask(query, id=it.asset["id"])
    ways = {(each["kind"], each["nodeId"], each["blocks"]) for each in asset["asset"]["usedIn"]}
    assert ("USAGE", used["id"], True) in ways
    fields = {"asset": it.asset["id"], "expectedRevision": asset["asset"]["revision"]}
    with unchanged(hub):
        assert refusal(thrown_by(client, "assetTrash", "asset { id }", **fields))["code"] == "IN_USE"
    accepted(told(client, "usageVoid", "usage { id }", usage=used["id"]))
    accepted(thrown_by(client, "assetTrash", "asset { id }", **fields))


def test_the_hub_gives_up_what_nobody_resolves(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(10))
    accepted(asked(client, it, 10))
    chores.time_out_reservations(tools_of(later(hub, days=2)), job())
    assert counters(hub, it.license_id) == [(0, 0)]
    with hub.reading(HUB) as work:
        phases = list(work.session.scalars(sa.select(UsageRecordRow.phase).order_by(UsageRecordRow.id)))
    assert phases == ["RESERVED", "VOID"]


def test_records_of_many_uses_cost_as_much_as_those_of_one(hub: Hub, client: Client) -> None:
    it = licensed(client, cap(1_000), cap(10, CapUnit.PLACEMENTS))
    for _ in range(4):
        quantities = {"moreQuantities": [{"unit": "PLACEMENTS", "amount": 1}]}
        accepted(asked(client, it, 1, use=quantities))
    query = f"query ($first: Int) {{ usages(first: $first) {{ nodes {{ {SELECTED[8:-2]} }} }} }}"
    costs = []
    for first in (1, 4):
        with statements(hub) as sent:
            client.ask(query, first=first)
        costs.append(len(queries(sent)))
    assert costs[0] == costs[1]


def test_nobody_reserves_what_they_only_look_at(hub: Hub, client: Client) -> None:
    it = licensed(client)
    viewer = Client(hub, acting.member(hub, "legal"))
    with unchanged(hub):
        assert refusal(asked(viewer, it, None))["code"] == "NOT_ALLOWED"
