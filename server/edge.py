"""The outermost layer of every request: its id, its one log line, its meters, and the last resort for bugs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import logs, problems
from server.meters import Meters

#: What nginx calls a client that left before its answer; no such status is ever sent.
CLIENT_LEFT = 499


class Edge:
    """ASGI middleware. No exception leaves it: a bug is logged and answered with a reference to that log line.

    What is to be done `afterwards` begins when the answer has gone out.
    """

    def __init__(self, app: ASGIApp, meters: Meters, afterwards: Callable[[], Awaitable[None]]) -> None:
        self._app, self._meters, self._afterwards = app, meters, afterwards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, logs.named(_header(scope, b"x-request-id")))
        started = time.perf_counter()
        bound = structlog.contextvars.bind_contextvars(**logs.names(answer.request_id))
        try:
            try:
                await self._answer(scope, receive, answer)
            finally:
                self._write_down(scope, answer, time.perf_counter() - started)
            await self._finish()
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = CLIENT_LEFT
        except anyio.get_cancelled_exc_class():  # only the end of the server cancels a request
            await _end(problems.of_stopping(), answer, scope, receive)
        except Exception as error:  # noqa: BLE001  # the last resort: whatever it is, the client learns nothing of it
            await _apologise(error, answer, scope, receive)

    async def _finish(self) -> None:
        try:
            await self._afterwards()
        except anyio.get_cancelled_exc_class():  # the server ends: what is not essential is left
            return
        except Exception as error:  # noqa: BLE001  # the answer is out already
            logs.log.error("a bug after answering", exc_info=error)

    def _write_down(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        path, method = scope["path"], scope["method"]
        self._meters.answered(path, method, answer.status, seconds, answer.sent)
        logs.log.info(
            "request",
            method=method,
            path=logs.shown(path),
            status=answer.status,
            ms=round(seconds * 1000, 1),
            bytes=answer.sent,
        )


class _Answer:
    """What has been sent so far; adds the request's id to the headers."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self.status = CLIENT_LEFT
        self.sent = 0
        self.started = False
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode("ascii"))]
            message = {**message, "headers": headers}
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)


async def _apologise(error: Exception, answer: _Answer, scope: Scope, receive: Receive) -> None:
    logs.log.error("a bug in answering", exc_info=error, path=logs.shown(scope["path"]))
    await _end(problems.of_bug(), answer, scope, receive)


async def _end(refusal: problems.HttpRefusal, answer: _Answer, scope: Scope, receive: Receive) -> None:
    """A started answer cannot be taken back: it ends short, which the client's HTTP library notices."""
    if not answer.started:
        await problems.answer(refusal)(scope, receive, answer.send)


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None
