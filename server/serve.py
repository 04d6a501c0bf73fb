"""One server process with its workers: from an empty folder to an answering address, and cleanly back.

Several servers may share one data dir: SQLite, the blob store and the staging folder are safe between processes, and
jobs are claimed by one worker each. They need different ports.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import anyio
import uvicorn
from starlette.applications import Starlette

from domain import founding
from domain.hub import Hub, open_hub
from server import foreman, hooks, logs, sockets
from server.app import make_app
from server.audience import Audience
from storage import blobs, migrate
from storage.settings import Settings

#: Seconds that requests under way get to finish once the server is asked to stop.
GRACE_SECONDS = 10
#: Seconds in which those who listen are told that the server is being stopped.
FAREWELL_SECONDS = 3.0
BACKLOG = 2048
#: What PEP 249 calls a database that cannot be reached; the class itself belongs to the driver.
_UNREACHABLE = "OperationalError"


class CannotStart(Exception):
    """`str()` is the sentence to print."""


def serve(settings: Settings) -> None:
    """Answers until SIGINT or SIGTERM; returns or raises SystemExit(0) when everything has stopped."""
    logs.configure(settings)
    with _stopping_on_signals(), _listening(settings) as listener:
        told = _at_its_port(settings, listener)
        with opened(told) as hub:
            token, fresh = founding.found(hub)
            with foreman.running(told.workers), hooks.following(hub):
                _announce(told, token if fresh else None)
                server = server_of(make_app(hub))
                _settle()
                server.run(sockets=[listener])


def _settle() -> None:
    """What is here by now stays: garbage collection, which stops every thread, need not look at it again and again."""
    gc.collect()
    gc.freeze()


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


@contextmanager
def opened(settings: Settings, *, upgrade: bool | None = None) -> Iterator[Hub]:
    """The hub of these settings, closed in the end; `CannotStart` says in a sentence why there is none."""
    try:
        hub = open_hub(settings, upgrade=upgrade)
    except (migrate.Behind, blobs.BlobError, ValueError) as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(f"The data dir cannot be used: {error.strerror or error} ({settings.data_dir}).") from error
    except Exception as error:
        if type(error).__name__ != _UNREACHABLE:
            raise
        raise CannotStart(f"The database cannot be reached: {_first_line(error)}") from error
    try:
        yield hub
    finally:
        hub.close()


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """A socket that queues connections already, so that whoever read the address may connect at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
            listener.listen(BACKLOG)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise CannotStart(
                f"Cannot listen at {where}: {error.strerror}. Choose another with IMPRIMATUR_PORT or IMPRIMATUR_HOST.",
            ) from None
        yield listener


def _at_its_port(settings: Settings, listener: socket.socket) -> Settings:
    """With the port that the system chose, where it was asked to, also in the address that clients see."""
    port: int = listener.getsockname()[1]
    if port == settings.port:
        return settings
    address = settings.public_url.removesuffix(":0")
    told = settings.public_url if address == settings.public_url else f"{address}:{port}"
    return settings.model_copy(update={"port": port, "public_url": told})


def _announce(settings: Settings, fresh_token: str | None) -> None:
    lines = [f"Imprimatur answers at {settings.public_url} (GraphiQL: {settings.public_url}/graphql)."]
    kept = settings.data_dir / "admin-token"
    if fresh_token is not None:
        lines.append(f"The administrator's token, shown this once and kept in {kept}: {fresh_token}")
    elif not settings.admin_token:
        lines.append(f"The administrator's token is kept in {kept}.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    """Before and after uvicorn minds them itself, both signals unwind the stack once, so that everything is closed."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(0)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().partition("\n")[0]


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
