"""What answers once a hub is open: the application, run by uvicorn until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading

import anyio
import uvicorn
from starlette.applications import Starlette

from domain.hub import Hub
from server import hooks, sockets, studio
from server.app import make_app
from server.audience import Audience

#: Seconds that requests under way get to finish once the server is asked to stop.
GRACE_SECONDS = 10
#: Seconds in which those who listen are told that the server is being stopped.
FAREWELL_SECONDS = 3.0


def answer(hub: Hub, listener: socket.socket, stop: threading.Event) -> None:
    """Requests at this socket, and webhooks of what happens meanwhile, until the process is told to stop, or was."""
    with studio.running(hub.settings) as made_at_once, hooks.following(hub):
        server = server_of(make_app(hub, made_at_once))
        _settle()
        if not stop.is_set():
            server.run(sockets=[listener])


def server_of(app: Starlette) -> uvicorn.Server:
    """What answers for the application, over HTTP and WebSocket, when it is run."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws=sockets.Protocol,
        ws_max_size=sockets.LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # a few bytes of it may mean a great many
        proxy_headers=False,  # `server.addresses` reads them, and only from proxies that the operator trusts
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, app.state.desk.audience)


def _settle() -> None:
    """What is here by now stays: garbage collection, which stops every thread, need not look at it again and again."""
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    """uvicorn's, that before it stops lets everybody go who listens: by itself it would wait for the end of their
    streams. A class because uvicorn offers no other way to be told.
    """

    def __init__(self, config: uvicorn.Config, audience: Audience) -> None:
        super().__init__(config)
        self._audience = audience

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._audience.send_home()
        with anyio.move_on_after(FAREWELL_SECONDS):
            await self._audience.gone()
        await super().shutdown(sockets)
        # Who was cancelled still writes down what they hold: the loop's end would cancel them again, amid it.
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=FAREWELL_SECONDS)
