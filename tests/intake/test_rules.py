"""Uploads as the domain knows them: whose they are, when they are complete, when they end."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import intake
from domain.hub import Hub
from domain.refusals import Conflict, FileRefused, Gone, NotFound
from domain.work import HUB, Viewer
from storage.staging import Staging
from storage.tables import BlobRow, EventRow, UploadRow
from tests import acting

CONTENT = b"the picture's bytes"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def kept(hub: Hub) -> Staging:
    return Staging(hub.settings.staging_dir)


def begun(hub: Hub, viewer: Viewer, kept: Staging, sha256: str | None = None) -> UploadRow:
    with hub.writing(viewer) as work:
        return intake.begin(work, kept, length=len(CONTENT), file_name="a.png", sha256=sha256)


def finished(hub: Hub, viewer: Viewer, kept: Staging, row: UploadRow) -> str:
    with intake.writer(row, kept) as writer:
        writer.write(CONTENT[writer.start :])
        digest = intake.store(hub.blobs, row, writer)
        with hub.writing(viewer) as work:
            intake.complete(work, row, digest)
        writer.remove()
    return digest


def events_of(hub: Hub) -> list[tuple[str, str]]:
    with hub.reading(HUB) as work:
        rows = work.session.scalars(sa.select(EventRow).where(EventRow.type.like("upload.%")).order_by(EventRow.id))
        return [(row.type, row.payload["upload"]) for row in rows]


def later(hub: Hub, days: int) -> Hub:
    return replace(hub, clock=lambda: hub.clock() + timedelta(days=days))


def test_a_finished_upload_is_a_blob_and_an_event_together(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    assert finished(hub, admin, kept, row) == DIGEST
    with hub.reading(admin) as work:
        assert intake.completed(work, row.id).sha256 == DIGEST
        assert work.session.get_one(BlobRow, DIGEST).byte_size == len(CONTENT)
    assert hub.blobs.stat(DIGEST) == len(CONTENT)
    assert events_of(hub) == [("upload.completed", row.id)]
    assert not (hub.settings.staging_dir / row.id).exists()


def test_completing_again_changes_nothing(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    finished(hub, admin, kept, row)
    with hub.writing(admin) as work:
        intake.complete(work, row, DIGEST)
    assert events_of(hub) == [("upload.completed", row.id)]


def test_a_crash_between_storing_and_committing_is_mended_by_repeating(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    with intake.writer(row, kept) as writer:
        writer.write(CONTENT)
        intake.store(hub.blobs, row, writer)
    # Here the process died: the blob stands, the row is OPEN, the staged file is still named.
    with hub.reading(admin) as work, pytest.raises(Conflict):
        intake.completed(work, row.id)
    assert finished(hub, admin, Staging(hub.settings.staging_dir), row) == DIGEST
    with hub.blobs.open(DIGEST) as stream:
        assert stream.read() == CONTENT
    assert events_of(hub) == [("upload.completed", row.id)]


def test_two_uploads_of_the_same_bytes_make_one_blob(hub: Hub, admin: Viewer, kept: Staging) -> None:
    for _ in range(2):
        finished(hub, admin, kept, begun(hub, admin, kept))
    with hub.reading(admin) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(BlobRow)) == 1


def test_bytes_with_another_digest_than_announced_are_refused(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept, sha256="0" * 64)
    with intake.writer(row, kept) as writer:
        writer.write(CONTENT)
        with pytest.raises(FileRefused, match="begin again") as refused:
            intake.store(hub.blobs, row, writer)
        with hub.writing(admin) as work:
            intake.reject(work, row)
        writer.remove()
    assert refused.value.reason == "DIGEST_MISMATCH"
    assert hub.blobs.stat(DIGEST) is None
    with hub.reading(admin) as work, pytest.raises(NotFound):
        intake.own(work, row.id)
    assert events_of(hub) == [("upload.discarded", row.id)]


@pytest.mark.parametrize(("length", "reason"), [(0, "EMPTY"), (101, "TOO_LARGE")])
def test_files_that_are_empty_or_too_large_are_refused_before_anything_is_kept(
    hub: Hub, admin: Viewer, kept: Staging, length: int, reason: str
) -> None:
    small = replace(hub, settings=hub.settings.model_copy(update={"max_upload_bytes": 100}))
    with pytest.raises(FileRefused) as refused, small.writing(admin) as work:
        intake.begin(work, kept, length=length, file_name="a")
    assert refused.value.reason == reason
    with hub.reading(admin) as work:
        assert work.session.scalars(sa.select(UploadRow)).all() == []
    assert list(kept.untouched_for(-60)) == []


def test_an_upload_is_unknown_to_everybody_else(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    with hub.reading(somebody_else(hub)) as work, pytest.raises(NotFound):
        intake.own(work, row.id)
    with pytest.raises(NotFound), hub.writing(somebody_else(hub)) as work:
        intake.discard(work, kept, row.id)
    assert kept.offset(row.id) == 0


def test_an_expired_upload_is_gone_and_swept_with_its_bytes(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    young = later(hub, 6)
    with young.writing(HUB) as work:
        assert intake.expire(work, kept) == 0
    old = later(hub, 8)
    with old.reading(admin) as work, pytest.raises(Gone):
        intake.own(work, row.id)
    with old.writing(HUB) as work:
        assert intake.expire(work, kept) == 1
    assert not (hub.settings.staging_dir / row.id).exists()
    with hub.reading(admin) as work, pytest.raises(NotFound):
        intake.own(work, row.id)
    assert events_of(hub) == [("upload.discarded", row.id)]


def test_an_upload_that_is_being_written_to_does_not_expire_under_the_writer(
    hub: Hub, admin: Viewer, kept: Staging
) -> None:
    row = begun(hub, admin, kept)
    old = later(hub, 8)
    with intake.writer(row, kept) as writer:
        writer.write(CONTENT[:5])
        with old.writing(HUB) as work:
            assert intake.expire(work, kept) == 0
        writer.write(CONTENT[5:])
    assert kept.offset(row.id) == len(CONTENT)
    assert events_of(hub) == []


def test_the_blob_of_an_expired_upload_stays(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    finished(hub, admin, kept, row)
    with later(hub, 8).writing(HUB) as work:
        assert intake.expire(work, kept) == 1
    assert hub.blobs.stat(DIGEST) == len(CONTENT)


def test_staged_bytes_without_an_upload_are_swept_once_they_are_old(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    kept.create("stray")
    kept.create("young")
    long_ago = time.time() - intake.STRAY_AFTER - 60
    for name in (row.id, "stray"):
        os.utime(Path(hub.settings.staging_dir) / name, (long_ago, long_ago))
    with hub.writing(HUB) as work:
        assert intake.expire(work, kept) == 1
    assert sorted(path.name for path in hub.settings.staging_dir.iterdir()) == sorted([row.id, "young"])


def test_bytes_that_are_on_another_machine_are_gone_not_empty(hub: Hub, admin: Viewer, kept: Staging) -> None:
    row = begun(hub, admin, kept)
    elsewhere = Staging(hub.settings.data_dir / "another")
    with pytest.raises(Gone):
        intake.offset(row, elsewhere)
    with pytest.raises(Gone):
        intake.writer(row, elsewhere)


def somebody_else(hub: Hub) -> Viewer:
    return acting.member(hub, "admin")
