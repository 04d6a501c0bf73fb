"""What looks alike, as people meet it: at ingest, before an upload is used, and in the queue of what waits."""

from __future__ import annotations

from typing import Any

from domain.hub import Hub
from tests.acting import member, organisation
from tests.asking import Client, statements
from tests.likeness.looks import brought, jpeg, of_upload, page, plain, similar, waiting
from tests.working import reads, work_off


def test_a_smaller_copy_a_crop_and_a_mirror_image_are_similar_and_other_pictures_are_not(client: Client) -> None:
    first = brought(client, jpeg(1))
    copies = [brought(client, jpeg(1, how)) for how in ("a quarter", "crop 10 % around", "mirrored")]
    brought(client, jpeg(2))
    found = similar(client, first["id"])
    assert {each["asset"]["id"] for each in found} == {each["id"] for each in copies}
    assert [each["distance"] for each in found] == sorted(each["distance"] for each in found)
    assert [each["asset"]["id"] for each in found if each["mirrored"]] == [copies[2]["id"]]
    assert similar(client, copies[0]["id"])[0]["asset"]["id"] in {
        first["id"],
        *(each["id"] for each in copies),
    }


def test_the_same_bytes_as_another_asset_are_similar_at_no_distance_and_wait_for_nobody(client: Client) -> None:
    first = brought(client, jpeg(1))
    twin = brought(client, jpeg(1), onDuplicate="DISTINCT", reason="Another licence.")
    told = {"asset": {"id": twin["id"]}, "distance": 0, "mirrored": False, "sameBytes": True}
    assert similar(client, first["id"]) == [told]
    assert waiting(client) == []


def test_old_versions_and_archived_assets_are_found(client: Client) -> None:
    asset = brought(client, jpeg(1))
    added = client.mutate(
        "assetVersionAdd",
        "asset { id revision }",
        asset=asset["id"],
        expectedRevision=asset["revision"],
        upload=client.upload(jpeg(2), "other.jpg"),
    )
    work_off(client.hub)
    told = {"asset": asset["id"], "expectedRevision": added["asset"]["revision"]}
    assert client.mutate("assetArchive", "asset { id }", **told)["errors"] == []
    copy = brought(client, jpeg(1, "JPEG q50"))
    found = similar(client, copy["id"], "asset { id lifecycle } version { number } own { number }")
    assert found == [
        {"asset": {"id": asset["id"], "lifecycle": "ARCHIVED"}, "version": {"number": 1}, "own": {"number": 1}}
    ]


def test_an_upload_is_looked_at_before_anything_is_made_of_it(client: Client) -> None:
    asset = brought(client, jpeg(1))
    upload = client.upload(jpeg(1, "half the size"), "mine.jpg")
    assert of_upload(client, upload) == {"state": "LOOKING", "failure": None, "similar": []}
    work_off(client.hub)
    found = of_upload(client, upload)
    assert found["state"] == "DONE"
    assert [(each["asset"]["id"], each["own"], each["sameBytes"]) for each in found["similar"]] == [
        (asset["id"], None, False)
    ]
    assert waiting(client) == []


def test_what_cannot_be_compared_says_so(client: Client) -> None:
    blank, words = client.upload(plain(), "blank.jpg"), client.upload(b"only words", "note.txt")
    broken = client.upload(jpeg(1)[:2000], "broken.jpg")
    work_off(client.hub)
    assert of_upload(client, blank) == {"state": "NOTHING", "failure": None, "similar": []}
    assert of_upload(client, words)["state"] == "NOTHING"
    told = of_upload(client, broken)
    assert (told["state"], told["failure"]["code"]) == ("FAILED", "TRUNCATED")
    assert told["failure"]["message"].endswith(".")


def test_nobody_asks_about_an_upload_of_somebody_else(client: Client) -> None:
    upload = client.upload(jpeg(1), "mine.jpg")
    other = Client(client.hub, member(client.hub, "designer"))
    answer = other.answer("query ($id: ID!) { similarTo(upload: $id) { state } }", id=upload)
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_pages_of_text_are_alike_only_when_they_are_the_same(client: Client) -> None:
    pages = [brought(client, page(number)) for number in range(4)]
    assert [similar(client, each["id"]) for each in pages] == [[], [], [], []]


def test_whoever_may_not_see_an_asset_hears_nothing_of_it(client: Client) -> None:
    hub = client.hub
    theirs = organisation(hub, "agency", kind="AGENCY")
    agent = Client(hub, member(hub, "agency", org_id=theirs))
    hidden = brought(client, jpeg(1))
    mine = brought(agent, jpeg(1, "JPEG q50"))
    another = brought(agent, jpeg(1, "half the size"))
    assert [each["asset"]["id"] for each in similar(agent, mine["id"])] == [another["id"]]
    assert {each["asset"]["id"] for each in similar(client, hidden["id"])} == {mine["id"], another["id"]}
    assert len(waiting(client)) == 3
    assert [{each["id"] for each in pair["assets"]} for pair in waiting(agent)] == [{mine["id"], another["id"]}]
    clusters = "{ nearDuplicateClusters { nodes { count pairs assets { id } } totalCount } }"
    assert client.ask(clusters)["nearDuplicateClusters"]["nodes"][0]["count"] == 3
    told = agent.ask(clusters)["nearDuplicateClusters"]
    assert (told["totalCount"], told["nodes"][0]["count"], told["nodes"][0]["pairs"]) == (1, 2, 1)
    upload = agent.upload(jpeg(1, "grey"), "mine.jpg")
    work_off(hub)
    assert {each["asset"]["id"] for each in of_upload(agent, upload)["similar"]} == {mine["id"], another["id"]}


def test_whoever_sees_only_what_is_approved_is_told_by_approved_versions_alone(client: Client) -> None:
    hub = client.hub
    first, copy = brought(client, jpeg(1)), brought(client, jpeg(1, "crop 20 % around"))
    viewer = Client(hub, member(hub, "viewer"))
    for asset in (first, copy):
        given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
        assert client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given)["errors"] == []
    far = similar(viewer, first["id"])
    assert [each["asset"]["id"] for each in far] == [copy["id"]]
    revision = client.ask("query ($id: ID!) { asset(id: $id) { revision } }", id=copy["id"])["asset"]["revision"]
    client.mutate(
        "assetVersionAdd",
        "asset { id }",
        asset=copy["id"],
        expectedRevision=revision,
        upload=client.upload(jpeg(1, "JPEG q50"), "draft.jpg"),
    )
    work_off(hub)
    assert similar(viewer, first["id"]) == far
    assert similar(client, first["id"])[0]["distance"] < far[0]["distance"]
    assert viewer.ask("{ nearDuplicates { nodes { id } totalCount } }")["nearDuplicates"] == {
        "nodes": [],
        "totalCount": 0,
    }


def test_chains_of_likeness_are_one_cluster_and_clusters_are_paged(client: Client) -> None:
    for number in (1, 2, 3):
        for how in (None, "JPEG q50"):
            brought(client, jpeg(number, how))
    brought(client, jpeg(2, "a quarter"))
    asked = """query ($first: Int, $after: String) { nearDuplicateClusters(first: $first, after: $after) {
      nodes { count pairs } pageInfo { hasNextPage endCursor } totalCount } }"""
    whole = client.ask(asked)["nearDuplicateClusters"]
    assert [(each["count"], each["pairs"]) for each in whole["nodes"]] == [(2, 1), (3, 3), (2, 1)]
    assert whole["totalCount"] == 3
    first = client.ask(asked, first=2)["nearDuplicateClusters"]
    assert first["pageInfo"]["hasNextPage"]
    rest = client.ask(asked, first=2, after=first["pageInfo"]["endCursor"])["nearDuplicateClusters"]
    assert first["nodes"] + rest["nodes"] == whole["nodes"]


def test_what_is_similar_takes_as_many_statements_for_many_assets_as_for_one(hub: Hub, client: Client) -> None:
    def sent(first: int) -> int:
        with statements(hub) as told:
            client.ask(f"{{ assets(first: {first}) {{ nodes {{ similar {{ distance asset {{ id }} }} }} }} }}")
        return len(reads(told))

    for how in (None, "JPEG q50", "a quarter"):
        brought(client, jpeg(1, how))
    sent(1)
    assert sent(1) == sent(3)


def test_more_than_a_page_of_what_is_similar_is_refused(client: Client) -> None:
    asset = brought(client, jpeg(1))
    answer = client.answer("query ($id: ID!) { asset(id: $id) { similar(first: 101) { distance } } }", id=asset["id"])
    assert answer["errors"][0]["extensions"]["code"] == "PAGE_TOO_LARGE"


def test_a_pair_kept_for_a_reason_waits_no_more_and_may_be_decided_about_anew(client: Client) -> None:
    first, copy = brought(client, jpeg(1)), brought(client, jpeg(1, "JPEG q50"))
    (pair,) = waiting(client)
    chosen = "nearDuplicate { decision reason kept { id } }"
    refused = client.mutate("nearDuplicateDecide", chosen, nearDuplicate=pair["id"], decision="DISTINCT")
    assert (refused["nearDuplicate"], refused["errors"][0]["path"]) == (None, ["reason"])
    told: dict[str, Any] = {"nearDuplicate": pair["id"], "decision": "DISTINCT", "reason": "Another licence."}
    kept = client.mutate("nearDuplicateDecide", chosen, **told)
    assert kept["nearDuplicate"] == {"decision": "DISTINCT", "reason": "Another licence.", "kept": None}
    assert waiting(client) == []
    assert client.mutate("nearDuplicateDecide", chosen, **told)["errors"][0]["code"] == "CONFLICT"
    other = {each["id"]: each["revision"] for each in pair["assets"]}
    told |= {"decision": "REUSE", "keep": first["id"], "keepRevision": other[first["id"]]}
    reused = client.mutate("nearDuplicateDecide", chosen, **told, otherRevision=other[copy["id"]])
    assert reused["nearDuplicate"]["kept"] == {"id": first["id"]}
    assert client.ask("query ($id: ID!) { asset(id: $id) { lifecycle } }", id=copy["id"])["asset"] == {
        "lifecycle": "ARCHIVED"
    }
    decided = client.ask("{ nearDuplicates(decided: true) { nodes { id decision } totalCount } }")["nearDuplicates"]
    assert decided == {"nodes": [{"id": pair["id"], "decision": "REUSE"}], "totalCount": 1}
