"""Blobs in the memory of this process, gone with it: for tests and for trying things out."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from storage.blobs import hashing, windows
from storage.blobs.interface import BlobMissing, Stored, StoreFull


class MemoryBlobs:
    """A `BlobStore`. With a limit it is full at so many bytes, as a disk is."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._blobs: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, stream: BinaryIO, *, expected: str | None = None) -> Stored:
        hashing.refuse_malformed(expected)
        kept = io.BytesIO()
        sha256, size = hashing.pour(stream, kept.write)
        hashing.refuse_other(expected, sha256)
        return Stored(sha256, size, fresh=self._keep(sha256, kept.getvalue()))

    def adopt(self, path: Path, sha256: str | None = None, *, verified: bool = False) -> Stored:
        with hashing.finished(path) as file:
            sha256 = hashing.settled(file, sha256, verified=verified)
            content = file.read()
            return Stored(sha256, len(content), fresh=self._keep(sha256, content))

    def open(self, sha256: str, start: int = 0, stop: int | None = None) -> BinaryIO:
        content = self._content(sha256)
        start, stop = windows.within(len(content), start, stop)
        return io.BytesIO(content[start:stop])

    def stat(self, sha256: str) -> int | None:
        hashing.refuse_malformed(sha256)
        content = self._blobs.get(sha256)
        return None if content is None else len(content)

    def local_path(self, sha256: str) -> Path | None:
        hashing.refuse_malformed(sha256)
        return None

    def verify(self, sha256: str) -> bool:
        return hashing.digest_of(io.BytesIO(self._content(sha256))) == sha256

    def remove(self, sha256: str) -> None:
        hashing.refuse_malformed(sha256)
        with self._lock:
            self._blobs.pop(sha256, None)

    def keys(self) -> Iterator[str]:
        with self._lock:
            return iter(sorted(self._blobs))

    def _keep(self, sha256: str, content: bytes) -> bool:
        with self._lock:
            if sha256 in self._blobs:
                return False
            used = sum(map(len, self._blobs.values()))
            if self._limit is not None and used + len(content) > self._limit:
                raise StoreFull
            self._blobs[sha256] = content
            return True

    def _content(self, sha256: str) -> bytes:
        hashing.refuse_malformed(sha256)
        try:
            return self._blobs[sha256]
        except KeyError:
            raise BlobMissing(sha256) from None
