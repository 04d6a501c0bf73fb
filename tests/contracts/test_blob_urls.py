"""Which store a URL opens, and what a bad one is told."""

from pathlib import Path

import pytest

from storage import blobs
from storage.blobs import DiskBlobs, MemoryBlobs, Presigns, Sweeps
from storage.blobs.s3 import S3Blobs
from tests.contracts import blobs_places
from tests.servers.quick_s3 import QuickS3

SECRET = "hunter2"


def test_file_alone_is_a_folder_in_the_default_directory(tmp_path: Path) -> None:
    assert isinstance(blobs.from_url("file:", tmp_path), DiskBlobs)
    assert (tmp_path / "blobs" / "sha256").is_dir()


def test_a_file_url_is_that_folder(tmp_path: Path) -> None:
    where = tmp_path / "with a space"
    blobs.from_url(where.as_uri(), tmp_path / "unused")
    assert (where / "sha256").is_dir()
    assert not (tmp_path / "unused").exists()


def test_memory_is_empty_each_time(tmp_path: Path) -> None:
    assert isinstance(blobs.from_url("memory:", tmp_path), MemoryBlobs)
    assert list(tmp_path.iterdir()) == []


def test_an_s3_url_is_its_bucket_and_a_spool(quick_s3: QuickS3, tmp_path: Path) -> None:
    store = blobs.from_url(quick_s3.blob_url("by-url") + "&region=eu-central-1", tmp_path)
    assert isinstance(store, S3Blobs)
    client, bucket = blobs_places.behind(store)
    assert bucket == "by-url"
    assert client._base_url.region == "eu-central-1"
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]


def test_key_and_secret_may_be_percent_encoded(quick_s3: QuickS3, tmp_path: Path) -> None:
    store = blobs.from_url(f"s3://a%40b:c%2Fd%2Be@{quick_s3.endpoint}/encoded?secure=false", tmp_path)
    assert isinstance(store, S3Blobs)
    provider = blobs_places.behind(store)[0]._provider
    assert provider
    credentials = provider.retrieve()
    assert (credentials.access_key, credentials.secret_key) == ("a@b", "c/d+e")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", 'begins with "file:", "memory:" or "s3:"'),
        ("/var/blobs", 'begins with "file:", "memory:" or "s3:"'),
        (f"https://key:{SECRET}@host/bucket", 'begins with "file:", "memory:" or "s3:"'),
        ("file:relative/path", "must be absolute"),
        ("file://host/path", "with nothing after it"),
        ("file:///path?secure=false", "with nothing after it"),
        ("memory:name", "with nothing after it"),
        (f"s3://key:{SECRET}@host", "must end in the name of a bucket"),
        (f"s3://key:{SECRET}@host/Bucket", "must end in the name of a bucket"),
        (f"s3://key:{SECRET}@host/bucket/folder", "must end in the name of a bucket"),
        (f"s3://key:{SECRET}/more@host:1/bucket", "a slash in key or secret is written as %2F"),
        (f"s3://key:{SECRET}", "must end in the name of a bucket"),
        (f"s3://key:{SECRET}/bucket", "The port in the blob URL is not a number"),
        (f"s3://key:{SECRET}@host:port/bucket", "The port in the blob URL is not a number"),
        (f"s3://key:{SECRET}@/bucket", "names no host"),
        (f"s3://key:{SECRET}@[::1/bucket", "cannot be read"),
        ("s3://host:9000/bucket", "lacks a key or a secret"),
        (f"s3://:{SECRET}@host:9000/bucket", "lacks a key or a secret"),
        ("s3://key@host:9000/bucket", "lacks a key or a secret"),
        (f"s3://key:{SECRET}@host/bucket?secure=maybe", '"secure" is true'),
        (f"s3://key:{SECRET}@host/bucket?secrets={SECRET}", "1 option(s) besides secure and region"),
        (f"s3://key:{SECRET}@host/bucket?region={SECRET}%20", '"region" is a plain name'),
    ],
)
def test_a_bad_url_is_refused_in_one_sentence_that_keeps_the_secret(url: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        blobs.from_url(url, tmp_path)
    said = str(refusal.value)
    assert sentence in said
    assert said.endswith((".", "REGION."))
    assert SECRET not in said
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


def test_optional_powers_are_asked_for(quick_s3: QuickS3, tmp_path: Path) -> None:
    powers = {
        type(store): (isinstance(store, Presigns), isinstance(store, Sweeps))
        for store in (blobs.from_url(url, tmp_path) for url in ("file:", "memory:", quick_s3.blob_url("powers")))
    }
    assert powers == {DiskBlobs: (False, True), MemoryBlobs: (False, False), S3Blobs: (True, False)}
