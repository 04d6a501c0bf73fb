"""How bytes become a key: SHA-256 beside the copying, and the form a key must have.

Memory stays at two pieces of `PIECE` bytes, however long the stream.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.blobs.interface import DigestMismatch

#: 1 MiB: measured; at 64 KiB handing pieces to the other thread costs more than it saves.
PIECE = 1 << 20

_KEY = re.compile(r"[0-9a-f]{64}")


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def refuse_malformed(sha256: str | None) -> None:
    """``ValueError`` unless it is a key, or None: nothing announced."""
    if sha256 is not None and not is_key(sha256):
        raise ValueError("The key of a blob is its SHA-256: 64 lower-case hexadecimal digits.")


def refuse_other(expected: str | None, actual: str) -> None:
    """`DigestMismatch` if another digest was announced."""
    if expected is not None and expected != actual:
        raise DigestMismatch(expected=expected, actual=actual)


def pour(source: BinaryIO, write: Callable[[bytes], object]) -> tuple[str, int]:
    """Hand every remaining byte of the source to ``write``; the digest and the number of bytes.

    Full pieces are hashed on a second thread while they are written, since hashlib lets go of the
    interpreter: measured a tenth to a fifth faster. Short pieces are not worth the hand-over.
    """
    digest, size = hashlib.sha256(), 0
    hashed: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="sha256") as beside:
        while piece := source.read(PIECE):
            if hashed:
                hashed.result()
            if len(piece) == PIECE:
                hashed = beside.submit(digest.update, piece)
            else:
                digest.update(piece)
            write(piece)
            size += len(piece)
    return digest.hexdigest(), size


def digest_of(source: BinaryIO) -> str:
    """The SHA-256 of what remains to be read."""
    digest = hashlib.sha256()
    while piece := source.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def finished(path: Path) -> Iterator[BinaryIO]:
    """The regular file of that name, opened for reading; ``ValueError`` for anything else, links included."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise _not_a_file() from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file()
    with os.fdopen(descriptor, "rb") as file:
        yield file


def settled(file: BinaryIO, sha256: str | None, *, verified: bool) -> str:
    """The digest to keep a file under: computed and compared, or believed if the caller verified it."""
    refuse_malformed(sha256)
    if verified:
        if sha256 is None:
            raise ValueError("A verified file comes with its SHA-256.")
        return sha256
    actual = digest_of(file)
    refuse_other(sha256, actual)
    file.seek(0)
    return actual


def _not_a_file() -> ValueError:
    return ValueError("Only a regular file can be taken into the blob store.")
