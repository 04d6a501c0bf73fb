"""Buckets of others that files are read from: listed a page at a time, and never written to.

Whatever an S3 refuses is told as a blob store's `StoreUnavailable`, whose words carry no host and no secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from storage import blobs
from storage.blobs import s3

#: Bytes that come in one piece.
PIECE: Final = 1 << 18


@dataclass(frozen=True)
class Found:
    key: str
    byte_size: int


@dataclass(frozen=True)
class Bucket:
    """One bucket; opening it asks nothing of the S3 yet."""

    client: Minio
    name: str

    def listed(self, prefix: str, after: str | None, limit: int) -> list[Found]:
        """At most `limit` objects whose keys begin with `prefix` and come behind `after`, in the order of keys."""
        with _telling():
            found = self.client.list_objects(self.name, prefix=prefix or None, recursive=True, start_after=after)
            # Some S3 begin with the very key that they are to begin behind.
            kept = (each for each in found if not each.is_dir and (after is None or (each.object_name or "") > after))
            return [Found(each.object_name or "", each.size or 0) for each in islice(kept, limit)]

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes of an object; `blobs.BlobMissing` where it is gone."""
        with _telling(key):
            answer = self.client.get_object(self.name, key)
            try:
                yield from answer.stream(PIECE)
            finally:
                answer.close()
                answer.release_conn()


def from_url(url: str) -> Bucket:
    """`s3://KEY:SECRET@HOST:PORT/BUCKET?secure=…&region=…`; ValueError with one sentence that tells no secret."""
    asked = blobs.parts_of(url)
    client = Minio(
        asked.endpoint,
        access_key=asked.access_key,
        secret_key=asked.secret_key,
        secure=asked.secure,
        region=asked.region,
        http_client=s3.connections(),
    )
    return Bucket(client, asked.bucket)


@contextmanager
def _telling(key: str = "") -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if error.code == "NoSuchKey":
            raise blobs.BlobMissing(key) from error
        raise blobs.StoreUnavailable(f"The bucket answered with an error: {error.code}.") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise blobs.StoreUnavailable("The bucket does not answer.") from error
