"""Sharing, links, the inbox and tokens as they are spoken: over GraphQL, and over HTTP where bytes are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import identity
from domain.global_ids import encode, number_of
from domain.hub import Hub
from domain.identity import tokens
from schema.execution import Asked, answer
from server.app import make_app
from storage.tables import PrincipalRow
from tests.asking import Client, rows_everywhere, statements
from tests.assets.acts import queries, unchanged
from tests.server.caller import Caller
from tests.sharing.scene import Scene, picture_of
from tests.working import mutate, refused

TOKEN = "token { id name prefix scopes networks expiresAt revokedAt lastUsedAt ownerName isMine owner { name } } secret"
LINK = """guestLink { id name purpose maxFiles filesBrought lastUsedAt revokedAt
                      asset { id } lightbox { id } organisation { name } }"""
SHARE = "share { id access endsAt endedAt asset { id } lightbox { id } organisation { name } sharedBy { name } }"


@pytest.fixture
def ask(hub: Hub) -> Caller:
    return Caller(make_app(hub))


def test_a_tokens_secret_is_shown_once_even_when_the_request_is_repeated(scene: Scene) -> None:
    client = Client(scene.hub, scene.designer)
    wish = {"name": "press", "scopes": ["ASSET_VIEW"], "networks": ["192.0.2.0/24"], "idempotencyKey": "once"}
    first, again = (mutate(client, "tokenCreate", TOKEN, **wish) for _ in range(2))
    assert identity.viewer_of_token(scene.hub, first["secret"], "192.0.2.1").principal_id == client.viewer.principal_id
    assert (again["secret"], again["errors"]) == (None, [])
    token = first["token"]
    assert token == {
        "id": token["id"],
        "name": "press",
        "prefix": first["secret"][:12],
        "scopes": ["ASSET_VIEW"],
        "networks": ["192.0.2.0/24"],
        "expiresAt": None,
        "revokedAt": None,
        "lastUsedAt": None,
        "ownerName": "Designer",
        "isMine": True,
        "owner": {"name": "Designer"},
    }
    assert first["secret"] not in str(rows_everywhere(scene.hub))


def test_a_token_is_rotated_listed_and_revoked(scene: Scene) -> None:
    client = Client(scene.hub, scene.designer)
    old = mutate(client, "tokenCreate", TOKEN, name="press")
    new = mutate(client, "tokenRotate", TOKEN, token=old["token"]["id"], overlapHours=2)
    assert new["secret"] not in {None, old["secret"]}
    for made in (old, new):
        assert identity.viewer_of_token(scene.hub, made["secret"]).principal_id == client.viewer.principal_id
    asked = "{ tokens { totalCount nodes { id replacedBy { id } } } }"
    assert client.ask(asked)["tokens"] == {
        "totalCount": 2,
        "nodes": [
            {"id": new["token"]["id"], "replacedBy": None},
            {"id": old["token"]["id"], "replacedBy": {"id": new["token"]["id"]}},
        ],
    }
    again = refused(client, "tokenRotate", TOKEN, token=old["token"]["id"], overlapHours=2)
    assert (again["code"], again["path"]) == ("CONFLICT", ["token"])
    gone = mutate(client, "tokenRevoke", "token { revokedAt }", token=new["token"]["id"])
    assert gone["token"]["revokedAt"] is not None


def test_reading_many_tokens_takes_a_constant_number_of_statements(scene: Scene) -> None:
    client, counts = Client(scene.hub, scene.admin), []
    for _ in range(2):
        for viewer in (scene.designer, scene.librarian, scene.partner):
            mutate(Client(scene.hub, viewer), "tokenCreate", "token { id }", name="one more")
        with statements(scene.hub) as sent:
            client.ask("{ tokens { totalCount nodes { ownerName owner { name } replacedBy { id } } } }")
        counts.append(len(queries(sent)))
    assert counts[0] == counts[1]


def test_an_asset_is_shared_seen_and_taken_back(scene: Scene) -> None:
    client, partner = Client(scene.hub, scene.librarian), Client(scene.hub, scene.partner)
    asset, south = encode("Asset", scene.asset()), encode("Organisation", scene.south)
    end = scene.hub.clock() + timedelta(days=3)
    made = mutate(client, "shareCreate", SHARE, asset=asset, organisation=south, endsAt=end.isoformat())
    share = made["share"]
    assert (share["access"], share["asset"], share["lightbox"]) == ("READ", {"id": asset}, None)
    assert (share["organisation"], share["sharedBy"]) == ({"name": "South"}, {"name": "North"})
    listed = "query ($to: ID) { shares(to: $to) { totalCount nodes { id asset { id } } } }"
    for viewer in (client, partner):
        assert viewer.ask(listed, to=south)["shares"] == {
            "totalCount": 1,
            "nodes": [{"id": share["id"], "asset": {"id": asset}}],
        }
    assert refused(partner, "shareEnd", SHARE, share=share["id"])["code"] == "NOT_ALLOWED"
    again = refused(client, "shareCreate", SHARE, asset=asset, organisation=south)
    assert again["__typename"] == "ConflictError"
    ended = [mutate(client, "shareEnd", SHARE, share=share["id"])["share"]["endedAt"] for _ in range(2)]
    assert ended[0] == ended[1] is not None
    assert partner.ask(listed, to=south)["shares"]["totalCount"] == 0
    assert node(partner, share["id"]) is None
    assert node(client, share["id"]) == {"id": share["id"]}


def test_a_links_secret_and_address_are_shown_once(scene: Scene) -> None:
    client = Client(scene.hub, scene.librarian)
    box = encode("Lightbox", scene.box(scene.asset()))
    wish = {"lightbox": box, "name": "A customer", "expiresAt": soon(scene), "idempotencyKey": "once"}
    first, again = (mutate(client, "guestLinkCreate", f"{LINK} secret url", **wish) for _ in range(2))
    assert (again["secret"], again["url"], again["errors"]) == (None, None, [])
    assert first["url"].endswith(first["secret"])
    assert first["guestLink"] == {
        "id": first["guestLink"]["id"],
        "name": "A customer",
        "purpose": "VIEW",
        "maxFiles": None,
        "filesBrought": 0,
        "lastUsedAt": None,
        "revokedAt": None,
        "asset": None,
        "lightbox": {"id": box},
        "organisation": {"name": "North"},
    }
    listed = client.ask("{ guestLinks { totalCount nodes { id } } }")["guestLinks"]
    assert listed == {"totalCount": 1, "nodes": [{"id": first["guestLink"]["id"]}]}


def test_a_guest_who_looks_can_do_nothing_else(scene: Scene, ask: Caller) -> None:
    asset, other = (encode("Asset", scene.asset()) for _ in range(2))
    box, others = encode("Lightbox", scene.box(number_of("Asset", asset))), encode("Lightbox", scene.box())
    link = scene.link(box=number_of("Lightbox", box))
    client = Client(scene.hub, scene.guest(link))
    assert (node(client, box), node(client, others)) == ({"id": box}, None)
    assert (node(client, asset), node(client, other)) == ({"id": asset}, None)
    assert node(client, encode("GuestLink", link.id)) is None
    seen = client.ask("{ tokens { totalCount } shares { totalCount } guestLinks { totalCount } inbox { totalCount } }")
    assert {each["totalCount"] for each in seen.values()} == {0}
    mine = {"asset": asset, "expectedRevision": 1}
    for mutation, fields in (
        ("tokenCreate", {"name": "more"}),
        ("shareCreate", {"asset": asset, "organisation": encode("Organisation", scene.south)}),
        ("guestLinkCreate", {"asset": asset, "name": "x", "expiresAt": soon(scene)}),
        ("inboxAccept", mine),
        ("assetUpdate", mine | {"title": "Mine"}),
        ("assetArchive", mine),
    ):
        error = refused(client, mutation, "errors { code }", **fields)
        assert error["code"] == "NOT_ALLOWED", mutation
    begun = ask.as_(link.secret).begin(5, {"filename": "letter.txt"})
    assert (begun.status_code, begun.json()["code"]) == (403, "NOT_ALLOWED")


def test_a_guest_who_brings_files_does_so_over_http_and_cannot_touch_anothers(scene: Scene, ask: Caller) -> None:
    first, second = scene.upload_link(1), scene.upload_link(1)
    content = b"A letter from far away. " * 20
    mine, theirs = ask.as_(first.secret), ask.as_(second.secret)
    begun = mine.begin(len(content), {"filename": "letter.txt"})
    assert begun.status_code == 201
    address = begun.headers["location"]
    assert (theirs.head(address).status_code, theirs.patch(address, 0, content).status_code) == (404, 404)
    assert mine.patch(address, 0, content).status_code == 204
    full = mine.begin(len(content), {"filename": "another.txt"})
    assert (full.status_code, full.json()["code"]) == (409, "CONFLICT")
    upload = address.rsplit("/", 1)[-1]
    stranger = Client(scene.hub, scene.guest(second))
    assert refused(stranger, "assetCreate", "asset { id }", upload=upload)["code"] == "NOT_FOUND"
    guest = Client(scene.hub, scene.guest(first))
    made = mutate(guest, "assetCreate", "asset { id lifecycle viewerCan }", upload=upload)["asset"]
    assert (made["lifecycle"], made["viewerCan"]) == ("QUARANTINED", [])
    assert node(stranger, made["id"]) is None
    judge = Client(scene.hub, scene.librarian)
    assert judge.ask("{ inbox { totalCount nodes { id } } }")["inbox"] == {
        "totalCount": 1,
        "nodes": [{"id": made["id"]}],
    }
    accepted = mutate(judge, "inboxAccept", "asset { lifecycle revision }", asset=made["id"], expectedRevision=1)
    assert accepted["asset"] == {"lifecycle": "DRAFT", "revision": 2}
    late = refused(judge, "inboxReject", "asset { id }", asset=made["id"], reason="Too late.")
    assert late["code"] == "CONFLICT"


def test_an_address_that_a_link_gave_out_is_dead_as_soon_as_the_link_is_revoked(scene: Scene, ask: Caller) -> None:
    asset = scene.asset()
    link = scene.link(asset=asset)
    address = f"/files/{picture_of(scene, scene.guest(link), asset)}"
    assert ask("GET", address).status_code == 200
    mutate(Client(scene.hub, scene.librarian), "guestLinkRevoke", LINK, guestLink=encode("GuestLink", link.id))
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"}):
        assert ask("GET", address, headers).status_code == 404
    assert ask.as_(link.secret)("POST", "/graphql", json={"query": "{ me { name } }"}).status_code == 401


def test_the_secret_of_a_session_is_no_bearer_token(scene: Scene, ask: Caller) -> None:
    with scene.hub.writing(scene.admin) as work:
        owner = work.session.get_one(PrincipalRow, scene.designer.principal_id)
        tokens.add_token(work, owner, "session", "secret of a session", purpose="SESSION")
    with unchanged(scene.hub):
        assert ask.as_("secret of a session")("POST", "/graphql", json={"query": "{ me { name } }"}).status_code == 401
        assert ask.as_("secret of a session").begin(5).status_code == 401


def test_a_guests_answer_says_nothing_of_who_made_the_link(scene: Scene) -> None:
    link = scene.link(asset=scene.asset())
    answered = answer(scene.hub, scene.guest(link), Asked("{ me { name } people { totalCount } }"), "test")
    assert b"Librarian" not in answered.body


def node(client: Client, id_: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = client.ask("query ($id: ID!) { node(id: $id) { id } }", id=id_)["node"]
    return found


def soon(scene: Scene) -> str:
    return (scene.hub.clock() + timedelta(days=7)).isoformat()
