"""How much memory uploads take: several large files at once, through a server of its own, over loopback.

    uv run python -m bench.uploads                 # 4 × 64 MiB
    uv run python -m bench.uploads --full          # 10 × 1 GiB
    uv run python -m bench.uploads --files 3 --mib 200 --parts 5

Prints the server's resident memory while idle, its peak above that, and the throughput. The server is started by this
program in a temporary folder, which is removed afterwards. The bytes are pseudo-random, different in every file.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

MIB = 1024 * 1024
TOKEN = "imp_bench"
LIMIT_MIB = 200
BYTES = "application/offset+octet-stream"


def main() -> int:
    asked = _asked()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, _server(Path(folder)) as server:
        where, pid = server
        _upload(where, 0, MIB, 1)  # imports and caches are not the uploads' memory
        idle = _rss(pid)
        watch = _Watch(pid)
        started = time.perf_counter()
        with ThreadPoolExecutor(asked.files) as pool:
            list(pool.map(lambda n: _upload(where, n, asked.mib * MIB, asked.parts), range(1, asked.files + 1)))
        seconds = time.perf_counter() - started
        above = watch.stopped() - idle
    total = asked.files * asked.mib
    print(f"{asked.files} uploads of {asked.mib} MiB in {asked.parts} parts at once: {total / seconds:.0f} MiB/s")
    print(f"memory idle {idle / MIB:.0f} MiB, at most {above / MIB:.0f} MiB above it (allowed: {LIMIT_MIB})")
    return 0 if above < LIMIT_MIB * MIB else 1


def _upload(where: str, number: int, size: int, parts: int) -> None:
    """One file in so many parts; compares the digest the server answers."""
    made, digest = random.Random(number).randbytes(MIB), hashlib.sha256()
    at = urlsplit(where)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=600)
    signed = {"Authorization": f"Bearer {TOKEN}", "Tus-Resumable": "1.0.0"}
    address = _ask(connection, "POST", "/uploads", {**signed, "Upload-Length": str(size)}, b"")["location"]
    part = -(-size // parts // MIB) * MIB
    told: dict[str, str] = {}
    for start in range(0, size, part):
        length = min(part, size - start)
        headers = {**signed, "Upload-Offset": str(start), "Content-Type": BYTES, "Content-Length": str(length)}
        told = _ask(connection, "PATCH", address, headers, _bytes(made, start, length, digest))
    connection.close()
    if told.get("imprimatur-sha256") != digest.hexdigest():
        raise SystemExit(f"upload {number} came out wrong: {told}")


def _bytes(made: bytes, start: int, length: int, digest: hashlib._Hash) -> Iterator[bytes]:
    """Every mebibyte differs from the others: it begins with its own place."""
    for place in range(start, start + length, MIB):
        piece = place.to_bytes(8) + made[8 : min(MIB, start + length - place)]
        digest.update(piece)
        yield piece


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | Iterator[bytes],
) -> dict[str, str]:
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path} was answered {answer.status}")
    return {name.lower(): value for name, value in answer.getheaders()}


class _Watch:
    """The largest resident memory seen, looked at fifty times a second."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._stop = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stopped(self) -> int:
        self._stop.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self._peak = max(self._peak, _rss(self._pid))


def _rss(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    """A server of its own in `folder`: its address and process id."""
    settings = {"DATA_DIR": str(folder), "PORT": "0", "WORKERS": "0", "ADMIN_TOKEN": TOKEN, "LOG_LEVEL": "error"}
    environment = {**os.environ, **{f"IMPRIMATUR_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "server"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"answers at (\S+) ", process.stdout.readline())
            if found is None:
                raise SystemExit("the server did not start")
            yield found[1], process.pid
        finally:
            process.terminate()
            process.communicate()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=4, help="uploads at once")
    parser.add_argument("--mib", type=int, default=64, help="MiB of each")
    parser.add_argument("--parts", type=int, default=2, help="requests per upload")
    parser.add_argument("--full", action="store_true", help="10 files of 1 GiB")
    parser.add_argument("--folder", type=Path, help="where to put the temporary folder")
    asked = parser.parse_args()
    if asked.full:
        asked.files, asked.mib = 10, 1024
    return asked


if __name__ == "__main__":
    sys.exit(main())
