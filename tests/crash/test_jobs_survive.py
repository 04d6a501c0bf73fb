"""Runner processes are killed and frozen while they work, and every job still has exactly one result.

`IMPRIMATUR_CRASH_SECONDS` makes the chaos last longer than the few seconds of an ordinary run.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.database import Database
from storage.tables import JobRow
from tests.contracts.job_databases import KINDS, ask, ask_in, fresh, job, long_ago, results

ROOT = Path(__file__).parent.parent.parent
CHAOS_SECONDS = float(os.environ.get("IMPRIMATUR_CRASH_SECONDS", "8"))
LEASE_SECONDS = 1.0
RUNNERS = 3
#: Asked for at a time, whenever fewer than this many are left.
JOBS = 60


@dataclass
class Crew:
    """Runner processes, forked by a nursery process that has everything imported already."""

    database: Database
    folder: Path
    nursery: subprocess.Popen[str]
    pids: list[int] = field(default_factory=list)

    def start(self) -> None:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write("one more\n")
        self.nursery.stdin.flush()
        self.pids.append(int(self.nursery.stdout.readline()))

    def at_work(self) -> dict[int, int]:
        """Living processes by the id of the job that each has in hand."""
        with self.database.reading() as session:
            running = session.execute(sa.select(JobRow.id, JobRow.worker).where(JobRow.state == "RUNNING"))
            hands = [(job_id, int((worker or "").split(":")[1])) for job_id, worker in running]
        return {job_id: pid for job_id, pid in hands if pid in self.pids and _is_alive(pid)}

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert _wait(lambda: not _is_alive(pid), 20)

    def log(self) -> str:
        return (self.folder / "runners.log").read_text()


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request, tmp_path) as opened:
        yield opened


@contextmanager
def _crew(database: Database, folder: Path, runners: int, lease: float = LEASE_SECONDS) -> Iterator[Crew]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.crash.tiny_runner", str(lease)]
    environment = {
        **os.environ,
        "IMPRIMATUR_DATABASE_URL": database.url,
        "IMPRIMATUR_DATA_DIR": str(folder / "data"),
    }
    with (
        (folder / "runners.log").open("ab") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as nursery,
    ):
        try:
            crew = Crew(database, folder, nursery)
            for _ in range(runners):
                crew.start()
            yield crew
        finally:
            nursery.kill()
    assert _wait(lambda: not any(_is_alive(pid) for pid in crew.pids), 20)


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if until():
            return True
        time.sleep(0.02)
    return until()


def _unfinished(database: Database) -> int:
    """How many jobs are left; those that wait for their back-off are made due, or the test would wait too."""
    with database.writing() as session:
        session.execute(sa.update(JobRow).where(JobRow.state == "READY").values(run_at=long_ago()))
    with database.reading() as session:
        left = sa.select(sa.func.count()).select_from(JobRow).where(JobRow.state != "DONE")
        return session.scalar(left) or 0


def _ask_for_more(database: Database, asked: list[int]) -> None:
    with database.writing() as session:
        for number in range(len(asked), len(asked) + JOBS):
            ask_in(session, "count", payload={"number": number}, max_attempts=1_000)
            asked.append(number)


def _kill(crew: Crew, dice: random.Random) -> int:
    """Kills a process that has a job in hand, and sends another in its place."""
    victims = crew.at_work()
    if not victims:
        return 0
    crew.kill(victims[dice.choice(sorted(victims))])
    crew.start()
    return 1


def _freeze(crew: Crew, dice: random.Random) -> int:
    """Stops a process with a job in hand until the job was taken away from it, then lets the zombie go on.

    One that was frozen inside a transaction on SQLite keeps everybody out, so it goes on after a while anyhow.
    """
    victims = crew.at_work()
    if not victims:
        return 0
    job_id = dice.choice(sorted(victims))
    victim, held = victims[job_id], job(crew.database, job_id)
    os.kill(victim, signal.SIGSTOP)
    try:
        mine = (held.worker, held.attempt, "RUNNING")
        _wait(lambda: _fence(crew.database, job_id) != mine, 4 * LEASE_SECONDS)
    finally:
        os.kill(victim, signal.SIGCONT)
    return 1


def _fence(database: Database, job_id: int) -> tuple[str | None, int, str]:
    row = job(database, job_id)
    return row.worker, row.attempt, row.state


def test_every_job_has_exactly_one_result_whatever_is_killed_or_frozen(database: Database, tmp_path: Path) -> None:
    dice, asked, kills, zombies = random.Random(20261122), list[int](), 0, 0
    _ask_for_more(database, asked)
    with _crew(database, tmp_path, RUNNERS) as crew:
        assert _wait(lambda: bool(crew.at_work()), 60)
        over = time.monotonic() + CHAOS_SECONDS
        while time.monotonic() < over or kills < 6 or zombies < 3:
            if _unfinished(database) < JOBS:
                _ask_for_more(database, asked)
            if dice.random() < 0.7:
                kills += _kill(crew, dice)
            else:
                zombies += _freeze(crew, dice)
            time.sleep(dice.uniform(0.1, 0.5))
        assert _wait(lambda: _unfinished(database) == 0, 120), crew.log()[-4_000:]
    assert sorted(results(database)) == asked
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(JobRow.attempt > 1)) != 0
    logging.getLogger(__name__).info("%s jobs, %s kills, %s zombies", len(asked), kills, zombies)


def test_a_job_whose_runner_was_killed_is_done_by_another_after_its_lease(database: Database, tmp_path: Path) -> None:
    asked = ask(database, "linger")
    with _crew(database, tmp_path, 1) as crew:
        assert _wait(lambda: asked in crew.at_work(), 60)
        crew.kill(crew.pids[0])
        crew.start()
        assert _wait(lambda: job(database, asked).attempt == 2, 60)
        assert asked in crew.at_work()


def test_a_runner_that_is_told_to_stop_gives_its_job_back_unspent_and_ends_well(
    database: Database, tmp_path: Path
) -> None:
    asked = ask(database, "linger", max_attempts=1)
    with _crew(database, tmp_path, 1, lease=30) as crew:
        assert _wait(lambda: asked in crew.at_work(), 60)
        os.kill(crew.pids[0], signal.SIGTERM)
        assert _wait(lambda: not _is_alive(crew.pids[0]), 60)
        assert '"runner.stopped"' in crew.log()
    row = job(database, asked)
    assert (row.state, row.attempt, row.worker) == ("READY", 0, None)
