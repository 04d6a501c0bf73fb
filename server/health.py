"""Whether this server is alive, whether it can do its work, and what it has counted."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.hub import Hub
from domain.work import HUB, Work
from server import desk, logs, meters
from storage import events, jobs

#: Seconds that one part may take to answer before it counts as not ready.
PATIENCE = 3
#: The digest of no bytes at all: asking for it touches a blob store without needing anything to be in it.
_NO_BYTES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


async def live(_request: Request) -> Response:
    return _json({"live": True})


async def ready(request: Request) -> Response:
    """200 when database, blob store and search index all answer, else 503; says which does not, never why."""
    hub = desk.of(request).hub
    found: dict[str, bool] = {}
    async with anyio.create_task_group() as group:
        for name, check in CHECKS.items():
            group.start_soon(_check, hub, name, check, found)
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


async def _check(hub: Hub, name: str, check: Callable[[Hub], None], found: dict[str, bool]) -> None:
    """On a thread that is left behind when it takes too long: whatever hangs must not hang this answer too."""
    found[name] = False
    try:
        with anyio.move_on_after(PATIENCE):
            await anyio.to_thread.run_sync(check, hub, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
            found[name] = True
    except Exception as error:  # noqa: BLE001  # any failure means the same here: not ready
        logs.log.warning("not ready", part=name, exc_info=error)


def _json(told: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(told), status, {"Cache-Control": "no-store"}, "application/json")


ROUTES = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
