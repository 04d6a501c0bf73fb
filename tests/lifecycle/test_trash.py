"""The trash: who is warned, what is hidden meanwhile, what comes back, and what purging leaves."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain import delivery, identity, trash
from domain.hub import Hub
from domain.permissions import Permission
from domain.refusals import NotFound
from domain.work import HUB
from storage.tables import (
    AssetRow,
    AssetTagRow,
    AssetTrashRow,
    BlobRow,
    LightboxAssetRow,
    MetadataRow,
    RenditionRow,
    Row,
)
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, created, events, look, picture, reasons, refusal, unchanged
from tests.assets.together import together
from tests.lifecycle.turning import brought_back, digests, later, number, purge, states, thrown
from tests.likeness.merged import merge
from tests.working import work_off


def lightbox(client: Client, *assets: dict[str, str]) -> dict[str, str]:
    box = accepted(client.mutate("lightboxCreate", "lightbox { id revision }", title="A selection"))["lightbox"]
    told = {"lightbox": box["id"], "expectedRevision": box["revision"], "assets": [each["id"] for each in assets]}
    found: dict[str, str] = accepted(client.mutate("lightboxAssetsAdd", "lightbox { id revision }", **told))["lightbox"]
    return found


def test_what_is_thrown_away_is_hidden_and_comes_back_as_it_was(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1), tags=["sea"])
    gone = accepted(thrown(client, asset, reason="Nobody wants it."))["asset"]
    assert (gone["lifecycle"], gone["trash"]["purgedAt"]) == ("ARCHIVED", None)
    assert client.ask("{ assets { totalCount } trash { totalCount nodes { asset { id } } } }") == {
        "assets": {"totalCount": 0},
        "trash": {"totalCount": 1, "nodes": [{"asset": {"id": asset["id"]}}]},
    }
    assert gone["viewerCan"] == ["DOWNLOAD", "RESTORE_FROM_TRASH"]
    back = accepted(brought_back(client, gone))["asset"]
    assert {**back, "revision": 0} == {**asset, "revision": 0}
    assert client.ask("{ trash { totalCount } }") == {"trash": {"totalCount": 0}}
    assert reasons(hub, "asset.trashed") == ["Nobody wants it."]
    assert [each["wasArchived"] for each in events(hub, "asset.restored_from_trash")] == [False]


def test_what_was_archived_before_goes_back_to_that(client: Client) -> None:
    archived = accepted(acts.change(client, "assetArchive", created(client, picture(1))))["asset"]
    gone = accepted(thrown(client, archived))["asset"]
    assert refusal(acts.change(client, "assetRestore", gone))["code"] == "CONFLICT"
    back = accepted(brought_back(client, gone))["asset"]
    assert back["lifecycle"] == "ARCHIVED"
    assert accepted(acts.change(client, "assetRestore", back))["asset"]["lifecycle"] == "DRAFT"


def test_what_is_used_goes_only_with_the_confirmation_of_exactly_these_uses(hub: Hub, client: Client) -> None:
    asset, other = created(client, picture(1)), created(client, picture(2))
    box = lightbox(client, asset)
    with unchanged(hub):
        error = refusal(thrown(client, asset))
        guessed = refusal(thrown(client, asset, confirmation="0" * 40))
    assert (error["code"], error["uses"]) == ("IN_USE", [{"kind": "LIGHTBOX", "nodeId": box["id"], "blocks": True}])
    assert guessed["confirmation"] == error["confirmation"]
    told = {"from": other["id"], "to": asset["id"], "kind": "DERIVED_FROM"}
    accepted(client.mutate("assetRelationCreate", "relation { id }", **told))
    with unchanged(hub):
        again = refusal(thrown(client, asset, confirmation=error["confirmation"]))
    assert [each["kind"] for each in again["uses"]] == ["LIGHTBOX", "RELATION"]
    accepted(thrown(client, asset, confirmation=again["confirmation"]))


def test_nobody_learns_of_uses_that_they_may_not_see(hub: Hub, client: Client) -> None:
    org = acting.organisation(hub, "North")
    keeper = Client(hub, acting.member(hub, "librarian", org_id=org))
    asset = created(keeper, picture(1))
    lightbox(client, asset)  # the brand's own, which the affiliate does not see
    query = "query ($id: ID!) { asset(id: $id) { usedIn { kind } } }"
    assert keeper.ask(query, id=asset["id"])["asset"]["usedIn"] == []
    assert client.ask(query, id=asset["id"])["asset"]["usedIn"] == [{"kind": "LIGHTBOX"}]
    accepted(thrown(keeper, asset))


def test_a_purge_takes_bytes_and_words_and_leaves_the_record(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1), title="Secret plan", tags=["sea"], description="What we will do.")
    lightbox(client, asset)
    work_off(hub)
    held = digests(hub, asset)
    with hub.reading(HUB) as work:
        held |= {each for each in work.session.scalars(sa.select(RenditionRow.sha256)) if each}
    asset = look(client, asset)
    accepted(thrown(client, asset, confirmation=refusal(thrown(client, asset))["confirmation"]))
    purge(hub)
    assert held & set(hub.blobs.keys()) == set()
    assert {states(hub)[each] for each in held} == {"GONE"}
    with hub.reading(HUB) as work:
        row = work.session.get_one(AssetRow, number(asset))
        assert (row.title, row.description) == (f"Purged asset {row.id}", None)
        for table in (RenditionRow, MetadataRow, AssetTagRow, LightboxAssetRow):
            assert work.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
        assert work.session.get_one(AssetTrashRow, row.id).purged_at is not None
    assert refusal(brought_back(client, look(client, asset)))["message"].startswith("This asset is purged")
    assert client.ask("{ trash(purged: true) { totalCount } }") == {"trash": {"totalCount": 1}}
    assert len(events(hub, "asset.purged")) == 1
    assert events(hub, "lightbox.assets_changed")[-1]["removed"] == [number(asset)]


def test_a_purge_takes_the_words_of_all_that_was_merged_in_and_changes_nothing_else_of_it(
    hub: Hub, client: Client
) -> None:
    said: dict[str, Any] = {"description": "Ours.", "titles": [{"locale": "de", "text": "Plan"}]}
    first, second, last = (created(client, picture(at), title=f"Plan {at}", **said) for at in range(3))
    called = {"assets": [first["id"]], "changes": {"title": "Renamed"}}
    accepted(client.mutate("assetBulkUpdate", "operation { id }", **called))
    work_off(hub)
    accepted(merge(client, second, first))
    accepted(merge(client, last, second))
    before = {each["id"]: wordless(hub, each) for each in (first, second)}
    assert {"asset", "asset_merge", "asset_text", "bulk_item"} <= naming(hub, "Plan")
    accepted(thrown(client, look(client, last)))
    purge(hub)
    assert {each["id"]: wordless(hub, each) for each in (first, second)} == before
    with hub.reading(HUB) as work:
        rows = {row.id: (row.title, row.description) for row in work.session.scalars(sa.select(AssetRow))}
    assert rows == {number(each): (f"Purged asset {number(each)}", None) for each in (first, second, last)}
    assert naming(hub, "Plan") == naming(hub, "Ours.") == set()


def naming(hub: Hub, word: str) -> set[str]:
    """Tables in which it stands."""
    with hub.reading(HUB) as work:
        tables = Row.metadata.sorted_tables
        rows = {table.name: [tuple(row) for row in work.session.execute(sa.select(table))] for table in tables}
    return {name for name, found in rows.items() if word in str(found)}


def wordless(hub: Hub, asset: dict[str, str]) -> dict[str, object]:
    """Its row but for what it is called and said to be."""
    words = {"title", "title_folded", "title_origin", "description"}
    with hub.reading(HUB) as work:
        row = work.session.execute(sa.select(AssetRow.__table__).where(AssetRow.id == number(asset))).mappings().one()
    return {name: value for name, value in row.items() if name not in words}


def test_bytes_that_were_purged_come_again_as_a_new_asset(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    accepted(thrown(client, asset))
    purge(hub)
    assert client.ask(
        "query ($sha256: Sha256!) { assetsWithDigest(sha256: $sha256) { id } }", sha256=asset["current"]["sha256"]
    ) == {"assetsWithDigest": []}
    again = created(client, picture(1))
    assert (again["id"] != asset["id"], again["current"]["sha256"]) == (True, asset["current"]["sha256"])
    assert states(hub)[asset["current"]["sha256"]] == "HERE"
    assert hub.blobs.verify(asset["current"]["sha256"])


def test_bytes_that_another_asset_holds_stay_when_one_is_purged(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    created(client, picture(1), onDuplicate="DISTINCT", reason="Another print")
    accepted(thrown(client, asset))
    purge(hub)
    assert asset["current"]["sha256"] in set(hub.blobs.keys())


def test_nothing_is_purged_before_its_time(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    accepted(thrown(client, asset))
    with later(hub, days=29).writing(HUB) as work:
        assert trash.due(work) == []
        assert trash.purge(work, number(asset)) == set()
    assert asset["current"]["sha256"] in set(hub.blobs.keys())


def test_of_many_who_throw_the_same_away_at_once_one_does(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    answers = together([lambda: thrown(client, asset)] * 6)
    assert sum(answer["errors"] == [] for answer in answers) == 1
    assert len(events(hub, "asset.trashed")) == 1


def test_only_those_with_the_permission_throw_away(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    designer = Client(hub, acting.member(hub, "designer"))
    with unchanged(hub):
        error = refusal(thrown(designer, asset))
    assert error["code"] == "NOT_ALLOWED"
    assert "TRASH" not in look(designer, asset)["viewerCan"]
    assert "TRASH" in look(client, asset)["viewerCan"]
    with hub.reading(designer.viewer) as work:
        assert not identity.may(work, Permission.ASSET_TRASH, work.session.get_one(AssetRow, number(asset)))


def test_an_address_of_purged_bytes_opens_nothing(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    url = client.ask("query ($id: ID!) { asset(id: $id) { current { download { url } } } }", id=asset["id"])
    token = url["asset"]["current"]["download"]["url"].rpartition("/")[2]
    with hub.reading(HUB) as work:
        assert delivery.open_door(work, token).sha256 == asset["current"]["sha256"]
    accepted(thrown(client, asset))
    purge(hub)
    with hub.reading(HUB) as work, pytest.raises(NotFound):
        delivery.open_door(work, token)


def test_every_row_of_bytes_says_what_the_store_says(hub: Hub, client: Client) -> None:
    for place in range(4):
        asset = created(client, picture(place))
        if place % 2:
            accepted(thrown(client, asset))
    purge(hub)
    with hub.reading(HUB) as work:
        here = set(work.session.scalars(sa.select(BlobRow.sha256).where(BlobRow.state == "HERE")))
    assert here == set(hub.blobs.keys())
