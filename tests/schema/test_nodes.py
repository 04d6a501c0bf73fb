"""`node` and `nodes`: everything with an id is fetched by it, and what has none of ours is null."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.refusals import NotFound
from schema import built
from tests import acting
from tests.asking import Client, statements
from tests.assets.acts import created, picture, queries, refusal, unchanged
from tests.schema import (
    samples_documents,
    samples_exports,
    samples_fields,
    samples_licensing,
    samples_lifecycle,
    samples_likeness,
    samples_people,
    samples_purchases,
    samples_sharing,
    samples_usage,
    samples_webhooks,
)
from tests.schema.samples import Brand

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


def test_every_type_of_node_is_fetched_by_its_id_and_only_as_that_type(hub: Hub, client: Client) -> None:
    ids = one_of_each(Brand(hub, client))
    assert set(ids) == built.NODE_TYPES
    found = client.ask(NODES, ids=list(ids.values()))["nodes"]
    assert found == [{"__typename": type_, "id": id_} for type_, id_ in ids.items()]
    for type_, id_ in ids.items():
        node = client.ask("query ($id: ID!) { node(id: $id) { __typename id } }", id=id_)["node"]
        assert node == {"__typename": type_, "id": id_}


def test_what_was_never_given_out_is_null(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    strange = [encode(type_, number) for type_ in built.NODE_TYPES for number in (999_999, 2**63 - 1)]
    strange += [encode("Viewer", 1), encode("Upload", 1), encode("asset", 1), encode("", 1), encode("AssetRow", 1)]
    strange += ["", "=", "nonsense", "QXNzZXQ6", asset["id"] + "!", asset["id"] + "AA", asset["id"][:-1], "ж", "\u0000"]
    strange += [
        plain(text) for text in ("Asset:0", "Asset:-1", "Asset:01", "Asset: 1", "Asset:1 ", "Asset:1:1", "Asset:١")
    ]
    strange += [plain(f"Asset:{2**63}"), plain(f"Asset:{10**30}"), plain("Asset:1e0"), plain("Asset"), "x" * 100_000]
    for some in (strange[:100], strange[100:]):
        assert client.ask(NODES, ids=some)["nodes"] == [None] * len(some)
    for each in strange:
        assert client.ask("query ($id: ID!) { asset(id: $id) { id } }", id=each)["asset"] is None


def test_an_id_of_another_type_is_no_asset(hub: Hub, client: Client) -> None:
    ids = one_of_each(Brand(hub, client))
    found = {
        type_: client.ask("query ($id: ID!) { asset(id: $id) { id } }", id=id_)["asset"] for type_, id_ in ids.items()
    }
    assert {type_ for type_, asset in found.items() if asset is not None} == {"Asset"}


def test_nodes_answers_in_the_order_of_the_ids_with_gaps_and_repetitions(client: Client) -> None:
    one, two = (created(client, picture(number))["id"] for number in (1, 2))
    found = client.ask(NODES, ids=[two, "nothing", one, two])["nodes"]
    assert [each and each["id"] for each in found] == [two, None, one, two]
    assert client.ask(NODES, ids=[])["nodes"] == []


def test_a_hundred_nodes_take_one_statement_a_type_and_one_more_is_refused(client: Client, hub: Hub) -> None:
    asset = created(client, picture(1))
    ids = [asset["id"], *(encode("Asset", number) for number in range(1000, 1099))]
    with statements(hub) as sent:
        found = client.ask(NODES, ids=ids)["nodes"]
    # What is not there may have been merged, so it is looked for once more, and where it went.
    assert (len(found), len([each for each in found if each]), len(queries(sent))) == (100, 1, 2)
    with statements(hub) as sent:
        assert client.ask(NODES, ids=[asset["id"]] * 100)["nodes"][99]["id"] == asset["id"]
    assert len(queries(sent)) == 1
    answer = client.answer(NODES, ids=[*ids, ids[0]])
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["message"] == "Ask for at most 100 nodes at once."
    assert (error["extensions"], error["path"]) == ({"code": "INVALID", "argument": "ids"}, ["nodes"])


def test_what_belongs_to_another_organisation_reads_as_if_it_were_not_there(hub: Hub, client: Client) -> None:
    """But the presets and what fields there are, which are everybody's, the brands of the organisations above, and what
    the brand itself makes.
    """
    ids = one_of_each(Brand(hub, client))
    open_ = ("RenditionPreset", "Brand", "CustomField", "Product")
    known = [ids.pop(name) for name in open_]
    stranger = Client(hub, acting.member(hub, "partner", org_id=acting.organisation(hub, "Other")))
    assert stranger.ask(NODES, ids=list(ids.values()))["nodes"] == [None] * len(ids)
    told = stranger.ask(NODES, ids=known)["nodes"]
    assert tuple(each["__typename"] for each in told) == open_
    assert stranger.ask("{ assets { totalCount } tags { totalCount } lightboxes { totalCount } }") == {
        "assets": {"totalCount": 0},
        "tags": {"totalCount": 0},
        "lightboxes": {"totalCount": 0},
    }


def test_bytes_that_another_organisation_holds_are_duplicates_that_are_not_named(hub: Hub, client: Client) -> None:
    mine = created(client, picture(1))
    stranger = Client(hub, acting.member(hub, "designer", org_id=acting.organisation(hub, "Other")))
    upload = stranger.upload(picture(1))
    with unchanged(hub):
        refused = refusal(stranger.mutate("assetCreate", "asset { id }", upload=upload))
    assert (refused["code"], refused["existing"]) == ("DUPLICATE_ASSET", None)
    theirs = created(stranger, picture(1), onDuplicate="DISTINCT", reason="Our own print")
    assert theirs["id"] != mine["id"]
    assert len(list(hub.blobs.keys())) == 1


@pytest.mark.parametrize(("type_", "number"), [("Asset", 1), ("Tag", 2**63 - 1), ("RenditionPreset", 42)])
def test_an_id_says_type_and_number_to_us_alone(type_: str, number: int) -> None:
    assert decode(encode(type_, number)) == (type_, number)
    assert not set(encode(type_, number)) & set("+/=")
    with pytest.raises(NotFound):
        decode(encode(type_, number) + "A")


def one_of_each(brand: Brand) -> dict[str, str]:
    asset = brand.asset()
    query = "query ($id: ID!) { asset(id: $id) { current { renditions { id } } } }"
    renditions = brand.client.ask(query, id=asset["id"])["asset"]["current"]["renditions"]
    found: dict[str, Any] = {
        "Token": samples_sharing.token(brand),
        "Share": samples_sharing.share(brand),
        "GuestLink": samples_sharing.link(brand),
        "TrustedDocument": samples_documents.registered(brand),
        "BulkExport": samples_exports.export(brand),
        **samples_licensing.nodes(brand),
        **samples_lifecycle.nodes(brand),
        **samples_purchases.nodes(brand),
        **samples_usage.nodes(brand),
        "NearDuplicate": samples_likeness.pair(brand),
        "CustomField": samples_fields.field(brand)["id"],
        "Vocabulary": samples_fields.vocabulary(brand)["id"],
        "MetadataTemplate": samples_fields.template(brand)["id"],
        "BulkOperation": samples_fields.operation(brand),
        "Webhook": samples_webhooks.webhook_id(brand),
        "WebhookDelivery": samples_webhooks.delivery(brand),
        **samples_people.nodes(brand),
        "Asset": asset["id"],
        "AssetVersion": asset["current"]["id"],
        "Rendition": renditions[0]["id"],
        "RenditionPreset": brand.preset()["id"],
        "Tag": brand.tag()["id"],
        "Lightbox": brand.lightbox()["id"],
        "Job": brand.dead_job(),
    }
    return found


def plain(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
