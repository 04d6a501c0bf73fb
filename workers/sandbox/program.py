"""Another program run over a stranger's file, within limits: for work that no library of ours can do.

What always holds: it ends within its wall clock and its memory, and its whole process group with it; it has no network
where the kernel lets us take it away; it is given a home of its own and none of our environment but where programs are
found. It does see the file system: only programs that are told to read nothing else belong here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from domain.recipes import FailureCode
from workers.sandbox import TICK_SECONDS, SandboxLimits, StoppedError, confinement

_KEPT = ("PATH", "LD_LIBRARY_PATH", "TZ")


def run(
    arguments: Sequence[str | Path],
    home: Path,
    *,
    limits: SandboxLimits,
    libraries: Path | None = None,
    tick: Callable[[], None] | None = None,
) -> int:
    """The program's exit code, negative where a signal ended it; `StoppedError` when its time was over.

    `libraries` is a folder where the program's own are found. `tick` is called at least once a second; when it raises,
    the program is killed and the exception goes on.
    """
    parent = os.getpid()

    def confine() -> None:
        confinement.die_with(parent)
        confinement.limit(
            memory=limits.memory_bytes,
            cpu_seconds=limits.cpu_seconds,
            file_bytes=limits.file_bytes,
            files=limits.files,
        )
        confinement.leave_the_network()

    started = subprocess.Popen(  # noqa: S603 - the program is named by us, never by a file
        [str(argument) for argument in arguments],
        cwd=home,
        env=_environment(home, libraries),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=confine,  # noqa: PLW1509 - workers have one thread
    )
    try:
        return _awaited(started, limits, tick)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _environment(home: Path, libraries: Path | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if libraries is not None:
        kept["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, (str(libraries), kept.get("LD_LIBRARY_PATH"))))
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8"}


def _awaited(started: subprocess.Popen[bytes], limits: SandboxLimits, tick: Callable[[], None] | None) -> int:
    deadline = time.monotonic() + limits.wall_seconds
    while True:
        try:
            return started.wait(min(TICK_SECONDS, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if tick is not None:
                tick()
        if time.monotonic() >= deadline:
            raise StoppedError(FailureCode.TIMEOUT, f"The work took longer than {limits.wall_seconds:g} seconds.")
