"""Watermarks by role: what is not approved or has run out is shown bare only to those who may see it so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import delivery
from domain.hub import Hub
from domain.refusals import NotFound
from domain.work import HUB, Viewer
from storage.tables import RenditionRow, RoleRow
from tests.acting import again, member
from tests.asking import Client
from tests.imaging import made
from tests.working import mutate, tools_of, work_off
from workers import renditions as working

SHOWN = """query ($id: ID!) { asset(id: $id) { current { id sha256
  rendition(preset: "web") { id state sha256 url { url } } } } }"""
STATEMENT = "asset { statement { revision expires } }"


@pytest.fixture
def marking(hub: Hub, client: Client) -> None:
    (web,) = [
        each for each in client.ask("{ renditionPresets { id name } }")["renditionPresets"] if each["name"] == "web"
    ]
    told = {"preset": web["id"], "expectedRevision": 1, "watermark": "NOT APPROVED"}
    mutate(client, "renditionPresetUpdate", "preset { id }", **told)
    work_off(hub)


def looker(hub: Hub, *more: str) -> Viewer:
    """Somebody who sees what is not approved, but not without its mark."""
    with hub.writing(HUB) as work:
        names = ["asset.view", "asset.view_unapproved", *more]
        work.session.add(RoleRow(name="looker", permissions=sorted(names), created_at=work.now))
    return member(hub, "looker")


def current(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.ask(SHOWN, id=asset["id"])["asset"]["current"]
    return found


def opened(client: Client, asset: dict[str, Any]) -> delivery.Delivery:
    url = current(client, asset)["rendition"]["url"]["url"]
    with client.hub.reading(client.viewer) as work:
        return delivery.open_door(work, url.rpartition("/")[2])


def twins(hub: Hub) -> tuple[str | None, str | None]:
    with hub.reading(HUB) as work:
        row = work.session.scalars(sa.select(RenditionRow).where(RenditionRow.preset_id == 2)).one()
        return row.sha256, row.marked_sha256


def approve(client: Client, asset: dict[str, Any]) -> None:
    version = current(client, asset)
    mutate(
        client, "assetVersionApprove", "version { id }", ownWork=True, version=version["id"], sha256=version["sha256"]
    )


@pytest.mark.usefixtures("marking")
def test_a_draft_is_bare_for_its_makers_and_marked_for_who_only_looks(hub: Hub, client: Client) -> None:
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    work_off(hub)
    bare, marked = twins(hub)
    assert marked not in {None, bare}
    designer, other = Client(hub, member(hub, "designer")), Client(hub, looker(hub))
    assert opened(client, asset).sha256 == opened(designer, asset).sha256 == bare
    seen = opened(other, asset)
    assert seen.sha256 == marked
    assert seen.byte_size == hub.blobs.stat(seen.sha256)
    assert not seen.is_public


@pytest.mark.usefixtures("marking")
def test_an_approval_takes_the_mark_away_and_its_end_brings_it_back(hub: Hub, client: Client) -> None:
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    work_off(hub)
    other = Client(hub, looker(hub))
    assert twins(hub)[1] is not None
    approve(client, asset)
    work_off(hub)
    bare, none = twins(hub)  # other bytes than before: they say whose work it is now
    assert none is None
    assert opened(other, asset).sha256 == bare
    address = current(other, asset)["rendition"]["url"]["url"]
    mutate(client, "assetVersionApprovalRevoke", "version { id }", version=asset["current"]["id"])
    with hub.reading(again(hub, other.viewer)) as work, pytest.raises(NotFound):  # before any worker has come by
        delivery.open_door(work, address.rpartition("/")[2])
    work_off(hub)
    still, marked = twins(hub)
    assert still == bare
    assert marked not in {None, bare}
    assert opened(other, asset).sha256 == marked
    assert opened(client, asset).sha256 == bare


@pytest.mark.usefixtures("marking")
def test_what_may_no_longer_be_used_is_marked_for_everybody_without_the_permission(hub: Hub, client: Client) -> None:
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    approve(client, asset)
    work_off(hub)
    partner = Client(hub, member(hub, "partner"))
    bare, none = twins(hub)
    assert (opened(partner, asset).sha256, none) == (bare, None)
    yesterday = hub.clock().date() - timedelta(days=1)
    told = {"asset": asset["id"], "expectedRevision": 0, "expires": yesterday.isoformat()}
    assert mutate(client, "assetStatementSet", STATEMENT, **told)["errors"] == []
    work_off(hub)
    bare, marked = twins(hub)
    assert marked is not None
    assert opened(partner, asset).sha256 == marked
    assert opened(client, asset).sha256 == bare
    mutate(client, "assetStatementSet", STATEMENT, asset=asset["id"], expectedRevision=1, neverExpires=True)
    work_off(hub)
    assert twins(hub)[1] is None


@pytest.mark.usefixtures("marking")
def test_the_day_after_the_last_day_a_worker_marks_it(hub: Hub, client: Client) -> None:
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    approve(client, asset)
    today = hub.clock()
    last = {"asset": asset["id"], "expectedRevision": 0, "expires": today.date().isoformat()}
    mutate(client, "assetStatementSet", STATEMENT, **last)
    work_off(hub)
    assert twins(hub)[1] is None  # it may be used today
    object.__setattr__(hub, "clock", lambda: today + timedelta(days=1))
    working.mark_what_ran_out(tools_of(hub), None)  # type: ignore[arg-type] # it asks nothing of its job
    work_off(hub)
    assert twins(hub)[1] is not None


def test_without_a_watermark_nobody_sees_one_and_nothing_is_made_twice(hub: Hub, client: Client) -> None:
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    work_off(hub)
    bare, marked = twins(hub)
    assert marked is None
    assert opened(Client(hub, looker(hub)), asset).sha256 == bare


@pytest.mark.usefixtures("marking")
def test_lists_answer_the_same_address_as_one_alone(hub: Hub, client: Client) -> None:
    asset = client.create(made.photograph("coffee.jpg").read_bytes(), "coffee.jpg")
    work_off(hub)
    for viewer in (client.viewer, looker(hub)):
        asking = Client(hub, viewer)
        query = """query ($id: ID!) { node(id: $id) { ... on Rendition { url { url } } } }"""
        alone = asking.ask(query, id=current(asking, asset)["rendition"]["id"])["node"]["url"]["url"]
        assert alone == current(asking, asset)["rendition"]["url"]["url"]
