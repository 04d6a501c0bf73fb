"""Leaky buckets: what was spent under a key drains away evenly, and no more may be spent than what is left.

Memory is bounded: an empty bucket is forgotten, and whoever comes when too many are kept shares the crowd's.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schema.cost import Allowance

#: Spendings between two sweeps; a sweep looks at every bucket that is kept.
SWEEP_EVERY = 1000


class Spent(Exception):
    """Too much was spent; after `seconds` the same may be asked again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too much was spent: wait {seconds} s.")
        self.seconds = seconds


@dataclass
class _Bucket:
    level: float
    at: float


class Buckets:
    """`size` may be spent at once under each key, and drains away within `seconds`."""

    def __init__(self, size: int, seconds: float, most: int) -> None:
        self._size, self._rate, self._most = size, size / seconds, most
        self._buckets: dict[str, _Bucket] = {}
        self._until_sweep = SWEEP_EVERY
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def spend(self, key: str, cost: int) -> Allowance:
        """What is left after it; raises `Spent`, and takes nothing, where there is not so much left."""
        now = time.monotonic()
        with self._lock:
            self._sweep_sometimes(now)
            bucket = self._of(key, now)
            level = self._drained(bucket, now)
            if level + cost > self._size:
                raise Spent(max(1, math.ceil((level + cost - self._size) / self._rate)))
            bucket.level, bucket.at = level + cost, now
        return Allowance(
            limit=self._size,
            remaining=math.floor(self._size - bucket.level),
            reset_at=datetime.now(UTC) + timedelta(seconds=bucket.level / self._rate),
        )

    def _of(self, key: str, now: float) -> _Bucket:
        if key not in self._buckets and len(self._buckets) >= self._most:
            key = "crowd"
        return self._buckets.setdefault(key, _Bucket(0, now))

    def _drained(self, bucket: _Bucket, now: float) -> float:
        return max(0.0, bucket.level - (now - bucket.at) * self._rate)

    def _sweep_sometimes(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep > 0:
            return
        self._until_sweep = SWEEP_EVERY
        for key in [key for key, bucket in self._buckets.items() if not self._drained(bucket, now)]:
            del self._buckets[key]
