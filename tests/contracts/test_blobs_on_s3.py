"""What the S3 store promises beyond the contract: signed addresses, broken answers, refused keys."""

import hashlib
import io
import random
import secrets
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from minio.lifecycleconfig import AbortIncompleteMultipartUpload

from storage import blobs
from storage.blobs import BlobMissing, Presigns, StoreUnavailable, s3
from storage.blobs.s3 import S3Blobs
from tests.contracts import blobs_children, blobs_places
from tests.contracts.blobs_relay import Relay, relay
from tests.servers.quick_s3 import QuickS3
from tests.servers.rgw import Rgw

TEXT = b"Imprimatur: let it be printed."
SHA256 = hashlib.sha256(TEXT).hexdigest()
LARGE = random.Random(3).randbytes(12 << 20)
NO_ANSWER = "The blob store does not answer."


@pytest.fixture(params=["quick_s3", "rgw"])
def url(request: pytest.FixtureRequest) -> str:
    server: QuickS3 | Rgw = request.getfixturevalue(request.param)
    return server.blob_url(f"s3-{secrets.token_hex(8)}")


@pytest.fixture
def store(url: str, tmp_path: Path) -> S3Blobs:
    return opened(url, tmp_path)


@pytest.fixture
def between(url: str) -> Iterator[Relay]:
    with relay(urllib.parse.urlsplit(url).netloc.partition("@")[2]) as one:
        yield one


@pytest.fixture
def far(url: str, between: Relay, tmp_path: Path) -> S3Blobs:
    """The same bucket behind the relay."""
    return opened(through(between, url), tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "WAITS", (0.0, 0.0, 0.0))


def opened(url: str, folder: Path) -> S3Blobs:
    store = blobs.from_url(url, folder)
    assert isinstance(store, S3Blobs)
    return store


def through(between: Relay, url: str) -> str:
    host = urllib.parse.urlsplit(url).netloc.partition("@")[2]
    return url.replace(host, between.endpoint)


def fetched(address: str) -> tuple[bytes, Any]:
    with urllib.request.urlopen(address) as answer:
        return answer.read(), answer.headers


def test_opening_a_store_creates_its_bucket_once(url: str, tmp_path: Path) -> None:
    opened(url, tmp_path).put(io.BytesIO(TEXT))
    assert list(opened(url, tmp_path).keys()) == [SHA256]


def test_many_may_open_a_new_bucket_at_the_same_time(url: str, tmp_path: Path) -> None:
    together = threading.Barrier(3)

    def begin(_: int) -> list[str]:
        together.wait()
        return list(opened(url, tmp_path).keys())

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(begin, range(3))) == [[]] * 3


def test_uploads_that_are_never_finished_go_after_a_day(store: S3Blobs) -> None:
    client, bucket = blobs_places.behind(store)
    rules = client.get_bucket_lifecycle(bucket)
    assert rules
    assert [rule.abort_incomplete_multipart_upload for rule in rules.rules] == [AbortIncompleteMultipartUpload(1)]
    assert [rule.expiration for rule in rules.rules] == [None]


def test_a_bucket_that_was_there_keeps_its_own_rules(store: S3Blobs, url: str, tmp_path: Path) -> None:
    client, bucket = blobs_places.behind(store)
    client.delete_bucket_lifecycle(bucket)
    opened(url, tmp_path)
    assert client.get_bucket_lifecycle(bucket) is None


def test_strange_objects_are_no_blobs(store: S3Blobs) -> None:
    client, bucket = blobs_places.behind(store)
    store.put(io.BytesIO(TEXT))
    client.put_object(bucket, "notes.txt", io.BytesIO(b"notes"), 5)
    client.put_object(bucket, "folder/" + "0" * 64, io.BytesIO(b"notes"), 5)
    assert list(store.keys()) == [SHA256]


def test_keys_go_on_beyond_the_first_page(rgw: Rgw, tmp_path: Path) -> None:
    store = opened(rgw.blob_url("pages"), tmp_path)
    client, bucket = blobs_places.behind(store)
    keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1005)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: client.put_object(bucket, key, io.BytesIO(b""), 0), keys))
    assert list(store.keys()) == sorted(keys)


def test_a_signed_address_serves_anyone_under_the_name_it_was_given(store: S3Blobs) -> None:
    assert isinstance(store, Presigns)
    store.put(io.BytesIO(TEXT))
    address = store.sign(SHA256, seconds=60, file_name='Plakat "Frühling" 100%.pdf', media_type="application/pdf")
    content, headers = fetched(address)
    assert content == TEXT
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == (
        'attachment; filename="Plakat _Fr_hling_ 100_.pdf"; '
        "filename*=UTF-8''Plakat%20%22Fr%C3%BChling%22%20100%25.pdf"
    )
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["X-Amz-Expires"] == ["60"]


def test_a_line_break_in_a_file_name_makes_no_header_of_its_own(store: S3Blobs) -> None:
    store.put(io.BytesIO(TEXT))
    _, headers = fetched(store.sign(SHA256, seconds=60, file_name="a\r\nX-Evil: 1.pdf", media_type="text/plain"))
    assert headers["X-Evil"] is None
    assert headers["Content-Disposition"].startswith('attachment; filename="a__X-Evil: 1.pdf"')


@pytest.mark.parametrize("seconds", [0, -1, 604_801])
def test_an_address_is_signed_for_at_most_a_week(store: S3Blobs, seconds: int) -> None:
    with pytest.raises(ValueError, match="for 1 to 604800 seconds"):
        store.sign(SHA256, seconds=seconds, file_name="a.pdf", media_type="application/pdf")


def test_a_signed_address_that_was_changed_is_refused(rgw: Rgw, tmp_path: Path) -> None:
    store = opened(rgw.blob_url("signed"), tmp_path)
    store.put(io.BytesIO(TEXT))
    address = store.sign(SHA256, seconds=60, file_name="a.pdf", media_type="application/pdf")
    for changed in (address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"), address.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(changed)
        assert refusal.value.code == 403
        refusal.value.close()


def test_a_wrong_secret_is_refused_without_repeating_it(rgw: Rgw, tmp_path: Path) -> None:
    url = rgw.blob_url("mine").replace(rgw.plain.secret_key, "not-the-secret")
    with pytest.raises(StoreUnavailable) as refusal:
        blobs.from_url(url, tmp_path)
    assert str(refusal.value) == "The blob store does not accept our key, or does not allow it this."


def test_the_bucket_of_another_is_refused(rgw: Rgw, tmp_path: Path) -> None:
    blobs.from_url(rgw.blob_url("taken"), tmp_path)
    with pytest.raises(StoreUnavailable, match="does not accept our key, or does not allow it this"):
        blobs.from_url(rgw.tight_blob_url("taken"), tmp_path)


def test_a_store_that_nobody_answers_for_is_unavailable(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"s3://key:secret@127.0.0.1:{silent.getsockname()[1]}/bucket?secure=false"
        with pytest.raises(StoreUnavailable) as refusal:
            blobs.from_url(url, tmp_path)
    assert str(refusal.value) == NO_ANSWER


def test_an_answer_that_breaks_off_is_read_on_from_where_it_broke(store: S3Blobs, far: S3Blobs, between: Relay) -> None:
    sha256 = store.put(io.BytesIO(LARGE)).sha256
    between.answers_end_after = 5 << 20
    with opened_anew(far).open(sha256, 1000) as stream:
        before = between.connections
        assert stream.read() == LARGE[1000:]
    assert between.connections >= before + 2


def test_an_answer_that_never_comes_whole_is_given_up(
    store: S3Blobs, far: S3Blobs, between: Relay, impatient: None
) -> None:
    sha256 = store.put(io.BytesIO(LARGE)).sha256
    with far.open(sha256) as stream:
        between.answers_have_no_body = True
        far_connections(far).clear()
        with pytest.raises(StoreUnavailable, match="broke off in the middle of a blob, several times"):
            stream.read()


def test_a_blob_that_is_removed_while_it_is_read_is_missing(store: S3Blobs) -> None:
    sha256 = store.put(io.BytesIO(LARGE)).sha256
    with store.open(sha256) as stream:
        store.remove(sha256)
        with pytest.raises(BlobMissing):
            stream.read()


def test_a_writer_killed_while_it_sends_leaves_nothing_visible(
    store: S3Blobs, url: str, between: Relay, tmp_path: Path
) -> None:
    between.requests_stall_after = 18 << 20
    with blobs_children.child("churn", through(between, url), tmp_path, 40 << 20) as printed:
        assert between.stalled.wait(60)
    assert printed.closed
    assert list(store.keys()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def opened_anew(far: S3Blobs) -> S3Blobs:
    """Without the connections that were made before the relay was told to fail."""
    far_connections(far).clear()
    return far


def far_connections(far: S3Blobs) -> Any:
    return blobs_places.behind(far)[0]._http
