"""GraphQL over `text/event-stream`, each operation on a connection of its own (the GraphQL over SSE protocol, "distinct
connections"): a `next` event per response, then `complete`.

- Answers what `server.graphql` hands over when the client would rather have this media type. What is refused as HTTP is
  refused before the stream begins, a mutation by GET too; what GraphQL refuses is told in it.
- A line that means nothing is sent now and then, so that both sides notice when the other is gone. A client that does
  not read is dropped after `IMPRIMATUR_SEND_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import Final

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.work import Viewer
from schema.execution import Answered
from server import desk, logs, problems, subscribing
from server.desk import Desk, Shown
from server.parameters import Parameters
from server.problems import HttpRefusal
from server.subscribing import Ended, Going, Listener

MEDIA_TYPE: Final = "text/event-stream"
#: Seconds of silence after which a line is sent that means nothing.
SILENCE_SECONDS: Final = 12.0
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Accel-Buffering": "no",  # else nginx keeps events until it has a page of them
    "X-Content-Type-Options": "nosniff",
}


def respond(request: Request, viewer: Viewer, told: Parameters, needs_post: Response) -> Response:
    """The stream of what was asked for by this viewer, who came in by this very request; `needs_post` where that turns
    out to be a mutation and they asked by GET.

    Refuses with 429 or 503 where too many are listening already.
    """
    at = desk.of(request)
    shown = at.shown(request)
    assert shown is not None, "who is a viewer has shown something"
    seats = ExitStack()
    with seats:
        seats.enter_context(at.audience.place(at.address(request)))
        seats.enter_context(at.audience.place_of(viewer))
        return _EventStream(request, at, shown, viewer, told, needs_post, seats.pop_all())


class _EventStream(Response):
    """Ends when the operation is over, the client leaves, what it came in by is worth nothing, or the server ends."""

    def __init__(
        self,
        request: Request,
        at: Desk,
        shown: Shown,
        viewer: Viewer,
        told: Parameters,
        needs_post: Response,
        seats: ExitStack,
    ) -> None:
        super().__init__(None, 200, HEADERS, f"{MEDIA_TYPE}; charset=utf-8")
        del self.headers["content-length"]
        self._listener = Listener(at, shown, at.address(request))
        self._viewer, self._told, self._seats = viewer, told, seats
        self._reads_only = request.method != "POST"
        self._needs_post = needs_post
        self._has_started = self._is_refused = self._is_slow = False
        self._sending = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._seats:
            async with anyio.create_task_group() as tasks:

                async def until(over: Callable[[], Awaitable[None]]) -> None:
                    try:
                        await over()
                    except Ended as end:
                        logs.log.info("a stream was ended", why=str(end))
                    except TimeoutError:
                        self._is_slow = True
                    tasks.cancel_scope.cancel()

                tasks.start_soon(until, partial(self._tell, send))
                tasks.start_soon(until, partial(self._break_silence, send))
                tasks.start_soon(until, partial(_left, receive))
                tasks.start_soon(until, self._listener.keep_looking)
                tasks.start_soon(until, self._listener.desk.audience.stopped)
            if self._is_refused:
                await self._needs_post(scope, receive, send)
            else:
                await self._finish(send)

    async def _finish(self, send: Send) -> None:
        """A client that did not read what went before is left with an answer that never ends properly."""
        if self._is_slow:
            logs.log.warning("a stream was ended", why="the client does not read")
            return
        with anyio.move_on_after(self._patience):
            await self._start(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, send: Send) -> None:
        if not self._has_started:
            self._has_started = True
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

    @property
    def _patience(self) -> float:
        return self._listener.desk.hub.settings.send_seconds

    async def _tell(self, send: Send) -> None:
        try:
            async with subscribing.begun(
                self._listener, self._viewer, self._told, reads_only=self._reads_only
            ) as found:
                match found:
                    case Going():
                        await self._send(send, b"")
                        async for body in found.told:
                            await self._event(send, "next", body)
                    case Answered() if found.wrong_method and not self._has_started:
                        self._is_refused = True
                        return
                    case Answered():
                        await self._event(send, "next", found.body)
        except (Ended, TimeoutError):
            raise
        except problems.REFUSALS as error:
            await self._refuse(send, problems.as_http(error))
        except Exception as error:  # noqa: BLE001  # the stream has begun: a bug must be told in it
            logs.log.error("a bug in answering", exc_info=error, path="/graphql")
            await self._refuse(send, problems.of_bug())
        await self._event(send, "complete", b"")

    async def _refuse(self, send: Send, refusal: HttpRefusal) -> None:
        told = {"errors": [{"message": refusal.sentence, "extensions": {"code": refusal.code}}]}
        await self._event(send, "next", orjson.dumps(told))

    async def _break_silence(self, send: Send) -> None:
        while True:
            await anyio.sleep(SILENCE_SECONDS)
            await self._send(send, b":\n\n")

    async def _event(self, send: Send, name: str, body: bytes) -> None:
        await self._send(send, b"event: " + name.encode() + b"\ndata: " + body + b"\n\n")

    async def _send(self, send: Send, text: bytes) -> None:
        async with self._sending:
            with anyio.fail_after(self._patience):
                await self._start(send)
                await send({"type": "http.response.body", "body": text, "more_body": True})


async def _left(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
