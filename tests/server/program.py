"""The server as a program of its own: started on a free port, asked over HTTP, stopped by signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.server.caller import wait_until

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 40


@dataclass
class Program:
    """A running `python -m server`; what it prints is gathered as it comes."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def address(self) -> str:
        """Where it answers, once it has said so."""
        wait_until(lambda: self._found(r"answers at (\S+) ") or self.process.poll() is not None, 60)
        found = self._found(r"answers at (\S+) ")
        assert found, "".join(self.logged)
        return found

    def token(self) -> str | None:
        """The administrator's token, if it was printed."""
        wait_until(lambda: self._found("(administrator's token)"), 60)
        return self._found(r"token, shown this once .*: (\S+)")

    def children(self) -> list[int]:
        """Processes it started, and those that these started."""
        return descendants(self.process.pid)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def _found(self, pattern: str) -> str | None:
        found = re.search(pattern, "".join(self.printed))
        return found[1] if found else None


@contextmanager
def running(data_dir: Path, limit: str = "", before: tuple[str, ...] = (), /, **settings: str) -> Iterator[Program]:
    """`limit` is Python run in the process before the server starts, `before` a command that it is run by."""
    start = f"{limit}\nimport runpy, sys; sys.argv[0] = 'server'; runpy.run_module('server', run_name='__main__')"
    with subprocess.Popen(
        [*before, sys.executable, "-c", start],
        cwd=ROOT,
        env=environment(data_dir, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        program = Program(process)
        readers = [_gather(process.stdout, program.printed), _gather(process.stderr, program.logged)]
        try:
            yield program
        finally:
            started = program.children()
            if process.poll() is None:
                process.kill()
            process.wait()
            for pid in started:
                _kill(pid)
            for reader in readers:
                reader.join()


def run(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command of the server's, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT,
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    ours = {"DATA_DIR": str(data_dir), "PORT": "0", "WORKERS": "0", **settings}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("IMPRIMATUR_")}
    return {**outside, **{f"IMPRIMATUR_{name}": value for name, value in ours.items()}}


def is_alive(pid: int) -> bool:
    """Whether it runs; one that ended but was not collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        direct = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return direct + [each for child in direct for each in descendants(child)]


def signed(program: Program, token: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token or program.token()}", "Tus-Resumable": "1.0.0"}
    return httpx.Client(base_url=program.address(), headers=headers, timeout=60)


def _gather(stream: object, into: list[str]) -> threading.Thread:
    def read() -> None:
        into.extend(iter(stream.readline, ""))  # type: ignore[attr-defined]  # a pipe in text mode

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return reader


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
