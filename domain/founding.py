"""The first start of a hub: its administrator, that one's token, and the presets that every brand begins with."""

from __future__ import annotations

from domain import identity, presets
from domain.hub import Hub
from domain.work import HUB


def found(hub: Hub) -> tuple[str, bool]:
    """The first administrator's token, and whether it was made just now. Doing it again changes nothing."""
    with hub.writing(HUB) as work:
        identity.take_turns(work)
        presets.ensure_seeds(work)
        identity.ensure_seeds(work)
    return identity.first_administrator(hub)
