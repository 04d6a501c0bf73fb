"""The places blobs are kept in, each with what a test has to do behind the store's back."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from minio import Minio

from storage import blobs
from storage.blobs import BlobStore, DiskBlobs, MemoryBlobs
from storage.blobs.s3 import S3Blobs
from tests.servers.quick_s3 import QuickS3
from tests.servers.rgw import Rgw

NAMES = ("disk", "disk with named drafts", "memory", "quick S3", "real S3")


@dataclass(frozen=True)
class Place:
    store: BlobStore
    #: Replace the bytes of a blob, as a failing disk or a careless administrator would.
    damage: Callable[[str, bytes], object]
    #: What lies about besides whole blobs: drafts, spools, temporary files.
    remains: Callable[[], list[str]]


def of_this_name(name: str, folder: Path, request: pytest.FixtureRequest) -> Place:
    if name.startswith("disk"):
        return on_disk(DiskBlobs(folder / "blobs", nameless=name == "disk"), folder)
    if name == "memory":
        return in_memory(MemoryBlobs())
    server: QuickS3 | Rgw = request.getfixturevalue("quick_s3" if name == "quick S3" else "rgw")
    return on_s3(server.blob_url(f"contract-{secrets.token_hex(8)}"), folder)


def on_disk(store: DiskBlobs, folder: Path) -> Place:
    def damage(sha256: str, content: bytes) -> None:
        path = store.local_path(sha256)
        assert path
        path.write_bytes(content)

    def remains() -> list[str]:
        kept = set(store.keys())
        return [path.name for path in folder.rglob("*") if path.is_file() and path.name not in kept]

    return Place(store, damage, remains)


def in_memory(store: MemoryBlobs) -> Place:
    return Place(store, store._blobs.__setitem__, list)


def on_s3(url: str, folder: Path) -> Place:
    store = blobs.from_url(url, folder)
    assert isinstance(store, S3Blobs)
    client, bucket = behind(store)

    def damage(sha256: str, content: bytes) -> None:
        (folder / "damaged").write_bytes(content)
        client.fput_object(bucket, sha256, str(folder / "damaged"))
        (folder / "damaged").unlink()

    def remains() -> list[str]:
        spooled = [path.name for path in folder.rglob("*") if path.is_file()]
        return spooled + [upload.object_name for upload in client._list_multipart_uploads(bucket).uploads]

    return Place(store, damage, remains)


def behind(store: S3Blobs) -> tuple[Minio, str]:
    return store._client, store._bucket
