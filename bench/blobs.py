"""How fast files become blobs on this machine's disk, beside what ``sha256sum`` takes for the same files.

``uv run python -m bench.blobs [--size MEGABYTES] [--files NUMBER] [--rounds NUMBER]``. Ratios above 1 are faster
than sha256sum; speeds are noisy, so all take turns and the median of their rounds counts.
"""

import argparse
import hashlib
import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from storage.blobs import DiskBlobs


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=20, help="megabytes of one file")
    options.add_argument("--files", type=int, default=8)
    options.add_argument("--rounds", type=int, default=9)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as name:
        compare(Path(name), asked.size * 1_000_000, asked.files, asked.rounds)


def compare(folder: Path, size: int, count: int, rounds: int) -> None:
    files = [folder / str(number) for number in range(count)]
    for file in files:
        with file.open("wb") as stream:
            for _ in range(size // 1_000_000):
                stream.write(os.urandom(1_000_000))
    ways: dict[str, Callable[[], object]] = {
        "sha256sum": lambda: subprocess.run(["sha256sum", *files], check=True, stdout=subprocess.DEVNULL),
        "hashlib": lambda: [hash_of(file) for file in files],
        "put": lambda: put_all(DiskBlobs(folder / "blobs"), files),
        "put, drafts named": lambda: put_all(DiskBlobs(folder / "blobs", nameless=False), files),
        "put again": lambda: put_all(DiskBlobs(folder / "kept"), files),
        "adopt": lambda: adopt_all(DiskBlobs(folder / "blobs"), files, verified=False),
        "adopt, verified": lambda: adopt_all(DiskBlobs(folder / "blobs"), files, verified=True),
    }
    put_all(DiskBlobs(folder / "kept"), files)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        # In any order: whoever writes after a large removal finds the disk in another mood.
        for way in random.sample(list(ways), len(ways)):
            shutil.rmtree(folder / "blobs", ignore_errors=True)
            os.sync()
            seconds[way].append(timed(ways[way]))
    report(seconds, size * count, count)


def put_all(store: DiskBlobs, files: list[Path]) -> None:
    for file in files:
        with file.open("rb") as stream:
            store.put(stream)


def adopt_all(store: DiskBlobs, files: list[Path], *, verified: bool) -> None:
    for number, file in enumerate(files):
        store.adopt(file, f"{number:064x}" if verified else None, verified=verified)


def hash_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def report(seconds: dict[str, list[float]], size: int, count: int) -> None:
    reference = statistics.median(seconds["sha256sum"])
    for way, taken in seconds.items():
        usual = statistics.median(taken)
        print(f"{way:18} {size / usual / 1e6:7.0f} MB/s {usual / count * 1000:8.2f} ms/file {reference / usual:6.2f} ×")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
