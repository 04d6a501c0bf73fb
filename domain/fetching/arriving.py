"""Bytes from elsewhere on their way into the blob store: judged by their beginning and counted.

Whatever breaks off leaves nothing behind.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO, cast

from domain import assets, intake, media_types
from domain.assets import Content
from storage import blobs

#: Bytes that the store reads at once.
PIECE = 1 << 20


def bring(
    store: blobs.BlobStore,
    pieces: Iterator[bytes],
    file_name: str,
    most: int,
    tick: Callable[[], None] = lambda: None,
) -> Content:
    """The content of a file whose bytes come in `pieces`, at most `most`; of what is refused no byte is kept.

    `FileRefused` like an upload of it, and whatever `pieces` raises.
    """
    source = _Source(pieces, most, tick)
    head = source.head()
    content = assets.judge(head, "", len(head), file_name)
    with io.BufferedReader(source, PIECE) as reader:
        stored = store.put(cast("BinaryIO", reader))
    return replace(content, sha256=stored.sha256, byte_size=stored.size)


class _Source(io.RawIOBase):
    """The pieces as one stream."""

    def __init__(self, pieces: Iterator[bytes], most: int, tick: Callable[[], None]) -> None:
        self._pieces, self._most, self._tick = pieces, most, tick
        self._count = 0
        self._rest = b""

    def head(self) -> bytes:
        """The beginning, which stays to be read."""
        while len(self._rest) < media_types.HEAD_BYTES:
            piece = self._next()
            if not piece:
                break
            self._rest += piece
        return self._rest[: media_types.HEAD_BYTES]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        room = memoryview(cast("bytearray", buffer))
        if not self._rest:
            self._rest = self._next()
        taken = self._rest[: len(room)]
        room[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def _next(self) -> bytes:
        """The next piece that is not empty; empty at the end."""
        for piece in self._pieces:
            self._tick()
            if piece:
                self._count += len(piece)
                intake.refuse_size(self._count, self._most)
                return piece
        return b""
