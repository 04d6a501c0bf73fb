"""Staged bytes: offsets that hold, one writer at a time, digests without reading twice."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage import staging
from storage.staging import Staging


@pytest.fixture
def kept(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "staging")


def test_what_was_written_is_found_by_another_process_view(kept: Staging, tmp_path: Path) -> None:
    kept.create("a")
    with kept.writer("a") as writer:
        writer.write(b"hello ")
        writer.write(b"world")
    assert Staging(tmp_path / "staging").offset("a") == 11


def test_a_second_writer_is_refused_while_the_first_is_there(kept: Staging, tmp_path: Path) -> None:
    kept.create("a")
    with kept.writer("a"), pytest.raises(staging.Busy):
        Staging(tmp_path / "staging").writer("a")
    with kept.writer("a") as writer:
        assert writer.start == 0


def test_a_second_process_is_refused_while_the_first_writes(kept: Staging, tmp_path: Path) -> None:
    kept.create("a")
    attempt = f"""
import pathlib; from storage import staging
try: staging.Staging(pathlib.Path({str(tmp_path / "staging")!r})).writer("a"); print("took it")
except staging.Busy: print("busy")
"""
    with kept.writer("a"):
        told = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=True)
    assert told.stdout == "busy\n"


def test_the_digest_is_of_all_parts_even_if_another_process_wrote_some(kept: Staging, tmp_path: Path) -> None:
    kept.create("a")
    with kept.writer("a") as writer:
        writer.write(b"one")
    with Staging(tmp_path / "staging").writer("a") as elsewhere:
        elsewhere.write(b"two")
    with kept.writer("a") as writer:
        writer.write(b"three")
        assert writer.digest() == hashlib.sha256(b"onetwothree").hexdigest()


def test_a_digest_that_was_seen_from_the_start_needs_no_second_reading(
    kept: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.create("a")
    for part in (b"one", b"two"):
        with kept.writer("a") as writer:
            writer.write(part)
    monkeypatch.setattr(os, "pread", lambda *_: pytest.fail("the file was read again"))
    with kept.writer("a") as writer:
        assert writer.digest() == hashlib.sha256(b"onetwo").hexdigest()


def test_a_part_taken_back_leaves_what_was_there_and_its_digest(kept: Staging) -> None:
    kept.create("a")
    with kept.writer("a") as writer:
        writer.write(b"good")
    with kept.writer("a", checked=True) as writer:
        writer.write(b"bad")
        assert writer.part_digest() == hashlib.sha256(b"bad").digest()
        writer.take_back()
    assert kept.offset("a") == 4
    with kept.writer("a") as writer:
        assert writer.digest() == hashlib.sha256(b"good").hexdigest()


def test_many_uploads_at_once_are_still_digested_rightly_when_early_ones_are_forgotten(
    kept: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MOST_DIGESTS", 2)
    for name in "abcd":
        kept.create(name)
        with kept.writer(name) as writer:
            writer.write(name.encode())
    for name in "abcd":
        with kept.writer(name) as writer:
            assert writer.digest() == hashlib.sha256(name.encode()).hexdigest()


def test_bytes_shared_with_a_blob_store_are_never_opened_for_writing_again(kept: Staging, tmp_path: Path) -> None:
    kept.create("a")
    with kept.writer("a") as writer:
        writer.write(b"finished")
        os.link(writer.path, tmp_path / "blob")
        writer.remove()
    with pytest.raises(staging.Missing):
        kept.writer("a")
    assert (tmp_path / "blob").read_bytes() == b"finished"


@pytest.mark.parametrize("name", ["../secret", "a/b", "", ".", "a" * 65, "a\0b"])
def test_a_name_that_is_no_upload_id_is_simply_missing(kept: Staging, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(staging.Missing):
        kept.writer(name)
    with pytest.raises(staging.Missing):
        kept.offset(name)


def test_a_disk_that_takes_no_more_keeps_what_fitted(tmp_path: Path) -> None:
    """In a process of its own whose files may not grow beyond 100,000 bytes."""
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "staging")], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["full", "100000", "True"]


FULL = """
import hashlib, pathlib, resource, sys
from storage import staging
kept = staging.Staging(pathlib.Path(sys.argv[1]))
kept.create("a")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    with kept.writer("a") as writer:
        writer.write(b"x" * 150_000)
except staging.Full:
    print("full")
print(kept.offset("a"))
with kept.writer("a") as writer:
    print(writer.digest() == hashlib.sha256(b"x" * 100_000).hexdigest())
"""


def test_only_what_nobody_touched_for_long_is_named_as_old(kept: Staging, tmp_path: Path) -> None:
    for name in ("old", "new"):
        kept.create(name)
    long_ago = time.time() - 7200
    os.utime(tmp_path / "staging" / "old", (long_ago, long_ago))
    assert list(kept.untouched_for(3600)) == ["old"]
    assert list(Staging(tmp_path / "nowhere").untouched_for(0)) == []
