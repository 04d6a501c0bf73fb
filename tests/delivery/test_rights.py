"""What was taken down, or is under embargo, leaves by no route; and who may not open it is not told of that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from domain import delivery
from domain.global_ids import encode, number_of
from domain.hub import Hub
from domain.licensing import components, embargoes, takedowns
from domain.work import Viewer
from schema import execution, plans
from schema.execution import Asked
from server.app import make_app
from storage.tables import AssetVersionRow
from tests.acting import member
from tests.asking import Client
from tests.delivery.brand import TEXT, Brand
from tests.iiif.conftest import Gallery, _impatience, gallery, hang
from tests.server.caller import Caller

#: Fixtures, which pytest finds by their names here.
__all__ = ["_impatience", "gallery", "hang"]

HOUR = timedelta(hours=1)
SHOWN = """query ($id: ID!) { asset(id: $id) {
  rendition(transform: {width: 20}) { url }
  current { download { url validUntil } transform(to: {width: 20}) { url } iiif { url } renditions { url { url } } }
} }"""
PLANNED = """query ($ids: [ID!]!) {
  assets(first: 50) { nodes { id current { download { url } renditions { preset url { url } } } } }
  nodes(ids: $ids) { ... on Asset { id versions(first: 5) { nodes { download { validUntil } } } } }
}"""


@pytest.fixture
def version(brand: Brand) -> AssetVersionRow:
    """Approved, with a thumb."""
    made = brand.asset()
    brand.render(made, "thumb", b"small picture")
    brand.approve(made)
    return made


def take_down(hub: Hub, viewer: Viewer, asset_id: int) -> int:
    with hub.writing(viewer) as work:
        return takedowns.open_(work, asset_id, "The photographer wrote.").id


def lift(hub: Hub, viewer: Viewer, takedown_id: int) -> None:
    with hub.writing(viewer) as work:
        revision = takedowns.by_id(work, [takedown_id])[takedown_id].revision
        takedowns.lift(work, takedown_id, revision, "It was somebody else's.")


def embargo(hub: Hub, viewer: Viewer, asset_id: int, starts_at: datetime | None, ends_at: datetime | None) -> int:
    with hub.writing(viewer) as work:
        return embargoes.place(work, asset_id, starts_at, ends_at, "The fair opens then.").id


def files(hub: Hub, viewer: Viewer, brand: Brand, version: AssetVersionRow) -> list[str]:
    """Of the original, of a rendition, and the stable address of that one."""
    thumb = brand.rendition(version, "thumb")
    with hub.reading(viewer) as work:
        rendition = delivery.rendition_url(work, thumb)
        assert rendition is not None
        found = [delivery.original_url(work, version).url, rendition.url]
        return [urlsplit(url).path for url in (*found, delivery.latest_url(work, version.asset_id, "thumb"))]


def refused(answer: httpx.Response, *, has_body: bool = True) -> None:
    assert answer.status_code == 451
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert {"etag", "content-range", "location", "surrogate-key"}.isdisjoint(answer.headers)
    if has_body:
        told = answer.json()
        assert (told["code"], told["title"]) == ("BARRED", "Unavailable For Legal Reasons")
        assert told["detail"].count(".") == 1


def test_a_takedown_closes_files_however_they_are_asked_for_until_it_is_lifted(
    hub: Hub, admin: Viewer, ask: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    paths, anybody = files(hub, admin, brand, version), ask.as_("")
    before = [anybody("GET", path) for path in paths]
    assert [answer.status_code for answer in before] == [200, 200, 302]
    taken = take_down(hub, admin, version.asset_id)
    for path, opened in zip(paths, before, strict=True):
        refused(ask("GET", path))
        refused(anybody("HEAD", path), has_body=False)
        tag = opened.headers.get("etag", "*")
        refused(anybody("GET", path, {"If-None-Match": tag}))
        refused(anybody("GET", path, {"If-Match": '"other"'}))
        refused(anybody("GET", path, {"Range": "bytes=0-3"}))
        refused(anybody("GET", path, {"Range": "bytes=2-", "If-Range": tag}))
    lift(hub, admin, taken)
    assert [anybody("GET", path).status_code for path in paths] == [200, 200, 302]


def test_one_that_somebody_saw_to_is_as_closed_as_an_open_one(
    hub: Hub, admin: Viewer, ask: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    paths = files(hub, admin, brand, version)
    taken = take_down(hub, admin, version.asset_id)
    with hub.writing(admin) as work:
        takedowns.enforce(work, taken, 1)
    for path in paths:
        refused(ask("GET", path))


def test_pictures_made_by_address_are_closed_too(gallery: Gallery) -> None:
    hub, admin = gallery.hub, gallery.viewer
    base = gallery.iiif()
    paths = [
        gallery.transform("width: 100"),
        f"{base}/info.json",
        f"{base}/0,0,512,512/512,512/0/default.jpg",
        f"{base}/full/max/0/default.png",
    ]
    tags = [gallery.get(path).headers.get("etag", "*") for path in paths]
    assert all(gallery.ask(path).status_code == 200 for path in paths)
    taken = take_down(hub, admin, number_of("Asset", gallery.asset["id"]))
    for path, tag in zip(paths, tags, strict=True):
        refused(gallery.ask(path))
        refused(gallery.ask(path, if_none_match=tag))
        refused(gallery.ask(path, range="bytes=0-9"))
    refused(gallery.ask(f"{base}/0,0,100,100/50,/0/gray.jpg"))  # nobody waits for what they will not get
    assert gallery.ask(paths[1]).headers["access-control-allow-origin"] == "*"
    lift(hub, admin, taken)
    assert all(gallery.ask(path).status_code == 200 for path in paths)


def test_who_may_not_open_it_is_told_nothing_of_the_takedown(
    hub: Hub, admin: Viewer, ask: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    """Neither that it is there, nor that anything stands against it."""
    stranger = member(hub)
    paths = files(hub, stranger, brand, version)
    nowhere = [ask("GET", path) for path in paths]
    assert [answer.status_code for answer in nowhere] == [404] * 3
    take_down(hub, admin, version.asset_id)
    for path, before in zip(paths, nowhere, strict=True):
        now = ask("GET", path)
        same = {"type", "title", "status", "detail", "code"}
        assert {key: now.json()[key] for key in same} == {key: before.json()[key] for key in same}


def test_an_embargo_closes_from_its_first_moment_to_its_last(
    hub: Hub, admin: Viewer, brand: Brand, version: AssetVersionRow
) -> None:
    paths = files(hub, admin, brand, version)
    now = hub.clock()
    starts, ends = now + HOUR / 4, now + HOUR / 2
    embargo(hub, admin, version.asset_id, starts, ends)
    moment = timedelta(microseconds=1)
    for at, is_open in ((now, 1), (starts - moment, 1), (starts, 0), (ends - moment, 0), (ends, 1)):
        then = Caller(make_app(replace(hub, clock=partial(_same, at))))
        statuses = [then("GET", path).status_code for path in paths]
        assert statuses == ([200, 200, 302] if is_open else [451] * 3), at


def test_an_embargo_without_ends_closes_until_it_is_lifted(
    hub: Hub, admin: Viewer, ask: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    paths = files(hub, admin, brand, version)
    placed = embargo(hub, admin, version.asset_id, None, None)
    for path in paths:
        refused(ask("GET", path))
    with hub.writing(admin) as work:
        embargoes.lift(work, placed, "The fair is over.")
    assert [ask("GET", path).status_code for path in paths] == [200, 200, 302]


def test_what_holds_the_asset_is_closed_with_it_and_the_asset_is_not_with_what_holds_it(
    hub: Hub, admin: Viewer, ask: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    part, whole, poster = version, brand.asset(TEXT + b"2"), brand.asset(TEXT + b"3")
    with hub.writing(admin) as work:
        components.add(work, whole.id, part.id)
        components.add(work, poster.id, whole.id)
    with hub.reading(admin) as work:
        paths = [urlsplit(delivery.original_url(work, each).url).path for each in (part, whole, poster)]
    for asset, expected in ((poster, [200, 200, 451]), (part, [451, 451, 451])):
        taken = take_down(hub, admin, asset.asset_id)
        assert [ask("GET", path).status_code for path in paths] == expected
        lift(hub, admin, taken)
    assert [ask("GET", path).status_code for path in paths] == [200, 200, 200]


def test_shared_caches_ask_again_each_minute_and_can_be_purged_by_asset(
    hub: Hub, admin: Viewer, ask: Caller, brand: Brand, version: AssetVersionRow
) -> None:
    original, thumb, latest = (ask("GET", path).headers for path in files(hub, admin, brand, version))
    key = f"asset-{version.asset_id}"
    assert "s-maxage=60" in thumb["cache-control"].split(", ")
    assert (thumb["surrogate-key"], latest["surrogate-key"]) == (key, key)
    assert latest["cache-control"] == "public, max-age=60"
    assert original["cache-control"].startswith("private, ")
    assert "surrogate-key" not in original


def test_no_address_is_given_of_what_is_closed(gallery: Gallery) -> None:
    hub, admin, asset = gallery.hub, gallery.viewer, gallery.asset["id"]

    def told() -> dict[str, Any]:
        found: dict[str, Any] = Client(hub, admin).ask(SHOWN, id=asset)["asset"]
        return found

    open_, nothing = told(), {"download": None, "transform": None, "iiif": None}
    assert open_["rendition"] is not None
    assert None not in open_["current"].values()
    assert any(each["url"] for each in open_["current"]["renditions"])
    taken = take_down(hub, admin, number_of("Asset", asset))
    closed = told()
    assert closed["rendition"] is None
    assert {name: closed["current"][name] for name in nothing} == nothing
    assert closed["current"]["renditions"] == [{"url": None} for _ in open_["current"]["renditions"]]
    lift(hub, admin, taken)
    assert told() == open_


def test_plans_forget_addresses_the_moment_something_is_closed(
    hub: Hub, admin: Viewer, brand: Brand, version: AssetVersionRow
) -> None:
    """Also where nothing but time passes."""
    brand.asset(TEXT + b"2")
    start = hub.clock().replace(minute=0, second=0, microsecond=0) + HOUR
    told = checked(hub, admin, version.asset_id)
    assert told(start) == [True, True]
    taken = take_down(hub, admin, version.asset_id)
    assert told(start) == [False, True]
    lift(hub, admin, taken)
    assert told(start) == [True, True]
    embargo(hub, admin, version.asset_id, start + HOUR / 4, start + HOUR / 2)
    moment = timedelta(microseconds=1)
    for at, is_open in ((0 * HOUR, 1), (HOUR / 4 - moment, 1), (HOUR / 4, 0), (HOUR / 2 - moment, 0), (HOUR / 2, 1)):
        for _ in range(2):
            assert told(start + at) == [bool(is_open), True], at


def checked(hub: Hub, viewer: Viewer, asset_id: int) -> Callable[[datetime], list[bool]]:
    """Per asset, oldest first, whether there is an address of it at a moment; the same by a plan and without one."""
    ids = [encode("Asset", asset_id)]

    def told(at: datetime) -> list[bool]:
        then = replace(hub, clock=partial(_same, at))
        plain = replace(then, settings=hub.settings.model_copy(update={"plans": False}))
        planned = plans.counted.answered
        body = execution.answer(then, viewer, Asked(PLANNED, variables={"ids": ids}), "test").body
        assert plans.counted.answered == planned + 1
        other = execution.answer(plain, viewer, Asked(PLANNED, variables={"ids": ids}), "test").body
        assert json.loads(body) == json.loads(other)
        data = json.loads(body)["data"]
        nodes = data["assets"]["nodes"]
        by_versions = [each["download"] for each in data["nodes"][0]["versions"]["nodes"]]
        found = {each["id"]: each["current"]["download"] is not None for each in nodes}
        assert all((each is not None) == found[ids[0]] for each in by_versions)
        assert all(
            (made["url"] is not None) == found[ids[0]]
            for each in nodes
            for made in each["current"]["renditions"]
            if each["id"] == ids[0] and made["preset"] == "thumb"
        )
        return [found.pop(ids[0]), *found.values()]

    return told


def _same(moment: datetime) -> datetime:
    return moment
