"""A studio: its hands are confined, what goes wrong in one costs one order, who looked at a stranger's colour profile
sees no file without it, and nothing outlives its server."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from domain import studio
from domain.recipes import Format, Recipe
from domain.studio import Order, Picture
from server import studio as beside
from server.studio import Studio

ROOT = Path(__file__).parents[2]
SHA256 = "a" * 64
FILES = [letter * 64 for letter in "abcdef"]
#: What each width of a recipe has the child do.
PROGRAM = """
import ctypes, os, signal, socket, sys
from domain import studio
from domain.studio import Picture
from workers import hands
from workers import studio as ours

ours.MOST_HANDS, ours.MOST_ORDERS = 4, 50
if sys.argv.pop() == "in a hurry":
    studio.SECONDS = ours.REST_SECONDS = 1.0

def made(order, folder, allowed):
    def spin():
        while True:
            pass
    def refused(do):
        try:
            do()
        except PermissionError:
            return Picture(1, 1, b"refused")
    match order.recipe.width:
        case 1: spin()
        case 2: bytearray(2 * 1024**3)
        case 3: return refused(os.fork)
        case 4: return refused(socket.socket)
        case 5: ctypes.string_at(0)
        case 6: return Picture(1, 1, b"x" * (studio.MOST_BYTES + 1))
        case 7: return Picture(1000, 1000, b"larger than asked")
        case 8: raise KeyError("missing")
        case 9:
            held = [f"/proc/self/fd/{number}" for number in range(64)]
            return Picture(1, 1, " ".join(os.readlink(each) for each in held if os.path.lexists(each)).encode())
        case 10: return Picture(1, 1, str(os.getpid()).encode())
        case 11:
            profile = (b"x" if order.sha256[0] in "ab" else order.sha256[:1].encode()) * hands.NAMED
            if allowed != profile:
                raise hands.Other(profile)
            return Picture(1, 1, str(os.getpid()).encode())
        case 12: raise hands.Other(b"nonsense")
        case 14: raise hands.Other((b"y" if allowed == hands.NONE else b"z") * hands.NAMED)
        case 13: raise FileNotFoundError(order.sha256)
        case 15: os.abort()
        case 16: return Picture(1, 1, (folder / f"{order.sha256}-2").read_bytes())
    return Picture(1, 1, b"made")

hands.made = made
ours.main(sys.argv[1:])
"""


RECIPE = Recipe("transform", Format.JPEG, 100, 100)


@dataclass
class Begun:
    process: subprocess.Popen[bytes]
    studio: Studio

    def made(self, width: int, sha256: str = SHA256) -> bytes | None:
        found = self.studio.picture(Order(sha256, Recipe("transform", Format.JPEG, width, 100)))
        return None if found is None else found.content


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begun]:
    """One whose hands have a second for an order, and for a rest."""
    yield from beginning(tmp_path, "in a hurry")


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Begun]:
    yield from beginning(tmp_path, "as ever")


def beginning(folder: Path, pace: str) -> Iterator[Begun]:
    for sha256 in FILES:
        (folder / f"{sha256}-2").write_bytes(b"something was laid by")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        told = [str(theirs.fileno()), str(os.getpid()), str(folder), str(512 * 1024**2)]
        command = [sys.executable, "-c", PROGRAM, *told, pace]
        with subprocess.Popen(command, cwd=ROOT, pass_fds=(theirs.fileno(),)) as process:
            yield Begun(process, Studio(ours, anyio.CapacityLimiter(1)))
            process.kill()


@dataclass
class Deaf:
    """A studio that is there and does not listen; `line` is its end."""

    studio: Studio
    line: socket.socket

    def made(self) -> Picture | None:
        return self.studio.picture(Order(SHA256, RECIPE))

    def told(self) -> list[int]:
        """The handles of all that it was told since."""
        handles: list[int] = []
        while select.select([self.line], [], [], 0)[0]:
            handles += socket.recv_fds(self.line, studio.LONGEST, 1)[1]
        return handles


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deaf]:
    monkeypatch.setattr(studio, "SECONDS", 0.05)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield Deaf(Studio(ours, anyio.CapacityLimiter(1)), theirs)


def test_who_did_not_answer_is_not_asked_again(deaf: Deaf) -> None:
    assert [deaf.made() for _ in range(20)] == [None] * 20
    (handle,) = deaf.told()
    assert deaf.made() is None
    assert deaf.told() == []
    os.close(handle)


def test_who_answers_after_all_is_asked_again(deaf: Deaf) -> None:
    assert deaf.made() is None
    (handle,) = deaf.told()
    os.close(handle)  # as whoever died, was begun anew, or goes on does
    assert deaf.made() is None
    (handle,) = deaf.told()
    os.write(handle, b"a part of it")
    assert deaf.made() is None
    (last,) = deaf.told()
    for each in (handle, last):
        os.close(each)


def test_who_did_not_answer_is_asked_again_after_a_while(deaf: Deaf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "PAUSE", 0.0)
    assert [deaf.made() for _ in range(3)] == [None] * 3
    handles = deaf.told()
    assert len(handles) == 3
    for each in handles:
        os.close(each)


def test_no_more_than_a_few_wait_for_their_turn(deaf: Deaf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "SECONDS", 60.0)
    most, over = beside.MOST_WAITING + 1, threading.Event()

    def make() -> bool:
        assert over.wait(10)
        return True

    async def all_of_them() -> list[bool | None]:
        found: list[bool | None] = []

        async def one() -> None:
            found.append(await deaf.studio.in_turn(make))
            if len(found) == 20 - most:
                over.set()

        async with anyio.create_task_group() as together:
            for _ in range(20):
                together.start_soon(one)
        return found

    assert anyio.run(all_of_them) == [None] * (20 - most) + [True] * most
    assert anyio.run(deaf.studio.in_turn, make) is True


def test_nobody_waits_for_a_turn_for_long(deaf: Deaf) -> None:
    over = threading.Event()

    async def both() -> list[bool | None]:
        found: list[bool | None] = []

        async def one() -> None:
            found.append(await deaf.studio.in_turn(lambda: over.wait(10)))
            over.set()

        async with anyio.create_task_group() as together:
            together.start_soon(one)
            together.start_soon(one)
        return found

    assert anyio.run(both) == [None, True]


def test_nobody_waits_for_a_turn_with_who_did_not_answer(deaf: Deaf) -> None:
    assert deaf.made() is None
    assert anyio.run(deaf.studio.in_turn, lambda: True) is None
    (handle,) = deaf.told()
    os.close(handle)
    assert anyio.run(deaf.studio.in_turn, lambda: True) is True


@pytest.mark.parametrize("width", [1, 2, 5, 6, 7, 8, 15])
def test_what_goes_wrong_in_a_child_costs_one_order(begun: Begun, width: int) -> None:
    assert begun.made(width) is None
    assert begun.made(100) == b"made"
    wait_for(lambda: children(begun.process.pid) == [])


@pytest.mark.parametrize("width", [3, 4])
def test_a_child_has_no_children_and_no_network(begun: Begun, width: int) -> None:
    assert begun.made(width) == b"refused"


def test_a_child_holds_nothing_but_where_it_answers(begun: Begun) -> None:
    held = (begun.made(9) or b"").decode().split()
    assert [each.partition(":")[0] for each in sorted(held) if each != "/dev/null"] == ["pipe", "socket"]


def test_one_hand_makes_pictures_of_many_files_of_plain_pixels(patient: Begun) -> None:
    assert len({patient.made(10, sha256) for sha256 in FILES}) == 1


def test_what_is_laid_by_anew_in_a_new_folder_is_looked_at(patient: Begun, tmp_path: Path) -> None:
    """A hand may look into the one folder that it began with, whatever goes by its name later."""
    assert patient.made(16) == b"something was laid by"
    tmp_path.rename(tmp_path.with_name("thrown away"))
    tmp_path.mkdir()
    assert patient.made(16) is None
    (tmp_path / f"{SHA256}-2").write_bytes(b"laid by anew")
    assert patient.made(16) == b"laid by anew"


def test_who_looked_at_a_colour_profile_makes_nothing_of_a_file_without_it(patient: Begun) -> None:
    one, with_the_same, with_another, plain = FILES[:4]
    first = patient.made(11, one)
    assert patient.made(11, with_the_same) == patient.made(11, one) == patient.made(10, one) == first
    second = patient.made(11, with_another)
    third = patient.made(10, plain)
    assert len({first, second, third, None}) == 4
    assert [patient.made(10, sha256) for sha256 in FILES[:4]] == [first, first, second, third]


def test_there_are_no_more_hands_than_a_few(patient: Begun) -> None:
    pids = [patient.made(11, sha256) for sha256 in FILES[1:]]
    assert len({*pids, None}) == len(pids) + 1
    assert len(children(patient.process.pid)) == 4
    assert patient.made(11, FILES[-1]) == pids[-1]
    assert patient.made(11, FILES[1]) != pids[0], "it was sent home first"


@pytest.mark.parametrize("width", [12, 14])
def test_who_says_what_a_hand_does_not_say_is_sent_home(patient: Begun, width: int) -> None:
    first = patient.made(10)
    assert patient.made(width) is None
    assert patient.made(10) not in {first, None}


def test_what_cannot_be_made_of_what_is_laid_by_costs_no_hand(patient: Begun) -> None:
    first = patient.made(10)
    assert patient.made(13) is None
    assert patient.made(10) == first


def test_a_hand_is_sent_home_after_some_orders(patient: Begun) -> None:
    pids = [patient.made(10) for _ in range(120)]
    assert [len(set(pids[at : at + 50])) for at in (0, 50, 100)] == [1, 1, 1]
    assert len({*pids, None}) == 4


def test_a_hand_is_sent_home_after_a_rest(begun: Begun) -> None:
    pid = begun.made(10)
    wait_for(lambda: children(begun.process.pid) == [])
    assert begun.made(10) not in {pid, None}


def test_nothing_of_it_is_left_when_it_is_killed_at_its_work(patient: Begun) -> None:
    assert patient.made(100) == b"made"
    (hand,) = children(patient.process.pid)
    os.kill(int(hand), signal.SIGSTOP)
    said: list[bytes | None] = []
    asking = threading.Thread(target=lambda: said.append(patient.made(100)))
    wait_for(lambda: not is_at_work(patient.process.pid))
    asking.start()
    wait_for(lambda: is_at_work(patient.process.pid))
    patient.process.kill()
    asking.join(10)
    assert said == [None]
    wait_for(lambda: not is_alive(int(hand)))


def test_hundreds_of_orders_leave_it_as_it_was(begun: Begun) -> None:
    held = Path(f"/proc/{begun.process.pid}/fd")
    assert begun.made(100) == b"made"
    wait_for(lambda: children(begun.process.pid) == [])
    before = len(list(held.iterdir()))
    assert [begun.made(100) for _ in range(200)] == [b"made"] * 200
    wait_for(lambda: children(begun.process.pid) == [] and len(list(held.iterdir())) == before)


def test_nothing_is_forked_where_nothing_was_laid_by(begun: Begun, tmp_path: Path) -> None:
    (tmp_path / f"{SHA256}-2").unlink()
    assert begun.made(100) is None


def test_it_ends_when_its_server_hangs_up(begun: Begun) -> None:
    assert begun.made(100) == b"made"
    begun.process.send_signal(signal.SIGINT)  # a Ctrl+C is the server's
    assert begun.made(100) == b"made"
    begun.process.terminate()
    assert begun.process.wait(10) == -signal.SIGTERM
    assert begun.made(100) is None


def is_at_work(studio_pid: int) -> bool:
    """It holds the pipe of an order."""
    for each in Path(f"/proc/{studio_pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            if int(each.name) > 2 and str(each.readlink()).startswith("pipe:"):
                return True
    return False


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def wait_for(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
