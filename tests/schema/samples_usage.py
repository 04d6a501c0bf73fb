"""Acceptable inputs for mutations of usage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain.global_ids import encode
from domain.usage import decisions, reading
from tests.usage import using

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "rightsReserve": "it makes a new one",
    "usageConfirm": "a reservation is resolved once",
    "usageVoid": "a reservation is resolved once",
}


def usage(brand: Brand) -> str:
    """A reservation of a picture with a cap."""
    return encode("Usage", _licensed(brand).reserve(10))


def decision(brand: Brand) -> str:
    """The kept decision of a reservation."""
    number = _licensed(brand).reserve(10)
    with brand.hub.reading(brand.client.viewer) as work:
        found = reading.by_id(work, [number])[number].decision_id
        assert found in decisions.by_id(work, [found])
    return encode("RightsDecision", found)


def use(brand: Brand) -> dict[str, Any]:
    it = _licensed(brand)
    today = brand.hub.clock().date().isoformat()
    return {
        "versionId": it.asset["current"]["id"],
        "action": "PRINT",
        "channel": "print.flyer",
        "territories": ["DE"],
        "window": {"from": today, "to": today},
        "quantity": {"unit": "COPIES", "amount": 10},
    }


def nodes(brand: Brand) -> dict[str, str]:
    return {"Usage": usage(brand), "RightsDecision": decision(brand)}


def _licensed(brand: Brand) -> using.Licensed:
    brand.made[0] += 1
    return using.licensed(brand.client, using.cap(1_000), number=1_000 + brand.made[0], asset=brand.asset())


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "rightsReserve": lambda brand: {"use": use(brand)},
    "usageConfirm": lambda brand: {"usage": usage(brand), "actual": [{"unit": "COPIES", "amount": 9}]},
    "usageVoid": lambda brand: {"usage": usage(brand), "reason": "It was not printed."},
}
