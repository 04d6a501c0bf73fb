"""The studio of this server: a small process beside it that makes small pictures at once, of what was decoded before.

Always true here:
- Where it is not there, is busy, does not answer in time, or cannot make what is wanted, the answer is None, and a job
  makes it as ever.
- Of a studio that is silent nothing more is wanted until it answers, or for `PAUSE` seconds; and few wait for a turn.
- It ends with the server, and is started again when it dies.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from domain import studio
from domain.studio import Order, Picture
from server.foreman import Foreman
from storage.settings import Settings

T = TypeVar("T")

#: Requests that wait for a turn, for each that has one.
MOST_WAITING: Final = 8
#: Seconds for which a studio that was silent is left alone.
PAUSE: Final = 30.0
#: Seconds after those of an order: by then a studio that is well has ended whatever took too long.
_GRACE: Final = 0.5
_PIECE: Final = 65536
_MEBIBYTE: Final = 1 << 20


class _Silence:
    """Lasts while an order is unanswered: its pipe is kept, and says so when somebody comes to that order after all."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._pipe: int | None = None
        self._until = 0.0

    def lasts(self) -> bool:
        with self._guard:
            if self._pipe is not None and (time.monotonic() >= self._until or _says_something(self._pipe)):
                self._end()
            return self._pipe is not None

    def begin(self, pipe: int) -> None:
        with self._guard:
            self._end()
            self._pipe, self._until = os.dup(pipe), time.monotonic() + PAUSE

    def end(self) -> None:
        with self._guard:
            self._end()

    def _end(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
        self._pipe = None


@dataclass
class Studio:
    """`turns`: as many are asked of it at once as there are workers."""

    line: socket.socket
    turns: anyio.CapacityLimiter
    silence: _Silence = field(default_factory=_Silence, init=False)
    #: Requests that have a turn or wait for one.
    _here: int = field(default=0, init=False)

    async def in_turn(self, do: Callable[[], T]) -> T | None:
        """What `do` finds, on a thread; None where it would wait too long for its turn, or the studio is silent."""
        if self._here >= (1 + MOST_WAITING) * self.turns.total_tokens or self.silence.lasts():
            return None
        self._here += 1
        try:
            with anyio.move_on_after(studio.SECONDS):  # whoever has the turn is not interrupted
                return await anyio.to_thread.run_sync(do, limiter=self.turns)
        finally:
            self._here -= 1
        return None

    def picture(self, order: Order) -> Picture | None:
        """Waits for it, on the caller's thread."""
        told = studio.told(order)
        if told is None or self.silence.lasts():
            return None
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            try:
                handle = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [writing]))
                self.line.sendmsg([told], [handle], socket.MSG_DONTWAIT)
            except OSError:  # it is not there, or has too much to do
                return None
            finally:
                os.close(writing)
            return self._understood(reading, order)
        finally:
            os.close(reading)

    def _understood(self, reading: int, order: Order) -> Picture | None:
        heard = _heard(reading)
        if heard is None:
            self.silence.begin(reading)
            return None
        self.silence.end()
        return studio.understood(heard, order.recipe)


@contextmanager
def running(settings: Settings) -> Iterator[Studio | None]:
    """There is one while the block runs, where this server has workers at all. Where it has none, nobody may be there
    who sweeps what was laid by before: all of that goes.
    """
    if settings.workers == 0:
        shutil.rmtree(settings.reductions_dir, ignore_errors=True)
        yield None
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        told = (theirs.fileno(), os.getpid(), settings.reductions_dir, settings.render_memory_mb * _MEBIBYTE)
        command = [sys.executable, "-m", "workers.studio", *map(str, told)]
        foreman = Foreman(command, "the studio", (theirs.fileno(),), told=False)
        foreman.start()
        beside = Studio(ours, anyio.CapacityLimiter(settings.workers))
        try:
            yield beside
        finally:
            foreman.stop()
            beside.silence.end()


def _heard(reading: int) -> bytes | None:
    """All that is said until it is whole or the other end is closed; None where that takes too long."""
    os.set_blocking(reading, False)
    deadline = time.monotonic() + studio.SECONDS + _GRACE
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    heard = bytearray()
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        piece = os.read(reading, _PIECE)
        if not piece:
            return bytes(heard)
        heard += piece
        if studio.is_whole(heard):
            return bytes(heard)
    return None


def _says_something(reading: int) -> bool:
    """Whether anything came through the pipe, or its other end is closed."""
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    return bool(poll.poll(0))
