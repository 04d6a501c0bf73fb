"""What a start is about, known without anything that is started: why there is none, and how to be quick about it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


class CannotStart(Exception):
    """`str()` is the sentence to print."""


@contextmanager
def hurried() -> Iterator[None]:
    """Nothing looks for garbage while the block imports: finding none among classes takes a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
