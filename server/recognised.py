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
        epoch = self._hub.database.epochs.now()
        known = self.known(token, address, epoch)
        if known is not None:
            return known
        viewer = ask()
        if viewer.on_behalf_of is None and epoch is not None and self._hub.database.epochs.now() == epoch:
            self._known.put((digest_of(token), address), (epoch, viewer))
        return viewer

    def known(self, token: str, address: str | None, epoch: Hashable) -> Viewer | None:
        """The viewer of the token where that is remembered of this epoch."""
        found = self._known.get((digest_of(token), address))
        if epoch is None or found is None or found[0] != epoch or not self._lasts(found[1]):
            return None
        return found[1]

    def _lasts(self, viewer: Viewer) -> bool:
        return viewer.until is None or self._hub.clock() < viewer.until
