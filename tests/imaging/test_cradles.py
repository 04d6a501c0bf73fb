"""A nursery: what is forked from it is confined as what is forked here, and nothing of it outlives who started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.recipes import FailureCode, Fit, Format, Recipe
from tests.imaging import made
from workers import sandbox
from workers.imaging import inside
from workers.imaging.limits import Limits
from workers.sandbox import SandboxLimits, StoppedError
from workers.sandbox.cradles import Nursery

ROOT = Path(__file__).parents[2]


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    raised = Nursery((__name__,))
    yield raised
    raised.close()


def parents() -> tuple[int, int]:
    return os.getpid(), os.getppid()


def hoard() -> int:
    return len(bytearray(2 * 1024**3))


def spin() -> None:
    while True:
        pass


def wait_for_death(told: str) -> None:
    Path(told).write_text(str(os.getpid()))
    time.sleep(60)


def fall() -> None:
    ctypes.string_at(0)


def fail() -> None:
    raise KeyError("missing")


def call_out() -> str:
    try:
        os.fork()
    except OSError as error:
        return type(error).__name__
    return "forked"


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() != b""


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_there(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_there(pid)


def test_a_job_is_forked_from_the_nursery_and_not_from_us(nursery: Nursery) -> None:
    child, parent = sandbox.run(parents, cradle=nursery)
    assert len({child, parent, os.getpid()}) == 3
    assert sandbox.run(parents, cradle=nursery)[1] == parent
    assert gone(child)


@pytest.mark.parametrize(
    ("job", "limits", "code"),
    [
        (hoard, SandboxLimits(memory_bytes=256 * 1024**2), FailureCode.OUT_OF_MEMORY),
        (spin, SandboxLimits(wall_seconds=0.5), FailureCode.TIMEOUT),
        (spin, SandboxLimits(cpu_seconds=1), FailureCode.TIMEOUT),
        (fall, SandboxLimits(), FailureCode.CRASHED),
        (fail, SandboxLimits(), FailureCode.CRASHED),
    ],
)
def test_every_end_means_the_same_from_a_nursery(
    nursery: Nursery, job: Callable[[], object], limits: SandboxLimits, code: FailureCode
) -> None:
    with pytest.raises(StoppedError) as from_nursery:
        sandbox.run(job, limits=limits, cradle=nursery)
    with pytest.raises(StoppedError) as from_here:
        sandbox.run(job, limits=limits)
    assert from_nursery.value.code == from_here.value.code == code
    assert from_nursery.value.sentence == from_here.value.sentence


def test_what_is_killed_had_no_memory_wherever_it_was_forked(nursery: Nursery, tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def kill() -> None:
        if told.exists() and (pid := told.read_text()):
            told.unlink()
            os.kill(int(pid), signal.SIGKILL)

    for cradle in (nursery, None):
        with pytest.raises(StoppedError) as stopped:
            sandbox.run(wait_for_death, str(told), cradle=cradle, tick=kill)
        assert stopped.value.code == FailureCode.OUT_OF_MEMORY


def test_what_a_nursery_forks_may_not_fork(nursery: Nursery) -> None:
    assert sandbox.run(call_out, cradle=nursery) == "PermissionError"


def test_hundreds_of_jobs_leave_a_nursery_as_it_was(nursery: Nursery) -> None:
    pid = sandbox.run(os.getppid, cradle=nursery)
    descriptors = Path(f"/proc/{pid}/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(300):
        assert sandbox.run(os.getppid, cradle=nursery) == pid
    assert len(list(descriptors.iterdir())) == before
    assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""


def test_a_job_that_cannot_be_told_is_forked_here(nursery: Nursery) -> None:
    assert sandbox.run(lambda: os.getppid(), cradle=nursery) == os.getpid()  # noqa: PLW0108 - not to be pickled
    assert sandbox.run(len, "x" * 1_000_000, cradle=nursery) == 1_000_000


def test_a_nursery_that_was_killed_is_started_again(nursery: Nursery) -> None:
    _, first = sandbox.run(parents, cradle=nursery)
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert sandbox.run(parents, cradle=nursery)[1] == os.getpid()
    _, second = sandbox.run(parents, cradle=nursery)
    assert second not in {first, os.getpid()}


def test_a_job_whose_nursery_is_killed_meanwhile_ends_with_it(nursery: Nursery) -> None:
    _, pid = sandbox.run(parents, cradle=nursery)
    children: list[int] = []

    def kill() -> None:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        children.extend(map(int, found))
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(StoppedError) as stopped:
        sandbox.run(time.sleep, 60, cradle=nursery, tick=kill)
    assert stopped.value.code == FailureCode.OUT_OF_MEMORY
    assert children
    assert all(gone(child) for child in children)


def test_nothing_outlives_the_process_that_raised_a_nursery() -> None:
    program = """
import os, sys, time
from workers import sandbox
from workers.sandbox.cradles import Nursery
raised = Nursery(())
sandbox.run(os.getpid, cradle=raised)
sandbox.run(time.sleep, 60, cradle=raised, tick=lambda: (print(raised._process.pid, flush=True), time.sleep(60)))
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        (child,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        started.kill()
        started.wait()
        assert gone(pid)
        assert gone(child)


def test_pictures_are_the_same_from_a_nursery_as_from_here(tmp_path: Path) -> None:
    recipe = Recipe("one", Format.JPEG, 200, 100, Fit.COVER)
    source = made.photograph("coffee.jpg")
    raised = Nursery(inside.MODULES)
    files = []
    try:
        for name, cradle in (("there", raised), ("here", None)):
            out = tmp_path / name
            out.mkdir()
            told = sandbox.run(inside.rendered, source, "image/jpeg", [recipe], out, Limits(), cradle=cradle)
            assert told["failed"] == {}
            files.append((out / recipe.file_name).read_bytes())
    finally:
        raised.close()
    assert files[0] == files[1]
