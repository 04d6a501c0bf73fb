"""Letting go of bytes: nothing used, nothing young, whoever is killed, whoever brings them meanwhile."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import blobs, integrity, sweeping
from domain.hub import Hub
from domain.refusals import Conflict
from domain.work import HUB
from storage.tables import BlobRow, UploadRow
from tests.asking import Client, rows_everywhere
from tests.assets.acts import created, events, picture
from tests.assets.together import together
from tests.lifecycle.turning import later, states, swept
from tests.working import work_off

ROOT = Path(__file__).parents[2]


def orphan(hub: Hub, data: bytes) -> str:
    """Bytes with a row that nothing points at."""
    stored = hub.blobs.put(io.BytesIO(data))
    with hub.writing(HUB) as work:
        blobs.keep(work, stored.sha256, stored.size)
    return stored.sha256


def test_only_what_nothing_points_at_and_is_old_enough_goes(hub: Hub, client: Client) -> None:
    created(client, picture(1))
    work_off(hub)
    lost = orphan(hub, b"nobody's")
    assert swept(hub) == set()
    before = set(hub.blobs.keys())
    assert swept(later(hub, days=2)) == {lost}
    assert set(hub.blobs.keys()) == before - {lost}
    assert events(hub, "blobs.swept") == [{"blobs": 1, "bytes": 8}]
    assert list(integrity.check(hub, integrity.Tally())) == []


def test_a_dry_run_tells_the_same_and_changes_nothing(hub: Hub) -> None:
    lost, stray = orphan(hub, b"nobody's"), hub.blobs.put(io.BytesIO(b"without a row")).sha256
    before = rows_everywhere(hub), list(hub.blobs.keys())
    told = list(sweeping.sweep(later(hub, days=2), dry_run=True))
    assert [(each.sha256, each.is_stray) for each in told] == [(stray, True), (lost, False)]
    assert (rows_everywhere(hub), list(hub.blobs.keys())) == before


def test_bytes_without_a_row_wait_from_when_they_are_found(hub: Hub) -> None:
    stray = hub.blobs.put(io.BytesIO(b"without a row")).sha256
    assert swept(later(hub, days=2)) == set()
    assert swept(later(hub, days=2.5)) == set()
    assert swept(later(hub, days=4)) == {stray}
    assert list(hub.blobs.keys()) == []


def test_whoever_brings_bytes_while_they_go_brings_them_anew(hub: Hub) -> None:
    lost = orphan(hub, b"nobody's")
    with hub.writing(HUB) as work:
        assert blobs.let_go(work, lost)
    with pytest.raises(Conflict), hub.writing(HUB) as work:
        blobs.keep(work, lost, 8)
    with hub.writing(HUB) as work:
        assert blobs.remove(work, lost)
    with pytest.raises(Conflict), hub.writing(HUB) as work:
        blobs.keep(work, lost, 8)
    assert states(hub) == {lost: "GONE"}
    assert orphan(hub, b"nobody's") == lost
    assert states(hub) == {lost: "HERE"}
    with hub.writing(HUB) as work:
        assert not blobs.remove(work, lost)  # a sweep that was late
    assert hub.blobs.verify(lost)


def test_many_who_sweep_and_many_who_bring_leave_nobody_without_bytes(hub: Hub) -> None:
    data = [b"bytes %d" % place for place in range(6)]
    old = later(hub, days=2)

    def sweep() -> None:
        for _ in range(3):
            list(sweeping.sweep(old))

    def bring() -> None:
        for each in data * 2:
            try:
                orphan(hub, each)
            except Conflict:
                continue

    together([sweep, bring, sweep, bring])
    there = set(hub.blobs.keys())
    assert {sha256 for sha256, state in states(hub).items() if state == "HERE"} <= there
    assert not [state for state in states(hub).values() if state == "GOING"]


def test_an_upload_that_waits_keeps_its_bytes(hub: Hub, client: Client) -> None:
    client.upload(b"\x89PNG\r\n\x1a\n" + b"a picture", "a.png")
    assert swept(later(hub, days=2)) == set()
    with hub.writing(HUB) as work:
        work.session.execute(sa.delete(UploadRow))
    assert len(swept(later(hub, days=2))) == 1


KILLED = """
import os, signal, sys
from domain import sweeping
from domain.hub import open_hub
from storage.settings import load
from datetime import timedelta
import dataclasses
hub = open_hub(load())
late = dataclasses.replace(hub, clock=lambda: hub.clock() + timedelta(days=2))
remove = type(hub.blobs).remove
def killed(self, sha256):
    if sys.argv[1] == "after":
        remove(self, sha256)
    os.kill(os.getpid(), signal.SIGKILL)
type(hub.blobs).remove = killed
list(sweeping.sweep(late))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_sweep_that_is_killed_is_ended_by_the_next(hub: Hub, moment: str) -> None:
    lost = orphan(hub, b"nobody's")
    environment = {
        **os.environ,
        "IMPRIMATUR_DATA_DIR": str(hub.settings.data_dir),
        "IMPRIMATUR_DATABASE_URL": hub.settings.database_url,
        "IMPRIMATUR_BLOB_URL": hub.settings.blob_url,
    }
    command = [sys.executable, "-W", "ignore", "-c", KILLED, moment]
    ended = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert states(hub) == {lost: "GOING"}
    assert swept(later(hub, days=2)) == {lost}
    assert (states(hub), list(hub.blobs.keys())) == ({lost: "GONE"}, [])


def test_every_kind_of_pointer_is_looked_at(hub: Hub) -> None:
    with hub.reading(HUB) as work:
        assert blobs.unused(work, ["0" * 64]) == {"0" * 64}
    tables = {column.table.name for column in blobs.pointers()}
    assert {"asset_version", "rendition", "upload", "bulk_export", "bulk_export_part", "upload_session"} <= tables
    assert BlobRow.__tablename__ not in tables
    unindexed = [
        str(column)
        for column in blobs.pointers()
        if not any(column is list(index.columns)[0] for index in column.table.indexes)  # noqa: RUF015  # no iterator
    ]
    assert unindexed == [], "a sweep asks each of them about every blob"


def test_the_command_tells_before_it_does(hub: Hub) -> None:
    lost = orphan(hub, b"nobody's")
    with hub.database.writing() as session:
        session.execute(sa.update(BlobRow).values(created_at=hub.clock() - timedelta(days=3)))
    environment = {
        **os.environ,
        "IMPRIMATUR_DATA_DIR": str(hub.settings.data_dir),
        "IMPRIMATUR_DATABASE_URL": hub.settings.database_url,
        "IMPRIMATUR_BLOB_URL": hub.settings.blob_url,
    }

    def told(*options: str) -> str:
        command = [sys.executable, "-W", "ignore", "-m", "server", "sweep", *options]
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return ended.stdout

    assert told("--older-than-hours", "100").splitlines() == ["Let go of 0 blobs of 0 bytes; 0 without a row."]
    assert told("--dry-run").splitlines() == [
        f"WOULD GO: {lost} has 8 bytes.",
        "Would let go of 1 blob of 8 bytes; 0 without a row.",
    ]
    assert list(hub.blobs.keys()) == [lost]
    assert told().splitlines()[-1] == "Let go of 1 blob of 8 bytes; 0 without a row."
    assert list(hub.blobs.keys()) == []
