"""The life of a process that does one dangerous job: it gives up what it can, does it, says what came of it, ends."""

from __future__ import annotations

import json
import os
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from workers.sandbox import confinement

#: What it says: a kind and a length, then as many bytes.
HEADER: Final = struct.Struct("<cQ")
VALUE, ERROR, MEMORY = b"V", b"E", b"M"
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


#: Limits, a function, and what it is called with.
Job = tuple[SandboxLimits, Callable[..., Any], tuple[Any, ...]]


def live(parent: int, writing: int, job: Callable[[], Job]) -> None:
    """All of it, in a process that was just forked by `parent`; never returns. `job` is asked for before anything is
    given up.
    """
    try:
        os.setpgid(0, 0)
        confinement.die_with(parent)
        limits, function, arguments = job()
        confinement.forget_the_parent(keep=writing)
        confinement.limit(
            memory=limits.memory_bytes,
            cpu_seconds=limits.cpu_seconds,
            file_bytes=limits.file_bytes,
            files=limits.files,
        )
        confinement.renounce()
        _say(writing, *_done(function, arguments))
    finally:
        # Nothing of the parent's may run at this exit: no finaliser, no buffered output, no atexit.
        os._exit(0)


def _done(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bytes, bytes]:
    try:
        return VALUE, json.dumps(function(*arguments), ensure_ascii=False).encode("utf-8", "replace")
    except MemoryError:
        return MEMORY, b""
    except BaseException:  # noqa: BLE001 - whatever a job raises is told to the parent
        return ERROR, traceback.format_exc()[-_DETAIL_LETTERS:].encode("utf-8", "replace")


def _say(writing: int, kind: bytes, said: bytes) -> None:
    left = memoryview(HEADER.pack(kind, len(said)) + said)
    while left:
        left = left[os.write(writing, left) :]
