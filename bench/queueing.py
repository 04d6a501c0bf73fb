"""A full queue, emptied by one worker and by two.

`python -m bench.queueing` imports distinct photographs of 12 megapixels into a fresh hub while no worker runs, so that
everything there is to do about them is queued (reading, hashing, three renditions each), then starts `python -m
workers` with one or two runners and waits until nothing is left. The indexer and the sender run beside, as ever. The
clock runs from the first job's end to the last one's, as the hub itself wrote it down; rounds alternate. Other work on
the machine counts against two workers twice: read the load, and the CPU that each way took.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.crops import spent
from bench.renditions import CACHE, HERE, masters

#: How many times as fast two are to be.
WANTED = 1.8
WAYS = (1, 2)
SOI, COMMENT = b"\xff\xd8", b"\xff\xfe"
LEFT = "SELECT count(*) FROM job WHERE state IN ('READY', 'RUNNING') AND run_at <= ?"
SPAN = "SELECT min(finished_at), max(finished_at), count(*) FROM job WHERE state = 'DONE'"
MADE = "SELECT state, count(*) FROM rendition GROUP BY state"
LONGEST = 300


@dataclass(frozen=True)
class Run:
    """`seconds` from the first job's end to the last one's; `cpu` of all worker processes, their start included."""

    seconds: float
    cpu: float
    jobs: int
    renditions: int
    load: float


def photographs(folder: Path, count: int) -> None:
    """One photograph over and over, each file with another comment in it."""
    folder.mkdir()
    content = masters()[12].read_bytes()
    assert content.startswith(SOI)
    for number in range(count):
        said = f"number {number:06}".encode()
        segment = COMMENT + (len(said) + 2).to_bytes(2, "big") + said
        (folder / f"{number:06}.jpg").write_bytes(SOI + segment + content[len(SOI) :])


def emptied(files: Path, workers: int) -> Run:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        data = Path(folder) / "data"
        environment = {**os.environ, "IMPRIMATUR_DATA_DIR": str(data), "IMPRIMATUR_WORKERS": "0"}
        bring = [sys.executable, "-m", "server", "import", str(files)]
        subprocess.run(bring, cwd=HERE.parent, env=environment, check=True, capture_output=True)
        (database,) = data.glob("*.sqlite")
        with running(workers, environment) as pid:
            deadline = time.monotonic() + LONGEST
            while asked(database, LEFT, time.time_ns() // 1000)[0][0]:
                assert time.monotonic() < deadline, "the queue does not empty"
                time.sleep(0.2)
            cpu = spent(pid)
        ((first, last, jobs),) = asked(database, SPAN)
        made = dict(asked(database, MADE))
        assert set(made) == {"READY"}, made
        return Run((last - first) / 1e6, cpu, jobs, made["READY"], os.getloadavg()[0])


@contextmanager
def running(workers: int, environment: dict[str, str]) -> Iterator[int]:
    command = [sys.executable, "-m", "workers", "--processes", str(workers)]
    with subprocess.Popen(
        command, cwd=HERE.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)


def asked(database: Path, question: str, *values: int) -> list[Any]:
    """Moments are microseconds since 1970 there."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(question, values).fetchall()


def report(count: int, rounds: int) -> None:
    runs: dict[int, list[Run]] = {workers: [] for workers in WAYS}
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        files = Path(folder) / "files"
        photographs(files, count)
        for _ in range(rounds):
            for workers in WAYS:
                runs[workers].append(emptied(files, workers))
    command = f"`uv run python -m bench.queueing --files {count} --rounds {rounds}`"
    print(f"{command}, {datetime.now(UTC):%Y-%m-%d}, SQLite:\n")
    print("| runners | jobs | renditions | seconds, each round | median | CPU s | load |\n|--|--|--|--|--|--|--|")
    for workers, told in runs.items():
        each = ", ".join(f"{run.seconds:.1f}" for run in told)
        median, cpu = statistics.median(run.seconds for run in told), statistics.median(run.cpu for run in told)
        load = f"{min(run.load for run in told):.1f} to {max(run.load for run in told):.1f}"
        print(f"| {workers} | {told[0].jobs} | {told[0].renditions} | {each} | {median:.1f} | {cpu:.1f} | {load} |")
    pairs = [one.seconds / two.seconds for one, two in zip(runs[1], runs[2], strict=True)]
    median = statistics.median(pairs)
    print(f"\nTwo are {median:.2f} times as fast (best round {max(pairs):.2f}); wanted: {WANTED}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    report(chosen.files, chosen.rounds)
