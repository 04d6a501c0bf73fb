"""A house to put people in."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from tests.asking import Client
from tests.people.folk import House


@pytest.fixture
def house(hub: Hub, client: Client) -> House:
    return House(hub, client)
