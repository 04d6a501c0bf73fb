"""What every blob store promises, wherever it keeps the bytes.

A blob is a finished run of bytes; its key is their SHA-256, written as 64 lower-case hexadecimal digits.
A key therefore never changes its meaning: a blob appears whole or not at all, and is never overwritten.
Threads may share a store; every process opens its own, and many may write to one place at once.
A malformed key, or a range that runs backwards, is a mistake of the caller: ``ValueError``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

#: Age in seconds after which something unfinished is taken for abandoned: a day outlasts any upload.
ABANDONED_AFTER = 24 * 60 * 60


class BlobError(Exception):
    """What a blob store refuses: a whole sentence that names no path, no host and no secret."""


class BlobMissing(BlobError):
    """No blob is kept under this key."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"No blob is kept under {sha256}.")
        self.sha256 = sha256


class DigestMismatch(BlobError):
    """The bytes that came are not the bytes that were announced; nothing of them was kept."""

    def __init__(self, *, expected: str, actual: str) -> None:
        super().__init__(f"The bytes have the SHA-256 {actual}, but {expected} was announced.")
        self.expected = expected
        self.actual = actual


class StoreFull(BlobError):
    """There is no room for these bytes; nothing of them was kept and the store is as it was."""

    def __init__(self) -> None:
        super().__init__("The blob store is full: free some space or raise its quota, then try again.")


class StoreUnavailable(BlobError):
    """The store cannot be reached, read or written now; the cause is chained for the log."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob that is now kept for good.

    ``fresh`` says that this call brought the bytes in; False, that they were here already. Of several
    writers that bring the same new bytes at the same time at least one is told True; on an S3, which
    cannot say who was first, it may be several.
    """

    sha256: str
    size: int
    fresh: bool


class BlobStore(Protocol):
    """Keeps blobs under their SHA-256."""

    def put(self, stream: BinaryIO, *, expected: str | None = None) -> Stored:
        """Keep what remains in the stream, hashing it while it is written, in bounded memory.

        When it returns, the blob outlives a power cut. Bytes that are here already are kept once.
        An ``expected`` digest that is not theirs raises `DigestMismatch`, no more room `StoreFull`;
        after these, after an error of the stream itself and after a ``kill -9``, nothing is visible.
        """

    def adopt(self, path: Path, sha256: str | None = None, *, verified: bool = False) -> Stored:
        """Keep the bytes of a finished local file, without copying them where that is possible.

        The digest is computed and compared with ``sha256`` if that is given. Only ``verified=True``
        makes the store believe the caller's digest unread; the caller must have hashed the file itself.
        The file keeps its name, to be unlinked when the caller's own work is safe; it must never be
        written to again, because a disk store in the same file system shares it rather than copies it.
        Anything but a regular file is a ``ValueError``.
        """

    def open(self, sha256: str, start: int = 0, stop: int | None = None) -> BinaryIO:
        """Read the bytes of the half-open range [start, stop), to the end if there is no stop.

        The reader is seekable, counts its positions from ``start`` and is closed by ``with``. A range
        is cut at the end of the blob, so one that lies beyond it is empty. Unknown keys: `BlobMissing`.
        """

    def stat(self, sha256: str) -> int | None:
        """The size in bytes, or None if there is no such blob."""

    def local_path(self, sha256: str) -> Path | None:
        """A file to read in place, for programs that want a name; it must not be written to.

        None where blobs are not files of this machine, and for a missing blob: `open` serves everyone.
        """

    def verify(self, sha256: str) -> bool:
        """Read the blob and say whether it still has its digest. Unknown keys: `BlobMissing`."""

    def remove(self, sha256: str) -> None:
        """Forget the blob; a missing one is no error. Readers that are open may finish or fail.

        A store does not know who points at a blob: it is the caller who makes sure that nobody does,
        nor puts the same bytes at this moment. Removing, then putting, also replaces a damaged blob.
        """

    def keys(self) -> Iterator[str]:
        """Every key in ascending order; what comes or goes meanwhile may or may not be among them."""


@runtime_checkable
class Presigns(Protocol):
    """A store that can let a browser fetch a blob from where it lies. Ask with ``isinstance``."""

    def sign(self, sha256: str, *, seconds: int, file_name: str, media_type: str) -> str:
        """An address that answers GET for so many seconds (1 to 604,800) without further credentials.

        It answers with this media type, as an attachment of this name. Whether the blob exists is not
        looked up. An address that was given out cannot be taken back.
        """


@runtime_checkable
class Sweeps(Protocol):
    """A store in which interrupted writes may leave invisible remains. Ask with ``isinstance``."""

    def sweep(self, older_than: float = ABANDONED_AFTER) -> int:
        """Remove remains that were last touched so many seconds ago; how many these were."""
