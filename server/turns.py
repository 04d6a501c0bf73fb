"""What the event loop does itself, a little each time round, so that nothing else it has to do waits for long.

Always true here:
- In one round it does at most `MOST_SECONDS` of this, and what was begun by then.
- First come, first served.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: Seconds of a round after which the rest waits for the next.
MOST_SECONDS: Final = 0.005


@dataclass
class Turns:
    """Belongs to one event loop."""

    _spent: float = 0.0
    _disturbers: int = 0
    _is_next_round_due: bool = False
    _waiting: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = field(default_factory=deque)

    @property
    def are_free(self) -> bool:
        """Whether no thread is at work that would take the interpreter from the event loop, row by row, as it reads."""
        return not self._disturbers

    @contextmanager
    def disturbed(self, *, by: bool) -> Iterator[None]:
        """While a thread is at work, where that is one which would."""
        self._disturbers += by
        try:
            yield
        finally:
            self._disturbers -= by

    async def do(self, what: Callable[[], T]) -> T:
        """What comes of it, in this round or one of the next."""
        if not self._waiting and self._spent < MOST_SECONDS:
            return self._timed(what)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future))
        return await future

    def _timed(self, what: Callable[[], T]) -> T:
        begun = time.perf_counter()
        try:
            return what()
        finally:
            self._spent += time.perf_counter() - begun
            if not self._is_next_round_due:
                self._is_next_round_due = True
                asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        self._spent, self._is_next_round_due = 0.0, False
        while self._waiting and self._spent < MOST_SECONDS:
            what, future = self._waiting.popleft()
            if future.done():  # whoever waited has gone
                continue
            try:
                future.set_result(self._timed(what))
            except Exception as error:  # noqa: BLE001  # whatever it is, it is theirs who asked
                future.set_exception(error)
