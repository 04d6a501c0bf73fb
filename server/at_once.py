"""Small pictures made while their request waits, without a job: by the studio, of what was decoded before.

Always true here:
- What was made is written down, as a job would have written it, in one transaction with its delivery, and that asks
  again whether it may leave. Until that has committed nothing leaves; whoever is killed before leaves bytes that
  nothing points at, which the sweep removes.
- What is not made here is left to a job, which also finds out why.
- Of requests for the same picture one has it made, the others wait for that.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from domain import audit, studio, transforms
from domain.audit import Served
from domain.studio import Order, Picture
from domain.transforms import PICTURE, Door, Made, Opened, Wanted
from domain.work import HUB, Work
from server import desk, files, logs
from server.desk import Desk
from server.files import Stream
from server.studio import Studio

#: Headers of a request that ask for something else than all of the picture.
CONDITIONS = frozenset({"range", "if-match", "if-none-match"})


def epoch(at: Desk) -> Hashable:
    """What the present moment is known by; None where telling it costs as much as asking whatever else."""
    epochs = at.hub.database.epochs
    return epochs.now() if at.studio is not None and epochs.are_at_hand else None


async def answer(
    request: Request, door: Door, since: Hashable, question: Callable[[Work], Opened | Wanted]
) -> Response | Stream | None:
    """The answer, where it can be made at once. The `question` is asked again when it is made, unless by then nothing
    at all was committed `since` the epoch before the door was knocked at.
    """
    at = desk.of(request)
    order = _order(door.wanted)
    if at.studio is None or order is None:
        return None
    with _only_one(request, door.wanted) as other:
        if other is not None:
            await other.wait()
            return None
        made = await anyio.to_thread.run_sync(_made, at, at.studio, order, limiter=at.studio.turns)
        if made is None:
            return None
        again = partial(_again, at, door, since, question)
        opened, is_recorded = await at.write(HUB, _writing(request, door.wanted, again, made.outcome))
    if is_recorded:
        return files.whole(request, opened.delivery, made.picture.content)
    return await files.answer(request, opened.delivery)


def _again(
    at: Desk, door: Door, since: Hashable, question: Callable[[Work], Opened | Wanted], work: Work
) -> Opened | Wanted:
    """In a transaction that writes: on SQLite nobody else commits before it ends."""
    if since is not None and epoch(at) == since and door.taken.let_in.valid_until > work.now:
        return transforms.opened(work, door) or door.wanted
    return question(work)


def _writing(
    request: Request, wanted: Wanted, question: Callable[[Work], Opened | Wanted], made: Made
) -> Callable[[Work], tuple[Opened, bool]]:
    """What is found then, and whether its delivery was written down as well."""
    plain = request.method == "GET" and not any(name in request.headers for name in CONDITIONS)
    request_id, address = logs.recorded_id(), desk.of(request).address(request)

    def write(work: Work) -> tuple[Opened, bool]:
        transforms.put(work, wanted, made)
        opened = question(work)
        assert isinstance(opened, Opened), "it was put there just now"
        what = opened.delivery
        # A use is counted in a transaction of its own, and somebody may have been quicker.
        if not plain or what.by.use_id is not None or what.sha256 != made.sha256:
            return opened, False
        audit.served(work, [Served(what, 0, what.byte_size, request_id, address)])
        return opened, True

    return write


@dataclass(frozen=True)
class _Made:
    picture: Picture
    outcome: Made


def _order(wanted: Wanted) -> Order | None:
    """None for what is a job's: pictures are signed where there are content credentials."""
    recipe = wanted.recipe
    if wanted.kind != PICTURE or recipe is None or wanted.is_bitonal or wanted.is_signed:
        return None
    return Order(wanted.source_sha256, recipe) if studio.is_small(recipe) else None


def _made(at: Desk, by: Studio, order: Order) -> _Made | None:
    """On a thread; its bytes are in the store then."""
    picture = by.picture(order)
    if picture is None:
        return None
    kept = at.hub.blobs.put(io.BytesIO(picture.content))
    media_type = order.recipe.format.media_type
    return _Made(picture, Made(kept.sha256, kept.size, media_type, picture.width, picture.height))


@contextmanager
def _only_one(request: Request, wanted: Wanted) -> Iterator[anyio.Event | None]:
    """None for who has it made; for others, what tells them that it was."""
    state = request.app.state
    if not hasattr(state, "in_the_making"):
        state.in_the_making = {}
    making: dict[tuple[str, str], anyio.Event] = state.in_the_making
    key = wanted.source_sha256, wanted.params_digest
    if key in making:
        yield making[key]
        return
    making[key] = mine = anyio.Event()
    try:
        yield None
    finally:
        del making[key]
        mine.set()
