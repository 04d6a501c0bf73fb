"""Taking a merge back: everything returns to where it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import changes, likeness
from domain.global_ids import encode, number_of
from domain.work import HUB
from storage.tables import (
    ApprovalRow,
    AssetRightsRow,
    AssetVersionRow,
)
from tests.acting import member
from tests.asking import Client
from tests.assets import acts
from tests.likeness.looks import brought, jpeg, waiting
from tests.likeness.merged import approve, events, looked_at, merge, number, two
from tests.likeness.parted import epochs, everything, rich, unmerge
from tests.working import index_all, work_off


@pytest.mark.parametrize("newest", [False, True])
def test_everything_returns_to_where_it_was(client: Client, newest: bool) -> None:
    into, gone = rich(client, newest=newest)
    faces = [looked_at(client, each) for each in (into, gone)]
    before = everything(client.hub)
    acts.accepted(merge(client, into, gone, newest=newest))
    assert everything(client.hub) != before
    done = acts.accepted(unmerge(client, into, gone, reason="They were two."))
    assert (done["asset"]["id"], done["restored"]["id"]) == (into["id"], gone["id"])
    assert everything(client.hub) == before
    for face in faces:
        now = looked_at(client, face)
        assert now | {"revision": None} == face | {"revision": None}
        assert now["revision"] > face["revision"]


def test_a_merge_done_anew_after_it_was_undone_is_the_same_merge(client: Client) -> None:
    into, gone = rich(client)
    acts.accepted(merge(client, into, gone))
    once = everything(client.hub)
    acts.accepted(unmerge(client, into, gone))
    acts.accepted(merge(client, into, gone))
    afresh = everything(client.hub)
    differing = {name for name in once if once[name] != afresh[name]}
    assert differing <= {"asset_merge", "asset_tag"}  # which say when
    for name in differing:
        assert len(once[name]) == len(afresh[name])


def test_what_was_archived_is_archived_again_with_its_approvals(client: Client) -> None:
    into, gone = two(client)
    approve(client, gone["current"])
    acts.accepted(acts.change(client, "assetArchive", looked_at(client, gone)))
    before = everything(client.hub)
    acts.accepted(merge(client, into, gone))
    acts.accepted(unmerge(client, into, gone))
    assert everything(client.hub) == before


def test_rights_that_were_said_of_single_versions_are_said_of_all_again(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    approve(client, gone["current"])
    acts.accepted(client.mutate("assetRightsAssess", "asset { id }", asset=into["id"], recognisablePeople=True))
    before, begun = everything(hub), epochs(hub)
    acts.accepted(merge(client, into, gone))
    acts.accepted(unmerge(client, into, gone))
    assert everything(hub) == before
    later = epochs(hub)
    with hub.database.reading() as session:
        standing = sa.select(AssetRightsRow.version_id).where(AssetRightsRow.ended_at.is_(None))
        assert set(session.scalars(standing)) == {None}
    assert all(later[id_] > epoch for id_, epoch in begun.items())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("embargoPlace", {"reason": "Not yet."}),
        ("takedownOpen", {"reason": "They asked."}),
        ("exclusivityGive", {"holder": encode("Organisation", 1)}),
    ],
)
def test_what_barred_the_one_bars_the_other_no_more_and_all_is_decided_anew(
    client: Client, name: str, told: dict[str, Any]
) -> None:
    hub = client.hub
    into, gone = two(client)
    whole = acts.created(client, acts.picture(3), title="Whole")
    parts = {"composite": whole["current"]["id"], "part": into["current"]["id"]}
    acts.accepted(client.mutate("componentAdd", "clientMutationId", **parts))
    acts.accepted(client.mutate(name, "clientMutationId", asset=gone["id"], **told))
    before = everything(hub)
    acts.accepted(merge(client, into, gone))
    merged = epochs(hub)
    acts.accepted(unmerge(client, into, gone))
    assert everything(hub) == before
    later = epochs(hub)
    assert [later[number(each)] > merged[number(each)] for each in (into, gone, whole)] == [True] * 3


def test_what_came_since_stays_with_the_asset_that_stayed(client: Client) -> None:
    into, gone = two(client)
    acts.accepted(merge(client, into, gone))
    acts.accepted(acts.change(client, "assetUpdate", looked_at(client, into), addTags=["since"], title="Two in one"))
    acts.accepted(unmerge(client, into, gone))
    assert [each["name"] for each in looked_at(client, into)["tags"]] == ["since"]
    assert looked_at(client, into)["title"] == "Two in one"
    assert (looked_at(client, gone)["tags"], looked_at(client, gone)["title"]) == ([], "Other")


def test_of_several_merges_the_last_is_undone_first(client: Client) -> None:
    first, second = two(client)
    third = acts.created(client, acts.picture(3), title="Third")
    before = everything(client.hub)
    acts.accepted(merge(client, second, first))
    acts.accepted(merge(client, third, looked_at(client, second)))
    assert looked_at(client, first["id"])["id"] == third["id"]
    acts.accepted(unmerge(client, third, second))
    assert looked_at(client, first["id"])["id"] == second["id"]
    acts.accepted(unmerge(client, second, first))
    assert everything(client.hub) == before


def test_merges_are_told_of_to_those_who_see_all_of_the_asset(client: Client) -> None:
    into, gone = two(client)
    approve(client, into["current"])
    acts.accepted(merge(client, into, gone))
    asked = "query ($id: ID!) { assetMerges(asset: $id) { from title mergedAt undoUntil } }"
    (told,) = client.ask(asked, id=into["id"])["assetMerges"]
    assert (told["from"], told["title"]) == (gone["id"], "Other")
    assert told["undoUntil"] > told["mergedAt"]
    onlooker = Client(client.hub, member(client.hub, "viewer"))
    assert looked_at(onlooker, into)["id"] == into["id"]
    assert onlooker.ask(asked, id=into["id"])["assetMerges"] == []
    acts.accepted(unmerge(client, into, gone))
    assert client.ask(asked, id=into["id"])["assetMerges"] == []


def test_what_is_final_is_forgotten(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    acts.accepted(merge(client, into, gone))
    with hub.writing(HUB) as work:
        assert likeness.forget(work) == 0
    late = replace(hub, clock=lambda: hub.clock() + timedelta(days=31))
    with late.writing(HUB) as work:
        assert likeness.forget(work) == 1
    with acts.unchanged(hub):
        assert acts.refusal(unmerge(client, into, gone))["code"] == "NOT_FOUND"


def test_the_pair_waits_for_a_decision_again(client: Client) -> None:
    first, copy = brought(client, jpeg(1)), brought(client, jpeg(1, "JPEG q50"))
    (pair,) = waiting(client)
    acts.accepted(merge(client, first, copy, reason="One picture."))
    assert waiting(client) == []
    acts.accepted(unmerge(client, first, copy))
    assert [each["id"] for each in waiting(client)] == [pair["id"]]
    assert [event.subject_id for event in events(client.hub, "near_duplicate.reopened")] == [
        number_of("NearDuplicate", pair["id"])
    ]


def decide(client: Client, pair: dict[str, Any], decision: str, keep: dict[str, Any] | None, reason: str) -> None:
    told = {"nearDuplicate": pair["id"], "decision": decision, "reason": reason}
    if keep is not None:
        (other,) = (each for each in pair["assets"] if each["id"] != keep["id"])
        revisions = [looked_at(client, each)["revision"] for each in (keep, other)]
        told |= {"keep": keep["id"], "keepRevision": revisions[0], "otherRevision": revisions[1]}
    acts.accepted(client.mutate("nearDuplicateDecide", "nearDuplicate { id }", **told))


@pytest.mark.parametrize(
    ("decision", "by_deciding"),
    [
        pytest.param("DISTINCT", False, id="kept for a reason and merged"),
        pytest.param("DISTINCT", True, id="kept for a reason and decided about anew"),
        pytest.param("REUSE", False, id="one used and merged"),
    ],
)
def test_what_was_decided_about_the_pair_before_stands_again(client: Client, decision: str, by_deciding: bool) -> None:
    first, copy = brought(client, jpeg(1)), brought(client, jpeg(1, "JPEG q50"))
    (pair,) = waiting(client)
    decide(client, pair, decision, first if decision == "REUSE" else None, "Another licence.")
    asked = "{ nearDuplicates(decided: true) { nodes { id decision reason decidedAt kept { id } } } }"
    decided, before = client.ask(asked), everything(client.hub)
    assert [each["reason"] for each in decided["nearDuplicates"]["nodes"]] == ["Another licence."]
    if by_deciding:
        decide(client, pair, "MERGE", first, "One after all.")
    else:
        acts.accepted(merge(client, first, copy))
    acts.accepted(unmerge(client, first, copy))
    assert client.ask(asked) == decided
    assert everything(client.hub) == before
    assert [event.payload["decision"] for event in events(client.hub, "near_duplicate.reopened")] == [decision]


def test_the_feed_and_the_search_tell_of_both_again(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    acts.accepted(merge(client, into, gone))
    index_all(hub)
    changes.settle(hub)
    asked = """query ($after: String) { changes(first: 100, after: $after) {
      nodes { nodeId type reason } pageInfo { endCursor } } }"""
    cursor = client.ask(asked)["changes"]["pageInfo"]["endCursor"]
    acts.accepted(unmerge(client, into, gone, reason="They were two."))
    changes.settle(hub)
    index_all(hub)
    told = {each["nodeId"]: each["type"] for each in client.ask(asked, after=cursor)["changes"]["nodes"]}
    assert told == {gone["id"]: "CREATED", into["id"]: "UPDATED"}
    found = client.ask('{ assets(search: "Other") { nodes { id } } }')["assets"]["nodes"]
    assert found == [{"id": gone["id"]}]
    (back,) = events(hub, "asset.unmerged")
    (gave,) = events(hub, "asset.gave_back")
    assert (back.subject_id, back.payload["into"], back.reason) == (number(gone), number(into), "They were two.")
    assert (gave.subject_id, gave.payload["from"], gave.reason) == (number(into), number(gone), "They were two.")


def test_its_renditions_are_delivered_by_its_own_address_again(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    approve(client, gone["current"])
    work_off(hub)
    acts.accepted(merge(client, into, gone))
    acts.accepted(unmerge(client, into, gone))
    with hub.database.reading() as session:
        versions = dict(session.execute(sa.select(AssetVersionRow.id, AssetVersionRow.asset_id)).all())
        approvals = dict(session.execute(sa.select(ApprovalRow.version_id, ApprovalRow.asset_id)).all())
    assert approvals == {id_: asset_id for id_, asset_id in versions.items() if asset_id == number(gone)}
    assert looked_at(client, gone)["approved"]["id"] == gone["current"]["id"]
    assert looked_at(client, into)["lifecycle"] == "DRAFT"
