"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, its messages and its close codes.

- Whoever connects shows who they are in the payload of `connection_init`, as `{"Authorization": "Bearer …"}`, or with
  the request that opens the socket: its header, or a session's cookie from our own pages.
- Everything that may be asked over HTTP may be asked here, within the same bounds and at the same price, and who asks
  is looked at anew for each operation.
- Nothing piles up: a client that does not read is dropped after `IMPRIMATUR_SEND_SECONDS`, and one that sends on and on
  is read no faster than it is served.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

import anyio
import orjson
import structlog
from anyio.abc import TaskGroup
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from domain.work import Viewer
from schema.execution import Answered
from server import desk, logs, parameters, problems, same_origin, subscribing
from server.desk import Desk, Shown
from server.problems import HttpRefusal
from server.subscribing import Ended, Going, Listener
from storage.settings import Settings

PROTOCOL: Final = "graphql-transport-ws"
#: Bytes of one message, as over HTTP.
LARGEST_MESSAGE: Final = parameters.LARGEST_BODY
#: Seconds until a client must have said who it is.
INIT_SECONDS: Final = 10.0
#: Operations under way at once on one socket, subscriptions above all.
MOST_OPERATIONS: Final = 50
#: Characters of an operation's id.
LONGEST_ID: Final = 200
#: Seconds that a closing handshake may take before the connection is cut.
CLOSE_SECONDS: Final = 2.0


class Close(Enum):
    """Why a socket is closed: codes of WebSocket itself, of the protocol, and 4413, our own."""

    GOING_AWAY = (1001, "The server is being stopped: connect again")
    BUG = (4500, "Internal server error")
    BAD_MESSAGE = (4400, "Invalid message received")
    UNAUTHORIZED = (4401, "Unauthorized")
    FORBIDDEN = (4403, "Forbidden")
    WRONG_PROTOCOL = (4406, "Subprotocol not acceptable")
    INIT_TIMEOUT = (4408, "Connection initialisation timeout")
    ID_TAKEN = (4409, "Subscriber already exists")
    TOO_SLOW = (4413, "Too slow: read on behind the last cursor")
    TOO_MANY_INITS = (4429, "Too many initialisation requests")
    TRY_LATER = (1013, "Try again later")


class Protocol(WebSocketsSansIOProtocol):
    """uvicorn's, that cuts a connection whose client does not take part in closing it: by itself it would wait for
    whatever was sent last to be read, which may be for ever.
    """

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


async def endpoint(socket: WebSocket) -> None:
    """The upgrade of GET /graphql."""
    at = desk.of(socket)
    with structlog.contextvars.bound_contextvars(**logs.names(logs.named(socket.headers.get("x-request-id")))):
        try:
            _require_origin(socket, at.hub.settings)
            with at.audience.place(at.address(socket)):
                await _connected(socket, at)
        except HttpRefusal as refusal:
            await socket.send_denial_response(problems.answer(refusal))


async def _connected(socket: WebSocket, at: Desk) -> None:
    started = time.perf_counter()
    connection = _Connection(socket, at)
    try:
        await connection.run()
    finally:
        logs.log.info(
            "socket",
            path=logs.shown(socket.url.path),
            code=connection.code,
            operations=connection.served,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )


def _require_origin(socket: WebSocket, settings: Settings) -> None:
    """A page of another site may not even connect, unless its origin was allowed; programs say no origin."""
    origin = socket.headers.get("origin")
    if origin is None or origin.lower() not in settings.origins:
        same_origin.require(socket, settings, silence_is_fine=True)


@dataclass
class _Connection:
    socket: WebSocket
    at: Desk
    #: With which the socket was closed, by whomever.
    code: int = 1006
    served: int = 0
    listener: Listener | None = None
    _initialised: bool = False
    _verdict: Close | None = None
    _operations: dict[str, anyio.CancelScope] = field(default_factory=dict)
    _sending: anyio.Lock = field(default_factory=anyio.Lock)
    _tasks: TaskGroup | None = None
    _seats: ExitStack = field(default_factory=ExitStack)

    async def run(self) -> None:
        offered = self.socket.scope.get("subprotocols", [])
        await self.socket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
        if PROTOCOL not in offered:
            self._verdict = Close.WRONG_PROTOCOL
        else:
            await self._talk()
        await self._say_goodbye()

    async def _talk(self) -> None:
        with self._seats:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._mind_stopping)
                tasks.start_soon(self._mind_init)
                await self._read()
                tasks.cancel_scope.cancel()

    def _end(self, verdict: Close) -> None:
        """The first reason counts; everything under way is given up."""
        self._verdict = self._verdict or verdict
        assert self._tasks is not None
        self._tasks.cancel_scope.cancel()

    async def _say_goodbye(self) -> None:
        if self._verdict is None:  # the client left
            return
        self.code, reason = self._verdict.value
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            try:
                await self.socket.close(self.code, reason)
            except (RuntimeError, WebSocketDisconnect, OSError):  # it was gone already
                return

    async def _mind_stopping(self) -> None:
        await self.at.audience.stopped()
        self._end(Close.GOING_AWAY)

    async def _mind_init(self) -> None:
        await anyio.sleep(INIT_SECONDS)
        if not self._initialised:
            self._end(Close.INIT_TIMEOUT)

    async def _read(self) -> None:
        """Until the client leaves or must."""
        while self._verdict is None:
            received = await self.socket.receive()
            if received["type"] == "websocket.disconnect":
                self.code = int(received.get("code", 1005))
                return
            try:
                await self._understand(_message(received.get("text")))
            except _Malformed:
                self._end(Close.BAD_MESSAGE)

    async def _understand(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._init(_payload(message))
            case "ping":
                _payload(message)
                await self._send(b'{"type":"pong"}')
            case "pong":
                _payload(message)
            case "subscribe":
                await self._subscribe(_id(message), message)
            case "complete":
                self._complete(_id(message))
            case _:
                raise _Malformed

    async def _init(self, payload: dict[str, Any]) -> None:
        if self._initialised:
            self._end(Close.TOO_MANY_INITS)
            return
        self._initialised = True
        try:
            await self._let_in(self._shown(payload))
        except (Ended, _Malformed):
            self._end(Close.FORBIDDEN)
        except problems.REFUSALS as error:
            is_final = problems.as_http(error).status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
            self._end(Close.FORBIDDEN if is_final else Close.TRY_LATER)
        else:
            await self._send(b'{"type":"connection_ack"}')

    async def _let_in(self, shown: Shown | None) -> None:
        address = self.at.address(self.socket)
        if shown is None:
            self.at.turnstile.count_stranger(address)
            raise Ended("Nobody said who they are.")
        listener = Listener(self.at, shown, address)
        viewer = await listener.enter()
        self._seats.enter_context(self.at.audience.place_of(viewer))
        self.listener = listener
        assert self._tasks is not None
        self._tasks.start_soon(self._mind_credential, listener)

    def _shown(self, payload: dict[str, Any]) -> Shown | None:
        """What the payload says counts before what came with the upgrade."""
        told = [value for name, value in payload.items() if name.lower() == "authorization"]
        if not told:
            return self._shown_before()
        if len(told) != 1 or not isinstance(told[0], str):
            raise _Malformed
        return desk.bearer_of(told[0])

    def _shown_before(self) -> Shown | None:
        """A page of another origin, though it may connect, brings no session along."""
        try:
            return self.at.shown(self.socket)
        except HttpRefusal:
            return None

    async def _mind_credential(self, listener: Listener) -> None:
        try:
            await listener.keep_looking()
        except Ended:
            self._end(Close.FORBIDDEN)

    async def _subscribe(self, id_: str, message: dict[str, Any]) -> None:
        if self.listener is None:
            self._end(Close.UNAUTHORIZED)
            return
        payload = message.get("payload")
        if not isinstance(payload, dict):
            raise _Malformed
        try:
            told = parameters.checked(payload)
        except HttpRefusal:
            raise _Malformed from None
        if id_ in self._operations:
            self._end(Close.ID_TAKEN)
            return
        if len(self._operations) >= MOST_OPERATIONS:
            sentence = f"At most {MOST_OPERATIONS} operations may be under way on one connection."
            await self._refuse(id_, HttpRefusal(429, "TOO_MANY_OPERATIONS", sentence))
            return
        assert self._tasks is not None
        self._operations[id_] = anyio.CancelScope()
        self.served += 1
        self._tasks.start_soon(self._operate, id_, self._operations[id_], self.listener, told)

    def _complete(self, id_: str) -> None:
        scope = self._operations.pop(id_, None)
        if scope is not None:  # else it was over already when the client wrote
            scope.cancel()

    async def _operate(
        self, id_: str, scope: anyio.CancelScope, listener: Listener, told: parameters.Parameters
    ) -> None:
        try:
            with scope:
                await self._answer(id_, listener, told)
        except Ended:
            self._end(Close.FORBIDDEN)
        except WebSocketDisconnect:
            self._end(Close.GOING_AWAY)
        except problems.REFUSALS as error:
            await self._refuse(id_, problems.as_http(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, the client learns nothing of it
            logs.log.error("a bug in answering", exc_info=error, path="/graphql")
            await self._refuse(id_, problems.of_bug())
        finally:
            if self._operations.get(id_) is scope:
                del self._operations[id_]

    async def _answer(self, id_: str, listener: Listener, told: parameters.Parameters) -> None:
        viewer = await self._entered(listener)
        async with subscribing.begun(listener, viewer, told) as found:
            match found:
                case Going():
                    async for body in found.told:
                        await self._send(_next(id_, body))
                    await self._finish(id_)
                case Answered(executed=True):
                    await self._send(_next(id_, found.body))
                    await self._finish(id_)
                case Answered():
                    await self._fail(id_, orjson.loads(found.body)["errors"])

    async def _entered(self, listener: Listener) -> Viewer:
        viewer = await listener.enter()
        await self.at.write_uses()
        return viewer

    async def _refuse(self, id_: str, refusal: HttpRefusal) -> None:
        await self._fail(id_, [{"message": refusal.sentence, "extensions": {"code": refusal.code}}])

    async def _fail(self, id_: str, errors: list[Any]) -> None:
        """Free before it is told: the client may use the id again at once."""
        self._operations.pop(id_, None)
        await self._send(orjson.dumps({"id": id_, "type": "error", "payload": errors}))

    async def _finish(self, id_: str) -> None:
        self._operations.pop(id_, None)
        await self._send(orjson.dumps({"id": id_, "type": "complete"}))

    async def _send(self, message: bytes) -> None:
        """Waits for the client to read what went before; one that does not is dropped."""
        async with self._sending:
            with anyio.move_on_after(self.at.hub.settings.send_seconds) as late:
                await self.socket.send_text(message.decode())
        if late.cancelled_caught:
            self._end(Close.TOO_SLOW)


class _Malformed(Exception):
    """A message that the protocol does not know."""


def _message(text: str | None) -> dict[str, Any]:
    try:
        told = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        raise _Malformed from None
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise _Malformed
    return told


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    """An object that may be left out."""
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _Malformed
    return payload or {}


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID:
        raise _Malformed
    return id_


def _next(id_: str, body: bytes) -> bytes:
    return b'{"id":' + orjson.dumps(id_) + b',"type":"next","payload":' + body + b"}"


ROUTES = [WebSocketRoute("/graphql", endpoint)]
