"""The studio of this server: a small process beside it that makes small pictures at once, of what was decoded before.

Always true here:
- Where it is not there, is busy, does not answer in time, or cannot make what is wanted, the answer is None, and a job
  makes it as ever.
- It ends with the server, and is started again when it dies.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from domain import studio
from domain.studio import Order, Picture
from server.foreman import Foreman
from storage.settings import Settings

_PIECE = 65536
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Studio:
    """`turns`: as many are asked of it at once as there are workers."""

    line: socket.socket
    turns: anyio.CapacityLimiter

    def picture(self, order: Order) -> Picture | None:
        """Waits for it, on the caller's thread."""
        told = studio.told(order)
        if told is None:
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
            return studio.understood(_heard(reading), order.recipe)
        finally:
            os.close(reading)


@contextmanager
def running(settings: Settings) -> Iterator[Studio | None]:
    """There is one while the block runs, where this server has workers at all."""
    if settings.workers == 0:
        yield None
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        told = (theirs.fileno(), os.getpid(), settings.reductions_dir, settings.render_memory_mb * _MEBIBYTE)
        foreman = Foreman([sys.executable, "-m", "workers.studio", *map(str, told)], "the studio", (theirs.fileno(),))
        foreman.start()
        try:
            yield Studio(ours, anyio.CapacityLimiter(settings.workers))
        finally:
            foreman.stop()


def _heard(reading: int) -> bytes:
    """All that is said until the other end is closed; nothing where that takes too long, or it is too much."""
    os.set_blocking(reading, False)
    deadline = time.monotonic() + studio.SECONDS
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    heard = bytearray()
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        piece = os.read(reading, _PIECE)
        if not piece:
            return bytes(heard)
        heard += piece
        if len(heard) > studio.MOST_BYTES + _PIECE:
            break
    return b""
