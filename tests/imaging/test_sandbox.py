"""The sandbox: whatever a job does, the parent gets an answer or a code, and nothing stays behind."""

import contextlib
import ctypes
import errno
import fcntl
import itertools
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.recipes import FailureCode
from workers import sandbox
from workers.sandbox import SandboxLimits, StoppedError

#: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo
_SIGNALLING = {"x86_64": (62, 200, 234, 129, 297), "aarch64": (129, 130, 131, 138, 240)}
TIGHT = SandboxLimits(
    wall_seconds=20, cpu_seconds=20, memory_bytes=256 << 20, file_bytes=1 << 20, files=16, answer_bytes=65_536
)


def code_of(job: Callable[..., Any], *arguments: Any, limits: SandboxLimits = TIGHT) -> FailureCode:
    with pytest.raises(StoppedError) as stopped:
        sandbox.run(job, *arguments, limits=limits)
    assert stopped.value.sentence.endswith(".")
    assert "/" not in stopped.value.sentence
    return stopped.value.code


def with_limits(**changes: Any) -> SandboxLimits:
    return SandboxLimits(**{**TIGHT.__dict__, **changes})


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return "zombie" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return False


def gone(pid: int) -> bool:
    """Death takes the kernel a moment."""
    for _ in range(500):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False


def children() -> set[int]:
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii")
    return {int(pid) for pid in listed.split()}


def descriptors() -> set[int]:
    return {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}


def spin() -> None:
    while True:
        pass


def eat() -> int:
    held = [bytearray(1 << 20) for _ in range(1 << 20)]
    return len(held)


def test_the_answer_is_what_the_job_returned() -> None:
    assert sandbox.run(lambda a, b: {"sum": a + b, "words": ["да", None, 1.5]}, 2, 3) == {
        "sum": 5,
        "words": ["да", None, 1.5],
    }


def test_the_job_lives_in_another_process_and_leaves_the_callers_alone() -> None:
    mine = {"touched": False}

    def job() -> int:
        mine["touched"] = True
        os.environ["SANDBOXED"] = "1"
        return os.getpid()

    assert sandbox.run(job) != os.getpid()
    assert mine == {"touched": False}
    assert "SANDBOXED" not in os.environ


def test_a_job_that_takes_too_long_is_stopped() -> None:
    assert code_of(time.sleep, 60, limits=with_limits(wall_seconds=0.3)) == FailureCode.TIMEOUT


def test_a_job_that_computes_too_long_is_stopped() -> None:
    assert code_of(spin, limits=with_limits(cpu_seconds=1)) == FailureCode.TIMEOUT


def test_a_job_that_ignores_signals_is_stopped_as_well() -> None:
    def stubborn() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        spin()

    assert code_of(stubborn, limits=with_limits(wall_seconds=0.5)) == FailureCode.TIMEOUT


def test_a_job_that_wants_too_much_memory_is_stopped() -> None:
    assert code_of(eat) == FailureCode.OUT_OF_MEMORY


def test_a_job_that_the_kernel_kills_had_no_memory() -> None:
    before = children()

    def kill() -> None:
        for child in children() - before:
            os.kill(child, signal.SIGKILL)

    with pytest.raises(StoppedError) as stopped:
        sandbox.run(time.sleep, 60, limits=TIGHT, tick=kill)
    assert stopped.value.code == FailureCode.OUT_OF_MEMORY


def test_nobody_is_sent_a_signal_for_what_happens_to_a_file_of_the_sandbox() -> None:
    def own() -> list[str]:
        reading, _ = os.pipe()
        tried = []
        for attempt in (
            lambda: fcntl.fcntl(reading, fcntl.F_SETOWN, os.getppid()),
            lambda: fcntl.ioctl(reading, 0x8901, struct.pack("i", os.getppid())),
            lambda: fcntl.fcntl(reading, fcntl.F_GETFL),
        ):
            try:
                attempt()
                tried.append("worked")
            except OSError as error:
                tried.append(type(error).__name__)
        return tried

    assert sandbox.run(own) == ["PermissionError", "PermissionError", "worked"]


def test_no_signal_is_sent_from_the_sandbox() -> None:
    """By none of the calls that send one, to whomever; a child that aborts ends all the same."""
    victim = os.getpid()

    def send() -> list[bool]:
        library = ctypes.CDLL(None, use_errno=True)
        kill, tkill, tgkill, queue, queue_in_group = _SIGNALLING[platform.machine()]
        asked = ((kill, victim, 0), (tkill, victim, 0), (tgkill, victim, victim, 0))
        told = ctypes.create_string_buffer(128)
        queued = ((queue, victim, 0, told), (queue_in_group, victim, victim, 0, told))
        return [library.syscall(*each) == -1 and ctypes.get_errno() == errno.EPERM for each in (*asked, *queued)]

    assert sandbox.run(send, limits=TIGHT) == [True] * 5


@pytest.mark.parametrize("ending", [lambda: ctypes.string_at(0), os.abort, lambda: os._exit(3), lambda: os._exit(0)])
def test_a_job_that_ends_without_an_answer_has_crashed(ending: Callable[[], Any]) -> None:
    assert code_of(ending) == FailureCode.CRASHED


def test_an_exception_is_a_crash_with_its_traceback_for_the_log_only() -> None:
    def job() -> None:
        raise KeyError("/secret/path")

    with pytest.raises(StoppedError) as stopped:
        sandbox.run(job)
    assert stopped.value.code == FailureCode.CRASHED
    assert "secret" not in stopped.value.sentence
    assert "KeyError: '/secret/path'" in stopped.value.detail


def test_an_answer_that_is_no_json_is_a_crash() -> None:
    assert code_of(object) == FailureCode.CRASHED
    assert code_of(lambda: b"bytes") == FailureCode.CRASHED


def test_an_answer_that_is_too_long_is_a_crash() -> None:
    assert code_of(lambda: "x" * 200_000) == FailureCode.CRASHED


def test_an_answer_of_many_thousand_characters_arrives_whole() -> None:
    assert sandbox.run(lambda: "ж" * 500_000) == "ж" * 500_000


def test_a_file_longer_than_allowed_cannot_be_written(tmp_path: Path) -> None:
    assert code_of(lambda: (tmp_path / "x").write_bytes(b"x" * (2 << 20))) == FailureCode.CRASHED
    assert (tmp_path / "x").stat().st_size <= 1 << 20


def test_only_so_many_files_can_be_open() -> None:
    def hoard() -> int:
        """How many more: above what it was given, which may lie as far up as whoever started all this left it."""
        given = highest = max(descriptors())
        with contextlib.suppress(OSError):
            while True:
                highest = max(highest, os.open(os.devnull, os.O_RDONLY))
        return highest - given

    assert 0 < sandbox.run(hoard, limits=TIGHT) <= 16 + 3


def test_there_is_no_network_in_the_sandbox() -> None:
    def call() -> str:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
                caller.settimeout(1)
                caller.connect(("127.0.0.1", 9))
        except OSError as error:
            return type(error).__name__
        return "connected"

    assert sandbox.run(call) in {"PermissionError", "OSError"}


def test_no_program_can_be_started_and_no_process_forked() -> None:
    def launch() -> list[str]:
        tried = []
        for attempt in (lambda: subprocess.run(["/bin/true"], check=False), os.fork):
            try:
                attempt()
                tried.append("worked")
            except OSError as error:
                tried.append(type(error).__name__)
        return tried

    assert sandbox.run(launch) == ["PermissionError", "PermissionError"]


def test_threads_still_work_in_the_sandbox() -> None:
    def job() -> list[int]:
        seen: list[int] = []
        threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(seen)

    assert sandbox.run(job) == [0, 1, 2]


def test_descriptors_of_the_parent_cannot_be_used(tmp_path: Path) -> None:
    with (tmp_path / "precious").open("w+", encoding="ascii") as precious:
        number = precious.fileno()

        def spoil() -> bool:
            os.write(number, b"spoilt")
            return os.path.samestat(os.fstat(number), Path(os.devnull).stat())

        assert sandbox.run(spoil) is True
        assert precious.read() == ""


def test_standard_input_and_output_lead_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    def job() -> str:
        os.write(1, b"to the terminal")
        os.write(2, b"to the terminal")
        return os.read(0, 10).decode()

    assert sandbox.run(job) == ""
    assert capfd.readouterr() == ("", "")


def test_the_parent_is_called_at_least_every_second_while_it_waits() -> None:
    called: list[float] = []
    start = time.monotonic()
    sandbox.run(time.sleep, 2.2, tick=lambda: called.append(time.monotonic()))
    moments = [start, *called, time.monotonic()]
    assert max(later - earlier for earlier, later in itertools.pairwise(moments)) <= 1.0
    assert len(called) <= 8


def test_when_the_parents_tick_raises_the_job_is_killed() -> None:
    class LeaseLostError(Exception):
        pass

    before = children()

    def lose() -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        sandbox.run(time.sleep, 60, tick=lose)
    assert children() == before


@pytest.mark.parametrize("ending", [lambda: 1, lambda: time.sleep(60), lambda: os._exit(3), eat])
def test_no_process_and_no_descriptor_stays_behind(ending: Callable[[], Any]) -> None:
    before, open_before = children(), len(descriptors())
    for _ in range(3):
        with contextlib.suppress(StoppedError):
            sandbox.run(ending, limits=with_limits(wall_seconds=0.2))
    assert children() == before
    assert len(descriptors()) == open_before


def test_many_jobs_leave_the_parent_as_small_as_it_was() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096

    for _ in range(20):
        sandbox.run(lambda: 1)
    before = resident()
    for _ in range(60):
        sandbox.run(lambda: "x" * 10_000)
    assert resident() - before < 2 << 20


PARENT = """
import sys, time
from workers import sandbox

def job(path):
    with open(path, "w") as file:
        file.write(str(__import__("os").getpid()))
    time.sleep(60)

sandbox.run(job, sys.argv[1])
"""


def test_when_the_parent_is_killed_the_job_dies_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PARENT, str(told)], cwd=root) as parent:
        for _ in range(1000):
            if told.exists() and told.read_text(encoding="ascii"):
                break
            time.sleep(0.01)
        job = int(told.read_text(encoding="ascii"))
        assert alive(job)
        parent.kill()
    assert gone(job)


def test_an_answer_forged_by_a_captured_child_is_no_more_than_a_crash() -> None:
    """The child writes into the pipe itself what no honest job would say."""

    def forge(said: bytes) -> None:
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(number, said)
        os._exit(0)

    header = b"V" + (9).to_bytes(8, "little")
    for said in (b"", b"V", header + b"not json!", b"V" + (2**60).to_bytes(8, "little"), b"?" * 100):
        assert code_of(forge, said) == FailureCode.CRASHED
    nested = b"[" * 30_000
    assert code_of(forge, b"V" + len(nested).to_bytes(8, "little") + nested) == FailureCode.CRASHED
