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
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.recipes import FailureCode
from workers.sandbox import confinement

#: A caller's `tick` is called about this often while a job runs, and never a second late.
TICK_SECONDS = 0.5

_VALUE, _ERROR, _MEMORY = b"V", b"E", b"M"
_HEADER = struct.Struct("<cQ")
_CHUNK = 65536
_DETAIL_LETTERS = 4000


@dataclass(frozen=True)
class SandboxLimits:
    """`memory_bytes` come on top of what the forking process holds; the others are absolute."""

    wall_seconds: float = 120
    cpu_seconds: int = 120
    memory_bytes: int = 3 * 1024**3
    file_bytes: int = 1024**3
    files: int = 64
    answer_bytes: int = 4 * 1024**2


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
) -> Any:
    """What `job(*arguments)` returned, which must be JSON; `StoppedError` when there is no answer.

    `tick` is called in this process at least once a second meanwhile; when it raises, the job is killed and
    the exception goes on.
    """
    limits = limits or SandboxLimits()
    reading, writing = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _live(parent, writing, limits, job, arguments)
    os.close(writing)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    try:
        answer = _listen(child, reading, limits, tick)
        return _meaning(answer) if answer else _cause_of_death(child)
    finally:
        _bury(child)
        os.close(reading)


def _live(
    parent: int, writing: int, limits: SandboxLimits, job: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """The whole life of the child; never returns."""
    try:
        os.setpgid(0, 0)
        confinement.die_with(parent)
        confinement.forget_the_parent(keep=writing)
        confinement.limit(
            memory=limits.memory_bytes,
            cpu_seconds=limits.cpu_seconds,
            file_bytes=limits.file_bytes,
            files=limits.files,
        )
        confinement.renounce()
        kind, said = _done(job, arguments)
        _say(writing, kind, said)
    finally:
        # Nothing of the parent's may run at this exit: no finaliser, no buffered output, no atexit.
        os._exit(0)


def _done(job: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bytes, bytes]:
    try:
        return _VALUE, json.dumps(job(*arguments), ensure_ascii=False).encode("utf-8", "replace")
    except MemoryError:
        return _MEMORY, b""
    except BaseException:  # noqa: BLE001 - whatever a job raises is told to the parent
        return _ERROR, traceback.format_exc()[-_DETAIL_LETTERS:].encode("utf-8", "replace")


def _say(writing: int, kind: bytes, said: bytes) -> None:
    left = memoryview(_HEADER.pack(kind, len(said)) + said)
    while left:
        left = left[os.write(writing, left) :]


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
    if len(heard) > limits.answer_bytes + _HEADER.size:
        raise StoppedError(FailureCode.CRASHED, "The work gave a longer answer than it may.")
    return len(heard) >= _HEADER.size and len(heard) >= _HEADER.size + _HEADER.unpack_from(heard)[1]


def _meaning(answer: bytes) -> Any:
    kind, length = _HEADER.unpack_from(answer)
    said = answer[_HEADER.size : _HEADER.size + length]
    if kind == _MEMORY:
        raise StoppedError(FailureCode.OUT_OF_MEMORY, "The work needed more memory than it may have.")
    if kind != _VALUE:
        raise StoppedError(FailureCode.CRASHED, "The work broke off with an error.", said.decode("utf-8", "replace"))
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise StoppedError(FailureCode.CRASHED, "The work gave an answer that cannot be read.") from None


def _cause_of_death(child: int) -> None:
    """Raises what the end of a silent child means; it stays unburied."""
    end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    number = end.si_status if end is not None and end.si_code != os.CLD_EXITED else 0
    if number == signal.SIGXCPU:
        raise StoppedError(FailureCode.TIMEOUT, "The work needed more computing time than it may have.")
    if number == signal.SIGKILL:
        # Not by us, so by the kernel; our own limit on memory answers with an error instead.
        raise StoppedError(FailureCode.OUT_OF_MEMORY, "The machine had no memory left for the work.")
    raise StoppedError(FailureCode.CRASHED, "The work crashed.", f"signal {number}" if number else "")


def _bury(child: int) -> None:
    """Its number cannot be given to another process before it is waited for, so the group is killed first."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
