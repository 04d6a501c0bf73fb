"""A picture, its addresses, and workers who make what a request waits for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from domain.hub import Hub
from domain.work import Viewer
from server import waiting
from server.app import make_app
from tests.asking import Client
from tests.imaging import made
from tests.server.caller import Caller
from tests.servers.programs import ServerMissing
from tests.working import work_off

#: Width and height of the picture: three levels, tiles of every size.
SIZE = (1500, 1100)


@dataclass
class Gallery:
    """One picture in use; `get` lets the workers make what an answer waits for."""

    hub: Hub
    viewer: Viewer
    asset: dict[str, Any]

    def __post_init__(self) -> None:
        self.app = make_app(self.hub)

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return Caller(self.app)(method, path, told)

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        for _ in range(6):
            answer = self.ask(path, method, **headers)
            if answer.status_code != 503:
                break
            assert answer.headers["retry-after"] == "2"
            work_off(self.hub)
        return answer

    def field(self, selection: str, viewer: Viewer | None = None) -> Any:
        query = f"query ($id: ID!) {{ asset(id: $id) {{ {selection} }} }}"
        return Client(self.hub, viewer or self.viewer).ask(query, id=self.asset["id"])["asset"]

    def iiif(self, viewer: Viewer | None = None) -> str:
        return path(self.field("current { iiif { url } }", viewer)["current"]["iiif"])

    def transform(self, wish: str, viewer: Viewer | None = None) -> str:
        found = self.field(f"current {{ transform(to: {{{wish}}}) {{ url }} }}", viewer)
        return path(found["current"]["transform"])


def path(signed: dict[str, str]) -> str:
    """Of a signed address."""
    return urlsplit(signed["url"]).path


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made while a request of these tests waits."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.3)


@pytest.fixture
def hang(hub: Hub) -> Callable[..., Gallery]:
    """Brings a picture."""

    def hung(viewer: Viewer, content: bytes | None = None, file_name: str = "coffee.jpg", **fields: Any) -> Gallery:
        content = content or made.encoded(made.photo_like(*SIZE), "JPEG", quality=92)
        asset = Client(hub, viewer).create(content, file_name, **fields)
        work_off(hub)
        return Gallery(hub, viewer, asset)

    return hung


@pytest.fixture
def gallery(hang: Callable[..., Gallery], admin: Viewer) -> Gallery:
    return hang(admin)


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing = ServerMissing("Not without Chromium: install Debian's package chromium.")
        if request.config.getoption("--require-servers"):
            pytest.fail(f"SERVER MISSING: {missing}", pytrace=False)
        pytest.skip(f"SERVER MISSING: {missing}")
    return found
