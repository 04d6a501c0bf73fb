"""Two affiliates on each pair of stores."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from domain.work import Viewer
from tests.sharing.scene import Scene


@pytest.fixture
def scene(hub: Hub, admin: Viewer) -> Scene:
    return Scene(hub, admin)
