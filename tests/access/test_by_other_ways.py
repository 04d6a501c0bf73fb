"""Ways around the lists: guessed ids, nested relations, cursors, addresses and uploads of somebody else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from domain import delivery, intake
from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.refusals import NotAllowed, NotFound
from domain.work import HUB, Viewer
from schema import built
from storage.staging import Staging
from storage.tables import AssetVersionRow, GrantRow, PrincipalRow, ShareRow
from tests import acting
from tests.access.world import World
from tests.asking import Client, statements
from tests.assets.acts import accepted, add_version, created, picture, queries, refusal, unchanged
from tests.schema.samples import Brand
from tests.working import index_all

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


@pytest.fixture
def world(hub: Hub, admin: Viewer) -> World:
    return World(hub, admin)


def approve(client: Client, version: dict[str, Any]) -> None:
    accepted(
        client.mutate(
            "assetVersionApprove", "asset { id }", ownWork=True, version=version["id"], sha256=version["sha256"]
        ),
    )


def shared(hub: Hub, admin: Viewer, asset_id: str, org_id: int, access: str = "READ") -> None:
    with hub.writing(admin) as work:
        row = ShareRow(
            org_id=1,
            to_org_id=org_id,
            asset_id=decode(asset_id)[1],
            access=access,
            created_at=work.now,
            created_by=admin.principal_id,
        )
        work.session.add(row)


def test_guessed_ids_of_every_type_are_nothing_to_a_stranger(world: World) -> None:
    assert world.things
    guesses = [encode(type_, number) for type_ in sorted(built.NODE_TYPES) for number in range(1, 9)]
    partner = world.actors["partner"]
    for start in range(0, len(guesses), 100):
        found = partner.ask(NODES, ids=guesses[start : start + 100])["nodes"]
        told = {node["__typename"] for node in found if node is not None}
        # Presets are everybody's, and what fields and vocabularies there are. Else one's own: oneself, role and grant,
        # the organisation and those above it. What the brand makes is known to all who use its pictures.
        known = {"RenditionPreset", "CustomField", "Vocabulary", "Product"}
        assert told <= known | {"Organisation", "Role", "Person", "Grant"}
        assert len([node for node in found if node and node["__typename"] in {"Person", "Grant", "Role"}]) <= 3


def test_an_unknown_id_and_a_forbidden_one_ask_the_database_the_same(world: World, hub: Hub) -> None:
    """So neither answer takes longer than the other."""
    partner, draft = world.actors["partner"], world.things["asset"]
    assert partner.ask("query ($id: ID!) { asset(id: $id) { id } }", id=draft)["asset"] is None  # counts shares once
    sent_for = {}
    for id_ in (draft, encode("Asset", 987_654)):
        with statements(hub) as sent:
            assert partner.ask("query ($id: ID!) { asset(id: $id) { id title } }", id=id_)["asset"] is None
        sent_for[id_] = queries(sent)
    assert len(set(map(tuple, sent_for.values()))) == 1


def test_of_a_shared_asset_only_what_is_approved_is_seen_in_every_relation(
    hub: Hub, admin: Viewer, client: Client
) -> None:
    asset = created(client, picture(1), tags=["harbour"])
    approve(client, asset["current"])
    newer = accepted(add_version(client, asset | {"revision": asset["revision"] + 1}, picture(2)))["asset"]
    org_id = acting.organisation(hub, "Other")
    shared(hub, admin, asset["id"], org_id)
    partner = Client(hub, acting.member(hub, "partner", org_id=org_id))
    index_all(hub)
    seen = partner.ask(
        """query ($id: ID!) { asset(id: $id) { current { id number } approved { number } viewerCan tags { assetCount }
          versions(first: 9) { totalCount nodes { number asset { current { number } } madeFrom { id } } } } }""",
        id=asset["id"],
    )["asset"]
    assert (seen["current"]["number"], seen["approved"]["number"]) == (1, 1)
    assert (seen["versions"]["totalCount"], [each["number"] for each in seen["versions"]["nodes"]]) == (1, [1])
    assert seen["versions"]["nodes"][0]["asset"]["current"]["number"] == 1
    assert (seen["tags"], seen["viewerCan"]) == ([{"assetCount": 1}], ["DOWNLOAD"])
    hidden = newer["current"]["id"]
    assert partner.ask(NODES, ids=[hidden])["nodes"] == [None]
    digest = newer["current"]["sha256"]
    assert partner.ask("query ($d: Sha256!) { assetsWithDigest(sha256: $d) { id } }", d=digest) == {
        "assetsWithDigest": []
    }


def test_filters_and_orders_speak_of_the_version_that_is_seen(hub: Hub, admin: Viewer, client: Client) -> None:
    """A newer draft of another size is found by who sees it, and by nobody else."""
    asset = created(client, picture(1))
    approve(client, asset["current"])
    accepted(add_version(client, asset | {"revision": asset["revision"] + 1}, picture(30)))
    org_id = acting.organisation(hub, "Other")
    shared(hub, admin, asset["id"], org_id)
    partner = Client(hub, acting.member(hub, "partner", org_id=org_id))
    with hub.reading(HUB) as work:
        sizes = {row.number: row.byte_size for row in work.session.scalars(all_versions())}
    query = "query ($where: AssetWhere) { assets(where: $where) { totalCount } }"
    for number, by_admin, by_partner in ((1, 0, 1), (2, 1, 0)):
        where = {"byteSize": {"from": str(sizes[number]), "to": str(sizes[number])}}
        assert client.ask(query, where=where)["assets"]["totalCount"] == by_admin
        assert partner.ask(query, where=where)["assets"]["totalCount"] == by_partner


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(world: World, client: Client) -> None:
    for number in range(3):
        created(client, picture(50 + number))
    query = "query ($after: String) { assets(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } }"
    cursor = client.ask(query)["assets"]["pageInfo"]["endCursor"]
    assert world.actors["partner"].ask(query, after=cursor)["assets"]["nodes"] == []
    spoilt = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    (error,) = world.actors["partner"].answer(query, after=spoilt)["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"


def test_an_address_dies_with_the_right_to_see_what_it_opens(hub: Hub, admin: Viewer, client: Client) -> None:
    asset = created(client, picture(1))
    designer = acting.member(hub, "designer")
    with hub.reading(designer) as work:
        (version,) = work.session.scalars(all_versions())
        token = delivery.original_url(work, version).url.rsplit("/", 1)[1]
        assert delivery.open_door(work, token).sha256 == asset["current"]["sha256"]
    with hub.writing(admin) as work:
        work.session.execute(revoke_all(designer))
    with hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)


def test_an_address_of_somebody_who_was_shut_out_opens_nothing(hub: Hub, admin: Viewer, client: Client) -> None:
    created(client, picture(1))
    designer = acting.member(hub, "designer")
    with hub.reading(designer) as work:
        (version,) = work.session.scalars(all_versions())
        token = delivery.original_url(work, version).url.rsplit("/", 1)[1]
    with hub.writing(admin) as work:
        work.session.get_one(PrincipalRow, designer.principal_id).disabled_at = work.now
    with hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)


def test_who_may_bring_nothing_cannot_begin_an_upload(world: World, hub: Hub) -> None:
    for name in ("partner", "guest"):
        client = world.actors[name]
        with unchanged(hub), hub.writing(client.viewer) as work, pytest.raises(NotAllowed):
            intake.begin(work, Staging(hub.settings.staging_dir), length=4, file_name="x.png")


def test_an_upload_of_somebody_else_is_not_there(world: World) -> None:
    upload = world.actors["designer"].upload(picture(77))
    refused = refusal(world.actors["agency"].mutate("assetCreate", "asset { id }", upload=upload))
    assert refused["code"] == "NOT_FOUND"


def test_nobody_opens_anothers_asset_by_placing_it_in_a_lightbox_of_their_own(
    hub: Hub, admin: Viewer, client: Client
) -> None:
    """An affiliate was given a draft to work on; its lightbox, shared on, must not carry it further."""
    asset = created(client, picture(1))
    affiliate, third = acting.organisation(hub, "Affiliate"), acting.organisation(hub, "Third")
    shared(hub, admin, asset["id"], affiliate, "CONTRIBUTE")
    designer = Client(hub, acting.member(hub, "designer", org_id=affiliate))
    box = Brand(hub, designer).lightbox(asset)
    with hub.writing(designer.viewer) as work:
        number = decode(box["id"])[1]
        told = {"lightbox_id": number, "created_at": work.now, "created_by": designer.viewer.principal_id}
        work.session.add(ShareRow(org_id=affiliate, to_org_id=third, access="CONTRIBUTE", **told))
    stranger = Client(hub, acting.member(hub, "agency", org_id=third))
    query = "query ($box: ID!, $asset: ID!) { node(id: $box) { id } asset(id: $asset) { id } assets { totalCount } }"
    seen = stranger.ask(query, box=box["id"], asset=asset["id"])
    assert seen == {"node": {"id": box["id"]}, "asset": None, "assets": {"totalCount": 0}}
    guest = acting.guest(hub, designer.viewer, lightbox_id=number)
    assert Client(hub, guest).ask("query ($id: ID!) { asset(id: $id) { id } }", id=asset["id"])["asset"] is None


def all_versions() -> Any:
    return sa.select(AssetVersionRow).order_by(AssetVersionRow.id)


def revoke_all(viewer: Viewer) -> Any:
    return sa.update(GrantRow).where(GrantRow.principal_id == viewer.principal_id).values(revoked_at=datetime.now(UTC))
