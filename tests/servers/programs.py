"""How a server's programs are run for tests: as nobody in particular, on a free port, in a folder of their own.

Nothing outlives its ``with``, nor the process that started it, even if that is killed.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

Server = TypeVar("Server")

#: Debian's user and group "nobody": servers refuse to be root, or should.
NOBODY = 65534
#: Seconds that a server may take to begin or to end on a busy machine.
PATIENCE = 60


class ServerMissing(Exception):
    """The programs of a server are not on this machine; the sentence says how to install them."""


class ServerFailed(Exception):
    """The programs are here but did not come up; the end of their log is in the text."""


def free_port() -> int:
    """A port of loopback that was free a moment ago; whoever uses it must be ready to try another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def workplace(name: str) -> Iterator[Path]:
    """A temporary folder that belongs to whoever the programs run as."""
    folder = Path(tempfile.mkdtemp(prefix=f"imprimatur-{name}-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str | Path], folder: Path, *, seconds: float = PATIENCE) -> str:
    """Run a program to its end in this folder; what it printed. `ServerFailed` if it fails."""
    try:
        done = subprocess.run(
            _modestly(command),
            cwd=folder,
            env=_environment(folder),
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerFailed(f"{command[0]} did not end within {seconds} seconds.") from error
    if done.returncode:
        raise ServerFailed(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, *, stop: signal.Signals = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that goes on until the end of the block; its output goes to ``<folder>/<program>.out``."""
    with (folder / f"{Path(command[0]).name}.out").open("ab") as output:
        process = subprocess.Popen(
            _modestly(command),
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        _end(process, stop)


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], output: Path, *, seconds: float = PATIENCE
) -> None:
    """Wait for a server to be ready; `ServerFailed` with the end of its output if it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = output.read_text(errors="replace")[-2000:] if output.exists() else ""
            raise ServerFailed(f"{output.stem} did not come up:\n{said}")
        time.sleep(0.05)


@contextmanager
def persistently(start: Callable[[], AbstractContextManager[Server]], attempts: int = 3) -> Iterator[Server]:
    """What starts, however many attempts it takes: another may have taken the port that was free."""
    with ExitStack() as stack:
        for left in reversed(range(attempts)):
            try:
                server = stack.enter_context(start())
                break
            except ServerFailed:
                if not left:
                    raise
        yield server


def by_hand(start: Callable[[], AbstractContextManager[Server]], announce: Callable[[Server], str]) -> None:
    """Start a server, print one line about it, and stop it at Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt), start() as server:
        sys.stdout.write(announce(server) + "\n")
        sys.stdout.flush()
        signal.pause()


def _modestly(command: Sequence[str | Path]) -> list[str]:
    """The command as a user without rights, who is killed if we are."""
    words = [str(word) for word in command]
    if shutil.which("setpriv") is None:
        return words
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", "--pdeathsig", "KILL", *user, *words]


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours: a virtual environment or PG… variables would lead the programs astray."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": str(folder)}


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    process.send_signal(stop)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
