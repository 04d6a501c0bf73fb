"""What happened to something else names no asset that the viewer may not know of."""

from __future__ import annotations

from typing import Any

import pytest

from domain import grants, lightboxes, sharing
from domain.grants import Holder, Where
from domain.permissions import P
from domain.sharing import Access
from domain.work import HUB, Viewer
from storage.tables import RoleRow
from tests.acting import again, give, member
from tests.asking import Client, statements
from tests.assets.acts import queries
from tests.sharing.scene import Scene

FOUND = """query ($where: AuditEventWhere) { auditEvents(first: 50, where: $where) { nodes { type payload } } }"""
HISTORY = "query ($id: ID!) { node(id: $id) { ... on Asset { history { nodes { type payload } } } } }"


@pytest.fixture
def auditor(scene: Scene) -> Viewer:
    """Somebody of south who reads its events, and sees what its people see."""
    with scene.hub.writing(HUB) as work:
        words = [P.AUDIT_VIEW.value, P.ASSET_VIEW.value, P.ASSET_VIEW_UNAPPROVED.value]
        work.session.add(RoleRow(name="auditor", permissions=words, created_at=work.now))
    return member(scene.hub, "auditor", org_id=scene.south, name="Auditor")


def told(scene: Scene, viewer: Viewer, type_: str) -> list[dict[str, Any]]:
    """Payloads of the events of this type that they find, newest first."""
    client = Client(scene.hub, again(scene.hub, viewer))
    return [each["payload"] for each in client.ask(FOUND, where={"typeStartsWith": type_})["auditEvents"]["nodes"]]


def test_a_lightbox_tells_of_anothers_asset_only_while_it_is_seen(scene: Scene, auditor: Viewer) -> None:
    theirs, own = scene.asset(), scene.asset(scene.agency, approved=False)
    share = scene.share(asset=theirs, access=Access.CONTRIBUTE)
    box = scene.box(theirs, own, viewer=scene.renewed(scene.agency))
    with scene.hub.writing(scene.renewed(scene.agency)) as work:
        row = lightboxes.by_id(work, [box])[box]
        lightboxes.remove(work, box, [theirs], row.revision)
    removed, added = told(scene, auditor, "lightbox.assets_changed")
    assert (removed["removed"], added["added"]) == ([theirs], [theirs, own])
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    removed, added = told(scene, auditor, "lightbox.assets_changed")
    assert (removed["removed"], added["added"]) == ([], [own])
    assert {"revision"} < set(removed)  # all else is told
    north = member(scene.hub, "admin", org_id=scene.north)
    assert told(scene, north, "lightbox.assets_changed") == []


def test_whoever_is_told_of_an_assets_own_events_is_told_its_name_in_others(scene: Scene) -> None:
    with scene.hub.writing(HUB) as work:
        work.session.add(RoleRow(name="clerk", permissions=[P.AUDIT_VIEW.value], created_at=work.now))
    clerk = member(scene.hub, "clerk", org_id=scene.north)
    asset = scene.asset()
    scene.box(asset)
    assert told(scene, clerk, "lightbox.assets_changed")[0]["added"] == [asset]
    assert clerk.principal_id is not None
    with scene.hub.writing(HUB) as work:
        where = {"scope": "ASSET", "asset_id": asset}
        give(scene.hub, clerk.principal_id, "clerk", session=work.session, is_denial=True, **where)  # type: ignore[arg-type]
    assert told(scene, clerk, "lightbox.assets_changed")[0]["added"] == []


def test_a_grant_on_an_asset_and_a_twin_are_named_likewise(scene: Scene, auditor: Viewer) -> None:
    theirs = scene.asset()
    share = scene.share(asset=theirs, access=Access.CONTRIBUTE)
    with scene.hub.writing(HUB) as work:
        role = work.session.query(RoleRow).filter_by(name="viewer").one().id
    with scene.hub.writing(scene.admin) as work:
        grants.create(work, Holder(scene.partner.principal_id), role, Where(asset_id=theirs))
    agency = Client(scene.hub, scene.renewed(scene.agency))
    twin = agency.create(b"Slogan 1. " * 50, "slogans.txt", onDuplicate="DISTINCT", reason="Ours")
    (made,) = told(scene, auditor, "asset.created")
    assert made["distinctFrom"] == theirs
    assert told(scene, scene.admin, "grant.created")[0]["asset"] == theirs
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    (made,) = told(scene, auditor, "asset.created")
    assert "distinctFrom" not in made
    history = Client(scene.hub, again(scene.hub, auditor)).ask(HISTORY, id=twin["id"])["node"]["history"]["nodes"]
    assert "distinctFrom" not in history[-1]["payload"]
    assert history[-1]["payload"]["sha256"] == made["sha256"]


def test_names_are_looked_up_once_for_a_page_and_not_at_all_where_there_are_none(scene: Scene, auditor: Viewer) -> None:
    client = Client(scene.hub, auditor)
    own = [scene.asset(scene.agency, approved=False) for _ in range(3)]
    for each in own:
        scene.box(each, viewer=scene.agency)
    counts = {}
    for prefix in ("lightbox.assets_changed", "lightbox.created"):
        client.ask(FOUND, where={"typeStartsWith": prefix})
        with statements(scene.hub) as sent:
            nodes = client.ask(FOUND, where={"typeStartsWith": prefix})["auditEvents"]["nodes"]
        assert len(nodes) == 3
        counts[prefix] = len(queries(sent))
    assert counts["lightbox.assets_changed"] <= counts["lightbox.created"] + 2
