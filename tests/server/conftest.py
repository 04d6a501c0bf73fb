"""The administrator over HTTP."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from domain.work import Viewer
from server.app import make_app
from tests.server.caller import Caller


@pytest.fixture
def ask(hub: Hub, admin: Viewer) -> Caller:
    """Asks as the administrator."""
    return Caller(make_app(hub), hub.settings.admin_token)
