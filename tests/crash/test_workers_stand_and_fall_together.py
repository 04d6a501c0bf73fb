"""`python -m workers` as a whole: who dies is replaced, nobody is left behind, a bad setting is said in a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from workers.foreman import HEALTHY_AFTER, Foreman, Post, fork
from workers.registry import Stop

ROOT = Path(__file__).parent.parent.parent
WORKERS = [sys.executable, "-W", "ignore", "-m", "workers"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "IMPRIMATUR_DATA_DIR": str(tmp_path / "data"), "IMPRIMATUR_LOG_FORMAT": "json"}


@pytest.fixture
def foreman(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*WORKERS, "--processes", "2"], cwd=ROOT, env=environment, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def _children(pid: int) -> set[int]:
    return {int(path.name) for path in Path("/proc").glob("[0-9]*") if _stat(int(path.name))[1:2] == [str(pid)]}


def _is_alive(pid: int) -> bool:
    state = _stat(pid)[:1]
    return bool(state) and state[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    """State, parent and more of a process; nothing when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, "It did not happen within a minute."
        time.sleep(0.05)


def _started(foreman: subprocess.Popen[bytes], log: Path, runners: int = 2) -> set[int]:
    _wait(lambda: foreman.poll() is not None or log.read_text().count('"runner.started"') >= runners)
    return _children(foreman.pid)


def _a_runner(log: Path) -> int:
    started = next(line for line in log.read_text().splitlines() if '"runner.started"' in line)
    return int(json.loads(started)["worker"].split(":")[1])


def test_a_runner_that_is_killed_is_replaced(foreman: subprocess.Popen[bytes], tmp_path: Path) -> None:
    before = _started(foreman, tmp_path / "log")
    assert len(before) == 4  # two runners, the indexer and the sender
    os.kill(_a_runner(tmp_path / "log"), signal.SIGKILL)
    _wait(lambda: len(_children(foreman.pid) - before) == 1)
    _wait(lambda: (tmp_path / "log").read_text().count('"runner.started"') == 3)


def test_a_stopped_foreman_takes_its_children_with_it(foreman: subprocess.Popen[bytes], tmp_path: Path) -> None:
    children = _started(foreman, tmp_path / "log")
    foreman.terminate()
    assert foreman.wait(60) == 0
    assert not any(_is_alive(child) for child in children)
    assert (tmp_path / "log").read_text().count('"runner.stopped"') == 2


def test_children_do_not_outlive_a_foreman_that_is_killed(foreman: subprocess.Popen[bytes], tmp_path: Path) -> None:
    children = _started(foreman, tmp_path / "log")
    foreman.kill()
    foreman.wait()
    _wait(lambda: not any(_is_alive(child) for child in children))


def test_the_foreman_ends_when_the_server_that_started_it_is_killed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """A small program stands for the server: it starts the foreman as the server does, says who it is, and waits."""
    server = (
        "import os, subprocess, sys, time\n"
        "os.environ['IMPRIMATUR_PARENT_PID'] = str(os.getpid())\n"
        "print(subprocess.Popen(sys.argv[1:]).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", server, *WORKERS, "--processes", "1"]
    with (tmp_path / "log").open("wb") as log:
        parent = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log)
    assert parent.stdout is not None
    try:
        foreman = int(parent.stdout.readline())
        _wait(lambda: '"runner.started"' in (tmp_path / "log").read_text())
        family = {foreman, *_children(foreman)}
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    assert len(family) >= 2
    _wait(lambda: not any(_is_alive(member) for member in family))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMPRIMATUR_PORT", "banana"),
        ("IMPRIMATUR_DATABASE_URL", "mysql://somewhere/else"),
        ("IMPRIMATUR_BLOB_URL", "ftp://somewhere"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_it_with_one_sentence(
    environment: dict[str, str], name: str, value: str
) -> None:
    done = subprocess.run(
        WORKERS, cwd=ROOT, env={**environment, name: value}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.endswith(".\n")


@pytest.mark.parametrize("wanted", ["0", "-1", "many", "1000"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(environment: dict[str, str], wanted: str) -> None:
    command = [*WORKERS, f"--processes={wanted}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "give a number from 1 to 256" in done.stderr


def _begin(role: str) -> BaseProcess:
    return fork(role, lambda code, _parent: sys.exit(int(code)))


def _short_life(code: int) -> Post:
    child = _begin(str(code))
    child.join()
    return Post("runner", child, started_at=time.monotonic())


def test_a_child_that_keeps_dying_is_started_again_after_longer_and_longer_pauses() -> None:
    crew = Foreman([], Stop(), structlog.get_logger(), _begin)
    post = _short_life(1)
    pauses = []
    for _ in range(9):
        with capture_logs() as logs:
            crew._note_death(post, 1)
        pauses.append(logs[0]["pause"])
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    post.started_at = time.monotonic() - 2 * HEALTHY_AFTER
    crew._note_death(post, 1)
    assert post.deaths == 1


def test_a_child_whose_settings_cannot_be_used_ends_all() -> None:
    with capture_logs():
        assert Foreman([_short_life(2)], Stop(), structlog.get_logger(), _begin).run() == 2


def test_a_stop_is_asked_when_the_parent_is_another_one_than_named() -> None:
    assert not Stop(parent=os.getppid()).is_asked
    assert Stop(parent=os.getppid() + 1).is_asked
