"""Whether whoever runs now must keep nobody waiting: then what takes long is not begun, but left to others.

Always true here:
- It holds for the block in which it was said, on the thread that runs it, and nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_hurried: Final[ContextVar[bool]] = ContextVar("hurried", default=False)
_count: Final = threading.local()


class NotAtHand(Exception):
    """It is not to be had at once: somebody with more time has to ask for it."""


class TooLong(NotAtHand):
    """It was begun, and broken off."""


@contextmanager
def hurried() -> Iterator[None]:
    """Whatever in it says that it takes time raises `NotAtHand`."""
    before = _hurried.set(True)
    try:
        yield
    finally:
        _hurried.reset(before)


def takes_time() -> None:
    """To be said by whatever takes milliseconds however little is asked of it, before it begins."""
    if _hurried.get():
        raise NotAtHand
    _count.taken = taken() + 1


def taken() -> int:
    """How often this thread took its time so far."""
    return getattr(_count, "taken", 0)
