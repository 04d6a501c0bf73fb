"""What somebody is answered who would not see what they leave behind; whose the work is that they cause."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain import sharing
from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.permissions import Permission
from domain.renditions import RenderVersion
from domain.sharing import Access
from domain.work import HUB, Viewer
from storage.tables import JobRow, RoleRow
from tests.acting import member
from tests.asking import Client
from tests.assets.acts import accepted, refusal, unchanged
from tests.sharing.scene import Scene

P = Permission
SHOWN = "query ($id: ID!) { asset(id: $id) { id revision current { id sha256 } } }"


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


def somebody(scene: Scene, *permissions: P, org_id: int | None = None) -> Client:
    """Somebody of north with just these permissions there."""
    name = " ".join(each.value for each in permissions)
    with scene.hub.writing(HUB) as work:
        work.session.add(RoleRow(name=name, permissions=name.split(), created_at=work.now))
    return Client(scene.hub, member(scene.hub, name, org_id=org_id or scene.north))


def of(asset: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"asset": asset["id"], "expectedRevision": asset["revision"], **fields}


@pytest.mark.parametrize("permission", [P.ASSET_ARCHIVE, P.ASSET_APPROVE, P.ASSET_VERSION_ADD])
def test_nobody_leaves_an_asset_as_they_would_not_see_it(scene: Scene, permission: P) -> None:
    client = somebody(scene, P.ASSET_VIEW, P.ASSET_CREATE, permission)
    asset = client.ask(SHOWN, id=encode("Asset", scene.asset()))["asset"]
    upload = client.upload(b"another slogan " * 50, "slogans.txt")
    mutation, fields = {
        P.ASSET_ARCHIVE: ("assetArchive", of(asset)),
        P.ASSET_APPROVE: ("assetVersionApprovalRevoke", {"version": asset["current"]["id"]}),
        P.ASSET_VERSION_ADD: ("assetVersionAdd", of(asset, upload=upload)),
    }[permission]
    with unchanged(scene.hub):
        error = refusal(client.mutate(mutation, "asset { id }", idempotencyKey="once", **fields))
        assert error["code"] == "NOT_ALLOWED"
        foreseen = permission is not P.ASSET_APPROVE  # whether an approval is the last one shows only afterwards
        assert error["message"].startswith("This needs" if foreseen else "You would not see what this leaves")
    allowed = somebody(scene, P.ASSET_VIEW, P.ASSET_CREATE, permission, P.ASSET_VIEW_UNAPPROVED)
    if permission is P.ASSET_VERSION_ADD:
        fields["upload"] = allowed.upload(b"another slogan " * 50, "slogans.txt")
    if "expectedRevision" in fields:  # they are shown another one: changes that nobody approved count for them
        fields |= of(allowed.ask(SHOWN, id=asset["id"])["asset"])
    assert accepted(allowed.mutate(mutation, "asset { id }", **fields))["asset"] == {"id": asset["id"]}


def test_nobody_brings_what_they_would_not_see(scene: Scene) -> None:
    client = somebody(scene, P.ASSET_VIEW, P.ASSET_CREATE)
    upload = client.upload(b"fresh " * 50, "slogans.txt")
    with unchanged(scene.hub):
        error = refusal(client.mutate("assetCreate", "asset { id }", upload=upload))
    assert error["code"] == "NOT_ALLOWED"


def test_nobody_restores_into_an_inbox_that_they_do_not_look_into(scene: Scene) -> None:
    asset = scene.brought(scene.guest(scene.upload_link()))
    librarian = Client(scene.hub, scene.renewed(scene.librarian))
    accepted(librarian.mutate("inboxReject", "asset { id }", asset=encode("Asset", asset), reason="Out of focus"))
    permissions = (P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED, P.ASSET_ARCHIVE)
    client = somebody(scene, *permissions, org_id=1)
    put_away = client.ask(SHOWN, id=encode("Asset", asset))["asset"]
    with unchanged(scene.hub):
        assert refusal(client.mutate("assetRestore", "asset { id }", **of(put_away)))["code"] == "NOT_ALLOWED"


def test_a_repeated_request_whose_asset_is_gone_for_the_viewer_is_not_found(scene: Scene) -> None:
    asset = scene.asset()
    share = scene.share(asset=asset, access=Access.CONTRIBUTE)
    agency = Client(scene.hub, scene.renewed(scene.agency))
    shown = agency.ask(SHOWN, id=encode("Asset", asset))["asset"]
    fields = of(shown, title="Another", idempotencyKey="once")
    for _ in range(2):
        assert accepted(agency.mutate("assetUpdate", "asset { title }", **fields))["asset"] == {"title": "Another"}
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    later = Client(scene.hub, scene.renewed(scene.agency))
    with unchanged(scene.hub):
        error = refusal(later.mutate("assetUpdate", "asset { title }", **fields))
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["idempotencyKey"])


def test_a_repeated_making_still_answers_when_only_its_twin_is_gone(scene: Scene) -> None:
    theirs = scene.asset()
    share = scene.share(asset=theirs, access=Access.CONTRIBUTE)
    agency = Client(scene.hub, scene.renewed(scene.agency))
    fields = {
        "upload": agency.upload(b"Slogan 1. " * 50, "slogans.txt"),
        "onDuplicate": "DISTINCT",
        "reason": "Ours",
        "idempotencyKey": "once",
    }
    chosen = "asset { id } duplicateOf { id }"
    made = accepted(agency.mutate("assetCreate", chosen, **fields))
    assert made["duplicateOf"] == {"id": encode("Asset", theirs)}
    with scene.hub.writing(scene.librarian) as work:
        sharing.end(work, share)
    again = accepted(Client(scene.hub, scene.renewed(scene.agency)).mutate("assetCreate", chosen, **fields))
    assert (again["asset"], again["duplicateOf"]) == (made["asset"], None)


def test_the_work_on_an_asset_is_a_job_of_the_assets_organisation(scene: Scene) -> None:
    asset = scene.asset()
    scene.share(asset=asset, access=Access.CONTRIBUTE)
    agency = Client(scene.hub, scene.renewed(scene.agency))
    shown = agency.ask(SHOWN, id=encode("Asset", asset))["asset"]
    upload = agency.upload(b"by an agency " * 50, "slogans.txt")
    made = accepted(agency.mutate("assetVersionAdd", "version { id }", **of(shown, upload=upload)))["version"]
    key = RenderVersion(decode(made["id"])[1]).unique_key()
    with scene.hub.reading(HUB) as work:
        assert work.session.scalars(sa.select(JobRow.org_id).where(JobRow.unique_key == key)).one() == scene.north
