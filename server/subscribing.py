"""Subscriptions as both transports see them: what was asked for begins here, and goes on as a stream of JSON texts.

Always true here:
- Before anything is told, who listens is looked at anew; once what they came in by is worth nothing the stream ends
  with `Ended`. What they may not see is not told, and takes no turn.
- Whoever has spent all they may is told the rest when they may spend again: nothing is lost by waiting, for what was
  not told yet stands in the table of events and not in memory.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

import anyio

from domain import feed
from domain.refusals import NotSignedIn
from domain.work import HUB, Viewer
from schema import subscribing
from schema.execution import Answered, Asked
from schema.subscribing import Begun
from schema.topics import Following, Watching
from server import documents, logs
from server.audience import SHUTTING_OUT
from server.desk import Desk, Shown
from server.documents import Unknown
from server.parameters import Parameters
from server.problems import HttpRefusal

#: Events told at once, in one snapshot.
AT_ONCE: Final = 20
#: Seconds between two looks at whoever listens, when nothing else is a reason for one: what they came in by may expire.
LOOK_SECONDS: Final = 30.0
#: Seconds between two such looks where much happens that may shut somebody out.
LOOK_AGAIN_SECONDS: Final = 1.0

T = TypeVar("T")


class Ended(Exception):
    """The listener is not let in any more; `str()` is why."""


@dataclass(frozen=True)
class Listener:
    """Whoever is at the other end, and what they showed."""

    desk: Desk
    shown: Shown
    address: str | None

    async def enter(self) -> Viewer:
        """Counts as a request. Refuses like `Desk.enter`, but that `Ended` says that they are not signed in."""
        return await self._signed_in(self.desk.enter)

    async def again(self) -> Viewer:
        return await self._signed_in(self.desk.again)

    async def keep_looking(self) -> None:
        """Returns never; raises `Ended` soon after they are shut out or their time is over."""
        with self.desk.audience.listening(SHUTTING_OUT) as ear:
            while True:
                with anyio.move_on_after(LOOK_SECONDS):
                    await ear.pricked.wait()
                ear.pricked.clear()
                await self.again()
                await anyio.sleep(LOOK_AGAIN_SECONDS)

    async def _signed_in(self, enter: Callable[[Shown, str | None], Awaitable[Viewer]]) -> Viewer:
        try:
            return await enter(self.shown, self.address)
        except NotSignedIn as error:
            raise Ended(error.message) from None


@dataclass(frozen=True)
class Going:
    """A subscription that runs: `told` are its responses, until it is over."""

    told: AsyncIterator[bytes]


@asynccontextmanager
async def begun(
    listener: Listener, viewer: Viewer, told: Parameters, *, reads_only: bool = False
) -> AsyncIterator[Going | Answered]:
    """What was asked for, going on while the block runs, or its whole answer.

    Raises `HttpRefusal`, and in the block `Ended`.
    """
    desk, request_id = listener.desk, logs.recorded_id() or ""
    async with AsyncExitStack() as stack:
        with anyio.CancelScope(shield=True):  # whoever leaves at this moment has joined, and must be seen off
            place = await desk.with_rows(desk.audience.feed.join)
            stack.callback(desk.audience.feed.leave)
        found = await desk.with_rows(lambda: _begun(desk, viewer, told, request_id, reads_only=reads_only))
        if isinstance(found, Answered):
            yield found
            return
        stream: AsyncGenerator[bytes]
        match found.source:
            case Following():
                stream = _followed(listener, found, found.source, place, request_id)
            case Watching():
                desk.audience.feed.watch(found.source.job_id)
                stack.callback(desk.audience.feed.unwatch, found.source.job_id)
                stream = _watched(listener, found, found.source, request_id)
        yield Going(await stack.enter_async_context(aclosing(stream)))


def _begun(desk: Desk, viewer: Viewer, told: Parameters, request_id: str, *, reads_only: bool) -> Begun | Answered:
    try:
        meant = documents.meant(desk.hub, desk.remembered, told)
    except Unknown as unknown:
        return subscribing.refused(unknown.sentence, unknown.code)
    asked = Asked(meant.text, told.operation_name, told.variables, told.extensions, read_only=reads_only)
    found = subscribing.begin(desk.hub, viewer, asked, request_id, lambda cost: desk.turnstile.spend(viewer, cost))
    if meant.digest is not None and (isinstance(found, Begun) or found.executed):
        desk.remembered.keep(meant.digest, meant.text)
    return found


async def _followed(
    listener: Listener, begun: Begun, source: Following[object], place: int, request_id: str
) -> AsyncGenerator[bytes]:
    """Everything behind the place, and then what happens."""
    desk, at = listener.desk, place if source.after is None else source.after
    with desk.audience.listening(source.types) as ear:
        while True:
            ear.pricked.clear()
            taken = desk.audience.feed.take(at, source.types)
            if taken is None:  # too long ago to be in memory
                behind = at
                taken = await desk.read(HUB, lambda work: feed.read(work, behind, source.types))  # noqa: B023  # awaited
            for start in range(0, len(taken.events), AT_ONCE):
                some = taken.events[start : start + AT_ONCE]
                viewer = await listener.again()
                for body in await desk.with_rows(
                    lambda: subscribing.tell(desk.hub, viewer, begun, some, request_id)  # noqa: B023  # awaited here
                ):
                    yield body
                    await _pay(desk, viewer, begun)
            at = taken.place
            if taken.is_all:
                await ear.pricked.wait()


async def _watched(
    listener: Listener, begun: Begun, source: Watching[object], request_id: str
) -> AsyncGenerator[bytes]:
    """How the job stands, and then each step that is seen."""
    desk, known, is_first = listener.desk, None, True
    with desk.audience.listening(to_jobs=True) as ear:
        while True:
            ear.pricked.clear()
            if is_first or desk.audience.feed.steps_of(source.job_id) != known:
                viewer, before = await listener.again(), known
                told = await desk.with_rows(
                    lambda: subscribing.tell_job(desk.hub, viewer, begun, before, request_id)  # noqa: B023  # awaited
                )
                known, is_first = told.steps, False
                if told.body is not None:
                    yield told.body
                    await _pay(desk, viewer, begun)
                if told.is_over:
                    return
            await ear.pricked.wait()


async def _pay(desk: Desk, viewer: Viewer, begun: Begun) -> None:
    """Waits until they may be told more."""
    while True:
        try:
            desk.turnstile.spend(viewer, begun.price)
        except HttpRefusal as refusal:
            if refusal.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            await anyio.sleep(math.ceil(float(refusal.headers.get("Retry-After", "1"))))
        else:
            return
