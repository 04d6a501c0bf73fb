"""Runs many jobs in sandboxes, four of five of which end badly, and prints what that left behind: a program.

They are forked from a nursery, as workers do, or, where its second argument is `here`, from the program itself.
"""

from __future__ import annotations

import collections
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers import sandbox
from workers.imaging import inside
from workers.sandbox import SandboxLimits, StoppedError
from workers.sandbox.cradles import Nursery

LIMITS = SandboxLimits(wall_seconds=20, cpu_seconds=5, memory_bytes=64 << 20, files=16)
#: The first jobs touch memory that all later ones share.
WARMING_UP = 200


def main(count: int, *, from_nursery: bool) -> None:
    codes: collections.Counter[str] = collections.Counter()
    named = __spec__.name  # a nursery knows the job by this, and not as a program's
    job = importlib.import_module(named).leave
    cradle = Nursery((*inside.MODULES, named)) if from_nursery else None
    forking = sandbox.run(os.getppid, cradle=cradle)
    assert (forking == os.getpid()) is not from_nursery
    before = seen(), seen(forking)
    for number in range(count):
        if number == WARMING_UP:
            before = seen(), seen(forking)
        try:
            sandbox.run(job, number, limits=LIMITS, cradle=cradle)
            codes["answered"] += 1
        except StoppedError as stopped:
            codes[stopped.code.value] += 1
    after = seen(), seen(forking)
    told = {"codes": codes, "before": before, "after": after, "children": len(children(forking))}
    told["is_the_same"] = sandbox.run(os.getppid, cradle=cradle) == forking
    print(json.dumps(told))  # noqa: T201 - what the test reads
    if cradle is not None:
        cradle.close()


def seen(pid: int | None = None) -> tuple[int, int]:
    """Open descriptors and resident bytes of a process, or of this one."""
    place = Path("/proc") / str(pid or "self")
    pages = int((place / "statm").read_text(encoding="ascii").split()[1])
    return len(list((place / "fd").iterdir())), pages * resource.getpagesize()


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def leave(number: int) -> Any:
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
    main(int(sys.argv[1]), from_nursery=sys.argv[2:] != ["here"])
