"""Two servers on one database: what is taken down through the one is closed at the other, on every route."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from domain.hub import Hub
from domain.work import Viewer
from server import waiting
from server.app import make_app
from tests.asking import Client
from tests.assets.acts import accepted
from tests.imaging import made
from tests.realtime.test_processes import TOKEN, servers
from tests.server.caller import Caller
from tests.working import work_off

#: The most that may pass between the answer to `takedownOpen` and 451 everywhere.
SECONDS = 2.0
ADDRESSES = """query ($id: ID!) { asset(id: $id) {
  latestUrl(preset: "thumb")
  current { sha256 download { url } transform(to: {width: 40}) { url } iiif { url }
    rendition(preset: "thumb") { url { url } } }
} }"""
TAKE_DOWN = """mutation ($asset: ID!) {
  takedownOpen(input: {asset: $asset, reason: "The photographer wrote."}) { takedown { status } errors { message } }
}"""


def addresses(client: Client, asset: str) -> list[str]:
    found = client.ask(ADDRESSES, id=asset)["asset"]
    current = found["current"]
    signed: list[dict[str, Any]] = [current["download"], current["transform"], current["rendition"]["url"]]
    base = current["iiif"]["url"]
    parts = [f"{base}/info.json", f"{base}/0,0,100,100/50,/0/default.jpg"]
    return [urlsplit(url).path for url in (*(each["url"] for each in signed), *parts, found["latestUrl"])]


def test_a_takedown_closes_every_route_of_every_server_within_two_seconds(
    hub: Hub, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(hub, admin)
    asset = client.create(made.encoded(made.photo_like(300, 200), "JPEG"), "coffee.jpg")
    work_off(hub)
    told = {
        "version": asset["current"]["id"],
        "sha256": client.ask(ADDRESSES, id=asset["id"])["asset"]["current"]["sha256"],
    }
    accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **told))
    work_off(hub)
    paths = addresses(client, asset["id"])
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    here = Caller(make_app(hub))
    while any(here("GET", path).status_code == 503 for path in paths):
        work_off(hub)  # what the routes wait for
    with servers(hub.settings, 2) as started:
        urls = [f"{each.address()}{path}" for each in started for path in paths]
        with httpx.Client(timeout=60) as browser:

            def statuses() -> set[int]:
                return {browser.get(url).status_code for url in urls}

            assert statuses() == {200, 302}
            taken = browser.post(
                f"{started[0].address()}/graphql",
                json={"query": TAKE_DOWN, "variables": {"asset": asset["id"]}},
                headers={"Authorization": f"Bearer {TOKEN}"},
            ).json()["data"]["takedownOpen"]
            since = time.monotonic()
            assert taken == {"takedown": {"status": "OPEN"}, "errors": []}
            while statuses() != {451}:
                assert time.monotonic() - since < SECONDS
