"""What a start takes: processor time of commands, and seconds until a server answers and its workers are there.

    uv run python -m bench.starts [--rounds 3]

Each is a program of its own, on an embedded hub that is there already. A server counts as answering once its health
check does, and its workers as there once their foreman has forked them; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from tests.server import program

COMMANDS = (
    ("--help",),
    ("settings", "--json"),
    ("import", "--help"),
    ("token", "list"),
    ("migrate",),
    ("check",),
    ("sdl",),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    rounds = range(options.parse_args().rounds)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        assert program.run(data, "migrate").returncode == 0
        print("| | s |\n|--|--|")
        for command in COMMANDS:
            spent = statistics.median(_processor(data, *command) for _ in rounds)
            print(f"| `{' '.join(command)}`, processor time | {spent:.2f} |")
        starts = [_served(data) for _ in rounds]
        for number, name in enumerate(("it answers", "its workers are there")):
            print(f"| `serve`, until {name} | {statistics.median(start[number] for start in starts):.2f} |")


def _processor(data: Path, *command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done: subprocess.CompletedProcess[str] = program.run(data, *command)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _served(data: Path) -> tuple[float, float]:
    begun = time.perf_counter()
    with program.running(data, WORKERS="1") as served:
        assert httpx.get(f"{served.address()}/health/live", timeout=60).status_code == 200
        answered = time.perf_counter() - begun
        while not _forked(served):
            time.sleep(0.01)
        there = time.perf_counter() - begun
        served.stop()
    return answered, there


def _forked(served: program.Program) -> bool:
    """Whether more processes look after jobs than the foreman: those that it forked bear its name."""
    commands = (Path(f"/proc/{pid}/cmdline") for pid in served.children())
    return sum(b"--processes" in each.read_bytes() for each in commands if each.exists()) > 1


if __name__ == "__main__":
    main()
