"""Who is listening in this process: the open WebSockets and event streams, how many there may be, and waking them.

Counted in the memory of this process, like the turnstile's: several server processes let through that many each.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from domain.feed import Feed
from domain.hub import Hub
from domain.work import Viewer
from server.addresses import party
from server.problems import HttpRefusal

#: After one of these somebody may have lost what they came in by: all who listen are looked at again at once.
#: What else takes rights away shows when the next thing is told, in the rights of that moment.
SHUTTING_OUT: Final = frozenset(
    {
        "guest_link.revoked",
        "identity.unlinked",
        "organisation.archived",
        "password.changed",
        "principal.disabled",
        "session.ended",
        "token.revoked",
        "token.rotated",
    }
)


class Audience:
    """One per application."""

    def __init__(self, hub: Hub) -> None:
        self.feed = Feed(hub, self._heard)
        self._is_over, self._is_empty = asyncio.Event(), asyncio.Event()
        self._is_empty.set()
        self._told = hub.settings
        self._seats: Counter[str] = Counter()
        self._ears: set[Ear] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def place(self, address: str | None) -> Iterator[None]:
        """A place while the block runs; a 429 or 503 where there are too many already."""
        if self._is_over.is_set():
            raise HttpRefusal(503, "STOPPING", "The server is being stopped: try again.", {"Retry-After": "5"})
        with (
            self._seat("all", self._told.streams_at_once, 503, "Too many are listening to this server: try elsewhere."),
            self._seat(f"address {party(address)}", self._told.streams_per_address, 429, _TOO_MANY.format("address")),
        ):
            yield

    @contextmanager
    def place_of(self, viewer: Viewer) -> Iterator[None]:
        """The same for whoever turned out to listen there."""
        payer = f"principal {viewer.principal_id}" if viewer.token_id is None else f"token {viewer.token_id}"
        with self._seat(payer, self._told.streams_per_token, 429, _TOO_MANY.format("token")):
            yield

    @contextmanager
    def listening(self, types: Collection[str] = (), *, to_jobs: bool = False) -> Iterator[Ear]:
        """An ear that is pricked up while the block runs."""
        self._loop = asyncio.get_running_loop()
        ear = Ear(frozenset(types), to_jobs=to_jobs)
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)

    def send_home(self) -> None:
        """Lets everybody go who listens; no new ones are let in."""
        self._is_over.set()

    async def gone(self) -> None:
        """Returns when nobody is left."""
        await self._is_empty.wait()

    async def stopped(self) -> None:
        """Returns when everybody is sent home."""
        await self._is_over.wait()

    @contextmanager
    def _seat(self, name: str, most: int, status: int, sentence: str) -> Iterator[None]:
        if self._seats[name] >= most:
            raise HttpRefusal(status, "TOO_MANY_STREAMS", sentence, {"Retry-After": "10"})
        self._seats[name] += 1
        self._is_empty.clear()
        try:
            yield
        finally:
            self._seats[name] -= 1
            if not self._seats[name]:
                del self._seats[name]
            if not self._seats:
                self._is_empty.set()

    def _heard(self, types: Collection[str], jobs_moved: bool) -> None:
        """Called from the feed's thread."""
        if self._loop is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(self._wake, frozenset(types), jobs_moved)
        except RuntimeError:  # the loop was closed at this very moment: nobody is there to be woken
            return

    def _wake(self, types: frozenset[str], jobs_moved: bool) -> None:
        for ear in self._ears:
            if (jobs_moved and ear.to_jobs) or not ear.types.isdisjoint(types):
                ear.pricked.set()


class Ear:
    """Set where something that its owner waits for may have happened."""

    def __init__(self, types: frozenset[str], *, to_jobs: bool) -> None:
        self.types, self.to_jobs = types, to_jobs
        self.pricked = asyncio.Event()


_TOO_MANY = "Too many connections with this {} are open already: close some, or share one."
