"""A seekable reader over one range of a blob, whatever its bytes come from.

Positions count from the start of the range, and nothing outside it can be read.
"""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer  # exists for type checkers only


#: What a source is asked for at most at once, so that little is lost when an answer breaks off.
PIECE = 1 << 20


class Source(Protocol):
    """Bytes by position: what a store has to offer for its ranges to be read."""

    def read_into(self, buffer: memoryview, position: int) -> int:
        """Fill the buffer, or the front of it, from this position; how many bytes. 0 only at the end."""

    def close(self) -> None: ...


def within(size: int, start: int, stop: int | None) -> tuple[int, int]:
    """The range [start, stop) cut to a blob of this size; ``ValueError`` if it runs backwards."""
    refuse_backwards(start, stop)
    end = size if stop is None else min(stop, size)
    return min(start, end), end


def refuse_backwards(start: int, stop: int | None) -> None:
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"A range starts at 0 or later and does not run backwards, unlike [{start}, {stop}).")


def reader(source: Source, start: int, stop: int, *, buffered: int) -> BinaryIO:
    """A buffered reader of [start, stop) that owns the source and closes it."""
    return io.BufferedReader(_Window(source, start, stop), buffered)


class _Window(io.RawIOBase):
    def __init__(self, source: Source, start: int, stop: int) -> None:
        super().__init__()
        self._source, self._start, self._stop = source, start, stop
        self._position = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        wanted = min(PIECE, self._stop - self._position)
        view = memoryview(buffer).cast("B")[: max(wanted, 0)]
        count = self._source.read_into(view, self._position) if view else 0
        self._position += count
        return count

    def readall(self) -> bytes:
        # In large pieces: the one that is inherited asks for 8 KiB at a time.
        return b"".join(iter(lambda: self.read(PIECE), b""))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origin = {io.SEEK_SET: self._start, io.SEEK_CUR: self._position, io.SEEK_END: self._stop}[whence]
        if origin + offset < self._start:
            # As a file does: zipfile feels its way back, and expects no other.
            raise OSError(errno.EINVAL, "A reader cannot go back beyond its start.")
        self._position = origin + offset
        return self._position - self._start

    def tell(self) -> int:
        return self._position - self._start

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
