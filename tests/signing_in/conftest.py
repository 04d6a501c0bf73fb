"""A hub whose settings each test chooses, and a real OpenID Connect provider."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from domain import founding
from domain.hub import open_hub
from storage.settings import Settings
from tests.conftest import settings_at
from tests.servers import oidc_provider, plugin
from tests.servers.oidc_provider import Provider
from tests.signing_in.house import Clock, House

BuildHouse: TypeAlias = Callable[..., House]

#: Whom the provider knows.
PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"name": "Ada Lovelace", "email": "ada@example.org", "email_verified": True},
    "ada-again": {"name": "Another Ada", "email": "ada@example.org", "email_verified": True},
    "bob": {"name": "Bob", "email": "bob@example.org", "email_verified": False},
    "eve": {"name": "Eve", "email": "eve@example.org", "email_verified": True},
    "fool": {"name": "Fool", "email": "\uff41da@example.org", "email_verified": True},  # a wide a: folding makes it ada
    "mute": {},
}
RESOURCE = "https://api.hub.test"
REDIRECTS = ("http://hub.test/auth/callback", "https://hub.test/auth/callback")


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    yield from plugin._served(request.config, partial(oidc_provider.running_provider, PEOPLE, REDIRECTS, RESOURCE))


@pytest.fixture(scope="session")
def telling_provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """One whose ID tokens tell the e-mail themselves."""
    start = partial(oidc_provider.running_provider, PEOPLE, REDIRECTS, RESOURCE, conform=False)
    yield from plugin._served(request.config, start)


@pytest.fixture
def embedded(tmp_path: Path, sqlite_template: Path) -> Settings:
    """The only stores on which people have passwords."""
    path = tmp_path / "data" / "imprimatur.sqlite"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return settings_at(tmp_path / "data", database_url=f"sqlite:///{path}")


@pytest.fixture
def build(stores: Settings) -> Iterator[BuildHouse]:
    """Opens the hub with these settings more; the same hub each time."""
    with ExitStack() as stack:

        def built(**more: Any) -> House:
            clock = Clock()
            hub = open_hub(Settings.model_validate({**stores.model_dump(), **more}), clock=clock)
            stack.callback(hub.close)
            founding.found(hub)
            return House(hub, clock)

        yield built


@pytest.fixture
def house(build: BuildHouse) -> House:
    return build()
