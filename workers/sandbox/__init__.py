"""A process of its own for every job that reads a stranger's bytes.

What always holds: the job ends within its wall clock, its memory and its CPU seconds, and leaves no process
behind, whatever the bytes do to it; the caller's own process is never touched; what comes back is plain JSON,
since a captured child must not speak pickle to its parent. Files the job wrote are the caller's to remove:
give each job a directory of its own.

Fork from a process with a single thread. A lock that another thread held at the fork stays locked in the
child, and such a job ends as TIMEOUT.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from domain.recipes import FailureCode
from workers.sandbox.cradles import Cradle, End, Gone, Here
from workers.sandbox.life import HEADER, MEMORY, VALUE, SandboxLimits

#: A caller's `tick` is called about this often while a job runs, and never a second late.
TICK_SECONDS = 0.5

__all__ = ["TICK_SECONDS", "SandboxLimits", "StoppedError", "run"]

_CHUNK = 65536


class StoppedError(Exception):
    """The job gave no answer; `sentence` is for a person, `detail`, perhaps a traceback, for the log."""

    def __init__(self, code: FailureCode, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.detail = detail


def run(
    job: Callable[..., Any],
    *arguments: Any,
    limits: SandboxLimits | None = None,
    tick: Callable[[], None] | None = None,
    cradle: Cradle | None = None,
) -> Any:
    """What `job(*arguments)` returned, which must be JSON; `StoppedError` when there is no answer.

    Forked from this process, or from `cradle` if that can take the job.

    `tick` is called in this process at least once a second meanwhile; when it raises, the job is killed and
    the exception goes on.
    """
    limits = limits or SandboxLimits()
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        cradle, child = _born(job, arguments, limits, writing, cradle)
    finally:
        os.close(writing)
    try:
        answer = _listen(child, reading, limits, tick)
    finally:
        end = cradle.bury(child)
        os.close(reading)
    return _meaning(answer) if answer else _cause_of_death(end)


def _born(
    job: Callable[..., Any],
    arguments: tuple[Any, ...],
    limits: SandboxLimits,
    writing: int,
    cradle: Cradle | None,
) -> tuple[Cradle, int]:
    """The child, and where it was forked after all."""
    here = Here()
    chosen = cradle or here
    try:
        child = chosen.bear(job, arguments, limits, writing)
    except Gone:
        chosen, child = here, here.bear(job, arguments, limits, writing)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    return chosen, child


def _listen(child: int, reading: int, limits: SandboxLimits, tick: Callable[[], None] | None) -> bytes:
    """The complete answer, or nothing when the child died without one."""
    deadline = time.monotonic() + limits.wall_seconds
    rhythm = _rhythm(tick)
    heard = bytearray()
    ears = _Ears(child, reading)
    try:
        while True:
            ended = ears.wait(min(TICK_SECONDS / 2, deadline - time.monotonic()))
            heard += ears.heard()
            rhythm()
            if _is_whole(heard, limits):
                return bytes(heard)
            if ended:
                return b""
            if time.monotonic() >= deadline:
                raise StoppedError(FailureCode.TIMEOUT, f"The work took longer than {limits.wall_seconds:g} seconds.")
    finally:
        ears.close()


def _rhythm(tick: Callable[[], None] | None) -> Callable[[], None]:
    """`tick`, held back where it is asked for more often than it is owed."""
    last = time.monotonic() - TICK_SECONDS

    def when_due() -> None:
        nonlocal last
        if tick is not None and time.monotonic() - last >= TICK_SECONDS:
            tick()
            last = time.monotonic()

    return when_due


class _Ears:
    """Listens to the pipe and to the child's life: a grandchild that kept the pipe open must not hold us."""

    def __init__(self, child: int, reading: int) -> None:
        os.set_blocking(reading, False)
        self.reading = reading
        self.life = os.pidfd_open(child)
        self.poll = select.poll()
        self.poll.register(reading, select.POLLIN)
        self.poll.register(self.life, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Whether the child's life has ended."""
        ready = self.poll.poll(max(0.0, seconds) * 1000)
        return any(number == self.life for number, _ in ready)

    def heard(self) -> bytes:
        pieces = []
        with contextlib.suppress(BlockingIOError, KeyError):
            while piece := os.read(self.reading, _CHUNK):
                pieces.append(piece)
            # A closed pipe is reported for ever: from now on only the child's end is news.
            self.poll.unregister(self.reading)
        return b"".join(pieces)

    def close(self) -> None:
        os.close(self.life)


def _is_whole(heard: bytearray, limits: SandboxLimits) -> bool:
    if len(heard) > limits.answer_bytes + HEADER.size:
        raise StoppedError(FailureCode.CRASHED, "The work gave a longer answer than it may.")
    return len(heard) >= HEADER.size and len(heard) >= HEADER.size + HEADER.unpack_from(heard)[1]


def _meaning(answer: bytes) -> Any:
    kind, length = HEADER.unpack_from(answer)
    said = answer[HEADER.size : HEADER.size + length]
    if kind == MEMORY:
        raise StoppedError(FailureCode.OUT_OF_MEMORY, "The work needed more memory than it may have.")
    if kind != VALUE:
        raise StoppedError(FailureCode.CRASHED, "The work broke off with an error.", said.decode("utf-8", "replace"))
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise StoppedError(FailureCode.CRASHED, "The work gave an answer that cannot be read.") from None


def _cause_of_death(end: End) -> None:
    """Raises what the end of a silent child means."""
    code, status = end
    number = status if code != os.CLD_EXITED else 0
    if number == signal.SIGXCPU:
        raise StoppedError(FailureCode.TIMEOUT, "The work needed more computing time than it may have.")
    if number == signal.SIGKILL:
        # Not by us, so by the kernel; our own limit on memory answers with an error instead.
        raise StoppedError(FailureCode.OUT_OF_MEMORY, "The machine had no memory left for the work.")
    raise StoppedError(FailureCode.CRASHED, "The work crashed.", f"signal {number}" if number else "")
