"""Whoever fetches for a session is killed in the middle: the next goes on, and no file is taken twice or left out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import fetching
from domain.hub import Hub
from storage.tables import AssetRow
from tests.asking import Client
from tests.assets.acts import picture
from tests.assets.together import together
from tests.importing.fetching import TERMS, look, outcomes
from tests.schema.samples_lifecycle import zipped

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from domain import fetching, history
from domain.fetching import fetching as steps
from domain.hub import open_hub
from storage.settings import load
hub = open_hub(load())
session, moment = int(sys.argv[1]), sys.argv[2]
seen = []
def killed_at_third(real):
    def act(*args, **kwargs):
        answer = real(*args, **kwargs)
        seen.append(1)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return act
if moment == "begun":
    steps.items.next_waiting = killed_at_third(steps.items.next_waiting)
elif moment == "stored":
    steps.arriving.bring = killed_at_third(steps.arriving.bring)
elif moment == "made":
    steps.items.take = killed_at_third(steps.items.take)
elif moment == "listed":
    steps.items.new = killed_at_third(steps.items.new)
fetching.fetch_zip(hub, session, lambda: None)
"""


@pytest.mark.parametrize("moment", ["listed", "begun", "stored", "made"])
def test_a_session_whose_worker_is_killed_is_gone_on_with(hub: Hub, client: Client, moment: str) -> None:
    files = {f"{place}.png": picture(place) for place in range(5)}
    upload = client.upload(zipped(files), "files.zip")
    with hub.writing(client.viewer) as work:
        session = fetching.from_zip(work, TERMS, upload).id
    environment = {
        **os.environ,
        "IMPRIMATUR_DATA_DIR": str(hub.settings.data_dir),
        "IMPRIMATUR_DATABASE_URL": hub.settings.database_url,
        "IMPRIMATUR_BLOB_URL": hub.settings.blob_url,
    }
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(session), moment]
    ended = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert look(client, session)["state"] == "RUNNING"
    fetching.fetch_zip(hub, session, lambda: None)
    assert look(client, session)["state"] == "DONE"
    assert outcomes(client, session) == dict.fromkeys(files, "CREATED")
    with hub.database.reading() as reading:
        assert reading.scalar(sa.select(sa.func.count()).select_from(AssetRow)) == 5


def test_two_workers_at_one_session_take_each_file_once(hub: Hub, client: Client) -> None:
    files = {f"{place}.png": picture(place) for place in range(5)}
    upload = client.upload(zipped(files), "files.zip")
    with hub.writing(client.viewer) as work:
        session = fetching.from_zip(work, TERMS, upload).id
    together([lambda: fetching.fetch_zip(hub, session, lambda: None)] * 2)
    fetching.fetch_zip(hub, session, lambda: None)
    assert outcomes(client, session) == dict.fromkeys(files, "CREATED")
    assert look(client, session)["counts"] == {"waiting": 0, "created": 5, "duplicates": 0, "refused": 0}
