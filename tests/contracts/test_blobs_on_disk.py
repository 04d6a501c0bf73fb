"""What the disk store promises beyond the contract: who may read, what is shared, what is swept."""

import hashlib
import io
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import blobs
from storage.blobs import DiskBlobs, StoreUnavailable, Sweeps

TEXT = b"Imprimatur: let it be printed."
SHA256 = hashlib.sha256(TEXT).hexdigest()
DAY = 24 * 60 * 60


@pytest.fixture(params=[True, False], ids=["nameless drafts", "named drafts"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DiskBlobs:
    return DiskBlobs(tmp_path / "blobs", nameless=request.param)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder in another file system."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def path_of(store: DiskBlobs, sha256: str = SHA256) -> Path:
    path = store.local_path(sha256)
    assert path
    return path


def test_a_blob_lies_under_the_first_four_digits_of_its_digest(store: DiskBlobs, tmp_path: Path) -> None:
    store.put(io.BytesIO(TEXT))
    assert path_of(store) == tmp_path / "blobs" / "sha256" / SHA256[:2] / SHA256[2:4] / SHA256


def test_only_the_owner_may_read(store: DiskBlobs, tmp_path: Path) -> None:
    store.put(io.BytesIO(TEXT))
    (tmp_path / "upload").write_bytes(b"an upload that everyone may read")
    (tmp_path / "upload").chmod(0o644)
    store.adopt(tmp_path / "upload")
    for path in (tmp_path / "blobs").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_drafts_are_nameless_on_this_machine(tmp_path: Path) -> None:
    """If this fails, the suite above has tested named drafts twice."""
    assert DiskBlobs(tmp_path)._nameless


def test_an_adopted_file_is_shared_and_not_copied(store: DiskBlobs, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(TEXT)
    store.adopt(tmp_path / "upload")
    assert path_of(store).samefile(tmp_path / "upload")


def test_a_file_in_another_file_system_is_copied(store: DiskBlobs, elsewhere: Path, tmp_path: Path) -> None:
    if elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("This machine has but one file system to write to.")
    (elsewhere / "upload").write_bytes(TEXT)
    assert store.adopt(elsewhere / "upload", SHA256, verified=True).fresh
    assert path_of(store).read_bytes() == TEXT
    assert path_of(store).stat().st_nlink == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_that_belongs_to_somebody_else_is_copied(store: DiskBlobs, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(TEXT)
    os.chown(tmp_path / "upload", 65534, 65534)
    assert store.adopt(tmp_path / "upload").fresh
    assert not path_of(store).samefile(tmp_path / "upload")
    assert path_of(store).stat().st_uid == 0


def test_the_name_of_an_adopted_file_may_go(store: DiskBlobs, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(TEXT)
    store.adopt(tmp_path / "upload")
    (tmp_path / "upload").unlink()
    assert store.verify(SHA256)


def test_sweeping_takes_old_drafts_and_nothing_else(store: DiskBlobs, tmp_path: Path) -> None:
    store.put(io.BytesIO(TEXT))
    drafts = tmp_path / "blobs" / "drafts"
    for name, age in (("left behind", DAY + 60), ("being written", DAY - 60)):
        (drafts / name).write_bytes(b"half a blo")
        os.utime(drafts / name, (time.time() - age, time.time() - age))
    assert isinstance(store, Sweeps)
    assert store.sweep() == 1
    assert [path.name for path in drafts.iterdir()] == ["being written"]
    assert store.sweep() == 0
    assert store.verify(SHA256)


def test_strange_files_are_no_blobs(store: DiskBlobs, tmp_path: Path) -> None:
    store.put(io.BytesIO(TEXT))
    shelf = path_of(store).parent
    for strange in (shelf / "notes.txt", shelf / ("0" * 64), shelf.parent / "file", shelf.parents[1] / ".DS_Store"):
        strange.write_bytes(b"")
    assert list(store.keys()) == [SHA256]


def test_two_processes_may_open_one_folder(tmp_path: Path) -> None:
    one, other = DiskBlobs(tmp_path), DiskBlobs(tmp_path)
    assert one.put(io.BytesIO(TEXT)).fresh
    assert not other.put(io.BytesIO(TEXT)).fresh
    assert list(other.keys()) == [SHA256]


def test_a_folder_that_went_away_is_not_quietly_replaced(store: DiskBlobs, tmp_path: Path) -> None:
    """An unmounted disk: writing to the bare mount point would hide the bytes when the disk returns."""
    shutil.rmtree(tmp_path / "blobs")
    with pytest.raises(StoreUnavailable) as refusal:
        store.put(io.BytesIO(TEXT))
    assert str(refusal.value) == "The blob store's disk cannot be read or written."
    assert not (tmp_path / "blobs").exists()


def test_a_folder_that_cannot_be_made_is_refused_without_naming_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable) as refusal:
        blobs.from_url((tmp_path / "file" / "blobs").as_uri(), tmp_path)
    assert str(tmp_path) not in str(refusal.value)
