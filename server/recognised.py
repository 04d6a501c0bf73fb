"""Whose a token is, remembered as long as that cannot have changed: until anything is committed, or something of theirs
ends by itself.

Not of guests, who hang on what their host may do, nor of sessions, which end by idling.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from domain.hub import Hub
from domain.identity.tokens import digest_of
from domain.work import Viewer
from storage.recent import Recent

MOST: Final = 2_000


class Recognised:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: Recent[tuple[Hashable, Viewer]] = Recent(MOST)

    def viewer(self, token: str, address: str | None, ask: Callable[[], Viewer]) -> Viewer:
        """The viewer of the token when it is shown from that address, else what `ask` finds."""
        key = (digest_of(token), address)
        epoch = self._hub.database.epochs.now()
        known = self._known.get(key)
        if epoch is not None and known is not None and known[0] == epoch and self._lasts(known[1]):
            return known[1]
        viewer = ask()
        if viewer.on_behalf_of is None and epoch is not None and self._hub.database.epochs.now() == epoch:
            self._known.put(key, (epoch, viewer))
        return viewer

    def _lasts(self, viewer: Viewer) -> bool:
        return viewer.until is None or self._hub.clock() < viewer.until
