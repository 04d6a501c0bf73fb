"""A hub that trusts an issuer: without one, no identity can be linked."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from tests.asking import trusting


@pytest.fixture
def hub(hub: Hub) -> Hub:
    return trusting(hub)
