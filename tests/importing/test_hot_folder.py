"""The hot folder: only what rests, each file once whoever else watches and whoever is killed, and moved aside."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import importing
from domain.hub import Hub
from domain.importing import Outcome
from storage.tables import AssetRow
from tests.assets.together import together
from tests.importing.folders import png, words, write
from tests.working import tools_of
from workers import fetching

ROOT = Path(__file__).parents[2]
LONG_AGO = 3_600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "hot"
    made.mkdir()
    return made


def resting(folder: Path) -> None:
    """A change of name or rights counts, and nobody can date it back: so the hub is told to wait for none."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - LONG_AGO,) * 2)


def watching(hub: Hub, folder: Path, seconds: int = 0) -> Hub:
    return dataclasses.replace(
        hub, settings=hub.settings.model_copy(update={"hot_folder": str(folder), "hot_folder_seconds": seconds})
    )


def watched(hub: Hub, folder: Path, seconds: int = 0) -> dict[str, Outcome]:
    heard = importing.watch(watching(hub, folder, seconds), folder, stop=threading.Event())
    return {outcome.path: outcome for outcome in heard}


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def assets(hub: Hub) -> int:
    with hub.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(AssetRow)) or 0


def test_what_rests_is_taken_and_moved_aside(hub: Hub, folder: Path) -> None:
    write(folder, "a.png", "shoot/b.png")
    (folder / "wrong.jpg").write_bytes(b"%PDF-1.7 no picture")
    (folder / "again.png").write_bytes(png(b"a.png"))
    (folder / ".hidden.png").write_bytes(png("hidden"))
    told = words(watched(hub, folder))
    assert told == {
        "a.png": "NEW",
        "again.png": "DUPLICATE",
        "shoot/b.png": "NEW",
        "wrong.jpg": "REFUSED NOT_WHAT_IT_CLAIMS",
    }
    assert names(folder) == {
        ".hidden.png",
        "done/a.png",
        "done/again.png",
        "done/shoot/b.png",
        "refused/wrong.jpg",
        "refused/wrong.jpg.reason.txt",
    }
    assert "NOT_WHAT_IT_CLAIMS" in (folder / "refused/wrong.jpg.reason.txt").read_text()
    assert watched(hub, folder) == {}
    assert assets(hub) == 2


def test_what_still_changes_is_left_alone(hub: Hub, folder: Path) -> None:
    write(folder, "a.png")
    assert watched(hub, folder, 30) == {}
    resting(folder)  # its bytes rest, but it only just came here
    assert watched(hub, folder, 30) == {}
    assert names(folder) == {"a.png"}
    assert words(watched(hub, folder)) == {"a.png": "NEW"}


def test_nothing_is_overwritten_where_it_is_moved_to(hub: Hub, folder: Path) -> None:
    for mark in ("one", "two", "three"):
        (folder / "a.png").write_bytes(png(mark))
        watched(hub, folder)
    assert names(folder) == {"done/a.png", "done/a (1).png", "done/a (2).png"}
    assert assets(hub) == 3


def test_a_file_that_somebody_has_in_hand_is_left_to_them(hub: Hub, folder: Path) -> None:
    write(folder, "a.png")
    with (folder / "a.png").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert watched(hub, folder) == {}
    assert words(watched(hub, folder)) == {"a.png": "NEW"}


def test_several_who_watch_take_each_file_once(hub: Hub, folder: Path) -> None:
    write(folder, *(f"{place}.png" for place in range(12)))
    told = together([lambda: watched(hub, folder)] * 3)
    heard = [outcome.word.value for each in told for outcome in each.values()]
    assert heard == ["NEW"] * 12
    assert (assets(hub), len(names(folder / "done"))) == (12, 12)


def test_the_hubs_own_data_is_never_taken(hub: Hub, folder: Path) -> None:
    inside = hub.settings.data_dir
    write(inside, "a.png")
    assert watched(hub, inside.parent) == {}


def test_a_folder_that_is_not_there_has_nothing_in_it(hub: Hub, folder: Path) -> None:
    assert watched(hub, folder / "missing") == {}


def test_the_worker_watches_the_folder_of_the_settings(hub: Hub, folder: Path) -> None:
    write(folder, "a.png")
    fetching.watch_folder(tools_of(watching(hub, folder)), None)  # type: ignore[arg-type]  # a chore looks at no job
    assert names(folder) == {"done/a.png"}


KILLED = """
import dataclasses, os, signal, sys, threading
from pathlib import Path
from domain import importing
from domain.hub import open_hub
from domain.importing import watching
from storage.settings import load
hub = open_hub(load())
hub = dataclasses.replace(hub, settings=hub.settings.model_copy(update={"hot_folder_seconds": 0}))
folder, moment = Path(sys.argv[1]), sys.argv[2]
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if moment == "stored":
    watching.assets.create = killed
elif moment == "made":
    watching._move = killed
else:
    Path.unlink = killed
list(importing.watch(hub, folder, stop=threading.Event()))
"""


@pytest.mark.parametrize("moment", ["stored", "made", "linked"])
def test_whoever_is_killed_leaves_no_file_twice_and_none_out(hub: Hub, folder: Path, moment: str) -> None:
    write(folder, "a.png", "b.png")
    environment = {
        **os.environ,
        "IMPRIMATUR_DATA_DIR": str(hub.settings.data_dir),
        "IMPRIMATUR_DATABASE_URL": hub.settings.database_url,
        "IMPRIMATUR_BLOB_URL": hub.settings.blob_url,
    }
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(folder), moment]
    for _ in range(2):
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        assert ended.returncode == -signal.SIGKILL
    watched(hub, folder)
    assert (assets(hub), names(folder)) == (2, {"done/a.png", "done/b.png"})
