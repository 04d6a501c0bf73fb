"""One server process with its workers: from an empty folder to an answering address, and cleanly back.

Several servers may share one data dir: SQLite, the blob store and the staging folder are safe between processes, and
jobs are claimed by one worker each. They need different ports.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from domain import founding
from server import foreman, logs
from server.opening import opened
from server.starting import CannotStart, hurried
from storage.settings import Settings

BACKLOG = 2048


def serve(settings: Settings) -> None:
    """Answers until SIGINT or SIGTERM; returns or raises SystemExit(0) when everything has stopped."""
    logs.configure(settings)
    with _stopping_on_signals() as stop, _listening(settings) as listener:
        told = _at_its_port(settings, listener)
        with opened(told) as hub:
            token, fresh = founding.found(hub)
            _announce(told, token if fresh else None)  # before the workers, who have much to tell
            with foreman.running(told.workers):
                with hurried():  # the whole schema: read while the workers start, on other cores
                    from server import answering
                answering.answer(hub, listener, stop)


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
def _stopping_on_signals() -> Iterator[threading.Event]:
    """Before and after uvicorn minds them itself, both signals unwind the stack once, so that everything is closed.

    What is raised is lost where it meets a finaliser. Hence the event: whoever is about to wait looks at it.
    """
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(0)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
