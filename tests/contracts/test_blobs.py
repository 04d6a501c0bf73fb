"""One suite for every blob store: on a disk, in memory, in a stand-in for an S3 and in a real one."""

import hashlib
import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from storage import blobs
from storage.blobs import BlobMissing, BlobStore, DigestMismatch
from tests.contracts import blobs_places
from tests.contracts.blobs_places import Place

TEXT = b"Imprimatur: let it be printed."
ABSENT = hashlib.sha256(b"never kept").hexdigest()
#: Three parts of an S3 upload, the last one short.
LARGE = random.Random(7).randbytes(40 << 20)


@pytest.fixture(params=blobs_places.NAMES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return blobs_places.of_this_name(request.param, tmp_path, request)


@pytest.fixture
def store(place: Place) -> BlobStore:
    return place.store


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(store: BlobStore, content: bytes) -> str:
    return store.put(io.BytesIO(content)).sha256


def read(store: BlobStore, sha256: str, start: int = 0, stop: int | None = None) -> bytes:
    with store.open(sha256, start, stop) as stream:
        return stream.read()


class Breaking(io.BytesIO):
    """A stream whose sender goes away."""

    def read(self, size: int | None = -1, /) -> bytes:
        if piece := super().read(size):
            return piece
        raise ConnectionResetError("The sender has gone.")


def test_what_was_put_is_read_back_under_its_digest(store: BlobStore) -> None:
    stored = store.put(io.BytesIO(TEXT))
    assert stored == blobs.Stored(sha256_of(TEXT), len(TEXT), fresh=True)
    assert read(store, stored.sha256) == TEXT
    assert store.stat(stored.sha256) == len(TEXT)


def test_a_second_put_of_the_same_bytes_makes_no_second_blob(place: Place) -> None:
    sha256 = put(place.store, TEXT)
    assert place.store.put(io.BytesIO(TEXT)) == blobs.Stored(sha256, len(TEXT), fresh=False)
    assert list(place.store.keys()) == [sha256]
    assert place.remains() == []


def test_no_bytes_are_a_blob_too(store: BlobStore) -> None:
    stored = store.put(io.BytesIO())
    assert (stored.size, store.stat(stored.sha256)) == (0, 0)
    assert read(store, stored.sha256) == read(store, stored.sha256, 0, 5) == b""
    assert store.verify(stored.sha256)


def test_a_stream_is_kept_from_where_it_stands(store: BlobStore) -> None:
    stream = io.BytesIO(b"skipped" + TEXT)
    stream.seek(len(b"skipped"))
    assert store.put(stream).sha256 == sha256_of(TEXT)


def test_a_stream_that_gives_little_at_a_time_is_kept_whole(store: BlobStore, tmp_path: Path) -> None:
    class Trickling(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 77_777))

    assert store.put(Trickling(LARGE[:3_000_000])).sha256 == sha256_of(LARGE[:3_000_000])


def test_the_announced_digest_is_accepted(store: BlobStore) -> None:
    assert store.put(io.BytesIO(TEXT), expected=sha256_of(TEXT)).fresh


def test_a_wrong_digest_leaves_nothing_behind(place: Place) -> None:
    with pytest.raises(DigestMismatch) as refusal:
        place.store.put(io.BytesIO(TEXT), expected=ABSENT)
    assert (refusal.value.expected, refusal.value.actual) == (ABSENT, sha256_of(TEXT))
    assert list(place.store.keys()) == []
    assert place.store.stat(ABSENT) is place.store.stat(sha256_of(TEXT)) is None
    assert place.remains() == []


def test_a_stream_that_breaks_leaves_nothing_behind(place: Place) -> None:
    with pytest.raises(ConnectionResetError, match="The sender has gone"):
        place.store.put(Breaking(LARGE[: 5 << 20]))
    assert list(place.store.keys()) == []
    assert place.remains() == []


def test_writers_of_the_same_bytes_at_the_same_time_all_succeed(place: Place) -> None:
    content, together = LARGE[: 2 << 20], Barrier(8)

    def write(_: int) -> blobs.Stored:
        together.wait()
        return place.store.put(io.BytesIO(content))

    with ThreadPoolExecutor(8) as threads:
        stored = list(threads.map(write, range(8)))
    assert {one.sha256 for one in stored} == {sha256_of(content)}
    assert any(one.fresh for one in stored)
    assert list(place.store.keys()) == [sha256_of(content)]
    assert place.store.verify(sha256_of(content))
    assert place.remains() == []


def test_writers_of_different_bytes_do_not_meet(store: BlobStore) -> None:
    contents = [LARGE[start : start + 300_000] for start in range(0, 24 * 1000, 1000)]
    with ThreadPoolExecutor(8) as threads:
        stored = list(threads.map(lambda content: store.put(io.BytesIO(content)), contents))
    assert [one.sha256 for one in stored] == [sha256_of(content) for content in contents]
    assert all(one.fresh for one in stored)
    assert list(store.keys()) == sorted(one.sha256 for one in stored)
    assert all(store.verify(one.sha256) for one in stored)


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, None), (0, 0), (0, 1), (3, 10), (10, 10), (5, None), (29, 30), (4, 99), (30, None), (31, 40)],
)
def test_a_range_is_half_open_and_cut_at_the_end(store: BlobStore, start: int, stop: int | None) -> None:
    assert read(store, put(store, TEXT), start, stop) == TEXT[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (-3, -1), (5, 4)])
def test_a_range_that_runs_backwards_is_refused(store: BlobStore, start: int, stop: int | None) -> None:
    sha256 = put(store, TEXT)
    with pytest.raises(ValueError, match="does not run backwards"):
        store.open(sha256, start, stop)


def test_reading_nothing_is_no_end_and_no_fault(store: BlobStore) -> None:
    stored = store.put(io.BytesIO(TEXT))
    with store.open(stored.sha256) as stream:
        assert (stream.read(0), stream.read(4), stream.read(0), stream.read()) == (b"", TEXT[:4], b"", TEXT[4:])


def test_a_reader_moves_about_inside_its_range(store: BlobStore) -> None:
    with store.open(put(store, TEXT), 4, 20) as stream:
        assert stream.seekable()
        assert stream.seek(-3, io.SEEK_END) == 13
        assert stream.read() == TEXT[17:20]
        assert stream.seek(0) == 0
        assert stream.read(5) == TEXT[4:9]
        assert stream.tell() == 5
        assert stream.seek(2, io.SEEK_CUR) == 7
        assert stream.read(3) == TEXT[11:14]
        assert stream.seek(100) == 100
        assert stream.read() == b""
    assert stream.closed


def test_a_large_blob_comes_back_whole_and_in_pieces(place: Place) -> None:
    stored = place.store.put(io.BytesIO(LARGE))
    assert stored == blobs.Stored(sha256_of(LARGE), len(LARGE), fresh=True)
    assert read(place.store, stored.sha256) == LARGE
    across_two_parts = ((16 << 20) - 7, (16 << 20) + 9)
    assert read(place.store, stored.sha256, *across_two_parts) == LARGE[slice(*across_two_parts)]
    assert read(place.store, stored.sha256, len(LARGE) - 5) == LARGE[-5:]
    assert place.remains() == []


def test_readers_of_one_blob_do_not_disturb_each_other(store: BlobStore) -> None:
    sha256 = put(store, TEXT)
    with store.open(sha256) as one, store.open(sha256, 2, 9) as other:
        assert one.read(4) == TEXT[:4]
        assert other.read() == TEXT[2:9]
        assert one.read() == TEXT[4:]


def test_an_unknown_blob_is_missing(store: BlobStore) -> None:
    assert store.stat(ABSENT) is None
    assert store.local_path(ABSENT) is None
    with pytest.raises(BlobMissing, match=ABSENT):
        store.open(ABSENT)
    with pytest.raises(BlobMissing):
        store.open(ABSENT, 3, 5)
    with pytest.raises(BlobMissing):
        store.verify(ABSENT)


def test_a_removed_blob_is_gone_and_its_neighbours_stay(store: BlobStore) -> None:
    gone, stays = put(store, TEXT), put(store, b"something else")
    store.remove(gone)
    assert store.stat(gone) is None
    assert list(store.keys()) == [stays]
    assert read(store, stays) == b"something else"


def test_removing_what_is_not_there_is_no_error(store: BlobStore) -> None:
    store.remove(ABSENT)
    assert list(store.keys()) == []


def test_what_was_removed_can_be_put_again(store: BlobStore) -> None:
    sha256 = put(store, TEXT)
    store.remove(sha256)
    assert store.put(io.BytesIO(TEXT)).fresh
    assert read(store, sha256) == TEXT


def test_keys_come_in_ascending_order(store: BlobStore) -> None:
    keys = [put(store, str(number).encode()) for number in range(40)]
    assert list(store.keys()) == sorted(keys)


def test_damage_is_noticed_and_mended_by_removing_and_putting(place: Place) -> None:
    sha256 = put(place.store, TEXT)
    assert place.store.verify(sha256)
    place.damage(sha256, TEXT[:-1] + b"?")
    assert not place.store.verify(sha256)
    place.store.remove(sha256)
    put(place.store, TEXT)
    assert place.store.verify(sha256)


@pytest.mark.parametrize("key", ["", "abc", "A" * 64, "g" * 64, "0" * 63, "0" * 65, "../" * 21 + "x", "0" * 64 + "\n"])
def test_what_is_no_digest_is_refused_everywhere(store: BlobStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "file").write_bytes(TEXT)
    for refused in (
        lambda: store.put(io.BytesIO(TEXT), expected=key),
        lambda: store.adopt(tmp_path / "file", key),
        lambda: store.adopt(tmp_path / "file", key, verified=True),
        lambda: store.open(key),
        lambda: store.stat(key),
        lambda: store.local_path(key),
        lambda: store.verify(key),
        lambda: store.remove(key),
    ):
        with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
            refused()
    assert list(store.keys()) == []


def test_a_local_path_holds_the_same_bytes(store: BlobStore) -> None:
    path = store.local_path(put(store, TEXT))
    assert path is None or path.read_bytes() == TEXT
    assert (path is not None) == isinstance(store, blobs.DiskBlobs)


@pytest.mark.parametrize("content", [TEXT, b"", LARGE], ids=["little", "nothing", "much"])
def test_an_adopted_file_is_kept_and_keeps_its_name(store: BlobStore, tmp_path: Path, content: bytes) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(content)
    assert store.adopt(upload) == blobs.Stored(sha256_of(content), len(content), fresh=True)
    assert upload.read_bytes() == content
    upload.unlink()
    assert read(store, sha256_of(content)) == content


def test_adopting_the_same_bytes_twice_makes_no_second_blob(store: BlobStore, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(TEXT)
    sha256 = put(store, TEXT)
    assert store.adopt(upload, sha256) == blobs.Stored(sha256, len(TEXT), fresh=False)
    assert list(store.keys()) == [sha256]


def test_an_adopted_file_of_another_digest_is_refused(store: BlobStore, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(TEXT)
    with pytest.raises(DigestMismatch):
        store.adopt(upload, ABSENT)
    assert list(store.keys()) == []


def test_a_verified_digest_is_believed_without_reading(store: BlobStore, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(TEXT)
    assert store.adopt(upload, sha256_of(TEXT), verified=True).fresh
    assert store.adopt(upload, ABSENT, verified=True).sha256 == ABSENT  # the caller's lie, found by the scrub
    assert store.verify(sha256_of(TEXT))
    assert not store.verify(ABSENT)


def test_a_verified_file_comes_with_its_digest(store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(TEXT)
    with pytest.raises(ValueError, match="comes with its SHA-256"):
        store.adopt(tmp_path / "upload", verified=True)


def test_only_regular_files_are_adopted(store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(TEXT)
    (tmp_path / "link").symlink_to(tmp_path / "upload")
    for irregular in (tmp_path / "link", tmp_path):
        with pytest.raises(ValueError, match="Only a regular file"):
            store.adopt(irregular)
    with pytest.raises(FileNotFoundError):
        store.adopt(tmp_path / "nothing of that name")
    assert list(store.keys()) == []
