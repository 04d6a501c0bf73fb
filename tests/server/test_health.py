"""Whether the server says truly that it is alive and ready, and what it counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.hub import Hub
from domain.work import Viewer
from server import health
from storage import jobs
from tests.server.caller import Caller


@pytest.fixture
def anybody(ask: Caller) -> Caller:
    return ask.as_("")


def test_a_server_whose_parts_all_answer_is_ready(anybody: Caller) -> None:
    assert anybody("GET", "/health/live").json() == {"live": True}
    answer = anybody("GET", "/health/ready")
    told = {"ready": True, "database": "ready", "blobs": "ready", "index": "ready"}
    assert (answer.status_code, answer.json()) == (200, told)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("part", ["database", "blobs", "index"])
def test_one_part_that_fails_is_named_without_its_secrets(
    anybody: Caller, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fails(_hub: Hub) -> None:
        raise RuntimeError("postgresql://user:hunter2@host")

    monkeypatch.setitem(health.CHECKS, part, fails)
    answer = anybody("GET", "/health/ready")
    assert answer.status_code == 503
    assert answer.json()[part] == "not ready"
    assert not answer.json()["ready"]
    assert "hunter2" not in answer.text
    assert anybody("GET", "/health/live").status_code == 200


def test_a_part_that_hangs_does_not_hang_the_answer(anybody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    monkeypatch.setitem(health.CHECKS, "blobs", lambda _hub: let_go.wait(60) and None)
    try:
        answer = anybody("GET", "/health/ready")
    finally:
        let_go.set()
    assert answer.json() == {"ready": False, "database": "ready", "blobs": "not ready", "index": "ready"}


def test_a_part_that_hangs_is_looked_at_by_one_thread_however_often_we_are_asked(
    anybody: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    looks: list[Hub] = []

    def hangs(hub: Hub) -> None:
        looks.append(hub)
        let_go.wait(60)

    monkeypatch.setattr(health, "PATIENCE", 0.1)
    monkeypatch.setitem(health.CHECKS, "database", hangs)
    try:
        told = [anybody("GET", "/health/ready").json()["database"] for _ in range(4)]
        assert (told, len(looks)) == (["not ready"] * 4, 1)
    finally:
        let_go.set()
    monkeypatch.setattr(health, "PATIENCE", 30)
    assert anybody("GET", "/health/ready").json()["ready"]


def test_the_blob_store_of_a_lost_disk_is_not_ready(hub: Hub, anybody: Caller, lost: Path) -> None:
    assert anybody("GET", "/health/ready").json()["blobs"] == "not ready"


@pytest.fixture
def lost(hub: Hub) -> Iterator[Path]:
    """The folder of the blob store, replaced by a file."""
    folder = next(hub.settings.data_dir.rglob("sha256"), None)
    if folder is None:
        pytest.skip("this hub keeps its blobs in an S3")
    away = folder.with_name("away")
    folder.rename(away)
    folder.write_text("not a folder")
    yield folder
    folder.unlink()
    away.rename(folder)


def test_requests_uploads_and_waiting_jobs_are_counted(hub: Hub, admin: Viewer, ask: Caller) -> None:
    ask.patch(ask.begin(3, {"filename": "a"}).headers["location"], 0, b"abc")
    ask("GET", "/nowhere/special")
    assert metrics(ask)['imprimatur_jobs{state="ready"}'] == 1  # what came is to be looked at
    with hub.writing(admin) as work:
        jobs.ask(work.session, "nothing", {}, org_id=1, now=work.now)
    told = metrics(ask)
    assert told['imprimatur_requests_total{method="POST",place="uploads",status="201"}'] == 1
    assert told['imprimatur_requests_total{method="PATCH",place="uploads",status="204"}'] == 1
    assert told['imprimatur_requests_total{method="GET",place="other",status="404"}'] == 1
    assert told["imprimatur_upload_bytes_total"] == 3
    assert told['imprimatur_jobs{state="ready"}'] == 2
    assert told['imprimatur_request_seconds_count{place="uploads"}'] == 2


def metrics(ask: Caller) -> dict[str, float]:
    lines = ask("GET", "/metrics").text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
