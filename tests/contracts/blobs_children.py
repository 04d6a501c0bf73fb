"""What a test does to a blob store in a process of its own: to limit it, to measure it, to kill it.

``python -m tests.contracts.blobs_children <verb> <place> <folder> [<number>]``, where the place is "disk",
"disk with named drafts" or a blob URL. Each prints one JSON value per line.
"""

import io
import json
import random
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from storage import blobs
from storage.blobs import BlobStore, DiskBlobs

ROOT = Path(__file__).parents[2]
SMALL, SMALLER = b"kept before", b"kept after"


@contextmanager
def child(verb: str, place: str, folder: Path, number: int = 0, *, before: tuple[str, ...] = ()) -> Iterator[IO[str]]:
    """What the child prints; it is killed with SIGKILL at the end of the block if it is still there."""
    command = (*before, sys.executable, "-m", __spec__.name, verb, place, str(folder), str(number))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as printed:
        try:
            yield printed
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def answer(verb: str, place: str, folder: Path, number: int = 0, *, before: tuple[str, ...] = ()) -> Any:
    """The one value that a child prints."""
    with child(verb, place, folder, number, before=before) as printed:
        return json.loads(printed.readline())


def opened(place: str, folder: Path) -> BlobStore:
    if place.startswith("disk"):
        return DiskBlobs(folder / "blobs", nameless=place == "disk")
    return blobs.from_url(place, folder)


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def overfill(store: BlobStore, size: int, say: Callable[[object], None] = say) -> None:
    """Keep something, ask for too much, keep something more."""
    store.put(io.BytesIO(SMALL))
    try:
        store.put(io.BytesIO(random.Random(size).randbytes(size)))
        refusal = "none"
    except blobs.BlobError as error:
        refusal = f"{type(error).__name__}: {error}"
    store.put(io.BytesIO(SMALLER))
    keys = list(store.keys())
    say({"refusal": refusal, "keys": keys, "sound": all(store.verify(key) for key in keys)})


def overfill_limited(store: BlobStore, size: int) -> None:
    """The same with files limited to half of that."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
    overfill(store, size)


def stall(store: BlobStore, size: int) -> None:
    """Say so when the stream stands still in the middle, then wait to be killed."""

    class Stalling(io.BytesIO):
        def read(self, wanted: int | None = -1, /) -> bytes:
            if piece := super().read(wanted):
                return piece
            say("stalled")
            threading.Event().wait()
            return b""

    store.put(Stalling(random.Random(size).randbytes(size)))


def churn(store: BlobStore, size: int) -> None:
    """Put one blob after another and say its key, until killed."""
    chance = random.Random(size)
    while True:
        say(store.put(io.BytesIO(chance.randbytes(size))).sha256)


def grow(store: BlobStore, size: int) -> None:
    """By how many bytes this process has grown for a blob of this size."""

    class Endless(io.BytesIO):
        left = size

        def read(self, wanted: int | None = -1, /) -> bytes:
            piece = bytes(min(wanted or 0, self.left))
            self.left -= len(piece)
            return piece

    store.put(io.BytesIO(bytes(1000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    store.put(Endless())
    say((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


VERBS: dict[str, Callable[[BlobStore, int], None]] = {
    verb.__name__: verb for verb in (overfill, overfill_limited, stall, churn, grow)
}

if __name__ == "__main__":
    VERBS[sys.argv[1]](opened(sys.argv[2], Path(sys.argv[3])), int(sys.argv[4]))
