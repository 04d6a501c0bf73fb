"""What a hand of the studio can still do once it has given up what it does not need."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from server import studio
from tests.conftest import settings_at
from tests.server.caller import wait_until
from tests.server.program import descendants
from workers.sandbox import confinement, sight

LAID_BY = b"something was laid by"
#: What each asks of the folder, and of a process that is not its own.
ACTS: dict[str, Callable[[Path, int], object]] = {
    "signal": lambda _folder, other: os.kill(other, 0),
    "raise": lambda _folder, _other: signal.raise_signal(signal.SIGTERM),
    "make": lambda folder, _other: (folder / "new").write_bytes(b""),
    "write": lambda folder, _other: (folder / "kept").open("r+b").close(),
    "empty": lambda folder, _other: os.open(folder / "kept", os.O_RDONLY | os.O_TRUNC),
    "truncate": lambda folder, _other: os.truncate(folder / "kept", 0),
    "rename": lambda folder, _other: (folder / "kept").rename(folder / "new"),
    "replace": lambda folder, _other: (folder / "kept").replace(folder / "new"),
    "link": lambda folder, _other: os.link(folder / "kept", folder / "new"),
    "symlink": lambda folder, _other: (folder / "new").symlink_to("kept"),
    "unlink": lambda folder, _other: (folder / "kept").unlink(),
    "mkdir": lambda folder, _other: (folder / "new").mkdir(),
    "mknod": lambda folder, _other: os.mkfifo(folder / "new"),
    "chmod": lambda folder, _other: (folder / "kept").chmod(0),
    "limit": lambda _folder, other: resource.prlimit(other, resource.RLIMIT_CPU),
    "slow down": lambda _folder, other: os.setpriority(os.PRIO_PROCESS, other, 0),
}
#: What only Landlock refuses.
LOOKS: dict[str, Callable[[Path, int], object]] = {
    "memory": lambda _folder, other: Path(f"/proc/{other}/mem").open("rb").close(),
    "environment": lambda _folder, other: Path(f"/proc/{other}/environ").read_bytes(),
    "beside": lambda folder, _other: (folder.parent / "beside").read_bytes(),
    "around": lambda folder, _other: list(folder.iterdir()),
}


def refused(folder: Path, acts: dict[str, Callable[[Path, int], object]]) -> list[str]:
    """Which of these a confined child may not do, in their order; at the end it says whether it looks at its folder."""
    other = os.getpid()

    def tried() -> list[str]:
        names = []
        for name, act in acts.items():
            try:
                act(folder, other)
            except PermissionError:
                names.append(name)
        return [*names, "looks"] if (folder / "kept").read_bytes() == LAID_BY else names

    return confined(folder, lambda pipe: os.write(pipe, ",".join(tried()).encode())).decode().split(",")


def confined(folder: Path, act: Callable[[int], object]) -> bytes:
    """What a child says into its pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            confinement.renounce()
            confinement.only_look(folder)
            act(writing)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def studios() -> list[int]:
    """Of the processes below this one, those that have begun to be a studio, or a hand of one."""
    return [pid for pid in descendants(os.getpid()) if b"workers.studio" in _of(pid, "cmdline")]


def _of(pid: int, name: str) -> bytes:
    """What the kernel tells of a process; nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "beside").write_bytes(b"a secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_bytes(LAID_BY)
    return tmp_path / "folder"


def test_a_hand_looks_at_what_is_laid_by_and_does_nothing_to_files_and_processes(folder: Path) -> None:
    assert refused(folder, ACTS) == [*ACTS, "looks"]
    assert [(each.name, each.read_bytes()) for each in folder.iterdir()] == [("kept", LAID_BY)]


def test_the_system_calls_alone_are_refused_where_there_is_no_landlock(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "narrow", lambda *_: None)
    assert refused(folder, ACTS) == [*ACTS, "looks"]


@pytest.mark.skipif(sight.version(ctypes.CDLL(None)) < 1, reason="this kernel has no Landlock")
def test_a_hand_opens_nothing_but_what_is_laid_by(folder: Path) -> None:
    assert refused(folder, LOOKS) == [*LOOKS, "looks"]


def test_a_hand_writes_nothing_into_a_file_that_it_holds(folder: Path) -> None:
    held = os.open(folder / "kept", os.O_WRONLY | os.O_APPEND)

    def spoil(pipe: int) -> None:
        try:
            os.write(held, b"and spoilt")
        except OSError as error:
            os.write(pipe, type(error).__name__.encode())

    assert confined(folder, spoil) == b"OSError"
    os.close(held)
    assert (folder / "kept").read_bytes() == LAID_BY


def test_the_studio_knows_no_setting_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IMPRIMATUR_SECRET", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a secret")
    with studio.running(settings_at(tmp_path, workers=1)):
        wait_until(lambda: bool(studios()), 10)
        told = [each for each in (_of(pid, "environ") for pid in studios()) if each]
    assert told
    assert all(b"PATH=" in each and b"a secret" not in each and b"IMPRIMATUR" not in each for each in told)


def test_nobody_of_the_same_user_looks_into_a_hand(folder: Path) -> None:
    get_dumpable = 3
    assert confined(folder, lambda pipe: os.write(pipe, b"%d" % ctypes.CDLL(None).prctl(get_dumpable))) == b"0"


def test_a_hand_may_note_when_it_looked_at_what_is_laid_by(folder: Path) -> None:
    """Whoever sweeps goes by that."""
    os.utime(folder / "kept", (0, 0))

    def touch(pipe: int) -> None:
        with (folder / "kept").open("rb") as file:
            os.utime(file.fileno())
        os.write(pipe, b"touched")

    assert confined(folder, touch) == b"touched"
    assert (folder / "kept").stat().st_mtime > 0
