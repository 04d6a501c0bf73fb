"""Chores: each slot of time is taken once, whoever looks; on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from domain.hub import Hub
from domain.work import HUB
from storage import index, jobs
from storage.blobs import MemoryBlobs
from storage.database import Database
from storage.settings import Settings
from storage.tables import CronSlotRow, JobRow
from tests.contracts import job_slots
from tests.contracts.job_databases import KINDS, ask, change, claim_one, fresh
from workers import registry, upkeep
from workers.registry import Chore, Stop, Tools
from workers.runner import Runner

ROOT = Path(registry.__file__).parent.parent
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CHORE = Chore("sweep", timedelta(hours=1), upkeep.PurgeFinishedJobs())


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Iterator[Hub]:
    kept = index.open_index("whoosh", tmp_path / "index")
    yield Hub(Settings(data_dir=tmp_path), database, MemoryBlobs(), kept, b"secret")
    kept.close()


def _ask_due(hub: Hub, now: datetime, *chores: Chore) -> list[str]:
    with replace(hub, clock=lambda: now).writing(HUB) as work:
        return upkeep.ask_due(work, chores or (CHORE,))


def test_four_processes_take_each_slot_once(database: Database) -> None:
    command = [sys.executable, "-m", "tests.contracts.job_slots", database.url]
    takers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    taken = [hour for taker in takers for hour in json.loads(taker.communicate(timeout=120)[0])]
    assert sorted(taken) == list(range(job_slots.HOURS))


def test_a_chore_is_asked_for_once_per_slot(hub: Hub) -> None:
    assert _ask_due(hub, NOON) == ["sweep"]
    assert _ask_due(hub, NOON + timedelta(minutes=59)) == []
    assert _ask_due(hub, NOON + timedelta(minutes=60)) == ["sweep"]


def test_a_slot_whose_asker_rolled_back_is_still_free(hub: Hub) -> None:
    with pytest.raises(ZeroDivisionError), hub.writing(HUB) as work:
        raise ZeroDivisionError(upkeep.ask_due(work, [CHORE]))
    with hub.writing(HUB) as work:
        assert upkeep.ask_due(work, [CHORE]) == ["sweep"]


def test_a_chore_still_waiting_from_the_slot_before_is_not_asked_for_twice(hub: Hub) -> None:
    _ask_due(hub, NOON)
    _ask_due(hub, NOON + timedelta(hours=5))
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(JobRow)) == 1


def test_slots_missed_while_nobody_worked_are_not_made_up_for(hub: Hub) -> None:
    _ask_due(hub, NOON)
    with hub.writing(HUB) as work:
        jobs.finish(work.session, jobs.claim(work.session, ["upkeep"], "w")[0])
    _ask_due(hub, NOON + timedelta(hours=5))
    with hub.reading(HUB) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(JobRow)) == 2


def test_finished_jobs_and_taken_turns_are_forgotten_after_a_week(hub: Hub, database: Database) -> None:
    old, recent = ask(database), ask(database)
    for _ in range(2):
        claimed = claim_one(database)
        with database.writing() as session:
            jobs.finish(session, claimed)
    change(database, old, finished_at=datetime.now(UTC) - timedelta(days=8))
    with database.writing() as session:
        jobs.take_slot(session, "sweep", datetime.now(UTC) - timedelta(days=8))
    tools = Tools(hub=hub, log=structlog.get_logger())
    runner = Runner(tools, registry.collect(["workers.upkeep"]), Stop())
    assert runner._step()  # asks for the chore and does it
    with database.reading() as session:
        left = session.scalars(sa.select(JobRow).order_by(JobRow.id)).all()
        assert [(row.id, row.kind) for row in left if row.kind == "test"] == [(recent, "test")]
        assert [row.state for row in left if row.kind == "purge_finished_jobs"] == ["DONE"]
        assert set(session.scalars(sa.select(CronSlotRow.name))) == {
            "purge finished jobs",
            "refresh statistics",
            "forget ways in",
        }
