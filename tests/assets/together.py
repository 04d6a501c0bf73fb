"""Several askers at the very same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def together(acts: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """The answers of all acts, each in a thread of its own that waits at one barrier for all others."""
    barrier = threading.Barrier(len(acts))

    def begin(act: Callable[[], Answer]) -> Answer:
        barrier.wait(timeout=30)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(begin, acts))
