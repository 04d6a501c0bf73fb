"""Receivers of webhooks for tests: real servers on loopback that keep what they were sent and answer as told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Writes an answer, or does anything else with the request.
Act = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    port: int
    scheme: str = "http"
    got: list[Got] = field(default_factory=list)
    #: Taken one after the other; then 204.
    acts: list[Act] = field(default_factory=list)
    #: For every request that no other act is for.
    always: Act | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    def then(self, *acts: Act) -> None:
        self.acts += acts


def answering(status: int, body: bytes = b"", **headers: str) -> Act:
    """Of names underscores become hyphens."""

    def act(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name.replace("_", "-"), value)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)

    return act


@contextmanager
def receiver(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """With a context it speaks TLS."""
    made = Receiver(0, "https" if context else "http")

    class Asked(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            made.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            act = made.acts.pop(0) if made.acts else made.always or answering(204)
            act(self)

        def log_message(self, *_: Any) -> None: ...

    server = _server(host, Asked)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def speaking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on which somebody talks as `talk` does, one connection at a time; not bound to speak HTTP at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    try:
                        talk(peer)
                    except OSError:  # they hung up, as they should
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _server(host: str, asked: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, *_: Any) -> None: ...

    return Quiet((host, 0), asked)
