"""Whether this server is alive, whether it can do its work, and what it has counted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.hub import Hub
from domain.work import HUB, Work
from server import desk, logs, meters
from server.desk import Desk
from storage import events, jobs

#: Seconds that one part may take to answer before it counts as not ready.
PATIENCE = 3
#: The digest of no bytes at all: asking for it touches a blob store without needing anything to be in it.
_NO_BYTES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


async def live(_request: Request) -> Response:
    return _json({"live": True})


async def ready(request: Request) -> Response:
    """200 when database, blob store and search index all answer, else 503; says which does not, never why."""
    at = desk.of(request)
    found: dict[str, bool] = {}
    async with anyio.create_task_group() as group:
        for name, check in CHECKS.items():
            group.start_soon(_check, at, name, check, found)
    told = {name: "ready" if found[name] else "not ready" for name in CHECKS}
    return _json({"ready": all(found.values()), **told}, 200 if all(found.values()) else 503)


async def metrics(request: Request) -> Response:
    at = desk.of(request)
    for state, count in (await at.read(HUB, _waiting)).items():
        at.meters.jobs.labels(state.lower()).set(count)
    return Response(at.meters.text(), headers={"Cache-Control": "no-store"}, media_type=meters.MEDIA_TYPE)


def _waiting(work: Work) -> dict[str, int]:
    return jobs.waiting(work.session)


def _ask_database(hub: Hub) -> None:
    with hub.database.reading() as session:
        events.last(session)


def _ask_blobs(hub: Hub) -> None:
    hub.blobs.stat(_NO_BYTES)


def _ask_index(hub: Hub) -> None:
    hub.index.checkpoint()


CHECKS: dict[str, Callable[[Hub], None]] = {"database": _ask_database, "blobs": _ask_blobs, "index": _ask_index}


async def _check(at: Desk, name: str, check: Callable[[Hub], None], found: dict[str, bool]) -> None:
    """Left behind when it takes too long: whatever hangs must not hang this answer too, nor take a second thread."""
    found[name] = False
    look = at.looks.get(name)
    if look is None or look.done():
        look = at.looks[name] = _begun(check, at.hub)
    try:
        with anyio.move_on_after(PATIENCE):
            await asyncio.wrap_future(look)
            found[name] = True
    except Exception as error:  # noqa: BLE001  # any failure means the same here: not ready
        logs.log.warning("not ready", part=name, exc_info=error)


def _begun(check: Callable[[Hub], None], hub: Hub) -> Future[None]:
    """On a thread of its own that a stopping server does not wait for."""
    look: Future[None] = Future()
    look.set_running_or_notify_cancel()  # from here on nobody who gives up waiting can cancel it for the others

    def run() -> None:
        try:
            check(hub)
        except BaseException as error:  # noqa: BLE001  # whoever waits raises it
            look.set_exception(error)
        else:
            look.set_result(None)

    threading.Thread(target=run, name="health", daemon=True).start()
    return look


def _json(told: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(told), status, {"Cache-Control": "no-store"}, "application/json")


ROUTES = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
