"""Things by key, of which those asked for longest ago are forgotten first."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """At most so many things by key; the one asked for longest ago goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._things)

    def all_keys(self) -> list[Any]:
        with self._lock:
            return list(self._things)

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            found = self._things.get(key)
            if found is not None:
                self._things.move_to_end(key)
            return found

    def put(self, key: Hashable, thing: Value) -> Value:
        with self._lock:
            self._things[key] = thing
            self._things.move_to_end(key)
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return thing

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._things.pop(key, None)


_shelves = itertools.count()


class Shelf(Generic[Value]):
    """A part of what is kept together: under keys of its own, within the bound of all."""

    def __init__(self, whole: Recent[Any]) -> None:
        self._whole = whole
        self._number = next(_shelves)

    def __len__(self) -> int:
        return sum(number == self._number for number, _ in self._whole.all_keys())

    def get(self, key: Hashable) -> Value | None:
        return self._whole.get((self._number, key))

    def put(self, key: Hashable, thing: Value) -> Value:
        self._whole.put((self._number, key), thing)
        return thing
