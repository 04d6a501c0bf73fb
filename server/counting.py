"""Counts in memory that pass: `limits`' own storage, swept by whoever counts instead of by a thread started each time.

A thread per request was most of what counting cost.
"""

from __future__ import annotations

import time

from limits.storage import MemoryStorage

#: Counts between two sweeps; a sweep looks at every key that is kept.
SWEEP_EVERY = 1000


class Counts(MemoryStorage):
    """For fixed and sliding windows; a class because `limits` takes what extends its own."""

    STORAGE_SCHEME: list[str] = []  # noqa: RUF012  # as the library declares it; empty: not to be had by a URL

    def __init__(self) -> None:
        super().__init__()
        self._until_sweep = SWEEP_EVERY

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        self._sweep_sometimes(now)
        with self.locks[key]:
            if self.expirations.get(key, 0) <= now:
                self.storage[key] = 0
                self.expirations[key] = now + expiry
            self.storage[key] += amount
            return self.storage[key]

    def decr(self, key: str, amount: int = 1) -> int:
        with self.locks[key]:
            self.storage[key] = max(self.storage[key] - amount, 0)
            return self.storage[key]

    def _sweep_sometimes(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep > 0:
            return
        self._until_sweep = SWEEP_EVERY
        for key in [key for key, until in self.expirations.items() if until <= now]:
            self.clear(key)
