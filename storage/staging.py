"""Bytes of uploads that are not finished: one file per upload in one folder of this machine.

An offset that is answered is flushed to the disk; it moves back only when a part that came with a checksum proves
wrong. One writer at a time holds an upload, across
processes (`flock`). Once an upload's file is shared with the blob store nobody writes to it: it has its full length
by then, and nothing is ever written past that by those who ask here.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

#: Bytes written before the disk must have them: a power cut in a long part loses at most these.
FLUSH_EVERY = 64 * 1024 * 1024
#: Bytes read at a time when a digest could not be kept while the bytes came in.
PIECE = 1024 * 1024
#: Running digests remembered between the parts of uploads; one forgotten costs a second reading of the file.
MOST_DIGESTS = 256

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Missing(Exception):
    """No bytes of this upload are kept here."""


class Busy(Exception):
    """Somebody else is writing to this upload now."""


class Full(Exception):
    """The disk took no more; what it had taken before stays."""


@dataclass
class _Seen:
    """What one process knows of an upload's digest: everything below `offset` went through `digest`."""

    offset: int
    digest: hashlib._Hash


class Staging:
    """The folder. Share one per process, so that a file which comes in several parts is hashed as it comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._guard = threading.Lock()

    def create(self, upload_id: str) -> None:
        """An empty file that outlives a power cut."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _full_when_no_room():
            os.close(os.open(self._path(upload_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            _flush_folder(self._folder)

    def offset(self, upload_id: str) -> int:
        """How many bytes are safely kept; raises `Missing`."""
        descriptor = self._open(upload_id)
        try:
            size = os.fstat(descriptor).st_size
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return size

    def writer(self, upload_id: str, *, checked: bool = False) -> Writer:
        """The one writer of this upload, to be closed by `with`; raises `Busy` and `Missing`.

        `checked` also keeps a digest of what this writer alone writes.
        """
        descriptor = self._open(upload_id)
        try:
            _lock(descriptor)
            _refuse_unnamed(descriptor, self._path(upload_id))
        except BaseException:
            os.close(descriptor)
            raise
        return Writer(self, upload_id, self._path(upload_id), descriptor, checked=checked)

    def remove(self, upload_id: str) -> None:
        """Forgets the bytes; raises `Busy`. None being there is no error."""
        try:
            with self.writer(upload_id) as writer:
                writer.remove()
        except Missing:
            return

    def untouched_for(self, seconds: float) -> Iterator[str]:
        """Uploads whose bytes were last written so long ago."""
        before = time.time() - seconds
        paths = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        for path in paths:
            try:
                if _ID.fullmatch(path.name) and path.stat().st_mtime <= before:
                    yield path.name
            except FileNotFoundError:  # finished in this moment
                continue

    def _open(self, upload_id: str) -> int:
        try:
            return os.open(self._path(upload_id), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Missing from None

    def _path(self, upload_id: str) -> Path:
        if _ID.fullmatch(upload_id) is None:
            raise Missing
        return self._folder / upload_id

    def _recall(self, upload_id: str, offset: int) -> hashlib._Hash | None:
        """The running digest up to `offset`, if this process saw every byte."""
        with self._guard:
            seen = self._seen.pop(upload_id, None)
        if offset == 0:
            return hashlib.sha256()
        return seen.digest if seen is not None and seen.offset == offset else None

    def _remember(self, upload_id: str, offset: int, digest: hashlib._Hash) -> None:
        with self._guard:
            self._seen[upload_id] = _Seen(offset, digest)
            while len(self._seen) > MOST_DIGESTS:
                self._seen.popitem(last=False)


class Writer:
    """Appends to one upload. What was written is kept when the `with` ends, unless it was taken back."""

    def __init__(self, staging: Staging, upload_id: str, path: Path, descriptor: int, *, checked: bool) -> None:
        self.path = path
        #: Bytes that were here before this writer came.
        self.start = os.fstat(descriptor).st_size
        self.size = self.start
        self._staging, self._upload_id, self._descriptor = staging, upload_id, descriptor
        self._flushed = self.start
        self._removed = False
        self._whole = staging._recall(upload_id, self.start)  # noqa: SLF001  # the two are one thing in two classes
        self._whole_before = self._whole.copy() if self._whole else None
        self._part = hashlib.sha256() if checked else None
        os.lseek(descriptor, self.start, os.SEEK_SET)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if not self._removed:
                self.keep()
        finally:
            if self._whole and not self._removed:
                self._staging._remember(self._upload_id, self.size, self._whole)  # noqa: SLF001  # as above
            os.close(self._descriptor)

    def write(self, data: bytes) -> None:
        """Appends all of it, or raises `Full` after as much as fits."""
        rest = memoryview(data)
        with _full_when_no_room():
            while rest:
                written = os.write(self._descriptor, rest)
                self._hash(rest[:written])
                rest = rest[written:]
        if self.size - self._flushed >= FLUSH_EVERY:
            self.keep()

    def keep(self) -> None:
        """Returns when the disk has everything; if it will not take it, what it had not taken is gone: `Full`."""
        if self.size == self._flushed:
            return
        try:
            with _full_when_no_room():
                os.fsync(self._descriptor)
        except BaseException:
            self._cut(self._flushed)
            self._whole = None
            raise
        self._flushed = self.size

    def take_back(self) -> None:
        """Removes what this writer wrote."""
        self._cut(self.start)
        self._whole = self._whole_before
        os.fsync(self._descriptor)
        self._flushed = self.start

    def part_digest(self) -> bytes:
        """The SHA-256 of what this writer wrote; only of a checked one."""
        assert self._part is not None
        return self._part.digest()

    def digest(self) -> str:
        """The SHA-256 of the whole file so far; reads it again unless this process saw every byte come in."""
        if self._whole is None:
            self._whole = _digest_of(self._descriptor)
        return self._whole.hexdigest()

    def remove(self) -> None:
        """Unlinks the file; bytes shared with a blob store stay there."""
        self.path.unlink(missing_ok=True)
        self._removed = True

    def _hash(self, written: memoryview) -> None:
        self.size += len(written)
        for digest in (self._whole, self._part):
            if digest is not None:
                digest.update(written)

    def _cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, size, os.SEEK_SET)
        self.size = size


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy from None


def _refuse_unnamed(descriptor: int, path: Path) -> None:
    """The previous holder may have finished and unlinked the file, which lives on in the blob store: hands off."""
    try:
        still_named = os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        still_named = False
    if not still_named:
        raise Missing


def _digest_of(descriptor: int) -> hashlib._Hash:
    digest, position = hashlib.sha256(), 0
    while piece := os.pread(descriptor, PIECE, position):
        digest.update(piece)
        position += len(piece)
    return digest


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _full_when_no_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Full from error
        raise
