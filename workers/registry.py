"""What a worker is given, and which function does which kind of job.

A module that does jobs has up to five module-level names, and stands in `FEATURES`:

- `HANDLERS: dict[str, Handler]`, by the message's kind;
- `EXHAUSTED: dict[str, Exhausted]`, the domain's consequence when a job of that kind dies for good;
- `CHORES: tuple[Chore, ...]`, messages to be asked for again and again;
- `ROUNDS: tuple[Callable[[Tools], None], ...]`, called by every runner a few times a minute: what each machine does for
  itself.
- `WARM: tuple[Callable, ...]`, called once before the first job: what forked children then need not build themselves.

A handler does its long work outside any transaction and answers a function that writes the result. That function
runs in the transaction which also ends the job, so neither is ever there without the other; a handler may be run
several times for one job, its result is kept once.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from domain.asking import Message
from domain.hub import Hub
from domain.work import HUB, Work
from storage.jobs import Claimed

#: The modules that do jobs.
FEATURES: Final = (
    "workers.bulk",
    "workers.exports",
    "workers.fetching",
    "workers.intake",
    "workers.licensing",
    "workers.likeness",
    "workers.pyramids",
    "workers.renditions",
    "workers.transforms",
    "workers.trash",
    "workers.upkeep",
    "workers.usage",
    "workers.webhooks",
)
#: Seconds that a job in hand is given to end when its process is asked to stop.
DRAIN_SECONDS: Final = 5.0


class JobFailed(Exception):
    """The expected way for a handler to fail: `code` for programs, `sentence` for people, both kept.

    Not `retryable` means that the same input will fail again: the job dies at once.
    """

    def __init__(self, code: str, sentence: str, *, retryable: bool) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.retryable = retryable


class Interrupted(BaseException):
    """The process must stop: the job goes back unspent. Not an `Exception`, so that no handler swallows it."""


@dataclass
class Stop:
    """Whether this process was asked to stop, and how long ago; `parent` gone counts as being asked."""

    parent: int | None = None
    asked_at: float | None = None

    def ask(self) -> None:
        if self.asked_at is None:
            self.asked_at = time.monotonic()

    @property
    def is_asked(self) -> bool:
        if self.parent is not None and os.getppid() != self.parent:
            self.ask()
        return self.asked_at is not None

    @property
    def is_overdue(self) -> bool:
        """True when a job in hand has had its time to end."""
        return self.is_asked and time.monotonic() > (self.asked_at or 0) + DRAIN_SECONDS


def _nothing() -> None: ...


def _no_progress(_done: int, _total: int | None) -> None: ...


@dataclass(frozen=True)
class Tools:
    """What a handler works with; everything the process holds open is in `hub`."""

    hub: Hub
    log: Any
    #: Keeps the lease. Called at least every few seconds of long work, outside any transaction; raises when the
    #: lease is lost or the process must stop, and then the handler lets go.
    tick: Callable[[], None] = _nothing
    #: Tells watchers how far the job is: done, total or None. A transaction each, so once per visible step.
    progress: Callable[[int, int | None], None] = _no_progress
    #: Stands as the request id in the events that the job records.
    cause: str | None = None

    def writing(self) -> AbstractContextManager[Work]:
        """A unit of work of its own, for the hub itself; what it commits stays, whatever becomes of the job."""
        return self.hub.writing(HUB, self.cause)

    def reading(self) -> AbstractContextManager[Work]:
        return self.hub.reading(HUB, self.cause)


Write = Callable[[Work], None]
Handler = Callable[[Tools, Claimed], Write]
#: Work, the job that died, code and sentence of its last failure.
Exhausted = Callable[[Work, Claimed, str, str], None]
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Chore:
    """A message asked for once in every slot of length `every`, counted from 1970, by one worker of all."""

    name: str
    every: timedelta
    message: Message


@dataclass(frozen=True)
class Duties:
    """Everything that workers can do."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    exhausted: dict[str, Exhausted] = field(default_factory=dict)
    chores: tuple[Chore, ...] = ()
    rounds: tuple[Callable[[Tools], None], ...] = ()
    warm: tuple[Callable[[], None], ...] = ()


def collect(modules: Iterable[str] = FEATURES) -> Duties:
    """The duties of these modules together; two modules for one kind, or a chore nobody does, is a ValueError."""
    loaded = [importlib.import_module(name) for name in modules]
    duties = Duties(
        handlers=_merged(getattr(module, "HANDLERS", {}) for module in loaded),
        exhausted=_merged(getattr(module, "EXHAUSTED", {}) for module in loaded),
        chores=tuple(chore for module in loaded for chore in getattr(module, "CHORES", ())),
        rounds=tuple(look for module in loaded for look in getattr(module, "ROUNDS", ())),
        warm=tuple(warm for module in loaded for warm in getattr(module, "WARM", ())),
    )
    asked = {chore.message.kind for chore in duties.chores} | duties.exhausted.keys()
    if undone := asked - duties.handlers.keys():
        raise ValueError(f"Nobody handles {', '.join(sorted(undone))}.")
    return duties


def _merged(parts: Iterable[dict[str, Thing]]) -> dict[str, Thing]:
    merged: dict[str, Thing] = {}
    for part in parts:
        if twice := merged.keys() & part.keys():
            raise ValueError(f"Two worker modules claim {', '.join(sorted(twice))}.")
        merged |= part
    return merged
