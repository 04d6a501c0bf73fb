"""Blobs in a bucket of any S3: an object's name is its digest, and the bucket holds nothing else.

The digest is known only after the last byte, and an S3 cannot rename: a stream is first spooled to a local
file without a name while it is hashed, then sent under its digest, unless that is there already. The spool
needs room for the uploads in flight; memory does not grow with them (`PART` bytes at a time).
Every part travels with a checksum (SHA-256 over http, MD5 over https) that the server compares.
"""

import io
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import certifi
import urllib3
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.error import MinioException, S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule

from storage.blobs import drafts, hashing, windows
from storage.blobs.interface import BlobMissing, Stored, StoreFull, StoreUnavailable

#: 16 MiB, the size that cost least; an S3 takes 10,000 parts, so blobs beyond 156 GiB have larger ones.
PART = 16 << 20
MOST_PARTS = 10_000
#: What a reader fetches at once when it is asked for less: one round trip costs more than these bytes.
READ_AHEAD = 256 << 10
#: Seconds to wait before each further try to read on after a broken answer.
WAITS = (0.1, 0.5, 2.0)
#: Seconds to wait for a connection, and for each piece of an answer.
PATIENCE = urllib3.Timeout(connect=5, read=60)
#: The longest that an address may be signed for: seven days, a limit of the protocol.
LONGEST_SIGNATURE = 7 * 24 * 60 * 60

_MISSING = {"NoSuchKey"}
_NO_ROOM = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
_DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
_CREATED_BY_ANOTHER = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"}


class S3Blobs:
    """A `BlobStore` that also `Presigns`. Opening it makes sure that the bucket exists."""

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        access_key: str,
        secret_key: str,
        spool: Path,
        secure: bool = True,
        region: str | None = None,
    ) -> None:
        self._bucket, self._spool = bucket, spool
        self._client = Minio(
            endpoint,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            region=region,
            http_client=connections(),
        )
        with drafts.refusals():
            spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _refusals():
            self._create_bucket()

    def put(self, stream: BinaryIO, *, expected: str | None = None) -> Stored:
        hashing.refuse_malformed(expected)
        with self._nameless() as spooled:
            sha256, size = hashing.pour(stream, partial(_spool, spooled.fileno()))
            hashing.refuse_other(expected, sha256)
            spooled.seek(0)
            # Buffered, it joins short reads; the client would do that at quadratic cost.
            with io.BufferedReader(spooled) as whole:
                return self._keep(sha256, size, whole)

    def adopt(self, path: Path, sha256: str | None = None, *, verified: bool = False) -> Stored:
        with hashing.finished(path) as file:
            sha256 = hashing.settled(file, sha256, verified=verified)
            return self._keep(sha256, os.fstat(file.fileno()).st_size, file)

    def open(self, sha256: str, start: int = 0, stop: int | None = None) -> BinaryIO:
        windows.refuse_backwards(start, stop)
        size = self.stat(sha256)
        if size is None:
            raise BlobMissing(sha256)
        start, stop = windows.within(size, start, stop)
        answers = _Answers(self._client, self._bucket, sha256, stop)
        return windows.reader(answers, start, stop, buffered=READ_AHEAD)

    def stat(self, sha256: str) -> int | None:
        hashing.refuse_malformed(sha256)
        with suppress(BlobMissing), _refusals(sha256):
            return self._client.stat_object(self._bucket, sha256).size
        return None

    def local_path(self, sha256: str) -> Path | None:
        hashing.refuse_malformed(sha256)
        return None

    def verify(self, sha256: str) -> bool:
        with self.open(sha256) as stream:
            return hashing.digest_of(stream) == sha256

    def remove(self, sha256: str) -> None:
        hashing.refuse_malformed(sha256)
        with _refusals():
            self._client.remove_object(self._bucket, sha256)

    def keys(self) -> Iterator[str]:
        with _refusals():
            for found in self._client.list_objects(self._bucket, recursive=True):
                if hashing.is_key(found.object_name):
                    yield found.object_name

    def sign(self, sha256: str, *, seconds: int, file_name: str, media_type: str) -> str:
        hashing.refuse_malformed(sha256)
        if not 1 <= seconds <= LONGEST_SIGNATURE:
            raise ValueError(f"An address is signed for 1 to {LONGEST_SIGNATURE} seconds, not for {seconds}.")
        answer: dict[str, str | list[str] | tuple[str]] = {
            "response-content-disposition": _attachment(file_name),
            "response-content-type": media_type,
        }
        with _refusals():
            return self._client.presigned_get_object(
                self._bucket, sha256, timedelta(seconds=seconds), response_headers=answer
            )

    def _nameless(self) -> io.FileIO:
        with drafts.refusals():
            return tempfile.TemporaryFile(dir=self._spool, buffering=0)

    def _keep(self, sha256: str, size: int, file: BinaryIO) -> Stored:
        if self.stat(sha256) == size:  # of another size it would be damaged, and is replaced
            return Stored(sha256, size, fresh=False)
        with _refusals():
            self._client.put_object(
                self._bucket,
                sha256,
                file,
                size,
                part_size=max(PART, -(-size // MOST_PARTS)),
                num_parallel_uploads=1,
            )
        return Stored(sha256, size, fresh=True)

    def _create_bucket(self) -> None:
        """Create it if need be, with the rule that uploads which were never finished go after a day."""
        if self._client.bucket_exists(self._bucket):
            return
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in _CREATED_BY_ANOTHER:
                raise
        abandoned = AbortIncompleteMultipartUpload(days_after_initiation=1)
        rule = Rule(ENABLED, Filter(prefix=""), "unfinished", abort_incomplete_multipart_upload=abandoned)
        # An S3 that knows no such rules keeps the remains, invisible; and another may be just setting them.
        with suppress(MinioException, urllib3.exceptions.HTTPError):
            self._client.set_bucket_lifecycle(self._bucket, LifecycleConfig([rule]))


class _Answers:
    """An object's bytes up to ``stop``, read from one answer as long as it is read in order.

    An answer that breaks off is asked for again from where it broke; a seek asks anew too.
    """

    def __init__(self, client: Minio, bucket: str, name: str, stop: int) -> None:
        self._client, self._bucket, self._name, self._stop = client, bucket, name, stop
        self._answer: urllib3.BaseHTTPResponse | None = None
        self._position = 0

    def read_into(self, buffer: memoryview, position: int) -> int:
        for wait in (0, *WAITS):
            if wait:
                time.sleep(wait)
            with suppress(urllib3.exceptions.HTTPError, OSError):
                if piece := self._read(len(buffer), position):
                    buffer[: len(piece)] = piece
                    return len(piece)
            self.close()
        raise StoreUnavailable("The blob store broke off in the middle of a blob, several times.")

    def close(self) -> None:
        if self._answer:
            self._answer.close()
            self._answer = None

    def _read(self, most: int, position: int) -> bytes:
        if self._answer is None or position != self._position:
            self.close()
            self._answer, self._position = self._ask(position), position
        piece = self._answer.read(most)
        self._position += len(piece)
        return piece

    def _ask(self, position: int) -> urllib3.BaseHTTPResponse:
        with _refusals(self._name):
            return self._client.get_object(self._bucket, self._name, position, self._stop - position)


@contextmanager
def _refusals(sha256: str = "") -> Iterator[None]:
    """Say in a blob store's words what the S3 refuses; its own words carry hosts and buckets."""
    try:
        yield
    except S3Error as error:
        raise _refusal(error.code or "", sha256) from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnavailable("The blob store does not answer.") from error


def _refusal(code: str, sha256: str) -> BlobMissing | StoreFull | StoreUnavailable:
    if code in _MISSING:
        return BlobMissing(sha256)
    if code in _NO_ROOM:
        return StoreFull()
    if code in _DENIED:
        return StoreUnavailable("The blob store does not accept our key, or does not allow it this.")
    return StoreUnavailable(f"The blob store answered with an error: {code}.")


def connections() -> urllib3.PoolManager:
    """Like the client's own, except that it gives up in seconds rather than minutes."""
    return urllib3.PoolManager(
        timeout=PATIENCE,
        maxsize=16,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        retries=urllib3.Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )


def _spool(descriptor: int, piece: bytes) -> None:
    with drafts.refusals():
        drafts.write_all(descriptor, piece)


def _attachment(file_name: str) -> str:
    """A Content-Disposition with the name twice: plain for old programs, complete by RFC 6266 and 8187."""
    plain = "".join(letter if _is_plain(letter) else "_" for letter in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def _is_plain(letter: str) -> bool:
    return letter.isascii() and letter.isprintable() and letter not in '"\\%/'
