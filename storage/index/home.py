"""Where an index lives: a directory of generations, a file that names the current one, and the writer's lock.

    CURRENT         the name of the generation in use, and the fingerprint it was made with
    writer.lock     held (flock) by the one process that writes
    g00000001/      a generation: whatever its engine keeps
    name            what the one who feeds the index knows it by; not read here

Always true here:
- A generation counts from the moment CURRENT names it, and CURRENT changes by rename: a reader finds the old
  or the new.
- What a dead writer left half built is swept away by the next one.
- The lock goes with the process that held it, however it ends.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from storage.index.contract import NotLeading

_CURRENT: Final = "CURRENT"
_LOCK: Final = "writer.lock"


class Generation(NamedTuple):
    path: Path
    fingerprint: str


class Home:
    """One index's directory, made when missing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._pointer = f"{directory}/{_CURRENT}"
        self._leading = False
        self._seen: tuple[tuple[int, int], Generation] | None = None

    def current(self) -> Generation | None:
        """The generation in use. Costs one stat while nothing changes."""
        try:
            stat = os.stat(self._pointer)  # noqa: PTH116 - asked before every search; a Path costs more than the question
        except FileNotFoundError:
            return None
        stamp = (stat.st_ino, stat.st_mtime_ns)
        seen = self._seen
        if seen is None or seen[0] != stamp:
            name, _, fingerprint = (self.directory / _CURRENT).read_text().strip().partition(" ")
            seen = self._seen = (stamp, Generation(self.directory / name, fingerprint))
        return seen[1]

    def begin(self) -> Path:
        """An empty directory for the next generation, which no reader knows of yet."""
        self.check_leading()
        path = self.directory / f"g{self._newest() + 1:08d}"
        path.mkdir()
        return path

    def switch(self, path: Path, fingerprint: str) -> None:
        """Make this generation the current one, durably, and remove all but it and the one before."""
        self.check_leading()
        before = self.current()
        draft = self.directory / f"{_CURRENT}.new"
        with draft.open("w") as file:
            file.write(f"{path.name} {fingerprint}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.directory / _CURRENT)
        sync(self.directory)
        self._sweep({path} | ({before.path} if before else set()))

    @contextlib.contextmanager
    def lead(self) -> Iterator[None]:
        """Hold the writer's lock; NotLeading at once when someone else does, this process included."""
        descriptor = os.open(self.directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise NotLeading("Another process is writing to this search index.") from error
            self._leading = True
            current = self.current()
            self._sweep({current.path} if current else set())
            yield
        finally:
            self._leading = False
            os.close(descriptor)

    def check_leading(self) -> None:
        if not self._leading:
            raise NotLeading("Writing to a search index needs its writer's lock.")

    def _newest(self) -> int:
        return max((int(path.name[1:]) for path in self._generations()), default=0)

    def _generations(self) -> list[Path]:
        return [path for path in self.directory.glob("g*") if path.name[1:].isdigit()]

    def _sweep(self, kept: set[Path]) -> None:
        for path in self._generations():
            if path not in kept:
                shutil.rmtree(path, ignore_errors=True)


def sync(path: Path) -> None:
    """Bring a file or a directory's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
