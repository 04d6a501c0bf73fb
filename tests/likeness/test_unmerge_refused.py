"""Taking a merge back where the world has moved on, by whom it is not for, and by several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.work import HUB
from storage.tables import (
    AssetMergeRow,
    AssetRow,
    LegalHoldRow,
)
from tests.acting import again, give, member
from tests.asking import Client
from tests.assets import acts
from tests.likeness.merged import events, looked_at, merge, number, two
from tests.likeness.parted import rich, unmerge
from tests.working import at_once

Act = Callable[[Client, dict[str, Any], dict[str, Any]], object]


def _hold(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> None:
    with client.hub.writing(HUB) as work:
        row = work.session.get_one(AssetRow, number(into))
        told = {"placed_at": work.now, "placed_by": row.created_by, "matter": "A case"}
        work.session.add(LegalHoldRow(asset_id=row.id, org_id=row.org_id, **told))


def _version(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    return acts.accepted(acts.add_version(client, looked_at(client, into), acts.picture(7)))


def _tag_off(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    tags = client.ask("{ tags { nodes { id name } } }")["tags"]["nodes"]
    blue = [each["id"] for each in tags if each["name"] == "blue"]
    return acts.accepted(acts.change(client, "assetUpdate", looked_at(client, into), removeTags=blue))


def _said(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    texts = [{"locale": "fr", "text": "Autre chose"}]
    return acts.accepted(acts.change(client, "assetUpdate", looked_at(client, into), titles=texts))


def _revoked(client: Client, _into: dict[str, Any], gone: dict[str, Any]) -> object:
    version = gone["current"]["id"]
    return acts.accepted(client.mutate("assetVersionApprovalRevoke", "asset { id }", version=version))


def _mutated(name: str, **told: Any) -> Act:
    return lambda client, into, _: acts.accepted(client.mutate(name, "clientMutationId", asset=into["id"], **told))


def _again(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    return acts.accepted(merge(client, into, acts.created(client, acts.picture(8))))


def _onwards(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    return acts.accepted(merge(client, acts.created(client, acts.picture(8)), looked_at(client, into)))


def _denied(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    return member(client.hub, "designer", scope="ASSET", asset_id=number(into), is_denial=True)


def _out(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> None:
    asked = "{ lightboxes { nodes { id revision assets { totalCount } } } }"
    for box in client.ask(asked)["lightboxes"]["nodes"]:
        told = {"lightbox": box["id"], "expectedRevision": box["revision"], "assets": [into["id"]]}
        acts.accepted(client.mutate("lightboxAssetsRemove", "lightbox { id }", **told))


def _archived(client: Client, into: dict[str, Any], _gone: dict[str, Any]) -> object:
    return acts.accepted(acts.change(client, "assetArchive", looked_at(client, into)))


def _late(client: Client, _into: dict[str, Any], _gone: dict[str, Any]) -> None:
    with client.hub.writing(HUB) as work:
        work.session.execute(sa.update(AssetMergeRow).values(undo_until=work.now))


@pytest.mark.parametrize(
    "moves",
    [
        pytest.param(_hold, id="a legal hold"),
        pytest.param(_version, id="a newer version"),
        pytest.param(_tag_off, id="a tag taken off"),
        pytest.param(_said, id="a title said otherwise"),
        pytest.param(_revoked, id="an approval ended"),
        pytest.param(_mutated("embargoPlace", reason="Not yet."), id="an embargo"),
        pytest.param(_mutated("takedownOpen", reason="They asked."), id="a takedown"),
        pytest.param(_mutated("exclusivityGive", holder=encode("Organisation", 1)), id="exclusivity"),
        pytest.param(_mutated("assetRightsAssess", recognisablePeople=True), id="an assessment"),
        pytest.param(_again, id="another merge into it"),
        pytest.param(_onwards, id="a merge of it"),
        pytest.param(_denied, id="a denial"),
        pytest.param(_out, id="taken out of a lightbox"),
        pytest.param(_archived, id="archived"),
        pytest.param(_late, id="too late"),
    ],
)
def test_where_the_world_has_moved_on_it_is_refused_and_nothing_is_changed(client: Client, moves: Act) -> None:
    into, gone = rich(client)
    gone = looked_at(client, gone)
    acts.accepted(merge(client, into, gone))
    moves(client, into, gone)
    revision = looked_at(client, into)["revision"]
    told = {"from": gone["id"], "expectedRevision": revision}
    with acts.unchanged(client.hub):
        error = acts.refusal(client.mutate("assetMergeUndo", "asset { id }", **told))
    assert (error["code"], error["path"]) == ("CONFLICT", ["from"])


def test_who_may_not_merge_may_not_take_it_back(client: Client) -> None:
    into, gone = two(client)
    revision = acts.accepted(merge(client, into, gone))["asset"]["revision"]
    told = {"from": gone["id"], "expectedRevision": revision}
    for role, code in (("designer", "NOT_ALLOWED"), ("viewer", "NOT_FOUND")):
        somebody = Client(client.hub, member(client.hub, role))
        with acts.unchanged(client.hub):
            assert acts.refusal(somebody.mutate("assetMergeUndo", "asset { id }", **told))["code"] == code


def test_who_was_denied_what_leaves_does_not_bring_it_back(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    librarian = member(hub, "librarian")
    assert librarian.principal_id is not None
    with hub.writing(HUB) as work:
        where: dict[str, Any] = {"scope": "ASSET", "asset_id": number(gone), "is_denial": True}
        give(hub, librarian.principal_id, "designer", session=work.session, **where)
    denied = Client(hub, again(hub, librarian))
    revision = acts.accepted(merge(client, into, gone))["asset"]["revision"]
    told = {"from": gone["id"], "expectedRevision": revision}
    with acts.unchanged(hub):
        assert acts.refusal(denied.mutate("assetMergeUndo", "asset { id }", **told))["code"] == "NOT_FOUND"
    acts.accepted(unmerge(client, into, gone))
    denied = Client(hub, again(hub, librarian))
    assert looked_at(denied, into)["id"] == into["id"]
    assert looked_at(denied, gone) is None


def test_of_several_who_take_it_back_at_once_one_does(client: Client) -> None:
    hub = client.hub
    into, gone = two(client)
    revision = acts.accepted(merge(client, into, gone))["asset"]["revision"]
    told = {"from": gone["id"], "expectedRevision": revision}
    before = [lambda: client.mutate("assetMergeUndo", "asset { id }", **told)] * 4
    answers = at_once(before)
    assert sorted(not each["errors"] for each in answers) == [False, False, False, True]
    assert len(events(hub, "asset.unmerged")) == 1
    with hub.database.reading() as session:
        assert set(session.scalars(sa.select(AssetRow.merged_into_id))) == {None}
