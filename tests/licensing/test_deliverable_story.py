"""Lists of what may be delivered, over GraphQL: what loses its rights is gone at once, what gains some comes later."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa

from domain import asking
from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB, Viewer
from schema import plans
from storage.tables import DeliverableDueRow, DeliverableReachRow, DeliverableVersionRow, JobRow
from tests import acting
from tests.asking import Client, trusting
from tests.assets.acts import accepted, add_version, created, picture
from tests.licensing.listed import ONLY_THIS
from tests.licensing.writing import PERMIT, active, assessed, draft, moved, number, put_in
from tests.schema.samples import SAMPLES, Brand
from tests.working import index_all, work_off
from workers.licensing import CHORES
from workers.registry import Chore

USE: dict[str, Any] = {
    "channel": "print.flyer",
    "territories": ["DE"],
    "window": {"from": "2026-06-01", "to": "2026-06-30"},
    "action": "PRINT",
}
NOBODY = {"recognisablePeople": False, "recognisableProperty": False}
LISTED = "query ($where: AssetWhere) { assets(where: $where) { nodes { id } totalCount } }"


@pytest.fixture
def asset(client: Client) -> dict[str, Any]:
    return created(client, picture(1))


@pytest.fixture
def licensed(hub: Hub, client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    """The asset's licence, compiled."""
    row = active(client)
    assessed(client, asset, licenses=[row["id"]], **NOBODY)
    compile_what_is_due(hub)
    return row


def test_what_is_licensed_is_listed_as_soon_as_it_was_compiled(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    other, row = created(client, picture(2)), active(client)
    assert listed(client) == []
    assessed(client, asset, licenses=[row["id"]], **NOBODY)
    assert listed(client) == [], "nothing was compiled yet"
    assert waiting(hub) == 1
    assert compile_what_is_due(hub) == 1
    assert listed(client) == [asset["id"]]
    assert listed(client, {"NOT": {"deliverableFor": USE}}) == [other["id"]]
    assert listed(client, {"OR": [{"deliverableFor": USE}, {"kind": {"eq": "VIDEO"}}]}) == [asset["id"]]


@pytest.mark.parametrize(
    "more",
    [
        {"channel": "web.site"},
        {"territories": ["DE", "FR"]},
        {"territories": ["WORLDWIDE"]},
        {"window": {"from": "2025-12-31", "to": "2026-06-30"}},
        {"action": "PUBLISH"},
        {"action": "DOWNLOAD"},
    ],
)
def test_what_lies_beyond_the_licence_is_not_listed(
    client: Client, licensed: dict[str, Any], asset: dict[str, Any], more: dict[str, Any]
) -> None:
    assert listed(client) == [asset["id"]]
    assert listed(client, {"deliverableFor": {**USE, **more}}) == []


def test_a_part_of_a_country_that_is_licensed_is_licensed(
    client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    assert listed(client, {"deliverableFor": {**USE, "territories": ["DE-BY", "AT-9"]}}) == [asset["id"]]
    assert listed(client, {"deliverableFor": {**USE, "territories": ["DE-BY", "CH-ZH"]}}) == []


def test_parts_of_a_country_that_a_licence_names_are_told_apart(
    hub: Hub, client: Client, asset: dict[str, Any]
) -> None:
    grants = [{**PERMIT, "territories": ["DE", "US-CA"], "territoriesExcept": ["DE-BY"]}]
    assessed(client, asset, licenses=[active(client, grants=grants)["id"]], **NOBODY)
    compile_what_is_due(hub)
    for place, passes in (("DE-BW", True), ("DE-BY", False), ("DE", False), ("US-CA", True), ("US-NY", False)):
        found = listed(client, {"deliverableFor": {**USE, "territories": [place]}})
        assert found == ([asset["id"]] if passes else []), place


def test_what_is_taken_down_is_gone_before_anybody_compiles(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    told = {"asset": asset["id"], "legalRef": "1 O 2/26", "reason": "A letter."}
    takedown = accepted(client.mutate("takedownOpen", "takedown { id }", **told))["takedown"]
    assert listed(client) == []
    compile_what_is_due(hub)
    assert listed(client) == []
    told = {"takedown": takedown["id"], "expectedRevision": 1, "reason": "They were wrong."}
    accepted(client.mutate("takedownLift", "takedown { id }", **told))
    assert listed(client) == []
    compile_what_is_due(hub)
    assert listed(client) == [asset["id"]]


def test_a_superseded_licence_is_compiled_by_one_job_however_many_assets_are_under_it(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    others = [created(client, picture(at)) for at in range(2, 6)]
    for each in others:
        assessed(client, each, licenses=[licensed["id"]], **NOBODY)
    compile_what_is_due(hub)
    newer = draft(client, grants=[{**PERMIT, "channels": ["web"]}])
    accepted(moved(client, "Supersede", licensed, by=newer["id"], reason="Bought anew."))
    assert listed(client) == []
    assert waiting(hub) == 1
    assert compile_what_is_due(hub) == 1
    assert listed(client) == []
    wanted = {"deliverableFor": {**USE, "channel": "web.site"}}
    assert sorted(listed(client, wanted)) == sorted([asset["id"], *(each["id"] for each in others)])


def test_a_new_version_is_listed_once_it_was_compiled(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    accepted(add_version(client, asset, picture(9)))
    assert listed(client) == []
    compile_what_is_due(hub)
    assert listed(client) == [asset["id"]]


def test_a_whole_is_no_freer_than_what_was_put_into_it(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    part = created(client, picture(2))
    accepted(put_in(client, asset, part))
    compile_what_is_due(hub)
    assert listed(client) == []
    assessed(client, part, licenses=[licensed["id"]], **NOBODY)
    assert listed(client) == []
    compile_what_is_due(hub)
    assert sorted(listed(client)) == sorted([asset["id"], part["id"]])


def test_two_that_become_one_are_listed_as_that_one(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    other = created(client, picture(2))
    for each in (asset, other):
        assessed(client, each, licenses=[active(client, f"For {each['id']}")["id"]], **NOBODY)
    told = {"into": other["id"], "from": asset["id"], "expectedRevision": 1, "fromRevision": 1}
    accepted(client.mutate("assetMerge", "asset { id }", **told))
    assert listed(client) == []
    compile_what_is_due(hub)
    assert listed(client) == [other["id"]]


def test_one_that_became_two_again_is_listed_as_two(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    other = created(client, picture(2))
    for each in (asset, other):
        assessed(client, each, licenses=[active(client, f"For {each['id']}")["id"]], **NOBODY)
    compile_what_is_due(hub)
    told = {"into": other["id"], "from": asset["id"], "expectedRevision": 1, "fromRevision": 1}
    revision = accepted(client.mutate("assetMerge", "asset { revision }", **told))["asset"]["revision"]
    compile_what_is_due(hub)
    assert listed(client) == [other["id"]]
    undone = {"from": asset["id"], "expectedRevision": revision}
    accepted(client.mutate("assetMergeUndo", "asset { id }", **undone))
    assert asset["id"] not in listed(client)
    compile_what_is_due(hub)
    assert sorted(listed(client)) == sorted([asset["id"], other["id"]])


def test_a_search_for_words_heeds_it_too(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    other = created(client, picture(2))
    for each in (asset, other):
        told = {"asset": each["id"], "expectedRevision": each["revision"], "title": "Sunrise"}
        accepted(client.mutate("assetUpdate", "asset { id }", **told))
    index_all(hub)
    query = """query ($where: AssetWhere) { assets(search: "sunrise", where: $where) {
      nodes { id } totalCount facets(by: [KIND]) { values { count } } } }"""
    found = client.ask(query, where={"deliverableFor": USE})["assets"]
    assert [each["id"] for each in found["nodes"]] == [asset["id"]]
    assert (found["totalCount"], found["facets"]) == (1, [{"values": [{"count": 1}]}])
    found = client.ask(query, where={"NOT": {"deliverableFor": USE}})["assets"]
    assert ([each["id"] for each in found["nodes"]], found["totalCount"]) == ([other["id"]], 1)


def test_a_plan_answers_it_as_ordinary_execution_does(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    without = Client(dataclasses.replace(hub, settings=hub.settings.model_copy(update={"plans": False})), client.viewer)
    for where in ({"deliverableFor": USE}, {"NOT": {"deliverableFor": {**USE, "territories": ["EU"]}}}):
        before = plans.counted.answered
        planned = client.ask(LISTED, where=where)
        assert plans.counted.answered == before + 1
        assert planned == without.ask(LISTED, where=where)
        assert planned["assets"]["nodes"] == [{"id": asset["id"]}]


def test_it_is_for_whoever_will_use_it(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    org_id = acting.organisation(hub, "A partner")
    party = encode("Organisation", org_id)
    row = active(client, licensee=encode("Organisation", 1))
    assessed(client, asset, licenses=[row["id"]], **NOBODY)
    compile_what_is_due(hub)
    assert listed(client) == [asset["id"]]
    assert listed(client, {"deliverableFor": {**USE, "party": party}}) == []
    theirs = active(client, "Theirs", licensee=encode("Organisation", 1), endUsers=[party])
    assessed(client, asset, licenses=[theirs["id"]])
    compile_what_is_due(hub)
    assert listed(client, {"deliverableFor": {**USE, "party": party}}) == [asset["id"]]


def test_nobody_asks_for_an_organisation_that_they_may_not_know_of(hub: Hub) -> None:
    org_id = acting.organisation(hub, "Another")
    client = Client(hub, acting.member(hub, "partner", org_id=acting.organisation(hub, "A partner")))
    where = {"deliverableFor": {**USE, "party": encode("Organisation", org_id)}}
    (error,) = client.answer(LISTED, where=where)["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"channel": "print"}, "is a branch of channels"),
        ({"channel": "print.papyrus"}, "is no channel"),
        ({"territories": []}, "at least one territory"),
        ({"territories": ["ATLANTIS"]}, "is no territory"),
        ({"territories": ["DE-'OR'1"]}, "is no territory"),
        ({"window": {"from": "2026-06-30", "to": "2026-06-01"}}, "ends before it starts"),
        ({"window": {"from": "1899-12-31", "to": "2026-06-01"}}, "in the years from 1900"),
    ],
)
def test_a_use_that_says_nothing_is_refused(client: Client, more: dict[str, Any], told: str) -> None:
    (error,) = client.answer(LISTED, where={"deliverableFor": {**USE, **more}})["errors"]
    assert error["extensions"]["code"] == "INVALID"
    assert told in error["message"]


def test_one_filter_speaks_of_some_uses_and_no_more(client: Client) -> None:
    told = {"deliverableFor": USE}
    assert listed(client, {"OR": [told] * 5}) == []
    (error,) = client.answer(LISTED, where={"OR": [told] * 6})["errors"]
    assert error["message"] == "A filter may speak of 5 uses; this one has more."


def test_what_was_compiled_by_other_rules_counts_for_nothing_until_it_is_compiled_anew(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(DeliverableVersionRow).values(rules=1))
    assert listed(client) == []
    chores = {each.name: each for each in CHORES}
    ask(hub, chores["compile_rights"])
    compile_what_is_due(hub)
    assert listed(client) == [asset["id"]]


def test_what_nothing_needs_any_more_is_forgotten_but_the_newest_and_what_is_astray_found(
    hub: Hub, client: Client, licensed: dict[str, Any], asset: dict[str, Any]
) -> None:
    other, more = created(client, picture(2)), {**PERMIT, "territories": ["DE", "FR"]}
    row = active(client, "Also in France", grants=[more])
    assessed(client, other, licenses=[row["id"]], **NOBODY)
    compile_what_is_due(hub)
    with hub.writing(HUB) as work:
        (first, second) = work.session.scalars(sa.select(DeliverableReachRow.id).order_by(DeliverableReachRow.id))
    for each in (licensed, row):
        accepted(moved(client, "Terminate", each, reason="Over."))
    compile_what_is_due(hub)
    with hub.writing(HUB) as work:
        assert set(work.session.scalars(sa.select(DeliverableReachRow.id))) == {first, second}
        work.session.execute(sa.update(DeliverableVersionRow).values(epoch=0))
    ask(hub, next(each for each in CHORES if each.name == "check_compiled_rights"))
    compile_what_is_due(hub)
    with hub.reading(HUB) as work:
        assert list(work.session.scalars(sa.select(DeliverableReachRow.id))) == [second]
        assert set(work.session.scalars(sa.select(DeliverableDueRow.asset_id))) == {number(asset), number(other)}


def test_whatever_mutation_makes_something_due_asks_for_it_to_be_compiled(hub: Hub, admin: Viewer) -> None:
    hub = trusting(hub)  # without an issuer no identity can be linked
    client = Client(hub, admin)
    brand, moving = Brand(hub, client), set[str]()
    for name, sample in SAMPLES.items():
        fields = sample(brand)
        _forget(hub)
        query = (
            f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ errors {{ code }} }} }}"
        )
        assert client.ask(query, input={**fields, "idempotencyKey": name})[name]["errors"] == [], name
        with hub.reading(HUB) as work:
            due = work.session.scalar(sa.select(DeliverableDueRow.asset_id).limit(1))
        if due is not None:
            moving.add(name)
        assert waiting(hub) == (due is not None), name
    assert moving >= {"assetMerge", "assetRightsAssess", "assetVersionApprove", "componentAdd", "takedownOpen"}


def listed(client: Client, where: dict[str, Any] | None = None) -> list[str]:
    """Ids; they are as many as the list says."""
    found = client.ask(LISTED, where=where or {"deliverableFor": USE})["assets"]
    ids = [each["id"] for each in found["nodes"]]
    assert found["totalCount"] == len(ids)
    return ids


def waiting(hub: Hub) -> int:
    """Jobs that compile and have not begun."""
    with hub.reading(HUB) as work:
        rows = sa.select(sa.func.count()).where(JobRow.kind == "compile_rights", JobRow.state == "READY")
        return work.session.scalar(rows) or 0


def compile_what_is_due(hub: Hub) -> int:
    """How many jobs that took."""
    before = _done(hub)
    work_off(hub, ONLY_THIS)
    return _done(hub) - before


def ask(hub: Hub, chore: Chore) -> None:
    with hub.writing(HUB) as work:
        asking.ask(work, chore.message)


def _forget(hub: Hub) -> None:
    with hub.writing(HUB) as work:
        work.session.execute(sa.delete(DeliverableDueRow))
        work.session.execute(sa.delete(JobRow).where(JobRow.kind == "compile_rights"))


def _done(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        rows = sa.select(sa.func.count()).where(JobRow.kind == "compile_rights", JobRow.state == "DONE")
        return work.session.scalar(rows) or 0
