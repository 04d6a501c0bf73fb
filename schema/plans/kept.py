"""What was answered before, kept within a bound: the bytes of one value, by everything that they depend on."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from storage.database import Database

#: Bytes of values kept per database and process; the keys weigh about as much again.
MOST_BYTES: Final = 64 * 1024 * 1024
#: What a key and its place in the order weigh, about.
OVERHEAD: Final = 400


def _shrunk(value: bytes) -> bytes:
    """A copy of its own size: orjson leaves some four kilobytes of room behind what it wrote."""
    return bytes(memoryview(value))


class Kept:
    """Values by key, those looked at longest ago forgotten first. Any number of threads may use it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._values: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def find(self, keys: Mapping[int, Hashable]) -> dict[int, bytes]:
        """Of these keys those that are kept."""
        found = {}
        with self._lock:
            for number, key in keys.items():
                value = self._values.get(key)
                if value is not None:
                    self._values.move_to_end(key)
                    found[number] = value
        return found

    def keep(self, pairs: Iterable[tuple[Hashable, bytes]]) -> None:
        with self._lock:
            for key, value in pairs:
                if key not in self._values:
                    self._values[key] = _shrunk(value)
                    self._size += len(value) + OVERHEAD
            while self._size > self._most and self._values:
                self._size -= len(self._values.popitem(last=False)[1]) + OVERHEAD

    def __len__(self) -> int:
        return len(self._values)


class Answers:
    """Whole answers, each with the epoch in which it was right and the moment at which it ends by itself."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._answers: OrderedDict[Hashable, tuple[Hashable, datetime | None, bytes]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def find(self, key: Hashable, epoch: Hashable, now: datetime) -> bytes | None:
        with self._lock:
            found = self._answers.get(key)
            if found is None or found[0] != epoch or (found[1] is not None and found[1] <= now):
                return None
            self._answers.move_to_end(key)
            return found[2]

    def has(self, key: Hashable) -> bool:
        """Whether there is one, be it right still or not."""
        return key in self._answers

    def keep(self, key: Hashable, epoch: Hashable, until: datetime | None, answer: bytes) -> None:
        with self._lock:
            old = self._answers.pop(key, None)
            self._size += len(answer) + OVERHEAD - (0 if old is None else len(old[2]) + OVERHEAD)
            self._answers[key] = epoch, until, _shrunk(answer)
            while self._size > self._most and self._answers:
                self._size -= len(self._answers.popitem(last=False)[1][2]) + OVERHEAD


class Memory:
    """What is remembered of one database: values, and whole answers."""

    def __init__(self) -> None:
        self.values = Kept()
        self.answers = Answers()


_by_engine: weakref.WeakKeyDictionary[Any, Memory] = weakref.WeakKeyDictionary()


def of(database: Database) -> Memory:
    """What is remembered of this database."""
    found = _by_engine.get(database.engine)
    if found is None:
        found = _by_engine.setdefault(database.engine, Memory())
    return found
