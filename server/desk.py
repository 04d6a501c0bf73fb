"""What every endpoint finds on its desk: the hub, the staging folder, the meters, who asks, and pools of threads.

Database work gets as many threads as the database has connections, so that no thread ever waits for one. Bytes are
moved on threads of their own, so that slow disks and clients never keep a query waiting; identity providers are asked
and passwords computed on others yet.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import HTTPConnection

from domain import identity
from domain.hub import Hub
from domain.identity import jwt, sessions
from domain.identity.jwt_bearer import Trusted
from domain.identity.jwt_keys import KeyUnknown
from domain.identity.oidc import Provider
from domain.identity.passwords import AT_ONCE
from domain.refusals import NotSignedIn
from domain.work import Viewer, Work
from server import addresses, cookies, logs, same_origin
from server.audience import Audience
from server.documents import Remembered
from server.meters import Meters
from server.recognised import Recognised
from server.studio import Studio
from server.turns import Turns
from server.turnstile import Turnstile
from server.uses import Uses
from storage import staging
from storage.database import POOL_SIZE

T = TypeVar("T")

#: Reads and writes of file bytes under way at once.
BYTE_THREADS = 16
#: Questions to identity providers under way at once.
OUTSIDE_THREADS = 4


@dataclass(frozen=True)
class Shown:
    """What somebody shows of who they are: a bearer token, or a session's secret."""

    secret: str = field(repr=False)
    is_session: bool = False


@dataclass(frozen=True)
class Desk:
    hub: Hub
    staging: staging.Staging
    meters: Meters
    turnstile: Turnstile
    uses: Uses
    #: Where people sign in, and whose signed tokens are believed; None where none is set.
    provider: Provider | None
    trusted: Trusted | None
    audience: Audience
    recognised: Recognised
    #: What makes small pictures at once; None where this server has no workers.
    studio: Studio | None = None
    #: Documents that clients of this process sent with their digest.
    remembered: Remembered = field(default_factory=Remembered)
    rows: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(POOL_SIZE))
    #: Per part of the hub the look at it that was begun last; one that hangs is not joined by more.
    looks: dict[str, Future[None]] = field(default_factory=dict)
    bytes: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(BYTE_THREADS))
    #: What is read on the event loop itself.
    turns: Turns = field(default_factory=Turns)
    outside: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(OUTSIDE_THREADS))
    hashing: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(AT_ONCE))

    async def read(self, viewer: Viewer, question: Callable[[Work], T]) -> T:
        """Asks on a database thread, in one snapshot."""

        def asked() -> T:
            with self.hub.reading(viewer, logs.recorded_id()) as work:
                return question(work)

        return await self.with_rows(asked)

    async def write(self, viewer: Viewer, change: Callable[[Work], T]) -> T:
        """Changes on a database thread, in one transaction that has committed when this returns."""

        def changed() -> T:
            with self.hub.writing(viewer, logs.recorded_id()) as work:
                return change(work)

        return await self.with_rows(changed)

    async def with_rows(self, do: Callable[[], T], *, is_short: bool = False) -> T:
        """What takes longer than a few milliseconds keeps the event loop from reading anything itself meanwhile."""
        with self.turns.disturbed(by=not is_short):
            return await anyio.to_thread.run_sync(do, limiter=self.rows)

    async def with_bytes(self, do: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(do, limiter=self.bytes)

    async def with_outside(self, do: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(do, limiter=self.outside)

    async def with_hashing(self, do: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(do, limiter=self.hashing)

    def address(self, request: HTTPConnection) -> str | None:
        """The client's IP address, behind trusted proxies."""
        return addresses.of(request, self.hub.settings.trusted_networks)

    async def viewer(self, request: HTTPConnection) -> Viewer:
        """Who asks: by bearer token, by a trusted issuer's signed token, or by a session's cookie from our own pages.

        `NotSignedIn` when nobody, in the same words whatever is wrong with what was shown. Refuses with 429 where too
        much came from there or by this token, and with 403 a session that another site's page would use.
        """
        return await self.enter(self.shown(request), self.address(request))

    def shown(self, request: HTTPConnection) -> Shown | None:
        """What a request shows of who makes it; a 403 for a session that another site's page would use."""
        bearer = bearer_of(request.headers.get("authorization", ""))
        if bearer is not None:
            return bearer
        session = None if "authorization" in request.headers else cookies.session_of(request, self.hub.settings)
        if session is None:
            return None
        same_origin.require(request, self.hub.settings)
        return Shown(session, is_session=True)

    async def enter(self, shown: Shown | None, address: str | None) -> Viewer:
        """Whose it is, counted as one request of theirs, or of a stranger's. Refuses like `viewer`."""
        self._admit(shown, address)
        assert shown is not None, "who shows nothing is not admitted"
        try:
            viewer = await self.again(shown, address)
        except NotSignedIn:
            self._turn_away(shown, address)
            raise
        self._count(shown, viewer)
        return viewer

    async def entered(self, shown: Shown | None, address: str | None, do: Callable[[Viewer], T]) -> T:
        """What `do` makes of whoever shows this, on a database thread, and counted; refuses like `viewer`.

        A bearer token is looked at on the same thread: two ways there cost more than many an answer.
        """
        if shown is None or shown.is_session or (self.trusted is not None and jwt.is_one(shown.secret)):
            viewer = await self.enter(shown, address)
            return await self.with_rows(lambda: do(viewer))
        self._admit(shown, address)

        def both() -> T:
            try:
                viewer = self._of_token(shown.secret, address)
            except NotSignedIn:
                self._turn_away(shown, address)
                raise
            self._count(shown, viewer)
            return do(viewer)

        return await self.with_rows(both)

    def at_hand(self, shown: Shown, address: str | None) -> tuple[Viewer, Hashable] | None:
        """Whose token it is, and the epoch in which that is known, where no thread need be asked; counts nothing."""
        epochs = self.hub.database.epochs
        if shown.is_session or not epochs.are_at_hand:
            return None
        epoch = epochs.now()
        viewer = self.recognised.known(shown.secret, address, epoch)
        return None if viewer is None else (viewer, epoch)

    def _admit(self, shown: Shown | None, address: str | None) -> None:
        if shown is None:
            self.turnstile.count_stranger(address)
            raise NotSignedIn("Sign in: send your token as `Authorization: Bearer …`.")
        self.turnstile.admit(address, shown.secret)

    def _turn_away(self, shown: Shown, address: str | None) -> None:
        self.turnstile.unwelcome(shown.secret)
        self.turnstile.count_stranger(address)

    def _count(self, shown: Shown, viewer: Viewer) -> None:
        self.turnstile.welcome(shown.secret)
        self.turnstile.spend(viewer)
        self.uses.note(viewer)

    async def again(self, shown: Shown, address: str | None) -> Viewer:
        """Whose it is now, with what they hold now; counts as no request. `NotSignedIn` once it is worth nothing."""
        return await (self._of_session if shown.is_session else self._of_bearer)(shown.secret, address)

    async def write_uses(self) -> None:
        """To be awaited after an answer has gone out."""
        if self.uses.are_due:
            await self.with_rows(self.uses.write_down)

    def _of_token(self, token: str, address: str | None) -> Viewer:
        return self.recognised.viewer(token, address, lambda: identity.viewer_of_token(self.hub, token, address))

    async def _of_session(self, secret: str, address: str | None) -> Viewer:
        return await self.with_rows(lambda: sessions.viewer_of_session(self.hub, secret, address))

    async def _of_bearer(self, token: str, address: str | None) -> Viewer:
        trusted = self.trusted
        if trusted is None or not jwt.is_one(token):
            return await self.with_rows(lambda: self._of_token(token, address))
        try:
            try:
                return await self.with_rows(lambda: trusted.viewer(self.hub, token, address))
            except KeyUnknown:  # whoever shows a token of a known key never waits for this
                if (why := await self.with_outside(trusted.refresh)) is not None:
                    logs.log.warning("the trusted issuer is unreachable", why=why)
            return await self.with_rows(lambda: trusted.viewer(self.hub, token, address))
        except (jwt.Disbelieved, KeyUnknown) as error:
            logs.log.info("a signed token was refused", why=str(error) or "signed by an unknown key")
            raise NotSignedIn("This token is not valid: it is unknown, revoked or expired.") from None


def of(request: HTTPConnection) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


def bearer_of(header: str) -> Shown | None:
    """The token of `Authorization: Bearer …`."""
    scheme, _, token = header.partition(" ")
    return Shown(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
