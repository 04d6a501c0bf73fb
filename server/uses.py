"""When tokens were last used: gathered while requests are answered, written down after an answer has gone out."""

from __future__ import annotations

from datetime import datetime

from domain.hub import Hub
from domain.identity import sessions
from domain.refusals import Refusal
from domain.work import HUB, Viewer
from server import logs
from storage import database

#: Tokens remembered as noted a moment ago.
MOST_REMEMBERED = 10_000


class Uses:
    """Of one token at most one use a minute is written, and one transaction at a time, whatever arrives meanwhile."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._due: dict[int, datetime] = {}
        self._noted: dict[int, datetime] = {}
        self._writing = False

    @property
    def are_due(self) -> bool:
        return bool(self._due) and not self._writing

    def note(self, viewer: Viewer) -> None:
        if viewer.token_id is None:
            return
        now, before = self._hub.clock(), self._noted.get(viewer.token_id)
        if before is None or now - before >= sessions.NOTED_EVERY:
            self._due[viewer.token_id] = self._noted[viewer.token_id] = now
            if len(self._noted) > MOST_REMEMBERED:
                self._noted = dict(self._due)

    def write_down(self) -> None:
        """Nobody is kept out, nor told, because this could not be written: it is tried again with the next use."""
        self._writing, due, self._due = True, self._due, {}
        try:
            with self._hub.writing(HUB) as work:
                sessions.note_uses(work, due)
        except (Refusal, database.Contended) as error:
            logs.log.warning("uses of tokens were not written down", why=str(error))
            self._due = due | self._due
        finally:
            self._writing = False
