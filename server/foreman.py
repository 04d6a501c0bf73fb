"""The workers' foreman, or the studio, as a child of the server: started, again when it dies, and stopped with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server import logs

#: Seconds the foreman gets to let its workers finish before all of them are killed.
STOP_SECONDS = 15
#: Seconds between its death and its next start: doubled each time it dies young.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: Seconds after which a life counts as long, and the next pause is the first again.
LONG_LIFE = 60.0
ROOT = Path(__file__).resolve().parents[1]
#: How names begin of what says where programs and libraries are found and how they run, and nothing else.
_HARMLESS = ("PATH", "PYTHON", "LD_", "LANG", "LC_", "TZ", "TMPDIR", "MALLOC_", "OMP_", "OPENBLAS_", "COV")


@contextmanager
def running(processes: int) -> Iterator[None]:
    """Workers exist while the block runs, none afterwards; with 0 processes there are none at all."""
    if processes == 0:
        yield
        return
    foreman = Foreman([sys.executable, "-m", "workers", "--processes", str(processes)])
    foreman.start()
    try:
        yield
    finally:
        foreman.stop()


class Foreman:
    """Keeps one run of `command` alive, in a process group of its own so that a Ctrl+C reaches only the server.

    The log calls it by its `name`; what it is to `hold` are open files. It is `told` our environment, or else of
    that only what is no setting and no secret.
    """

    def __init__(
        self, command: list[str], name: str = "the workers' foreman", hold: tuple[int, ...] = (), *, told: bool = True
    ) -> None:
        self._command, self._name, self._hold, self._told = command, name, hold, told
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep, name="foreman", daemon=True)

    def start(self) -> None:
        self._child = self._started()
        self._watch.start()

    def stop(self) -> None:
        """Asks the child to end, waits, and in the end kills its whole group."""
        with self._guard:
            self._stopping.set()
            child = self._child
        if child is not None:
            _signal(child, signal.SIGTERM)
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                logs.log.error(f"{self._name} did not stop in time and was killed", seconds=STOP_SECONDS)
            _kill_group(child)
            child.wait()
        self._watch.join()

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while (child := self._child) is not None:
            lived = _seconds_of(child)
            if self._stopping.is_set():
                return
            _kill_group(child)  # orphans of a foreman that was killed must not work beside its successor
            pause = FIRST_PAUSE if lived > LONG_LIFE else min(pause * 2, LONGEST_PAUSE)
            logs.log.error(f"{self._name} died and is started again", code=child.returncode, seconds=pause)
            if self._stopping.wait(pause):
                return
            with self._guard:
                if self._stopping.is_set():
                    return
                self._child = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own interpreter and module
            self._command, env=self._environment(), stdin=subprocess.DEVNULL, process_group=0, pass_fds=self._hold
        )

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        if self._told:
            return {**os.environ, "PYTHONPATH": path, "IMPRIMATUR_PARENT_PID": str(os.getpid())}
        harmless = {name: value for name, value in os.environ.items() if name.startswith(_HARMLESS)}
        return {**harmless, "PYTHONPATH": path}


def _seconds_of(child: subprocess.Popen[bytes]) -> float:
    """Waits for its end; how long that took."""
    started = time.monotonic()
    child.wait()
    return time.monotonic() - started


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None:
        child.send_signal(number)


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Whatever of the group is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
