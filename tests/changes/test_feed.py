"""The change feed over GraphQL: what it says, to whom, by which cursor, and at what cost."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import sqlalchemy as sa

from domain import lightboxes, sharing
from domain.changes import feed
from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB, Viewer
from storage.tables import AssetRow, GrantRow, RoleRow
from tests import acting
from tests.asking import Client, statements
from tests.assets import acts
from tests.sharing.scene import WEEK, Scene
from tests.working import mutate

QUERY = """query ($after: String, $first: Int, $types: [ChangeType!], $of: [ChangeSubject!]) {
  changes(after: $after, first: $first, types: $types, of: $of) {
    resync edges { cursor } nodes { cursor type subject nodeId reason occurredAt node { id ... on Asset { title } } }
    pageInfo { hasNextPage startCursor endCursor } } }"""


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


def read(client: Client, after: str | None = None, **more: Any) -> dict[str, Any]:
    """One page."""
    found: dict[str, Any] = client.ask(QUERY, after=after, **{"first": 100, **more})["changes"]
    return found


def end(client: Client) -> str:
    """The cursor behind everything."""
    page = read(client)
    while page["pageInfo"]["hasNextPage"]:
        page = read(client, page["pageInfo"]["endCursor"])
    cursor: str = page["pageInfo"]["endCursor"]
    return cursor


def told(page: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(each["type"], each["nodeId"], each["reason"]) for each in page["nodes"]]


def seen_by(scene: Scene, viewer: Viewer) -> Client:
    return Client(scene.hub, scene.renewed(viewer))


def test_what_happened_is_told_once_as_it_is_now_and_the_end_goes_on(client: Client) -> None:
    asset = acts.created(client, acts.picture(1), tags=["sea"])
    changed = acts.accepted(acts.change(client, "assetUpdate", asset, title="Beach"))["asset"]

    page = read(client)

    (tag,) = changed["tags"]
    assert told(page) == [("CREATED", tag["id"], None), ("CREATED", asset["id"], None)]
    assert [each["subject"] for each in page["nodes"]] == ["TAG", "ASSET"]
    assert page["nodes"][1]["node"] == {"id": asset["id"], "title": "Beach"}
    assert [each["cursor"] for each in page["edges"]] == [each["cursor"] for each in page["nodes"]]
    assert not page["pageInfo"]["hasNextPage"]
    nothing = read(client, page["pageInfo"]["endCursor"])
    assert (nothing["nodes"], nothing["resync"]) == ([], False)
    acts.accepted(acts.change(client, "assetUpdate", changed, title="Shore"))
    later = read(client, nothing["pageInfo"]["endCursor"])
    assert told(later) == [("UPDATED", asset["id"], None)]
    assert later["nodes"][0]["node"]["title"] == "Shore"


@pytest.mark.parametrize(
    "how", ["%s", "...More } fragment More on Query { ... { ...Most } } fragment Most on Query { %s"]
)
def test_what_was_answered_is_told_also_beside_fields_that_read_first(client: Client, how: str) -> None:
    begun = end(client)
    asset = acts.created(client, acts.picture(1))
    asked = how % "changes(after: $after) { nodes { nodeId } }"
    answer = client.ask(f"query ($after: String) {{ assets {{ totalCount }} {asked} }}", after=begun)
    assert (answer["changes"]["nodes"], answer["assets"]["totalCount"]) == ([{"nodeId": asset["id"]}], 1)


def test_pages_of_one_tell_what_one_large_page_tells_from_every_cursor(client: Client) -> None:
    begun = end(client)
    for number in range(4):
        acts.created(client, acts.picture(number), tags=[f"word {number}"])
    whole = read(client, begun)
    assert len(whole["nodes"]) == 8

    found, page = [], read(client, begun, first=1)
    while page["nodes"]:
        found += page["nodes"]
        page = read(client, page["pageInfo"]["endCursor"], first=1)

    key = lambda each: (each["type"], each["nodeId"])  # noqa: E731  # cursors differ: they hold the moment
    assert list(map(key, found)) == list(map(key, whole["nodes"]))
    for at, change in enumerate(whole["nodes"]):
        behind = read(client, change["cursor"])["nodes"]
        assert list(map(key, behind)) == list(map(key, whole["nodes"][at + 1 :]))


def test_types_and_subjects_can_be_chosen_and_a_cursor_remembers_its_subjects(client: Client) -> None:
    begun = read(client, of=["ASSET"])["pageInfo"]["endCursor"]
    asset = acts.created(client, acts.picture(1), tags=["sea"])
    assert told(read(client, begun)) == [("CREATED", asset["id"], None)]
    assert told(read(client, begun, of=["ASSET"], types=["UPDATED", "REMOVED"])) == []
    (error,) = client.answer(QUERY, after=begun, of=["TAG"])["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"


@pytest.mark.parametrize("how", ["another's", "spoilt", "cut", "of a list", "nothing"])
def test_a_cursor_that_was_not_given_out_to_this_viewer_is_refused(hub: Hub, client: Client, how: str) -> None:
    acts.created(client, acts.picture(1))
    good = end(client)
    listed = client.ask("{ assets { pageInfo { endCursor } } }")["assets"]["pageInfo"]["endCursor"]
    other = Client(hub, acting.member(hub, "admin"))
    raw = bytearray(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))
    raw[40] ^= 1
    spoilt = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    bad = {"another's": end(other), "spoilt": spoilt, "cut": good[:-3], "of a list": listed, "nothing": ""}[how]

    (error,) = client.answer(QUERY, after=bad)["errors"]

    assert error["extensions"]["code"] == "BAD_CURSOR"
    assert error["message"].endswith(".")


def test_a_cursor_reveals_neither_how_much_happened_nor_by_its_length(client: Client) -> None:
    first = end(client)
    for number in range(3):
        acts.created(client, acts.picture(number))
    second = end(client)
    assert len(first) == len(second)
    one, other = (base64.urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in (first, second))
    same = sum(a == b for a, b in zip(one, other, strict=True))
    assert same < len(one) // 4  # nothing of the text shows through: by chance one in 256


@pytest.mark.parametrize("first", [-1, 101])
def test_a_page_beyond_the_limits_is_refused(client: Client, first: int) -> None:
    (error,) = client.answer(QUERY, first=first)["errors"]
    assert error["extensions"]["code"] == "PAGE_TOO_LARGE"


def test_whoever_sees_only_what_is_approved_hears_of_nothing_else(scene: Scene) -> None:
    asset = scene.asset()
    scene.share(asset=asset)
    partner, inside = seen_by(scene, scene.partner), Client(scene.hub, scene.admin)
    begun, within = end(partner), end(inside)

    number = encode("Asset", asset)
    acts.accepted(acts.add_version(inside, acts.look(inside, {"id": number}), b"Another. " * 90, file_name="a.txt"))

    assert read(partner, begun)["nodes"] == []
    assert told(read(inside, within)) == [("UPDATED", number, None)]


def test_a_share_begins_and_ends_the_asset_for_the_partner_only(scene: Scene) -> None:
    asset, hidden = scene.asset(), scene.asset()
    partner = seen_by(scene, scene.partner)
    begun = end(partner)
    share = scene.share(asset=asset)
    page = read(partner, begun)
    assert told(page) == [("CREATED", encode("Asset", asset), None)]

    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)

    gone = read(partner, page["pageInfo"]["endCursor"])
    assert told(gone) == [("REMOVED", encode("Asset", asset), "NO_LONGER_SHARED")]
    assert gone["nodes"][0]["node"] is None
    assert told(read(partner, begun)) == told(gone)
    assert encode("Asset", hidden) not in str([page, gone])


def test_a_share_that_ends_by_the_clock_is_told_without_an_event(scene: Scene) -> None:
    asset = scene.asset()
    scene.share(asset=asset, ends_at=scene.hub.clock() + WEEK)
    begun = end(seen_by(scene, scene.partner))

    later = Client(scene.at(scene.hub.clock() + 2 * WEEK), scene.renewed(scene.partner))

    assert told(read(later, begun)) == [("REMOVED", encode("Asset", asset), "NO_LONGER_SHARED")]


def test_what_was_archived_after_a_share_had_ended_is_not_told(scene: Scene) -> None:
    asset = scene.asset()
    share = scene.share(asset=asset)
    partner = seen_by(scene, scene.partner)
    begun = end(partner)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    inside = Client(scene.hub, scene.admin)
    found = acts.look(inside, {"id": encode("Asset", asset)})
    acts.accepted(acts.change(inside, "assetArchive", found))

    page = read(partner, begun)

    assert told(page) == [("REMOVED", encode("Asset", asset), "NO_LONGER_SHARED")]
    assert read(partner, page["pageInfo"]["endCursor"])["nodes"] == []


@pytest.mark.parametrize("reason", ["ARCHIVED", "NO_LONGER_APPROVED"])
def test_a_tombstone_says_why(scene: Scene, reason: str) -> None:
    asset = scene.asset()
    scene.share(asset=asset)
    partner, inside = seen_by(scene, scene.partner), Client(scene.hub, scene.admin)
    begun = end(partner)
    found = acts.look(inside, {"id": encode("Asset", asset)})
    if reason == "ARCHIVED":
        acts.accepted(acts.change(inside, "assetArchive", found))
    else:
        version = found["approved"]["id"]
        acts.accepted(inside.mutate("assetVersionApprovalRevoke", "asset { id }", version=version))
    assert told(read(partner, begun)) == [("REMOVED", found["id"], reason)]


def test_assets_come_and_go_with_the_lightbox_that_opens_them(scene: Scene) -> None:
    inside, outside = scene.asset(), scene.asset()
    box = scene.box(inside)
    scene.share(box=box)
    agency = seen_by(scene, scene.agency)
    begun = end(agency)

    with scene.hub.writing(scene.librarian) as work:
        row = lightboxes.by_id(work, [box])[box]
        lightboxes.add(work, box, [outside], row.revision)
        lightboxes.remove(work, box, [inside], row.revision)

    assert told(read(agency, begun, of=None, types=["CREATED", "REMOVED"])) == [
        ("REMOVED", encode("Asset", inside), "NO_LONGER_SHARED"),
        ("CREATED", encode("Asset", outside), None),
    ]


def test_a_respelt_tag_changes_the_assets_that_carry_it(client: Client) -> None:
    asset = acts.created(client, acts.picture(1), tags=["sea"])
    acts.created(client, acts.picture(2), tags=["logo"])
    (tag,) = asset["tags"]
    begun = end(client)
    payload = mutate(client, "tagUpdate", "tag { id }", tag=tag["id"], expectedRevision=1, name="ocean")
    assert payload["errors"] == []
    assert told(read(client, begun)) == [("UPDATED", tag["id"], None), ("UPDATED", asset["id"], None)]


def test_a_merged_tag_goes_and_the_assets_that_carried_it_change(client: Client) -> None:
    asset = acts.created(client, acts.picture(1), tags=["sea"])
    other = acts.created(client, acts.picture(2), tags=["ocean"])
    (sea,), (ocean,) = asset["tags"], other["tags"]
    begun = end(client)
    payload = client.mutate("tagMerge", "tag { id }", into=ocean["id"], **{"from": [sea["id"]], "expectedRevision": 1})
    assert payload["errors"] == []
    changes = told(read(client, begun))
    assert ("REMOVED", sea["id"], "MERGED") in changes
    assert {("UPDATED", asset["id"], None), ("UPDATED", ocean["id"], None)} <= set(changes)


def test_a_share_of_a_lightbox_begins_and_ends_what_lies_in_it(scene: Scene) -> None:
    asset = scene.asset()
    box = scene.box(asset)
    agency = seen_by(scene, scene.agency)
    begun = end(agency)
    share = scene.share(box=box)
    ids = [encode("Lightbox", box), encode("Asset", asset)]
    page = read(agency, begun)
    assert told(page) == [("CREATED", id_, None) for id_ in ids]
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    assert told(read(agency, page["pageInfo"]["endCursor"])) == [("REMOVED", id_, "NO_LONGER_SHARED") for id_ in ids]


def test_what_was_approved_after_a_share_had_ended_is_not_told(scene: Scene) -> None:
    asset = scene.asset(approved=False)
    share = scene.share(asset=asset)
    partner, inside = seen_by(scene, scene.partner), Client(scene.hub, scene.admin)
    begun = end(partner)
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    current = acts.look(inside, {"id": encode("Asset", asset)})["current"]
    approved = {"version": current["id"], "sha256": current["sha256"]}
    acts.accepted(inside.mutate("assetVersionApprove", "asset { id }", ownWork=True, **approved))
    assert read(partner, begun)["nodes"] == []


def test_a_role_that_is_given_other_permissions_says_resync(scene: Scene) -> None:
    begun = end(seen_by(scene, scene.partner))
    with scene.hub.writing(HUB) as work:
        role = work.session.scalars(sa.select(RoleRow).where(RoleRow.name == "partner")).one()
        role.permissions = [*role.permissions, "asset.view_unapproved"]
    assert read(seen_by(scene, scene.partner), begun)["resync"]


def test_a_role_that_opens_a_whole_organisation_says_resync_and_the_end_begins_anew(scene: Scene) -> None:
    asset = scene.asset()
    begun = end(seen_by(scene, scene.partner))
    with scene.hub.writing(HUB) as work:
        assert scene.partner.principal_id is not None
        acting.give(scene.hub, scene.partner.principal_id, "partner", org_id=scene.north, session=work.session)
    partner = seen_by(scene, scene.partner)

    page = read(partner, begun)

    assert (page["resync"], page["nodes"], page["pageInfo"]["hasNextPage"]) == (True, [], True)
    assert told(read(partner, page["pageInfo"]["endCursor"])) == [("CREATED", encode("Asset", asset), None)]


def test_a_grant_of_one_asset_is_told_one_by_one(scene: Scene) -> None:
    asset = scene.asset()
    begun = end(seen_by(scene, scene.partner))
    with scene.hub.writing(HUB) as work:
        assert scene.partner.principal_id is not None
        given: dict[str, Any] = {"scope": "ASSET", "asset_id": asset, "org_id": scene.north}
        acting.give(scene.hub, scene.partner.principal_id, "partner", session=work.session, **given)
    page = read(seen_by(scene, scene.partner), begun)
    assert (page["resync"], told(page)) == (False, [("CREATED", encode("Asset", asset), None)])
    with scene.hub.writing(HUB) as work:
        work.session.execute(sa.update(GrantRow).where(GrantRow.asset_id == asset).values(revoked_at=work.now))
    page = read(seen_by(scene, scene.partner), page["pageInfo"]["endCursor"])
    assert told(page) == [("REMOVED", encode("Asset", asset), "NO_LONGER_VISIBLE")]


def test_a_page_costs_as_many_statements_for_many_changes_as_for_few(scene: Scene) -> None:
    box = scene.box()
    scene.share(box=box)
    agency = seen_by(scene, scene.agency)
    begun = end(agency)

    def cost(assets: int) -> int:
        made = [scene.asset() for _ in range(assets)]
        with scene.hub.writing(scene.librarian) as work:
            row = lightboxes.by_id(work, [box])[box]
            lightboxes.add(work, box, made, row.revision)
        end(agency)  # numbers what happened
        with statements(scene.hub) as sent:
            page = read(agency, begun)
        assert len(page["nodes"]) > assets
        return len(acts.queries(sent))

    assert cost(8) == cost(2)


def test_a_past_longer_than_a_window_is_told_whole(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WINDOW", 3)
    monkeypatch.setattr(feed, "CHUNK", 2)
    for number in range(5):
        acts.created(client, acts.picture(number))
    found: set[str] = set()
    page = read(client, of=["ASSET"])
    while True:
        found |= {each["nodeId"] for each in page["nodes"]}
        if not page["pageInfo"]["hasNextPage"]:
            break
        page = read(client, page["pageInfo"]["endCursor"])
    with client.hub.reading(HUB) as work:
        assert found == {encode("Asset", id_) for id_ in work.session.scalars(sa.select(AssetRow.id))}
