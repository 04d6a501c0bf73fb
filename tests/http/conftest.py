"""The administrator over HTTP, and hubs with other settings over the same rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from domain.hub import Hub
from domain.work import Viewer
from server.app import make_app
from tests.server.caller import Caller

Ask: TypeAlias = Callable[..., Caller]


@pytest.fixture
def ask(hub: Hub, admin: Viewer) -> Caller:
    """Asks as the administrator."""
    return Caller(make_app(hub), hub.settings.admin_token)


@pytest.fixture
def set_so(hub: Hub, admin: Viewer) -> Ask:
    """Asks the same hub, in a process of its own, as it is with these settings."""

    def asked(**settings: Any) -> Caller:
        told = dataclasses.replace(hub, settings=hub.settings.model_copy(update=settings))
        return Caller(make_app(told), hub.settings.admin_token)

    return asked
