"""Small pictures made when they are asked for: the hub's transforms against thumbor, both over HTTP.

`python -m bench.crops` starts the real server with one worker and thumbor (from PyPI, in an environment of its own in
bench/.cache), brings the hub the masters of bench.renditions, and asks both in turn for pictures that nobody asked for
before: a part of a quarter of each side at 300 × 200, and the whole as a square of 300. No finished picture is taken
from a cache. The hub lays by what it decoded: `first` is the first such picture of a file that was brought a moment
ago, `next` is another one of it, and `cold` one of it after all that was laid by has been thrown away. Every turn has a
file of its own. Counted is the processor time of everything each started: of the hub the server, its studio, the queue,
the sandbox, the record of the delivery and all that looks whether it has to do with it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from PIL import Image

from bench.renditions import CACHE, HERE, masters
from tests.iiif.house import House, open_house
from tests.server.caller import wait_until
from tests.server.program import descendants

THUMBOR = "thumbor==7.8.0"
INSTALLED = CACHE / "thumbor"
CONFIGURATION = HERE / "peers" / "thumbor" / "thumbor.conf"
TICK = os.sysconf("SC_CLK_TCK")
#: Most of thumbor's processor time that ours may take.
OF_THUMBOR = 0.3
QUALITY = 82
#: Seconds between bringing a file and asking for pictures of it.
REST = 2.0
WISH = "query ($id: ID!) {{ asset(id: $id) {{ current {{ transform(to: {{{wish}}}) {{ url }} }} }} }}"


@dataclass(frozen=True)
class Crop:
    """One picture to be asked for, of a master of `width` × `height`; what it is called is its place in the row."""

    region: tuple[int, int, int, int]
    width: int
    height: int

    def wish(self) -> str:
        x, y, across, down = self.region
        region = f"region: {{x: {x}, y: {y}, width: {across}, height: {down}}}"
        return f"{region}, width: {self.width}, height: {self.height}, fit: COVER, quality: {QUALITY}"

    def path(self, name: str) -> str:
        x, y, across, down = self.region
        return f"/unsafe/{x}x{y}:{x + across}x{y + down}/{self.width}x{self.height}/{name}"


def parts(width: int, height: int, count: int) -> list[Crop]:
    """A quarter of each side, each from another place."""
    return [Crop((8 * at, 8 * at, width // 4, height // 4), 300, 200) for at in range(count)]


def squares(width: int, height: int, count: int) -> list[Crop]:
    """Nearly the whole, each a little less than the one before."""
    return [Crop((0, 0, width - 2 * at, height - 2 * at), 300, 300) for at in range(count)]


KINDS: dict[str, Callable[[int, int, int], list[Crop]]] = {"part, 300 × 200": parts, "whole, 300 × 300": squares}


@contextmanager
def thumbor() -> Iterator[tuple[int, str]]:
    """Its process and its address; installed the first time."""
    if not (INSTALLED / "bin" / "thumbor").exists():
        subprocess.run(["uv", "venv", "--quiet", str(INSTALLED)], check=True)
        python = str(INSTALLED / "bin" / "python")
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, THUMBOR], check=True, timeout=300)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        str(INSTALLED / "bin" / "thumbor"),
        "--ip",
        "127.0.0.1",
        "--port",
        str(port),
        "--conf",
        str(CONFIGURATION),
    ]
    with subprocess.Popen(command, cwd=CACHE) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(f"{address}/healthcheck"), 60)
            yield process.pid, address
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def spent(pid: int) -> float:
    """CPU seconds of a process, of all it started, and of those that ended."""
    total = 0.0
    for one in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):  # it has just ended, and is its parent's by now
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            # The clock of a process is named like this; what its children took is counted in ticks only.
            total += time.clock_gettime(~one << 3 | 2) + sum(int(ticks) for ticks in fields[13:15]) / TICK
    return total


@dataclass
class Asked:
    cpu: float = 0.0
    wall: float = 0.0

    def of(self, pid: int, client: httpx.Client, address: str, crop: Crop) -> None:
        before, begun = spent(pid), time.perf_counter()
        answer = client.get(address)
        while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            answer = client.get(address)
        self.wall += time.perf_counter() - begun
        self.cpu += spent(pid) - before
        assert answer.status_code == httpx.codes.OK, answer.text
        with Image.open(io.BytesIO(answer.content)) as made:
            assert (made.format, made.size) == ("JPEG", (crop.width, crop.height))


def told_apart(content: bytes, turn: int) -> bytes:
    """The same picture as another file: a comment behind the mark that it begins with."""
    said = f"turn {turn} of {time.time_ns()}".encode()
    return content[:2] + b"\xff\xfe" + (len(said) + 2).to_bytes(2) + said + content[2:]


def compared(
    house: House, data_dir: Path, peer: tuple[int, str], source: Path, make: Callable[[int], list[Crop]], count: int
) -> str:
    """The figures of one row, everybody by turns; the first turn is to warm up."""
    hub, content = house.program.process.pid, source.read_bytes()
    names = ("first", "next", "cold")
    ours, other = {name: Asked() for name in names}, Asked()
    with httpx.Client(timeout=60) as client:
        for turn in range(count + 1):
            if turn == 1:
                ours, other = {name: Asked() for name in names}, Asked()
            asset = house.asset(told_apart(content, turn), source.name)
            crops = make(len(names) * (count + 1))[len(names) * turn :]
            addresses = [address_of(house, asset, crop) for crop in crops[: len(names)]]
            time.sleep(REST)  # what comes of a new asset is done by then
            for name, crop, address in zip(names, crops, addresses, strict=False):
                if name == "cold":
                    for kept in (data_dir / "reductions").iterdir():  # as the sweep does: the folder stays
                        shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
                ours[name].of(hub, client, address, crop)
                other.of(peer[0], client, peer[1] + crop.path(source.name), crop)
    theirs = other.cpu / len(names)
    each = count / 1000
    figures = [
        f"{theirs / each:.0f}",
        *(f"{ours[name].cpu / each:.0f}" for name in names),
        *(f"**{ours[name].cpu / theirs:.2f}**" for name in names),
        f"{other.wall / len(names) / each:.0f}",
        *(f"{ours[name].wall / each:.0f}" for name in names),
    ]
    return " | ".join(figures)


def address_of(house: House, asset: str, crop: Crop) -> str:
    found: str = house.graphql(WISH.format(wish=crop.wish()), id=asset)["asset"]["current"]["transform"]["url"]
    return found


def report(count: int) -> None:
    found = masters()
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    print(f"`uv run python -m bench.crops --count {count}`, {datetime.now(UTC):%Y-%m-%d}, {load}, {THUMBOR},")
    print(f"mean of {count} pictures of each kind, milliseconds. Wanted: at most {OF_THUMBOR} × thumbor's CPU.\n")
    print("| CPU | thumbor | first | next | cold | first ÷ | next ÷ | cold ÷ | waited: thumbor | first | next | cold |")
    print("|--|--|--|--|--|--|--|--|--|--|--|--|")
    with (
        tempfile.TemporaryDirectory(dir=CACHE) as folder,
        open_house(data_dir := Path(folder) / "data") as house,
        thumbor() as peer,
    ):
        for megapixels, source in found.items():
            with Image.open(source) as opened:
                width, height = opened.size
            for kind, crops in KINDS.items():
                told = compared(house, data_dir, peer, source, partial(crops, width, height), count)
                print(f"| {megapixels} MP, {kind} | {told} |", flush=True)
    print(f"\nLoad {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    report(parser.parse_args(sys.argv[1:]).count)
