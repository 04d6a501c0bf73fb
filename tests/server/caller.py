"""Asking the server over HTTP in tests: in process through ASGI, or over a real socket where connections matter."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from domain.hub import Hub
from server.app import make_app

BYTES = "application/offset+octet-stream"


@dataclass
class Caller:
    """Speaks to one application; signs with `token` unless that is empty."""

    app: Starlette
    token: str = ""
    base_url: str = field(default="http://hub.test")

    def __call__(
        self, method: str, address: str, headers: Mapping[str, str | bytes] | None = None, **more: Any
    ) -> httpx.Response:
        signed = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        raw = [(name.encode(), _raw(value)) for name, value in {**signed, **(headers or {})}.items()]
        return asyncio.run(self._ask(method, address, raw, more))

    def as_(self, token: str) -> Caller:
        return Caller(self.app, token, self.base_url)

    def begin(self, length: int, metadata: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        told = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length)}
        if metadata is not None:
            told["Upload-Metadata"] = spelt(metadata)
        return self("POST", "/uploads", {**told, **headers})

    def patch(self, address: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
        told = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": BYTES}
        return self("PATCH", address, {**told, **headers}, content=content)

    def head(self, address: str) -> httpx.Response:
        return self("HEAD", address, {"Tus-Resumable": "1.0.0"})

    async def _ask(
        self, method: str, address: str, headers: list[tuple[bytes, bytes]], more: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
            return await client.request(method, address, headers=headers, **more)


def _raw(value: str | bytes) -> bytes:
    """Header values travel as bytes; a test may send any."""
    return value if isinstance(value, bytes) else value.encode("latin-1")


def spelt(metadata: Mapping[str, str]) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())


def checksum(content: bytes) -> str:
    return "sha256 " + base64.b64encode(hashlib.sha256(content).digest()).decode()


@contextmanager
def listening(hub: Hub) -> Iterator[str]:
    """The application of `hub` on a real socket, in a thread; its base address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(make_app(hub), log_config=None, access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def wait_until(holds: Any, seconds: float = 30) -> None:
    """Returns as soon as it holds; fails when it does not come to hold at all."""
    late = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < late, "waited in vain"
        time.sleep(0.01)
