"""`python -m workers.studio`: small pictures of what was decoded before, made while a request waits for them.

One process beside a server, which tells it what is wanted over a line of its own and hears the picture through a pipe.
A confined process is forked for each (`workers.sandbox`), which looks into laid-by reductions only, never into a
stranger's file. Little is imported here, so that forking is cheap.

Always true here:
- It knows no database and writes nothing down: whoever asked does, or leaves it to a job.
- A child ends within its seconds, its CPU and its memory, and with this process; this one ends with its server.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain import studio
from domain.studio import Order, Picture
from workers.imaging import colour, encoding, geometry, pictures, reductions
from workers.imaging.pictures import Master
from workers.imaging.reductions import FACTORS, Shelf
from workers.sandbox import confinement, cradles

#: Children at once; further orders are answered by nothing, and are a job's.
MOST_CHILDREN: Final = 16
_CPU_SECONDS: Final = 5
_FILES: Final = 16


@dataclass
class _Child:
    pid: int
    life: int
    deadline: float


@dataclass
class Studio:
    """Tends the line until nobody speaks to it any more."""

    line: socket.socket
    folder: Path
    #: An open /dev/null.
    null: int
    _children: dict[int, _Child] = field(default_factory=dict)

    def run(self) -> None:
        poll = select.poll()
        poll.register(self.line, select.POLLIN)
        while True:
            for number, _ in poll.poll(self._pause()):
                if number != self.line.fileno():
                    poll.unregister(number)
                    self._bury(self._children.pop(number))
                    continue
                told, handles, _flags, _address = socket.recv_fds(self.line, studio.LONGEST, 1)
                if not told:
                    return
                if (life := self._begun(told, handles[0])) is not None:
                    poll.register(life, select.POLLIN)
            for number, child in list(self._children.items()):
                if child.deadline <= time.monotonic():
                    poll.unregister(number)
                    self._bury(self._children.pop(number))

    def _pause(self) -> int | None:
        """Milliseconds until a child has to be ended; None for ever."""
        if not self._children:
            return None
        first = min(child.deadline for child in self._children.values())
        return max(0, round((first - time.monotonic()) * 1000) + 1)

    def _begun(self, told: bytes, writing: int) -> int | None:
        """What tells of a new child's end; none is forked where nothing was laid by."""
        try:
            order = studio.heard(told)
            if len(self._children) >= MOST_CHILDREN or not self._is_laid_by(order):
                return None
            here = os.getpid()
            child = os.fork()
            if child == 0:
                self._live(here, order, writing)
        finally:
            os.close(writing)
        life = os.pidfd_open(child)
        self._children[life] = _Child(child, life, time.monotonic() + studio.SECONDS)
        return life

    def _is_laid_by(self, order: Order) -> bool:
        """That it was of use is told to whoever sweeps."""
        found = False
        for factor in FACTORS:
            try:
                os.utime(self.folder / f"{order.sha256}-{factor}")
            except FileNotFoundError:
                continue
            found = True
        return found

    @staticmethod
    def _bury(child: _Child) -> None:
        cradles.buried(child.pid)
        os.close(child.life)

    def _live(self, parent: int, order: Order, writing: int) -> None:
        """The whole life of a child; never returns."""
        try:
            confinement.die_with(parent)
            for inherited in (self.line.fileno(), *self._children, sys.stderr.fileno()):
                os.dup2(self.null, inherited, inheritable=False)
            confinement.limit_time(_CPU_SECONDS)
            confinement.renounce()
            left = memoryview(studio.answer(made(order, self.folder)))
            while left:
                left = left[os.write(writing, left) :]
        finally:
            # Whatever was not said is a job's; nothing of the parent's may run at this exit.
            os._exit(0)


def made(order: Order, folder: Path) -> Picture:
    """Of what lies in the folder; an error of any kind where it cannot be made of that."""
    shelf = Shelf(folder / order.sha256, folder)
    found = reductions.find(shelf, [order.recipe])
    if found is None:
        raise FileNotFoundError(order.sha256)
    width, height = geometry.framing(order.recipe, found.width, found.height).size
    if width * height > studio.MOST_PIXELS:
        raise ValueError(order.recipe)
    source = Master(found.picture, found.width, found.height, found.profile, found.orientation)
    recipe = pictures.sought(source, order.recipe)
    finished = pictures.finished(source, recipe)
    return Picture(*finished.size, encoding.encoded(finished, recipe))


def main(arguments: list[str]) -> None:
    """Given the number of the line, its server's process, the folder of reductions and the bytes of memory."""
    number, server, folder, memory = arguments
    confinement.die_with(int(server))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server says when to stop
    colour.warm()
    encoding.warm()
    confinement.prepare()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, sys.stdout.fileno())
    # Once for all children: none of this changes by being forked, and opening files for it costs each a millisecond.
    confinement.limit_all_but_time(memory=int(memory), file_bytes=studio.MOST_BYTES, files=_FILES + 2 * MOST_CHILDREN)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(number)) as line:
        Studio(line, Path(folder), null).run()


if __name__ == "__main__":
    main(sys.argv[1:])
