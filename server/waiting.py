"""Answers that have to be made first: they are asked of the workers, and the request waits for them a while.

Always true here:
- Whoever waits holds no thread and no connection, and not too many wait at once: others are told to come again, as is
  whoever has waited long enough. What was asked for is made all the same.
- What was made is asked for again as if it had always been there: nothing is delivered to whom it was taken from
  meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
from starlette.requests import Request

from domain import transforms
from domain.transforms import Wanted
from domain.work import HUB, Work
from server import desk
from server.desk import Desk
from server.problems import HttpRefusal

T = TypeVar("T")

#: Seconds that a request waits for something to be made.
PATIENCE = 25.0
#: Requests that wait at once, for each server process.
MOST_WAITING = 64
#: Seconds between two looks: the first, the longest, and the longest where looking costs next to nothing.
FIRST_LOOK, LONGEST_LOOK, LONGEST_AT_HAND = 0.01, 0.25, 0.02
#: Things that one answer is made from, one of the other: a pyramid, then a part of it.
MOST_STEPS = 3


async def made(request: Request, question: Callable[[Work], T | Wanted], wanted: Wanted | None = None) -> T:
    """What the question finds, once whatever it wants was made; `wanted` is what it was found to want just now. Refuses
    with 503 where that takes too long.
    """
    at = desk.of(request)
    with anyio.move_on_after(PATIENCE):
        for _ in range(MOST_STEPS):
            found: T | Wanted = await at.read(HUB, question) if wanted is None else wanted
            if not isinstance(found, Wanted):
                return found
            wanted = None
            with _one_of_many(request):
                await _wait(at, found)
    raise _later("NOT_MADE_YET", "This is being made: ask again in a moment.")


async def ask(at: Desk, wanted: Wanted) -> int:
    """Asks for it without waiting; the id of its row."""
    return await at.write(HUB, lambda work: transforms.ask(work, wanted))


async def _wait(at: Desk, wanted: Wanted) -> None:
    transform_id = await ask(at, wanted)
    pause = FIRST_LOOK
    epochs = at.hub.database.epochs
    longest = LONGEST_AT_HAND if epochs.are_at_hand else LONGEST_LOOK
    seen: Hashable = None
    while True:
        now = epochs.now() if epochs.are_at_hand else None
        if now is None or now != seen:  # else nothing at all was committed
            seen = now
            if await at.with_rows(lambda: transforms.is_over(at.hub, transform_id)):
                return
        await anyio.sleep(pause)
        pause = min(pause * 1.5, longest)


@contextmanager
def _one_of_many(request: Request) -> Iterator[None]:
    state = request.app.state
    waiting = getattr(state, "waiting", 0)
    if waiting >= MOST_WAITING:
        raise _later("BUSY", "Too many wait for what is to be made: ask again in a moment.")
    state.waiting = waiting + 1
    try:
        yield
    finally:
        state.waiting -= 1


def _later(code: str, sentence: str) -> HttpRefusal:
    return HttpRefusal(503, code, sentence, {"Retry-After": "2"})
