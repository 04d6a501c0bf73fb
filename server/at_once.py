"""Small pictures made while their request waits, without a job: by the studio, of what was decoded before.

Always true here:
- What was made is written down, as a job would have written it, in one transaction with its delivery, and that asks
  again whether it may leave, unless nothing at all was committed since and hardly any time has passed: also time alone
  takes things away. Until that has committed nothing leaves; whoever is killed before leaves bytes that nothing points
  at, which the sweep removes.
- What is not made or not kept here is left to a job, which also finds out why.
- Of requests for the same picture one has it made, the others wait for that.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import Response

from domain import audit, studio, transforms
from domain.audit import Served
from domain.refusals import Conflict
from domain.studio import Order, Picture
from domain.transforms import PICTURE, Door, Made, Opened, Wanted
from domain.work import HUB, Work
from server import desk, files, logs
from server.desk import Desk
from server.files import Stream
from server.studio import Studio

#: Headers of a request that ask for something else than all of the picture.
CONDITIONS = frozenset({"range", "if-match", "if-none-match"})
#: For so long what was asked still holds if nothing was committed: no longer than other bytes take to leave.
BRIEFLY: Final = timedelta(milliseconds=250)


@dataclass(frozen=True)
class Moment:
    """Before a question was asked; `epoch` is None where it is not at hand."""

    epoch: Hashable
    time: datetime

    def still_holds(self, at: Desk) -> bool:
        """To be asked by whoever keeps all others from committing."""
        is_brief = timedelta(0) <= at.hub.clock() - self.time <= BRIEFLY
        return is_brief and self.epoch is not None and at.hub.database.epochs.now() == self.epoch


def moment(at: Desk) -> Moment:
    epochs = at.hub.database.epochs
    return Moment(epochs.now() if at.studio is not None and epochs.are_at_hand else None, at.hub.clock())


async def answer(
    request: Request, door: Door, question: Callable[[Work], Opened | Wanted], since: Moment
) -> Response | Stream | None:
    """The answer, where it can be made at once; then the `question`, which led to the door, is asked again, unless what
    it found `since` then still holds.
    """
    at = desk.of(request)
    order = _order(door)
    if at.studio is None or order is None:
        return None
    with _only_one(request, door.wanted) as other:
        if other is not None:
            await other.wait()
            return None
        made = await at.studio.in_turn(partial(_made, at, at.studio, order))
        if made is None:
            return None
        written = await at.write(HUB, _writing(request, door, question, since, made.outcome))
        if written is None:
            return None
    opened, is_recorded = written
    if is_recorded:
        return files.whole(request, opened.delivery, made.picture.content)
    return await files.answer(request, opened.delivery)


def _writing(
    request: Request, door: Door, question: Callable[[Work], Opened | Wanted], since: Moment, made: Made
) -> Callable[[Work], tuple[Opened, bool] | None]:
    """What is found then, and whether its delivery was written down as well; None where the same bytes are just being
    let go, and nothing was written down.
    """
    plain = request.method == "GET" and not any(name in request.headers for name in CONDITIONS)
    at = desk.of(request)
    request_id, address = logs.recorded_id(), at.address(request)

    def write(work: Work) -> tuple[Opened, bool] | None:
        try:
            fresh = transforms.put(work, door.wanted, made)
        except Conflict:
            return None
        if fresh is not None and since.still_holds(at):
            opened: Opened | Wanted = transforms.just_made(door, made, fresh)
        else:
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


def _order(door: Door) -> Order | None:
    """None for what is a job's: pictures are signed where there are content credentials."""
    wanted, recipe = door.wanted, door.wanted.recipe
    if door.taken.version.media_type != studio.MEDIA_TYPE:
        return None
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
