"""Running what a page of documentation shows, and comparing what comes out with what the page says.

A page's ```console blocks hold commands behind `$ ` (going on behind `> `) and below each what it prints. `…` stands
for anything within a line, and alone in a line for any lines. All commands run in one bash, in order, so that what
one sets the next one knows. A block below `<!-- keeps running -->` is a terminal of its own: its command goes on once
it has printed what the page says, until a block below `<!-- Ctrl+C first -->` ends it.
"""

from __future__ import annotations

import os
import re
import secrets
import select
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

KEEPS_RUNNING = "<!-- keeps running -->"
STOPS_FIRST = "<!-- Ctrl+C first -->"
_FENCE = "```"
_PIECE = 65536


@dataclass
class Step:
    """A command, the line of the page where it stands, and what the page says that it prints."""

    line: int
    command: str
    #: The remark above its block, if that is one of ours.
    remark: str = ""
    expected: list[str] = field(default_factory=list)


class Mismatch(AssertionError):
    """`str()` shows the command, what the page says and what came."""


def steps(page: str) -> list[Step]:
    """Every command of the page's console blocks, in order."""
    found: list[Step] = []
    inside, remark = False, ""
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith(_FENCE):
            inside = line == f"{_FENCE}console"
        elif inside:
            _take(found, number, line, remark)
        elif line:
            remark = line if line in {KEEPS_RUNNING, STOPS_FIRST} else ""
    return found


def matches(expected: list[str], printed: str) -> bool:
    """Whether this was printed; ends of lines as HTTP writes them count like any."""
    return re.fullmatch("".join(map(_pattern, expected)), printed.replace("\r\n", "\n")) is not None


class Shell:
    """One bash, and the terminals of what keeps running; `seconds` is what each command may take."""

    def __init__(self, folder: Path, environment: Mapping[str, str], seconds: float) -> None:
        self._folder, self._environment, self._seconds = folder, environment, seconds
        self._bash = self._started(["bash", "--noprofile", "--norc"])
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, step: Step) -> None:
        """Runs the command; `Mismatch` when it prints something else than the page says, or takes too long."""
        if step.remark == STOPS_FIRST:
            self.interrupt()
        if step.remark == KEEPS_RUNNING:
            process = self._started(["bash", "-c", f"exec {step.command}"])
            self._running.append(process)
            self._heard(step, process, lambda printed: matches(step.expected, printed))
            # Somebody has to go on reading, or it would wait for ever once the pipe is full.
            threading.Thread(target=_drain, args=(process,), daemon=True).start()
            return
        mark = f"-- {secrets.token_hex(8)} --"
        assert self._bash.stdin is not None
        # `$?` in a command is the status of the one before it.
        line = f"(exit ${{last:-0}}); eval {shlex.quote(step.command)} </dev/null; last=$?; printf %s '{mark}'\n"
        self._bash.stdin.write(line.encode())
        self._bash.stdin.flush()
        printed = self._heard(step, self._bash, lambda printed: printed.endswith(mark)).removesuffix(mark)
        if not matches(step.expected, printed):
            raise _mismatch(step, printed)

    def interrupt(self) -> None:
        """Ctrl+C for what keeps running; `AssertionError` if that does not end it in time."""
        while self._running:
            process = self._running.pop()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(self._seconds)
            except subprocess.TimeoutExpired:
                _kill(process)
                raise AssertionError("Ctrl+C did not end what kept running.") from None
            assert process.stdin is not None
            process.stdin.close()

    def close(self) -> None:
        """Ends everything."""
        _kill(self._bash)
        for pipe in (self._bash.stdin, self._bash.stdout):
            assert pipe is not None
            pipe.close()
        self.interrupt()

    def _heard(self, step: Step, process: subprocess.Popen[bytes], is_over: Callable[[str], bool]) -> str:
        """What the process prints until it is over; `Mismatch` if that does not come in time."""
        assert process.stdout is not None
        printed, deadline = b"", time.monotonic() + self._seconds
        while not is_over(text := printed.decode(errors="replace")):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(process.stdout.fileno(), _PIECE) if ready else b""
            if not piece:
                raise _mismatch(step, text)
            printed += piece
        return text

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """It and everything that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _drain(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout as output:
        while output.read(_PIECE):
            pass


def _take(found: list[Step], number: int, line: str, remark: str) -> None:
    if line.startswith("$ "):
        found.append(Step(number, line[2:], remark))
    elif line.startswith(">") and not found[-1].expected:
        found[-1].command += "\n" + line[2:]
    else:
        found[-1].expected.append(line)


def _pattern(line: str) -> str:
    if line == "…":
        return r"(?:.*\n)*?"
    return ".*?".join(map(re.escape, line.split("…"))) + r"\n"


def _mismatch(step: Step, printed: str) -> Mismatch:
    said = "\n".join(step.expected)
    return Mismatch(
        f"Line {step.line} of the page: {step.command}\n--- the page says\n{said}\n--- what came\n{printed}"
    )
