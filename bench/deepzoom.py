"""A picture of 201 megapixels cut into tiles, and looked at: what that costs.

`python -m bench.deepzoom` makes its picture once, in bench/.cache. Each way of cutting runs in a process of its own:
ours decoding as a whole, ours with libvips streaming, libvips' own `dzsave`, and a plain script that resizes the whole
picture for every level. Then the real server answers tiles to one client after another: what it computes for each,
against what cutting the same tile from the original would take each time.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from PIL import Image

from domain.iiif import pyramids
from tests.iiif.house import House, open_house
from tests.imaging import made
from workers.imaging import tiling
from workers.imaging.limits import Limits

CACHE = Path(__file__).parent / ".cache"
SOURCE = CACHE / "201mp.jpg"
SIZE = (16_384, 12_288)
PLENTY, LITTLE = 4096 * tiling.MEBIBYTE, 512 * tiling.MEBIBYTE
TILES = 192
ROUNDS = 3
CLOCK = os.sysconf("SC_CLK_TCK")


def whole(folder: Path) -> None:
    tiling.build(SOURCE, "image/jpeg", folder / "pyramid", PLENTY, Limits())


def streamed(folder: Path) -> None:
    tiling.build(SOURCE, "image/jpeg", folder / "pyramid", LITTLE, Limits())


def dzsave(folder: Path) -> None:
    import pyvips

    picture = pyvips.Image.new_from_file(str(SOURCE), access="sequential")
    picture.dzsave(str(folder / "pyramid"), tile_size=pyramids.TILE, overlap=0, depth="onetile", suffix=".jpg[Q=88]")


def plain(folder: Path) -> None:
    """What a short script does."""
    Image.MAX_IMAGE_PIXELS = None
    for level in pyramids.levels(*SIZE):
        with Image.open(SOURCE) as opened:
            small = opened.resize((level.width, level.height), Image.Resampling.LANCZOS)
        for left, top, number in pyramids.covering(level, (0, 0, level.width, level.height)):
            box = (left, top, min(left + pyramids.TILE, level.width), min(top + pyramids.TILE, level.height))
            small.crop(box).save(folder / f"{number}.jpg", quality=88)


WAYS: dict[str, Callable[[Path], None]] = {"whole": whole, "streamed": streamed, "dzsave": dzsave, "plain": plain}


def spent(way: str) -> tuple[float, float]:
    """Seconds computed, and megabytes held at most, by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.deepzoom", way], capture_output=True, text=True, check=True, cwd=CACHE.parents[1]
    )
    seconds, held = done.stdout.split()
    return float(seconds), float(held)


def run_one(way: str) -> None:
    os.environ["VIPS_CONCURRENCY"] = "1"
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        begun = time.process_time()
        WAYS[way](Path(folder))
        seconds = time.process_time() - begun
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held is not None
    print(f"{seconds:.3f} {int(held[1]) / 1024:.0f}")


def cutting() -> None:
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, times in taken.items():
            times.append(spent(way))
    base = statistics.median(seconds for seconds, _ in taken["plain"])
    print("| cutting 201 megapixels | CPU s | against plain | MB held |\n|--|--|--|--|")
    for way, times in taken.items():
        seconds, held = statistics.median(each[0] for each in times), max(each[1] for each in times)
        print(f"| {way} | {seconds:.2f} | {seconds / base:.2f} | {held:.0f} |")


def looking() -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, open_house(Path(folder) / "data") as house:
        base = house.look(house.asset(SOURCE.read_bytes(), "201mp.jpg"))["iiif"]["url"]
        with httpx.Client(timeout=60) as client:
            begun = time.perf_counter()
            client.get(f"{base}/info.json")
            while client.get(f"{base}/0,0,512,512/512,512/0/default.jpg").status_code != httpx.codes.OK:
                pass
            first = time.perf_counter() - begun
            served, times = tiles(house, client, base)
    cut = from_original()
    print(f"\nfirst tile after {first:.1f} s; then {TILES} tiles, one after another:")
    print(f"server's CPU per tile {served * 1000:.2f} ms; cut from the original each time {cut * 1000:.0f} ms", end=" ")
    print(f"(ratio {served / cut:.4f}); seen by the client: median {statistics.median(times) * 1000:.1f} ms")


def tiles(house: House, client: httpx.Client, base: str) -> tuple[float, list[float]]:
    """What the server computed for each, and how long the client waited for each."""
    before, times = computed(house.program.process.pid), []
    for number in range(TILES):
        left, top = number % 32 * 512, number // 32 * 512
        begun = time.perf_counter()
        answer = client.get(f"{base}/{left},{top},512,512/512,512/0/default.jpg")
        times.append(time.perf_counter() - begun)
        assert answer.status_code == httpx.codes.OK
    return (computed(house.program.process.pid) - before) / TILES, times


def from_original() -> float:
    Image.MAX_IMAGE_PIXELS = None
    begun = time.process_time()
    with Image.open(SOURCE) as opened:
        opened.crop((8192, 6144, 8704, 6656)).save(CACHE / "tile.jpg", quality=88)
    return time.process_time() - begun


def computed(pid: int) -> float:
    """Seconds of CPU that the process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def make() -> None:
    CACHE.mkdir(exist_ok=True)
    if not SOURCE.exists():
        made.photo_like(*SIZE).save(SOURCE, quality=90)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_one(sys.argv[1])
    else:
        make()
        cutting()
        looking()
