"""Merging two assets: what moves, and what stands for what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from domain import changes, delivery
from domain.global_ids import encode, number_of
from domain.permissions import EVERY, Permission
from domain.work import Work
from storage.tables import (
    GrantRow,
    GuestLinkRow,
    Row,
    ShareRow,
)
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets import acts
from tests.likeness.looks import brought, jpeg, similar, waiting
from tests.likeness.merged import approve, events, looked_at, merge, number, two
from tests.working import index_all, mutate, work_off


def test_the_history_of_the_asset_that_goes_comes_first_and_its_id_stands_for_the_other(client: Client) -> None:
    into, gone = two(client)
    gone = acts.accepted(acts.add_version(client, gone, acts.picture(3)))["asset"]
    theirs = [each["id"] for each in looked_at(client, gone)["versions"]["nodes"]]
    merged = acts.accepted(merge(client, into, gone, reason="One picture."))["asset"]
    assert [(each["number"], each["id"]) for each in merged["versions"]["nodes"]] == [
        (3, into["current"]["id"]),
        (2, theirs[0]),
        (1, theirs[1]),
    ]
    assert (merged["id"], merged["title"], merged["current"]["id"]) == (into["id"], "One", into["current"]["id"])
    assert looked_at(client, gone["id"])["id"] == into["id"]
    asked = "query ($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id } }"
    found = client.ask(asked, id=gone["id"], ids=[gone["id"], theirs[0], into["id"]])
    assert found["node"] == {"id": into["id"]}
    assert [each["id"] for each in found["nodes"]] == [into["id"], theirs[0], into["id"]]
    listed = client.ask("{ assets(where: {lifecycle: {oneOf: [DRAFT, ARCHIVED]}}) { nodes { id } totalCount } }")
    assert listed["assets"] == {"nodes": [{"id": into["id"]}], "totalCount": 1}


def test_its_bytes_are_the_newest_version_where_that_is_wanted(client: Client) -> None:
    into, gone = two(client)
    approve(client, into["current"])
    approve(client, gone["current"])
    merged = acts.accepted(merge(client, into, gone, newest=True))["asset"]
    assert [each["id"] for each in merged["versions"]["nodes"]] == [gone["current"]["id"], into["current"]["id"]]
    assert merged["current"]["id"] == merged["approved"]["id"] == gone["current"]["id"]


def test_approvals_go_with_their_versions_and_the_newest_approved_counts(client: Client) -> None:
    into, gone = two(client)
    approve(client, gone["current"])
    merged = acts.accepted(merge(client, into, gone))["asset"]
    assert (merged["approved"]["id"], merged["lifecycle"]) == (gone["current"]["id"], "APPROVED")
    approve(client, into["current"])
    assert looked_at(client, into)["approved"]["id"] == into["current"]["id"]


def test_what_was_withheld_from_the_public_does_not_show_again_by_being_merged(client: Client) -> None:
    into, gone = two(client)
    approve(client, gone["current"])
    acts.accepted(acts.change(client, "assetArchive", looked_at(client, gone)))
    merged = acts.accepted(merge(client, into, gone))["asset"]
    assert (merged["approved"], merged["lifecycle"]) == (None, "DRAFT")
    ended = events(client.hub, "asset.approval_revoked")
    assert [event.subject_id for event in ended] == [number(gone)]


def test_tags_places_in_lightboxes_and_shares_move(client: Client) -> None:
    hub = client.hub
    partner = organisation(hub, "partner")
    into = acts.created(client, acts.picture(1), tags=["red", "both"])
    gone = acts.created(client, acts.picture(2), tags=["blue", "both"])
    approve(client, into["current"])
    boxes = []
    for inside in ([gone], [into, gone]):
        box = client.mutate("lightboxCreate", "lightbox { id revision }", title="A selection")["lightbox"]
        told = {"lightbox": box["id"], "expectedRevision": box["revision"], "assets": [each["id"] for each in inside]}
        boxes.append(acts.accepted(client.mutate("lightboxAssetsAdd", "lightbox { id }", **told))["lightbox"]["id"])
    told = {"asset": gone["id"], "organisation": encode("Organisation", partner), "access": "READ"}
    acts.accepted(client.mutate("shareCreate", "share { id }", **told))
    merged = acts.accepted(merge(client, into, gone))["asset"]
    assert sorted(each["name"] for each in merged["tags"]) == ["blue", "both", "red"]
    asked = "query ($id: ID!) { node(id: $id) { ... on Lightbox { assets { nodes { id } } } } }"
    for box_id in boxes:
        assert client.ask(asked, id=box_id)["node"]["assets"]["nodes"] == [{"id": into["id"]}]
    assert looked_at(Client(hub, member(hub, "partner", org_id=partner)), into)["id"] == into["id"]
    with hub.database.reading() as session:
        shares = list(session.scalars(sa.select(ShareRow).order_by(ShareRow.id)))
    assert [(each.asset_id, each.ended_at is None) for each in shares] == [(number(gone), False), (number(into), True)]


def test_grants_and_links_move_with_whoever_may_give_such(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    helper = member(hub, "designer", scope="ASSET", asset_id=number(gone))
    link = {"asset": gone["id"], "name": "A guest", "expiresAt": (hub.clock() + timedelta(days=3)).isoformat()}
    acts.accepted(mutate(client, "guestLinkCreate", "guestLink { id }", **link))
    librarian = Client(hub, member(hub, "librarian"))
    assert acts.accepted(merge(librarian, into, gone))["asset"]["id"] == into["id"]
    with hub.database.reading() as session:
        assert set(session.scalars(sa.select(GuestLinkRow.asset_id))) == {number(into)}
        granted = sa.select(GrantRow.asset_id).where(GrantRow.principal_id == helper.principal_id)
        assert list(session.scalars(granted)) == [number(into)]


def test_nobody_opens_to_guests_what_they_could_not_open_themselves(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    link = {"asset": gone["id"], "name": "A guest", "expiresAt": (hub.clock() + timedelta(days=3)).isoformat()}
    acts.accepted(mutate(client, "guestLinkCreate", "guestLink { id }", **link))
    may = client.viewer.holdings.limited_to(EVERY - {Permission.GUEST_INVITE})
    librarian = Client(hub, replace(client.viewer, holdings=may))
    told = {"into": into["id"], "from": gone["id"], "expectedRevision": 1, "fromRevision": 1}
    with acts.unchanged(hub):
        error = acts.refusal(librarian.mutate("assetMerge", "asset { id }", **told))
    assert (error["code"], "guest.invite" in error["message"]) == ("NOT_ALLOWED", True)


def test_everything_that_points_at_the_asset_points_at_the_other_one(client: Client) -> None:
    """Also tables that nobody thought of when merging was written."""
    into, gone = two(client)
    acts.accepted(merge(client, into, gone))
    left: dict[str, int] = {}
    kept = {"asset_merge", "asset_stamp", "asset_trash", "bulk_item", "legal_hold"}
    with client.hub.database.reading() as session:
        for table in Row.metadata.sorted_tables:
            for column in table.columns:
                if table.name not in kept and any(key.column.table.name == "asset" for key in column.foreign_keys):
                    count = sa.select(sa.func.count()).select_from(table).where(column == number(gone))
                    left[f"{table.name}.{column.name}"] = session.scalars(count).one()
    assert len(left) > 10
    assert {name for name, count in left.items() if count} == set()


def test_a_pair_that_waited_is_decided_and_what_else_looked_alike_looks_like_the_other(client: Client) -> None:
    assets = [brought(client, jpeg(1, how)) for how in (None, "JPEG q50", "a quarter")]
    assert len(waiting(client)) == 3
    acts.accepted(merge(client, assets[0], assets[1], reason="One picture."))
    (left,) = waiting(client)
    assert {each["id"] for each in left["assets"]} == {assets[0]["id"], assets[2]["id"]}
    asked = "{ nearDuplicates(decided: true) { nodes { decision reason kept { id } assets { id } } } }"
    assert client.ask(asked)["nearDuplicates"]["nodes"] == [
        {
            "decision": "MERGE",
            "reason": "One picture.",
            "kept": {"id": assets[0]["id"]},
            "assets": [{"id": assets[0]["id"]}],
        }
    ]
    assert [each["asset"]["id"] for each in similar(client, assets[0]["id"])] == [assets[2]["id"]]


def test_the_queue_merges_as_well_and_answers_with_the_pair(client: Client) -> None:
    first, copy = brought(client, jpeg(1)), brought(client, jpeg(1, "JPEG q50"))
    (pair,) = waiting(client)
    shown = {each["id"]: each["revision"] for each in pair["assets"]}
    told = {"keep": first["id"], "keepRevision": shown[first["id"]], "otherRevision": shown[copy["id"]]}
    told |= {"nearDuplicate": pair["id"], "decision": "NEW_VERSION"}
    chosen = "nearDuplicate { decision kept { id current { id } } assets { id } }"
    done = acts.accepted(client.mutate("nearDuplicateDecide", chosen, **told))["nearDuplicate"]
    assert done["decision"] == "NEW_VERSION"
    assert done["kept"] == {"id": first["id"], "current": {"id": copy["current"]["id"]}}
    assert done["assets"] == [{"id": first["id"]}]
    with acts.unchanged(client.hub):
        again = client.mutate("nearDuplicateDecide", chosen, **told)
    assert again["errors"][0]["code"] == "CONFLICT"


def test_a_merged_asset_merged_again_stands_for_the_last(client: Client) -> None:
    first, second = two(client)
    third = acts.created(client, acts.picture(3))
    acts.accepted(merge(client, second, first))
    acts.accepted(merge(client, third, looked_at(client, second)))
    assert looked_at(client, first["id"])["id"] == third["id"]


def test_a_stable_address_leads_to_the_asset_that_stays(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    for asset in (into, gone):
        approve(client, asset["current"])
    work_off(hub)
    with hub.writing(client.viewer) as work:
        token = delivery.latest_url(work, number(gone), "web").rpartition("/")[2]
        straight = delivery.latest_url(work, number(into), "web").rpartition("/")[2]
        before, wanted = opened(work, token), opened(work, straight)
    assert before != wanted
    acts.accepted(merge(client, into, gone))
    with hub.writing(client.viewer) as work:
        assert opened(work, token) == wanted


def opened(work: Work, token: str) -> int | None:
    """The rendition that a stable address leads to."""
    behind = delivery.latest(work, token).url.rpartition("/")[2]
    return delivery.open_door(work, behind).rendition_id


def test_the_change_feed_says_that_it_was_merged_and_the_search_forgets_it(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    index_all(hub)
    changes.settle(hub)
    asked = """query ($after: String) { changes(first: 100, after: $after) {
      nodes { nodeId type reason } pageInfo { endCursor } } }"""
    cursor = client.ask(asked)["changes"]["pageInfo"]["endCursor"]
    acts.accepted(merge(client, into, gone))
    changes.settle(hub)
    index_all(hub)
    told = {each["nodeId"]: each for each in client.ask(asked, after=cursor)["changes"]["nodes"]}
    assert told[gone["id"]] == {"nodeId": gone["id"], "type": "REMOVED", "reason": "MERGED"}
    assert told[into["id"]]["type"] == "UPDATED"
    assert client.ask('{ assets(search: "Other") { nodes { id } } }')["assets"]["nodes"] == []


def test_merging_is_recorded_for_both(client: Client) -> None:
    into, gone = two(client)
    acts.accepted(merge(client, into, gone, reason="One picture."))
    (left,) = events(client.hub, "asset.merged")
    (stays,) = events(client.hub, "asset.absorbed")
    assert (left.subject_id, left.payload["into"], left.reason) == (number(gone), number(into), "One picture.")
    assert (stays.subject_id, stays.payload["from"], stays.reason) == (number(into), number(gone), "One picture.")
    assert stays.payload["versions"] == [number_of("AssetVersion", gone["current"]["id"])]
    asked = "query ($id: ID!) { asset(id: $id) { history { nodes { type } totalCount } } }"
    told = client.ask(asked, id=into["id"])["asset"]["history"]
    types = [each["type"] for each in told["nodes"]]
    assert types[:2] == ["asset.absorbed", "asset.merged"]
    assert (types.count("asset.created"), told["totalCount"]) == (2, len(types))
