"""A studio: what it forks is confined, what goes wrong in there costs one order, and nothing outlives its server."""

from __future__ import annotations

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
from domain.recipes import Colour, Fit, Format, Recipe
from domain.studio import Order, Picture
from server import studio as beside
from server.studio import Studio

ROOT = Path(__file__).parents[2]
SHA256 = "a" * 64
#: What each width of a recipe has the child do.
PROGRAM = """
import os, signal, socket, sys
from domain import studio
from domain.studio import Picture
from workers import studio as ours

studio.SECONDS = 1.0

def made(order, folder):
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
        case 5: signal.raise_signal(signal.SIGSEGV)
        case 6: return Picture(1, 1, b"x" * (studio.MOST_BYTES + 1))
        case 7: return Picture(1000, 1000, b"larger than asked")
        case 8: raise KeyError("missing")
        case 9:
            held = [f"/proc/self/fd/{number}" for number in range(64)]
            return Picture(1, 1, " ".join(os.readlink(each) for each in held if os.path.lexists(each)).encode())
    return Picture(1, 1, b"made")

ours.made = made
ours.main(sys.argv[1:])
"""


RECIPE = Recipe("transform", Format.JPEG, 100, 100)


@dataclass
class Begun:
    process: subprocess.Popen[bytes]
    studio: Studio

    def made(self, width: int) -> bytes | None:
        found = self.studio.picture(Order(SHA256, Recipe("transform", Format.JPEG, width, 100)))
        return None if found is None else found.content


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Begun]:
    (tmp_path / f"{SHA256}-2").write_bytes(b"something was laid by")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        told = [str(theirs.fileno()), str(os.getpid()), str(tmp_path), str(512 * 1024**2)]
        command = [sys.executable, "-c", PROGRAM, *told]
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


@pytest.mark.parametrize("width", [1, 2, 5, 6, 7, 8])
def test_what_goes_wrong_in_a_child_costs_one_order(begun: Begun, width: int) -> None:
    assert begun.made(width) is None
    assert begun.made(100) == b"made"
    wait_for(lambda: children(begun.process.pid) == [])


@pytest.mark.parametrize("width", [3, 4])
def test_a_child_has_no_children_and_no_network(begun: Begun, width: int) -> None:
    assert begun.made(width) == b"refused"


def test_a_child_holds_nothing_but_where_it_answers(begun: Begun) -> None:
    held = (begun.made(9) or b"").decode().split()
    others = [each for each in held if each != "/dev/null"]
    assert len(others) == 1
    assert others[0].startswith("pipe:")


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


@pytest.mark.parametrize(
    ("recipe", "is_small"),
    [
        (Recipe("transform", Format.JPEG, 300, 16_383), True),
        (Recipe("transform", Format.WEBP, 1400, 1400, Fit.COVER), True),
        (Recipe("transform", Format.JPEG, 1500, 1500, Fit.COVER), False),
        (Recipe("transform", Format.JPEG, 300, 300, enlarge=True), False),
        (Recipe("transform", Format.AVIF, 300, 300), False),
        (Recipe("transform", Format.JPEG, 300, 300, colour=Colour.CMYK), False),
        (Recipe("transform", Format.JPEG, 300, 300, watermark="Not approved"), False),
        (Recipe("transform", Format.JPEG, 300, 300, page=1), False),
    ],
)
def test_only_small_still_pictures_for_the_screen_are_made_at_once(recipe: Recipe, *, is_small: bool) -> None:
    assert studio.is_small(recipe) is is_small


def test_half_an_answer_is_none() -> None:
    recipe = Recipe("transform", Format.JPEG, 300, 200)
    whole = studio.answer(Picture(300, 200, b"picture"))
    assert studio.understood(whole, recipe) == Picture(300, 200, b"picture")
    for said in (b"", whole[:5], whole[:-1], whole + b"!", studio.answer(Picture(0, 9, b"x"))):
        assert studio.understood(said, recipe) is None


def test_an_order_that_is_too_long_is_not_told() -> None:
    assert studio.told(Order("a" * studio.LONGEST, Recipe("transform", Format.JPEG, 1, 1))) is None


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def wait_for(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
