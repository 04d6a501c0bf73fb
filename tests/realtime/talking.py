"""A bare client of `graphql-transport-ws`, and servers for it to talk to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from domain import feed
from domain.global_ids import encode
from domain.hub import Hub
from domain.identity import tokens
from domain.work import HUB, Viewer
from server.answering import server_of
from server.app import make_app
from storage import events
from storage.tables import PrincipalRow
from tests.server.caller import wait_until

PROTOCOL = "graphql-transport-ws"
#: Seconds in which whatever is to come has come.
SOON = 60.0
CHANGES = """subscription ($ids: [ID!], $after: String) {
  assetChanged(ids: $ids, after: $after) { cursor change asset { id title } }
}"""


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """The application of `hub` as `serve` runs it, in a thread; its base address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = server_of(make_app(hub))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def token_of(hub: Hub, viewer: Viewer, secret: str, **more: Any) -> str:
    """A new token of theirs."""
    with hub.writing(HUB) as work:
        assert viewer.principal_id is not None
        tokens.add_token(work, work.session.get_one(PrincipalRow, viewer.principal_id), "test", secret, **more)
    return secret


def here(hub: Hub) -> str:
    """The cursor behind everything that has happened."""
    with hub.writing(HUB) as work:
        events.number(work.session, work.secret)
        return feed.cursor(work.secret, events.last(work.session))


def asset_id(number: int) -> str:
    return encode("Asset", number)


@dataclass
class Talk:
    """One socket."""

    socket: ClientConnection

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self, seconds: float = SOON) -> dict[str, Any]:
        """The next message that is no ping."""
        told: dict[str, Any] = json.loads(self.socket.recv(seconds))
        return told

    def begin(self, token: str | None) -> None:
        payload = {"payload": {"Authorization": f"Bearer {token}"}} if token is not None else {}
        self.say(type="connection_init", **payload)
        assert self.hear() == {"type": "connection_ack"}

    def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        self.say(id=id_, type="subscribe", payload={"query": query, "variables": variables})

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer to a query, asked on this socket while nothing else is told."""
        self.subscribe("asked", query, **variables)
        told = self.hear()
        if told["type"] == "next":
            assert self.hear() == {"id": "asked", "type": "complete"}
        return told

    def settle(self) -> None:
        """Returns when everything said before was understood."""
        assert self.ask("{ me { name } }")["type"] == "next"

    def end(self, seconds: float = SOON) -> tuple[int, str]:
        """The code and the reason with which the server closes; what it says before is passed over."""
        with pytest.raises(ConnectionClosed) as closed:
            self._read_on(seconds)
        assert closed.value.rcvd is not None, "the connection was cut"
        return closed.value.rcvd.code, closed.value.rcvd.reason

    def _read_on(self, seconds: float) -> None:
        while True:
            self.socket.recv(seconds)

    def is_silent(self, seconds: float = 1.5) -> bool:
        try:
            self.socket.recv(seconds)
        except TimeoutError:
            return True
        return False


@contextmanager
def talking(address: str, token: str | None = None, *, subprotocols: Any = (PROTOCOL,), **more: Any) -> Iterator[Talk]:
    """With a `token`, signed in already."""
    url = address.replace("http", "ws", 1) + "/graphql"
    with connect(url, subprotocols=subprotocols, compression=None, **more) as opened:
        talk = Talk(opened)
        if token is not None:
            talk.begin(token)
        yield talk
