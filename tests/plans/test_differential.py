"""Plans answer what ordinary execution does, byte for byte; thousands more by `python -m tests.plans.differential`."""

from __future__ import annotations

import pytest

from domain.hub import Hub
from schema import plans
from tests.plans import differential

OPERATIONS = 150


@pytest.mark.parametrize("seed", [1, 2])
def test_random_operations_are_answered_alike_with_and_without_plans(hub: Hub, seed: int) -> None:
    brand = differential.world(hub, seed)
    failed = plans.counted.failed
    held = differential.hold(brand.hub, brand.viewers(), OPERATIONS, seed)
    assert not held.different, held.different[0]
    assert plans.counted.failed == failed
    assert held.told["planned"] >= OPERATIONS / 8  # or nothing much was compared
    assert not hub.database.epochs.are_at_hand or held.told["at hand"] >= OPERATIONS / 16
