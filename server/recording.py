"""Writing down what leaves, before it leaves.

Always true here:
- When `record` returns, the event has committed; when it raises, nothing may be sent.
- Deliveries that come while a transaction is under way wait for it and share the next one, so that many clients cost
  few commits. None waits for more than the batch under way and its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
from starlette.requests import Request

from domain import audit, delivery
from domain.audit import Served
from domain.refusals import Refusal
from domain.work import HUB
from server import desk, logs
from server.desk import Desk
from server.problems import HttpRefusal
from storage import database

#: Deliveries in one transaction.
LARGEST_BATCH = 200
#: Deliveries that may wait; further ones are refused until some are written.
MOST_WAITING = 2_000


@dataclass(eq=False)
class _Waiting:
    served: Served
    is_written: bool = False
    failure: Exception | None = None


@dataclass
class Recorder:
    """Belongs to one event loop. `write` adds the events in transactions that have committed when it returns, and
    answers those that were refused; it runs on a thread.
    """

    at: Desk
    write: Callable[[Sequence[Served]], Sequence[tuple[Served, Exception]]]
    _waiting: list[_Waiting] = field(default_factory=list)
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def record(self, served: Served) -> None:
        """Returns when it is written down; refuses with 503 where that cannot be done, and with 451 where it is a use
        that the caps of its licences leave no room for.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise _unrecorded("1")
        mine = _Waiting(served)
        self._waiting.append(mine)
        try:
            async with self._turn:  # in the order of coming: whoever finds it not written yet takes all that wait
                if not mine.is_written and mine.failure is None:
                    await self._write_batch()
        finally:
            if mine in self._waiting:  # the server is being stopped
                self._waiting.remove(mine)
        if isinstance(mine.failure, Refusal):
            raise delivery.unlicensed() from mine.failure
        if mine.failure is not None:
            raise _unrecorded("5") from mine.failure

    async def _write_batch(self) -> None:
        batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        with anyio.CancelScope(shield=True):  # the others wait for it, whoever began it
            try:
                refused = await self.at.with_rows(lambda: self.write([each.served for each in batch]))
            except Exception as error:  # noqa: BLE001  # whatever it is: nothing leaves that was not written down
                logs.log.error("deliveries could not be recorded and were refused", count=len(batch), exc_info=error)
                for each in batch:
                    each.failure = error
            else:
                for each in batch:
                    each.failure = next((why for served, why in refused if served is each.served), None)
                    each.is_written = each.failure is None


def recorder(at: Desk) -> Recorder:
    """Writes to the hub on the desk."""

    def write(batch: Sequence[Served]) -> list[tuple[Served, Exception]]:
        with at.hub.writing(HUB) as work:
            fresh = audit.served(work, batch)
        told = [(each, first(each)) for each in fresh]
        return [(each, why) for each, why in told if why is not None]

    def first(each: Served) -> Exception | None:
        """In a transaction of its own: a use that is refused takes nothing else with it."""
        try:
            with at.hub.writing(HUB) as work:
                audit.first_served(work, each)
        except (Refusal, database.Contended) as why:
            return why
        return None

    return Recorder(at, write)


def of(request: Request) -> Recorder:
    """The application's own; made when first asked for, on the loop that answers."""
    state = request.app.state
    if not hasattr(state, "recorder"):
        state.recorder = recorder(desk.of(request))
    found = state.recorder
    assert isinstance(found, Recorder)
    return found


def _unrecorded(seconds: str) -> HttpRefusal:
    sentence = "This delivery cannot be recorded at this moment, so nothing is sent: try again."
    return HttpRefusal(503, "UNRECORDED", sentence, {"Retry-After": seconds})
