"""A stranger's file, read once from its first byte to its last.

Whoever reads to the end knows that the file did not change meanwhile; else there is no end but `Changed`. A reader
that was told to stop raises `Stopped` instead of the next piece.
"""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from domain import media_types
from domain.refusals import FileRefused

#: Most bytes read at once, fewer than a blob store asks for: a larger piece is mapped and faulted in anew each time,
#: which costs more than it saves. 256 KiB took half the system's time of 1 MiB; cores are filled by further files.
PIECE = 1 << 18


class Changed(FileRefused):
    """Its size or time of change is not what it was when reading began."""

    def __init__(self) -> None:
        super().__init__("It changes while it is read: import it again when it is finished.", "CHANGED")


class Stopped(Exception):
    """The import was told to stop."""


class Source:
    """`head` is its beginning; `byte_size` and `modified_ns` are those of the open file."""

    def __init__(self, file: io.FileIO, stop: threading.Event, moved: Callable[[int], None]) -> None:
        self._file, self._stop, self._moved = file, stop, moved
        status = os.fstat(file.fileno())
        self.byte_size, self.modified_ns = status.st_size, status.st_mtime_ns
        self._rest = self.byte_size
        self._first = file.read(PIECE)

    @property
    def head(self) -> bytes:
        return self._first[: media_types.HEAD_BYTES]

    def stream(self) -> BinaryIO:
        """The whole content, to be read once; only `read` is there, which is all that a blob store needs."""
        return cast("BinaryIO", self)

    def read(self, size: int) -> bytes:
        if self._stop.is_set():
            raise Stopped
        piece, self._first = self._first or self._file.read(min(size, PIECE)), b""
        self._rest -= len(piece)
        # A file that grows would never end, so the size it had is also the most that is read.
        if self._rest < 0 or (not piece and self._is_changed()):
            raise Changed
        self._moved(len(piece))
        return piece

    def _is_changed(self) -> bool:
        status = os.fstat(self._file.fileno())
        return self._rest > 0 or (status.st_size, status.st_mtime_ns) != (self.byte_size, self.modified_ns)


@contextmanager
def opened(path: Path, stop: threading.Event, moved: Callable[[int], None]) -> Iterator[Source]:
    """The regular file at `path`; `OSError` if it cannot be read or has become something else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Changed
    with io.FileIO(descriptor, "rb") as file:
        yield Source(file, stop, moved)
