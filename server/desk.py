"""What every endpoint finds on its desk: the hub, the staging folder, the meters, and two pools of threads.

Database work gets as many threads as the database has connections, so that no thread ever waits for one. Bytes are
moved on threads of their own, so that slow disks and clients never keep a query waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from domain import identity
from domain.hub import Hub
from domain.refusals import NotSignedIn
from domain.work import Viewer, Work
from server import logs
from server.meters import Meters
from storage import staging
from storage.database import POOL_SIZE

T = TypeVar("T")

#: Reads and writes of file bytes under way at once.
BYTE_THREADS = 16


@dataclass(frozen=True)
class Desk:
    hub: Hub
    staging: staging.Staging
    meters: Meters
    rows: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(POOL_SIZE))
    #: Per part of the hub the look at it that was begun last; one that hangs is not joined by more.
    looks: dict[str, Future[None]] = field(default_factory=dict)
    bytes: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(BYTE_THREADS))

    async def read(self, viewer: Viewer, question: Callable[[Work], T]) -> T:
        """Asks on a database thread, in one snapshot."""

        def asked() -> T:
            with self.hub.reading(viewer, logs.request_id()) as work:
                return question(work)

        return await self.with_rows(asked)

    async def write(self, viewer: Viewer, change: Callable[[Work], T]) -> T:
        """Changes on a database thread, in one transaction that has committed when this returns."""

        def changed() -> T:
            with self.hub.writing(viewer, logs.request_id()) as work:
                return change(work)

        return await self.with_rows(changed)

    async def with_rows(self, do: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(do, limiter=self.rows)

    async def with_bytes(self, do: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(do, limiter=self.bytes)

    async def viewer(self, request: Request) -> Viewer:
        """Who asks; `NotSignedIn` without a valid bearer token."""
        token = bearer(request)
        return await self.with_rows(lambda: identity.viewer_of_token(self.hub, token))


def of(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


def bearer(request: Request) -> str:
    """The token of `Authorization: Bearer …`; `NotSignedIn` when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("Sign in: send your token as `Authorization: Bearer …`.")
    return token
