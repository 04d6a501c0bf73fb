"""Blobs as files of a local directory: ``<root>/sha256/ab/cd/<digest>``, readable by their owner alone.

A blob is written as a draft, flushed, and only then linked under its digest: a crash at any moment leaves
either the whole blob or nothing. The digest is both the name and the proof of the content, so the tree is
its own index: copying it copies the store, and `verify` over `keys` checks it.
Where drafts need names they lie in ``<root>/drafts``, and `sweep` removes those that a crash left behind.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from storage.blobs import drafts, hashing, windows
from storage.blobs.drafts import refusals
from storage.blobs.interface import ABANDONED_AFTER, BlobMissing, Stored

#: What linking says when this directory cannot share a file, so that its bytes must be copied.
NOT_SHAREABLE = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK}
#: What a reader of a range fetches at once when it is asked for less.
READ_AHEAD = 64 << 10


class DiskBlobs:
    """A `BlobStore` that also `Sweeps`; ``nameless=False`` does without ``O_TMPFILE`` where it exists."""

    def __init__(self, root: Path, *, nameless: bool = True) -> None:
        self._blobs, self._drafts = root / "sha256", root / "drafts"
        self._flushed_shelves: set[Path] = set()
        with refusals():
            for directory in (root, self._blobs, self._drafts):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._nameless = nameless and drafts.can_be_nameless(self._drafts)

    def put(self, stream: BinaryIO, *, expected: str | None = None) -> Stored:
        hashing.refuse_malformed(expected)
        with drafts.draft(self._drafts, nameless=self._nameless) as draft:
            sha256, size = hashing.pour(stream, draft.write)
            hashing.refuse_other(expected, sha256)
            with refusals():
                return Stored(sha256, size, self._publish(draft.descriptor, draft.link, sha256))

    def adopt(self, path: Path, sha256: str | None = None, *, verified: bool = False) -> Stored:
        with hashing.finished(path) as file:
            sha256 = hashing.settled(file, sha256, verified=verified)
            with refusals(), suppress(_NotShareableError):
                return self._share(file.fileno(), path, sha256)
            return self.put(file, expected=sha256)

    def open(self, sha256: str, start: int = 0, stop: int | None = None) -> BinaryIO:
        windows.refuse_backwards(start, stop)
        file = self._open(sha256)
        if start == 0 and stop is None:
            return file
        start, stop = windows.within(os.fstat(file.fileno()).st_size, start, stop)
        return windows.reader(_Positioned(file), start, stop, buffered=READ_AHEAD)

    def stat(self, sha256: str) -> int | None:
        path = self._path(sha256)
        with refusals(), suppress(FileNotFoundError):
            return path.stat().st_size
        return None

    def local_path(self, sha256: str) -> Path | None:
        return None if self.stat(sha256) is None else self._path(sha256)

    def verify(self, sha256: str) -> bool:
        with self._open(sha256) as file, refusals():
            return hashing.digest_of(file) == sha256

    def remove(self, sha256: str) -> None:
        path = self._path(sha256)
        with refusals(), suppress(FileNotFoundError):
            path.unlink()
            _flush(path.parent)

    def keys(self) -> Iterator[str]:
        with refusals():
            for first in _names(self._blobs):
                for second in _names(self._blobs / first):
                    for key in _names(self._blobs / first / second):
                        if hashing.is_key(key) and key.startswith(first + second):
                            yield key

    def sweep(self, older_than: float = ABANDONED_AFTER) -> int:
        swept, before = 0, time.time() - older_than
        with refusals():
            for name in _names(self._drafts):
                with suppress(FileNotFoundError):  # its writer has just finished
                    if (self._drafts / name).stat().st_mtime <= before:
                        (self._drafts / name).unlink()
                        swept += 1
        return swept

    def _path(self, sha256: str) -> Path:
        hashing.refuse_malformed(sha256)
        return self._blobs / sha256[:2] / sha256[2:4] / sha256

    def _open(self, sha256: str) -> BinaryIO:
        with refusals():
            try:
                return self._path(sha256).open("rb")
            except FileNotFoundError:
                raise BlobMissing(sha256) from None

    def _share(self, descriptor: int, path: Path, sha256: str) -> Stored:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():  # its owner could write to it later, so keep a copy
            raise _NotShareableError
        try:
            fresh = self._publish(descriptor, self._linker(descriptor, path), sha256)
        except OSError as error:
            if error.errno in NOT_SHAREABLE:
                raise _NotShareableError from error
            raise
        if fresh:
            os.fchmod(descriptor, 0o600)
        return Stored(sha256, status.st_size, fresh)

    def _linker(self, descriptor: int, path: Path) -> Callable[[Path], None]:
        if self._nameless:  # the very file that was hashed, whatever has its name by now
            return lambda destination: drafts.link_descriptor(descriptor, destination)
        return lambda destination: os.link(path, destination, follow_symlinks=False)

    def _publish(self, descriptor: int, link: Callable[[Path], None], sha256: str) -> bool:
        """Flush the bytes and make them visible under their key; False if that was visible before."""
        path, fresh = self._path(sha256), False
        if not path.exists():
            os.fsync(descriptor)
            for directory in (path.parent.parent, path.parent):
                with suppress(FileExistsError):
                    directory.mkdir(mode=0o700)
            with suppress(FileExistsError):
                link(path)
                fresh = True
        # Even if it was here: whoever linked it may not have flushed the shelf yet, while our caller is
        # about to rely on it.
        self._flush_shelf(path.parent)
        return fresh

    def _flush_shelf(self, shelf: Path) -> None:
        _flush(shelf)
        if shelf not in self._flushed_shelves:
            _flush(shelf.parent)
            _flush(self._blobs)
            self._flushed_shelves.add(shelf)  # at most 65,536 of them


class _NotShareableError(Exception):
    """This file has to be copied."""


class _Positioned:
    """An open file read by position."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read_into(self, buffer: memoryview, position: int) -> int:
        return os.preadv(self._file.fileno(), [buffer], position)

    def close(self) -> None:
        self._file.close()


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(directory: Path) -> list[str]:
    """What lies in a directory, in order; nothing in what is no directory, or no more."""
    with suppress(NotADirectoryError, FileNotFoundError):
        return sorted(entry.name for entry in directory.iterdir())
    return []
