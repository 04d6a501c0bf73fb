"""Who is told what: each event is checked for its viewer at the moment of telling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import assets, identity, sharing
from domain.assets import Changes
from domain.global_ids import encode
from domain.hub import Hub
from domain.identity import tokens
from domain.work import HUB, Viewer
from server import subscribing
from storage.tables import AssetRow, GrantRow, JobRow, RenditionRow, ShareRow, TokenRow
from tests.delivery.brand import Brand
from tests.realtime.talking import CHANGES, Talk, asset_id, here, serving, talking, token_of
from tests.sharing.scene import Scene
from tests.working import work_off

PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    with serving(hub) as found:
        yield found


@pytest.fixture
def partner(hub: Hub, scene: Scene) -> str:
    return token_of(hub, scene.partner, "imp_partner")


def retitle(scene: Scene, asset: int, title: str) -> None:
    with scene.hub.writing(scene.admin) as work:
        row = work.session.get_one(AssetRow, asset)
        assets.update(work, asset, Changes(title=title), row.revision)


def titles(talk: Talk, count: int) -> list[str]:
    return [talk.hear()["payload"]["data"]["assetChanged"]["asset"]["title"] for _ in range(count)]


def test_two_viewers_are_each_told_what_they_see(scene: Scene, address: str, partner: str) -> None:
    mine, ours = scene.asset(), scene.asset()
    scene.share(asset=ours)
    with talking(address, partner) as south, talking(address, "imp_test") as brand:
        for talk in (south, brand):
            talk.subscribe("1", CHANGES, after=here(scene.hub))
        retitle(scene, mine, "Not for South")
        retitle(scene, ours, "For both")
        assert titles(brand, 2) == ["Not for South", "For both"]
        assert titles(south, 1) == ["For both"]
        assert south.is_silent()


def test_only_the_assets_that_were_named_are_told(scene: Scene, address: str) -> None:
    first, second = scene.asset(), scene.asset()
    with talking(address, "imp_test") as talk:
        talk.subscribe("1", CHANGES, ids=[asset_id(second)], after=here(scene.hub))
        retitle(scene, first, "One")
        retitle(scene, second, "Two")
        assert titles(talk, 1) == ["Two"]
        assert talk.is_silent()


def test_a_new_version_is_no_news_to_who_sees_only_what_is_approved(scene: Scene, address: str, partner: str) -> None:
    asset = scene.asset()
    scene.share(asset=asset)
    with talking(address, partner) as talk:
        talk.subscribe("1", CHANGES, after=here(scene.hub))
        with scene.hub.reading(HUB) as work:
            revision = work.session.get_one(AssetRow, asset).revision
        version = Brand(scene.hub, scene.librarian).version(asset, b"Another slogan. " * 40, revision)
        assert talk.is_silent()
        Brand(scene.hub, scene.admin).approve(version)
        assert talk.hear()["payload"]["data"]["assetChanged"]["change"] == "VERSION_APPROVED"
        assert talk.is_silent()


def test_a_share_that_ends_silences_and_one_that_begins_is_heard(scene: Scene, address: str, partner: str) -> None:
    asset = scene.asset()
    share = scene.share(asset=asset)
    with talking(address, partner) as talk:
        talk.subscribe("1", CHANGES, after=here(scene.hub))
        with scene.hub.writing(scene.librarian) as work:
            sharing.end(work, share)
        retitle(scene, asset, "Unheard")
        assert talk.is_silent()
        scene.share(asset=asset)
        retitle(scene, asset, "Heard")
        assert titles(talk, 1) == ["Heard"]
        with scene.hub.writing(HUB) as work:  # its time is over, which no event tells
            past = work.now - timedelta(seconds=1)
            work.session.execute(sa.update(ShareRow).values(ends_at=past))
        retitle(scene, asset, "Unheard again")
        assert talk.is_silent()


def test_a_grant_that_is_taken_away_silences(scene: Scene, address: str, hub: Hub) -> None:
    asset = scene.asset()
    token = token_of(hub, scene.designer, "imp_designer")
    with talking(address, token) as talk:
        talk.subscribe("1", CHANGES, after=here(scene.hub))
        retitle(scene, asset, "Heard")
        assert titles(talk, 1) == ["Heard"]
        with hub.writing(HUB) as work:
            mine = sa.update(GrantRow).where(GrantRow.principal_id == scene.designer.principal_id)
            work.session.execute(mine.values(revoked_at=work.now))
        retitle(scene, asset, "Unheard")
        assert talk.is_silent()


def test_a_token_that_is_revoked_ends_the_connection_though_nothing_else_happens(
    scene: Scene, address: str, partner: str
) -> None:
    with talking(address, partner) as talk:
        talk.subscribe("1", CHANGES, after=here(scene.hub))
        with scene.hub.writing(scene.admin) as work:
            row = work.session.scalars(sa.select(TokenRow).where(TokenRow.digest == tokens.digest_of(partner))).one()
            identity.revoke_token(work, row.id)
        assert talk.end() == (4403, "Forbidden")


def test_a_token_whose_time_is_over_ends_the_connection(
    scene: Scene, hub: Hub, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribing, "LOOK_SECONDS", 0.2)
    token = token_of(hub, scene.partner, "imp_brief", expires_at=hub.clock() + timedelta(seconds=2))
    with talking(address, token) as talk:
        talk.subscribe("1", CHANGES)
        assert talk.end() == (4403, "Forbidden")


def test_a_cursor_is_read_on_from_without_loss_or_repetition(scene: Scene, address: str, partner: str) -> None:
    asset, hidden = scene.asset(), scene.asset()
    scene.share(asset=asset)
    with talking(address, partner) as talk:
        talk.subscribe("1", CHANGES, after=here(scene.hub))
        retitle(scene, asset, "First")
        cursor = talk.hear()["payload"]["data"]["assetChanged"]["cursor"]
    for number in range(3):
        retitle(scene, hidden, f"Hidden {number}")
    retitle(scene, asset, "Second")
    retitle(scene, asset, "Third")
    with talking(address, partner) as talk:
        talk.subscribe("1", CHANGES, after=cursor)
        told = [talk.hear()["payload"]["data"]["assetChanged"] for _ in range(2)]
        assert [each["asset"]["title"] for each in told] == ["Third", "Third"]  # as it is now
        retitle(scene, asset, "Fourth")
        assert titles(talk, 1) == ["Fourth"]
        talk.say(type="complete", id="1")
        talk.subscribe("2", CHANGES, after=told[0]["cursor"])
        assert titles(talk, 2) == ["Fourth", "Fourth"]
        assert talk.is_silent()


def test_renditions_are_told_with_their_version(scene: Scene, hub: Hub, address: str) -> None:
    query = """subscription ($assets: [ID!], $ids: [ID!], $after: String) {
      renditionChanged(assets: $assets, ids: $ids, after: $after) {
        change version { id number } renditions { id state preset }
      }
    }"""
    other = scene.asset()
    work_off(hub)
    with talking(address, "imp_test") as talk:
        talk.subscribe("1", query, after=here(hub))
        talk.subscribe("2", query, assets=[asset_id(other)], after=here(hub))
        version = Brand(hub, scene.librarian).asset((PICTURES / "cat.jpg").read_bytes(), "cat.jpg")
        told = talk.hear()
        assert told["id"] == "1"
        assert told["payload"]["data"]["renditionChanged"]["change"] == "QUEUED"
        with hub.reading(HUB) as work:
            ids = list(work.session.scalars(sa.select(RenditionRow.id).where(RenditionRow.version_id == version.id)))
        named = {each["id"] for each in told["payload"]["data"]["renditionChanged"]["renditions"]}
        assert named == {encode("Rendition", each) for each in ids}
        work_off(hub)
        told = talk.hear()
        assert told["payload"]["data"]["renditionChanged"]["change"] == "READY"
        assert {each["state"] for each in told["payload"]["data"]["renditionChanged"]["renditions"]} == {"READY"}


def test_a_job_is_told_at_once_at_each_step_and_when_it_is_over(scene: Scene, hub: Hub, address: str) -> None:
    version = Brand(hub, scene.librarian).asset(b"A text. " * 30)
    assert version
    with hub.reading(HUB) as work:
        job = work.session.scalars(sa.select(JobRow.id).order_by(JobRow.id)).first()
    assert job is not None
    query = "subscription ($id: ID!) { jobProgress(id: $id) { state done total } }"
    with talking(address, "imp_test") as talk:
        talk.subscribe("1", query, id=encode("Job", job))
        assert talk.hear()["payload"]["data"]["jobProgress"] == {"state": "READY", "done": 0, "total": None}
        with hub.writing(HUB) as work:
            work.session.execute(sa.update(JobRow).where(JobRow.id == job).values(progress_done=1, progress_total=2))
        assert talk.hear()["payload"]["data"]["jobProgress"] == {"state": "READY", "done": 1, "total": 2}
        work_off(hub)
        told = talk.hear()
        while told["type"] == "next":
            last = told["payload"]["data"]["jobProgress"]["state"]
            told = talk.hear()
        assert (last, told) == ("DONE", {"id": "1", "type": "complete"})
        told = talk.ask(query, id=encode("Job", 99_999))
        assert told["payload"][0]["extensions"]["code"] == "NOT_FOUND"


def test_who_may_not_know_of_a_job_is_told_that_there_is_none(
    scene: Scene, hub: Hub, address: str, partner: str
) -> None:
    Brand(hub, scene.librarian).asset(b"A text. " * 30)
    with talking(address, partner) as talk:
        told = talk.ask("subscription ($id: ID!) { jobProgress(id: $id) { state } }", id=encode("Job", 1))
        assert told["payload"][0]["extensions"]["code"] == "NOT_FOUND"


def test_a_field_that_is_denied_is_null_and_said_so_in_every_delivery(scene: Scene, address: str, partner: str) -> None:
    asset = scene.asset()
    scene.share(asset=asset)
    with talking(address, partner) as talk:
        selection = "asset { history(first: 1) { totalCount } }"
        query = f"subscription ($after: String) {{ assetChanged(after: $after) {{ {selection} }} }}"
        talk.subscribe("1", query, after=here(scene.hub))
        for number in range(2):
            retitle(scene, asset, f"Title {number}")
            told = talk.hear()["payload"]
            assert told["data"]["assetChanged"]["asset"]["history"] is None
            assert told["extensions"]["denied"] == [
                {"path": ["assetChanged", "asset", "history"], "permission": "audit.view"}
            ]
