"""Two servers on one database: what is no longer licensed is closed at both, on every route, within two seconds; and
what is on its way when that happens arrives.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from domain import sharing, workflow
from domain.global_ids import encode, number_of
from domain.hub import Hub
from domain.sharing import Access, Subject
from domain.work import Viewer
from server import waiting
from server.app import make_app
from storage.tables import AssetVersionRow
from tests.asking import Client
from tests.assets.acts import accepted
from tests.delivery.licensed import FLYER, FLYERS, HOME, Licensed
from tests.imaging import made
from tests.licensing import writing
from tests.realtime.test_processes import TOKEN, servers
from tests.server.caller import Caller, listening
from tests.working import work_off

#: The most that may pass between the answer that ends it and 451 everywhere.
SECONDS = 2.0
#: For a picture with people in it.
ADVERTISING = {**FLYER, "purpose": "COMMERCIAL"}
ADDRESSES = """query ($id: ID!, $use: UseInput) { asset(id: $id) {
  latestUrl(preset: "thumb", use: $use)
  current { download(use: $use) { url } transform(to: {width: 40}, use: $use) { url } iiif(use: $use) { url }
    rendition(preset: "thumb") { url(use: $use) { url } } }
} }"""
ENDS = {
    "terminated": "mutation ($it: ID!) { done: licenseTerminate(input: {license: $it, expectedRevision: 2, "
    'reason: "Over."}) { errors { message } } }',
    "superseded": "mutation ($it: ID!, $by: ID!) { done: licenseSupersede(input: {license: $it, expectedRevision: 2, "
    'by: $by, reason: "Less."}) { errors { message } } }',
    "revoked": "mutation ($it: ID!) { done: releaseRevoke(input: {release: $it, expectedRevision: 2, "
    'reason: "She asked."}) { errors { message } } }',
    "taken down": 'mutation ($it: ID!) { done: takedownOpen(input: {asset: $it, reason: "He wrote."}) '
    "{ errors { message } } }",
}


class Pictures(Licensed):
    """One for each way in which it ends."""

    def picture(self, terms: dict[str, Any], number: int = 0) -> AssetVersionRow:
        asset = self.client.create(made.encoded(made.photo_like(300, 200 + number), "JPEG"), f"coffee-{number}.jpg")
        self.license = writing.active(self.client, **{"title": f"Licence {number}", "sublicensable": True, **terms})
        self.release = writing.release(self.client, status="UNLIMITED") if number == 2 else None
        told = {"recognisablePeople": self.release is not None, "recognisableProperty": False}
        signed = [] if self.release is None else [self.release["id"]]
        writing.assessed(self.client, asset, licenses=[self.license["id"]], releases=signed, **told)
        with self.hub.writing(self.admin) as work:
            version = work.session.get_one(AssetVersionRow, number_of("AssetVersion", asset["current"]["id"]))
            workflow.approve(work, version.id, version.sha256)
            sharing.create(work, Subject(version.asset_id, None), self.south, Access.READ, None)
        return version

    def routes(self, version: AssetVersionRow, use: dict[str, Any] | None) -> list[str]:
        found = Client(self.hub, self.partner).ask(ADDRESSES, id=encode("Asset", version.asset_id), use=use)["asset"]
        current = found["current"]
        base = current["iiif"]["url"]
        urls = [current["download"]["url"], current["transform"]["url"], current["rendition"]["url"]["url"]]
        urls += [f"{base}/info.json", f"{base}/0,0,100,100/50,/0/default.jpg", found["latestUrl"]]
        return [urlsplit(url).path for url in urls]


def test_whatever_ends_it_closes_every_route_of_every_server_within_two_seconds(
    hub: Hub, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = Pictures(hub, admin, {"grants": [HOME]})
    ended: list[tuple[AssetVersionRow, str, str, str | None, dict[str, Any] | None]]
    ended = [(it.version, "terminated", it.license["id"], None, None)]
    superseded = it.picture({"grants": [HOME]}, 1)
    narrower = writing.draft(it.client, "Narrower", sublicensable=True, grants=[FLYERS])
    ended.append((superseded, "superseded", it.license["id"], narrower["id"], None))
    revoked = it.picture({"grants": [FLYERS]}, 2)
    assert it.release is not None
    ended.append((revoked, "revoked", it.release["id"], None, ADVERTISING))
    taken = it.picture({"grants": [HOME]}, 3)
    ended.append((taken, "taken down", encode("Asset", taken.asset_id), None, None))
    work_off(hub)
    paths = {how: it.routes(version, use) for version, how, _, _, use in ended}
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    here = Caller(make_app(hub))
    while any(here("GET", path).status_code == 503 for each in paths.values() for path in each):
        work_off(hub)  # what the routes wait for
    with servers(hub.settings, 2) as started, httpx.Client(timeout=60) as browser:

        def statuses(how: str) -> set[int]:
            return {browser.get(f"{each.address()}{path}").status_code for each in started for path in paths[how]}

        for number, (_, how, subject, by, _) in enumerate(ended):
            assert statuses(how) == {200, 302}, how
            done = browser.post(
                f"{started[number % 2].address()}/graphql",
                json={"query": ENDS[how], "variables": {"it": subject, "by": by}},
                headers={"Authorization": f"Bearer {TOKEN}"},
            ).json()["data"]["done"]
            since = time.monotonic()
            assert done == {"errors": []}
            while statuses(how) != {451}:
                assert time.monotonic() - since < SECONDS, how


def test_what_is_on_its_way_when_a_release_is_revoked_arrives_and_nothing_after_it(hub: Hub, admin: Viewer) -> None:
    it = Licensed(hub, admin, {"grants": [FLYERS]})
    content = b"Slogans of the house. " * 200_000
    it.version = it.brand.asset(content)
    release = writing.release(it.client, status="UNLIMITED")
    licence = writing.active(it.client, "Of the large one", sublicensable=True, grants=[FLYERS])
    it.assess(it.version, licenses=[licence["id"]], releases=[release["id"]], recognisablePeople=True)
    it.brand.render(it.version, "thumb", b"small")
    with hub.writing(admin) as work:
        workflow.approve(work, it.version.id, it.version.sha256)
        sharing.create(work, Subject(it.version.asset_id, None), it.south, Access.READ, None)
    path = it.paths(it.partner, ADVERTISING)[0]
    with listening(hub) as base, httpx.Client(timeout=60) as browser, browser.stream("GET", base + path) as answer:
        pieces = answer.iter_bytes(65_536)
        first = next(pieces)
        told = {"release": release["id"], "expectedRevision": release["revision"], "reason": "She asked."}
        accepted(it.client.mutate("releaseRevoke", "release { revokedAt }", **told))
        assert httpx.get(base + path, headers={"Range": "bytes=0-9"}, timeout=60).status_code == 451
        assert first + b"".join(pieces) == content
