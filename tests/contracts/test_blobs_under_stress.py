"""What a blob store holds to when room or time runs out: full places, killed processes, little memory.

The processes are real (`blobs_children`), and so are the limits.
"""

import hashlib
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from storage.blobs import MemoryBlobs
from tests.contracts import blobs_children, blobs_places
from tests.contracts.blobs_children import SMALL, SMALLER
from tests.servers.quick_s3 import QuickS3
from tests.servers.rgw import TIGHT_QUOTA, Rgw

DISKS = ("disk", "disk with named drafts")
FULL = "StoreFull: The blob store is full: free some space or raise its quota, then try again."
WHAT_WAS_SMALL = sorted(hashlib.sha256(content).hexdigest() for content in (SMALL, SMALLER))


def place_for_children(name: str, bucket: str, request: pytest.FixtureRequest) -> str:
    """The name of a disk place, or the URL of a bucket."""
    if name in DISKS:
        return name
    server: QuickS3 | Rgw = request.getfixturevalue("quick_s3" if name == "quick S3" else "rgw")
    return server.blob_url(bucket)


def assert_refused_and_unharmed(report: dict[str, object]) -> None:
    assert report == {"refusal": FULL, "keys": WHAT_WAS_SMALL, "sound": True}


@pytest.fixture(params=[name for name in blobs_places.NAMES if name != "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    bucket = "stress-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    return place_for_children(request.param, bucket, request), tmp_path


def files_besides_blobs(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "sha256" not in path.parts]


def test_a_limit_on_file_sizes_is_a_full_store_and_harms_nothing(place: tuple[str, Path]) -> None:
    where, folder = place
    assert_refused_and_unharmed(blobs_children.answer("overfill_limited", where, folder, 6 << 20))
    assert files_besides_blobs(folder) == []


@pytest.mark.parametrize("disk", DISKS)
def test_a_full_disk_is_a_full_store_and_harms_nothing(disk: str, tmp_path: Path) -> None:
    own_disk = namespace_with_a_disk_of(3 << 20, tmp_path)
    assert_refused_and_unharmed(blobs_children.answer("overfill", disk, tmp_path, 6 << 20, before=own_disk))


def test_a_full_spool_is_a_full_store_and_harms_nothing(quick_s3: QuickS3, tmp_path: Path) -> None:
    own_disk, url = namespace_with_a_disk_of(3 << 20, tmp_path), quick_s3.blob_url("full-spool")
    assert_refused_and_unharmed(blobs_children.answer("overfill", url, tmp_path, 6 << 20, before=own_disk))


@pytest.mark.parametrize("size", [TIGHT_QUOTA + 1, 20 << 20], ids=["in one part", "in two parts"])
def test_a_used_up_quota_is_a_full_store_and_harms_nothing(rgw: Rgw, tmp_path: Path, size: int) -> None:
    url = rgw.tight_blob_url(f"tight-{size}")
    assert_refused_and_unharmed(blobs_children.answer("overfill", url, tmp_path, size))


def test_a_limit_is_a_full_memory_and_harms_nothing() -> None:
    store = MemoryBlobs(limit=1000)
    said: list[object] = []
    blobs_children.overfill(store, 2000, say=said.append)
    assert said == [{"refusal": FULL, "keys": WHAT_WAS_SMALL, "sound": True}]


def test_a_writer_killed_in_the_middle_leaves_nothing_visible(place: tuple[str, Path]) -> None:
    where, folder = place
    with blobs_children.child("stall", where, folder, 3 << 20) as printed:
        assert json.loads(printed.readline()) == "stalled"
    assert list(blobs_children.opened(where, folder).keys()) == []


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.009, 0.014])
def test_a_busy_writer_killed_at_any_moment_leaves_whole_blobs(disk: str, delay: float, tmp_path: Path) -> None:
    with blobs_children.child("churn", disk, tmp_path, 700_000) as printed:
        promised = [json.loads(printed.readline()) for _ in range(5)]
        time.sleep(delay)
    store = blobs_children.opened(disk, tmp_path)
    keys = set(store.keys())
    assert keys >= set(promised)
    assert all(store.verify(key) for key in keys)
    assert len(files_besides_blobs(tmp_path)) <= (0 if disk == "disk" else 1)


@pytest.mark.parametrize("name", ["disk", "real S3"])
def test_memory_stays_bounded_however_long_the_stream(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = place_for_children(name, "stress-memory", request)
    assert blobs_children.answer("grow", where, tmp_path, 200 << 20) < 64 << 20


def namespace_with_a_disk_of(size: int, folder: Path) -> tuple[str, ...]:
    """A command's beginning that gives it a small disk of its own in this folder, seen by nobody else."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mount = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    begin = ("unshare", *user, "--mount", "sh", "-c", mount, str(folder))
    if subprocess.run([*begin, "true"], check=False, capture_output=True).returncode:
        pytest.skip("This machine lets us mount no small disk; the limit on file sizes was tested instead.")
    return begin
