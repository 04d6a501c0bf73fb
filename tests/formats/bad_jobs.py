"""Runs many jobs in sandboxes, four of five of which end badly, and prints what that left behind: a program."""

from __future__ import annotations

import collections
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers import sandbox
from workers.sandbox import SandboxLimits, StoppedError

LIMITS = SandboxLimits(wall_seconds=20, cpu_seconds=5, memory_bytes=64 << 20, files=16)
#: The first jobs touch memory that all later ones share.
WARMING_UP = 200


def main(count: int) -> None:
    codes: collections.Counter[str] = collections.Counter()
    before = seen()
    for number in range(count):
        if number == WARMING_UP:
            before = seen()
        try:
            sandbox.run(_leave, number, limits=LIMITS)
            codes["answered"] += 1
        except StoppedError as stopped:
            codes[stopped.code.value] += 1
    after = seen()
    told = {"codes": codes, "descriptors": [before[0], after[0]], "memory": [before[1], after[1]]}
    print(json.dumps(told | {"children": len(children())}))  # noqa: T201 - what the test reads


def seen() -> tuple[int, int]:
    """Open descriptors and resident bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return len(list(Path("/proc/self/fd").iterdir())), pages * resource.getpagesize()


def children() -> list[str]:
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii").split()


def _leave(number: int) -> Any:
    nothing: dict[str, int] = {}
    ways: tuple[Callable[[], Any], ...] = (
        lambda: {"answer": number},
        lambda: os._exit(3),
        lambda: os.kill(os.getpid(), signal.SIGSEGV),
        lambda: nothing["at all"],
        lambda: bytearray(1 << 40),
    )
    return ways[number % len(ways)]()


if __name__ == "__main__":
    main(int(sys.argv[1]))
