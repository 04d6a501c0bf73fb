"""How fast a folder is imported, beside `sha256sum` over the same files on the same disk.

    uv run python -m bench.ingest [--files 200] [--megabytes 8] [--rounds 3] [--jobs N] [--folder DIR]

Both are whole commands, from their start to their end: the import's also includes starting Python, opening the hub,
and writing a second copy of every byte so that it outlives a power cut. No worker runs beside it. Each round makes
a fresh hub. Cold means that the files were dropped from the page cache right before (`posix_fadvise`), warm that they
had all just been read. The median of the rounds counts, and the two commands alternate so that a busy machine is busy
for both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEBIBYTE = 1 << 20
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@dataclass(frozen=True)
class Run:
    """Seconds of one command: on the clock, of all cores, and on the clock once it had started up."""

    wall: float
    cores: float
    working: float


def main() -> None:
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-ingest-", dir=asked.folder) as name:
        folder = Path(name)
        files = written(folder / "files", asked.files, asked.megabytes * MEBIBYTE)
        size = sum(file.stat().st_size for file in files)
        print(
            f"{len(files)} files of {asked.megabytes} MiB, {size / 1e6:,.0f} MB in all; load {os.getloadavg()[0]:.1f}"
        )
        for word, prepare in (("warm", read_all), ("cold", drop)):
            sums, imports = [], []
            for _ in range(asked.rounds):
                prepare(files)
                sums.append(hashed(files))
                prepare(files)
                imports.append(imported(folder, asked.jobs))
                shutil.rmtree(folder / "data")
            report(word, size / 1e6, median(sums), median(imports))


def report(word: str, size: float, sums: Run, imports: Run) -> None:
    ratio, working = sums.wall / imports.wall, sums.wall / imports.working
    print(
        f"{word}: sha256sum {size / sums.wall:,.0f} MB/s ({sums.cores:.1f} s of core time); "
        f"import {size / imports.wall:,.0f} MB/s ({imports.cores:.1f} s): {ratio:.0%}; "
        f"without its start {size / imports.working:,.0f} MB/s: {working:.0%}; load {os.getloadavg()[0]:.1f}"
    )


def median(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]


def written(folder: Path, count: int, size: int) -> list[Path]:
    """Files whose bytes nobody can compress and no two of which are alike; they begin like PNGs."""
    folder.mkdir()
    dice = random.Random(20261122)
    body = dice.randbytes(size - len(PNG) - 8)
    files = []
    for number in range(count):
        file = folder / f"picture {number:04}.png"
        file.write_bytes(PNG + dice.randbytes(8) + body)
        files.append(file)
    os.sync()
    return files


def hashed(files: list[Path]) -> Run:
    wall, cores, _ = timed(["sha256sum", *map(str, files)], {})
    return Run(wall, cores, wall)


def imported(folder: Path, jobs: int | None) -> Run:
    command = [sys.executable, "-m", "server", "import", str(folder / "files"), "--json"]
    command += ["--jobs", str(jobs)] if jobs else []
    environment = {"IMPRIMATUR_DATA_DIR": str(folder / "data"), "IMPRIMATUR_WORKERS": "0"}
    wall, cores, output = timed(command, environment)
    told = json.loads(output.splitlines()[-1])["summary"]
    assert told["new"] == len(list((folder / "files").iterdir())), told
    return Run(wall, cores, told["seconds"])


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, bytes]:
    """Seconds on the clock, seconds of all cores, and what it printed; a command that fails ends the bench."""
    before, started = os.times(), time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True)
    wall, after = time.monotonic() - started, os.times()
    cores = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cores, done.stdout


def read_all(files: list[Path]) -> None:
    for file in files:
        file.read_bytes()


def drop(files: list[Path]) -> None:
    for file in files:
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description="Import beside sha256sum.")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--folder", type=Path, help="On the disk to measure; default: the system's temporary one.")
    return parser


if __name__ == "__main__":
    main()
