"""kill -9 in the middle of an export: the next worker goes on behind what was kept, and there is one whole file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from domain.hub import Hub
from storage.settings import Settings
from storage.tables import BulkExportRow
from tests.asking import Client
from tests.assets import acts
from tests.exports.test_story import DUTIES, ask, fetched, look
from tests.working import wait, work_off

#: A worker with a short lease and batches of two, who is killed when three of them are kept.
KILLED = """
import os, signal, sys
from datetime import timedelta
import structlog
from domain import exports
from domain.hub import open_hub
from storage.settings import Settings
from tests.exports.test_story import DUTIES
from workers.registry import Stop, Tools
from workers.runner import Runner

exports.writing.BATCH = 2
is_written, looks = exports.is_written, []

def killed(work, export_id):
    looks.append(export_id)
    if len(looks) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return is_written(work, export_id)

exports.is_written = killed
hub = open_hub(Settings.model_validate_json(sys.argv[1]))
runner = Runner(Tools(hub, structlog.get_logger("tests")), DUTIES, Stop(), lease=timedelta(seconds=1))
while True:
    runner._run_one()
"""
ROOT = Path(__file__).parents[2]


def test_an_export_survives_kill_9(hub: Hub, client: Client, stores: Settings) -> None:
    made = [acts.created(client, acts.picture(number))["id"] for number in range(9)]
    export = ask(client)
    told = json.dumps({name: str(value) if isinstance(value, Path) else value for name, value in stores})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, told],
        cwd=ROOT,
        env=dict(os.environ),
        timeout=120,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (look(client, export)["state"], look(client, export)["done"]) == ("RUNNING", 6)

    wait(lambda: _came_further(hub, client, export))

    assert look(client, export)["state"] == "DONE"
    assert [line["id"] for line in fetched(client, export)[1:-1]] == made
    with hub.database.reading() as session:
        assert session.scalars(sa.select(BulkExportRow.parts)).all() == [4]


def _came_further(hub: Hub, client: Client, export: str) -> bool:
    """Another worker, once the lease is over."""
    from storage import jobs

    with hub.database.writing() as session:
        jobs.reap(session)
    work_off(hub, DUTIES)
    return bool(look(client, export)["state"] == "DONE")
