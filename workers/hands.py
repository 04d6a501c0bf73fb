"""A hand of the studio: a confined process that makes one small picture after another.

Always true here:
- Plain pixels do nothing to whoever reads them, so one hand makes pictures of many files. A colour profile is read by a
  library, and a stranger wrote it: a hand looks at none but the one that its studio allows with an order, which is the
  same for all its life. Of a file with another it says which, and makes nothing.
- It holds nothing but the line that its orders come by, and the pipe of the one it is at. It writes no file, and opens
  none but what is laid by where the kernel can prevent it.
- What it cannot make of what was laid by it says. At any other error it ends, and it ends with its studio.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NoReturn

from domain import studio
from domain.studio import Order, Picture
from workers.imaging import encoding, geometry, pictures, reductions
from workers.imaging.pictures import Master
from workers.imaging.reductions import Shelf
from workers.sandbox import confinement

#: Bytes of what a profile goes by, before each order and where a hand says that a file has one; these are none's.
NAMED: Final = 32
NONE: Final = bytes(NAMED)
#: CPU seconds of its life: more than its orders may take together.
_CPU_SECONDS: Final = 60


class Other(Exception):
    """The file has a profile that is not allowed; by what it goes."""

    def __init__(self, name: bytes) -> None:
        super().__init__()
        self.name = name


def live(parent: int, line: socket.socket, inherited: Iterable[int], null: int, folder: Path) -> NoReturn:
    """The whole life of a process that `parent` has just forked; what else it was given is closed."""
    try:
        confinement.die_with(parent)
        for number in inherited:
            os.dup2(null, number, inheritable=False)
        confinement.limit_time(_CPU_SECONDS)
        confinement.renounce()
        confinement.only_look(folder)
        _work(line, folder)
    finally:
        # Whatever was not said is a job's; nothing of the parent's may run at this exit.
        os._exit(0)


def made(order: Order, folder: Path, allowed: bytes) -> Picture:
    """Of what lies in the folder; an `OSError` or a `ValueError` where it cannot be made of that, `Other` where that
    has a profile, and not the one that is allowed.
    """
    shelf = Shelf(folder / order.sha256, folder)
    found = reductions.find(shelf, [order.recipe])
    if found is None:
        raise FileNotFoundError(order.sha256)
    width, height = geometry.framing(order.recipe, found.width, found.height).size
    if width * height > studio.MOST_PIXELS:
        raise ValueError(order.recipe)
    if found.profile is not None and (name := hashlib.sha256(found.profile).digest()) != allowed:
        raise Other(name)
    source = Master(found.picture, found.width, found.height, found.profile, found.orientation)
    recipe = pictures.sought(source, order.recipe)
    finished = pictures.finished(source, recipe)
    return Picture(*finished.size, encoding.encoded(finished, recipe))


def _work(line: socket.socket, folder: Path) -> None:
    """Until nobody speaks to it any more."""
    while True:
        told, handles, _flags, _address = socket.recv_fds(line, NAMED + studio.LONGEST, 1)
        if not told:
            return
        try:
            _say(handles[0], _answer(told, folder))
        except Other as other:
            line.send(other.name)
        os.close(handles[0])


def _answer(told: bytes, folder: Path) -> bytes:
    try:
        return studio.answer(made(studio.heard(told[NAMED:]), folder, told[:NAMED]))
    except (OSError, ValueError):
        return studio.NOTHING


def _say(pipe: int, said: bytes) -> None:
    left = memoryview(said)
    with contextlib.suppress(BrokenPipeError):  # nobody wants it any more
        while left:
            left = left[os.write(pipe, left) :]
