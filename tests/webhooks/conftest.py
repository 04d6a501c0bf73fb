"""A hub that may send to loopback over http:, a receiver there, and a webhook's whole way in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from domain.hub import Hub
from domain.work import Viewer
from tests.webhooks.house import House
from tests.webhooks.receiver import Receiver, receiver


@pytest.fixture
def hub(hub: Hub) -> Hub:
    told = {"outside_networks": "127.0.0.0/8", "outside_http": True}
    return dataclasses.replace(hub, settings=hub.settings.model_copy(update=told))


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def house(hub: Hub, admin: Viewer, there: Receiver) -> House:
    return House(hub, admin, there)
