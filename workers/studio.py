"""`python -m workers.studio`: small pictures of what was decoded before, made while a request waits for them.

One process beside a server, which tells it what is wanted over a line of its own and hears the picture through a pipe.
They are made by `hands`: confined processes that are forked when they are needed and kept for what comes next. Those
look into laid-by reductions only, never into a stranger's file. Little is imported here, so that forking is cheap.

Always true here:
- It knows no database and writes nothing down: whoever asked does, or leaves it to a job.
- A hand that was allowed to look at a colour profile is given no file with another one any more, and nothing that it
  says is believed: an order is over when the server has let go of the pipe.
- A hand ends when an order takes too long, after some orders, after a rest, and with this process; this one ends with
  its server.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain import studio
from workers import hands
from workers.imaging import colour, encoding, saliency
from workers.imaging.reductions import FACTORS
from workers.sandbox import confinement, cradles

#: Hands at once; orders for which there is none are answered by nothing, and are a job's.
MOST_HANDS: Final = 16
#: After so many orders, and after a rest of so many seconds, a hand is sent home: what it may have lost of its memory
#: goes with it.
MOST_ORDERS: Final = 200
REST_SECONDS: Final = 60.0
_FILES: Final = 16
#: That of each hand, and of the order it is at.
_FILES_OF_A_HAND: Final = 2
#: Files whose profile is remembered.
_MOST_KNOWN: Final = 4096


@dataclass(frozen=True)
class Task:
    """An order as it was told, the end of the pipe that is answered through, and by when that has to be done."""

    told: bytes
    pipe: int
    deadline: float

    @property
    def sha256(self) -> str:
        return studio.digest_of(self.told)


@dataclass(eq=False)
class Hand:
    """One of them, as its studio sees it."""

    pid: int
    line: socket.socket
    #: The folder that it looks into: not its name, for another one may go by it later.
    place: tuple[int, int]
    #: The only profile that it may have looked at.
    allowed: bytes = hands.NONE
    task: Task | None = None
    orders: int = 0
    is_over: bool = False
    #: By when it has to be done, or to be wanted again.
    deadline: float = 0.0

    def begin(self, task: Task, allowed: bytes) -> None:
        """Raises `OSError` where it has ended."""
        self.task, self.allowed, self.deadline = task, allowed, task.deadline
        self.orders += 1
        socket.send_fds(self.line, [allowed + task.told], [task.pipe])

    def heard(self) -> bytes | None:
        """The profile of the file that it was given and made nothing of: only who has looked at none is believed."""
        try:
            said = self.line.recv(hands.NAMED + 1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            said = b""
        if len(said) == hands.NAMED and self.allowed == hands.NONE:
            return said
        self.is_over = True
        return None

    def given_back(self) -> Task | None:
        """It has nothing to do then, and may go home."""
        task, self.task = self.task, None
        self.deadline = time.monotonic() + REST_SECONDS
        self.is_over = self.is_over or self.orders >= MOST_ORDERS
        return task


@dataclass
class Studio:
    """Tends the line until nobody speaks to it any more."""

    line: socket.socket
    folder: Path
    #: An open /dev/null.
    null: int
    _hands: list[Hand] = field(default_factory=list)
    #: By what the profiles of files go that have one.
    _profiles: dict[str, bytes] = field(default_factory=dict)

    def run(self) -> None:
        while True:
            ready = self._ready()
            for hand in list(self._hands):
                if hand in self._hands:  # one that comes first may have taken its place
                    self._tend(hand, ready)
            if self.line.fileno() in ready:
                told, handles, _flags, _address = socket.recv_fds(self.line, studio.LONGEST, 1)
                if not told:
                    return
                self._take(Task(told, handles[0], time.monotonic() + studio.SECONDS))

    def _ready(self) -> set[int]:
        """What can be read, or was let go of at its other end, once there is any, or a hand is due."""
        poll = select.poll()
        poll.register(self.line, select.POLLIN)
        for hand in self._hands:
            poll.register(hand.line, select.POLLIN)
            if hand.task is not None:
                poll.register(hand.task.pipe, 0)
        first = min((hand.deadline for hand in self._hands), default=None)
        pause = None if first is None else max(0, round((first - time.monotonic()) * 1000) + 1)
        return {number for number, _ in poll.poll(pause)}

    def _tend(self, hand: Hand, ready: set[int]) -> None:
        again = None
        if hand.line.fileno() in ready and (profile := hand.heard()) is not None and hand.task is not None:
            self._know(hand.task.sha256, profile)
            again = hand.given_back()
        elif hand.task is not None and hand.task.pipe in ready:
            _let_go(hand.given_back())
        if hand.is_over or hand.deadline <= time.monotonic():
            self._send_home(hand)
        if again is not None:
            self._take(again)

    def _know(self, sha256: str, profile: bytes) -> None:
        if len(self._profiles) >= _MOST_KNOWN:
            del self._profiles[next(iter(self._profiles))]
        self._profiles[sha256] = profile

    def _take(self, task: Task) -> None:
        """Gives it to a hand, if there is one and anything was laid by."""
        allowed = self._profiles.get(task.sha256, hands.NONE)
        hand = self._free(allowed, task.pipe) if self._is_laid_by(task.sha256) else None
        if hand is None:
            _let_go(task)
            return
        try:
            hand.begin(task, allowed)
        except OSError:
            self._send_home(hand)

    def _is_laid_by(self, sha256: str) -> bool:
        return any((self.folder / f"{sha256}-{factor}").exists() for factor in FACTORS)

    def _free(self, allowed: bytes, pipe: int) -> Hand | None:
        """One that may look at this profile, else one that has looked at none, else a new one."""
        place = _place(self.folder)
        for hand in [hand for hand in self._hands if hand.task is None and hand.place != place]:
            self._send_home(hand)
        resting = [hand for hand in self._hands if hand.task is None]
        for profile in (allowed, hands.NONE):
            for hand in resting:
                if hand.allowed == profile:
                    return hand
        if len(self._hands) >= MOST_HANDS:
            if not resting:
                return None
            self._send_home(min(resting, key=lambda hand: hand.deadline))
        return self._begun(pipe)

    def _begun(self, pipe: int) -> Hand:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            here, place = os.getpid(), _place(self.folder)
            pid = os.fork()
            if pid == 0:
                lines = [hand.line.fileno() for hand in self._hands]
                pipes = [hand.task.pipe for hand in self._hands if hand.task is not None]
                inherited = (self.line.fileno(), ours.fileno(), pipe, sys.stderr.fileno(), *lines, *pipes)
                hands.live(here, theirs, inherited, self.null, self.folder)
        hand = Hand(pid, ours, place)
        self._hands.append(hand)
        return hand

    def _send_home(self, hand: Hand) -> None:
        self._hands.remove(hand)
        cradles.buried(hand.pid)
        hand.line.close()
        _let_go(hand.task)


def _place(folder: Path) -> tuple[int, int]:
    told = folder.stat()
    return told.st_dev, told.st_ino


def _let_go(task: Task | None) -> None:
    """Where nothing was answered, its server hears that by this."""
    if task is not None:
        os.close(task.pipe)


def main(arguments: list[str]) -> None:
    """Given the number of the line, its server's process, the folder of reductions and the bytes of memory."""
    number, server, folder, memory = arguments
    confinement.die_with(int(server))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server says when to stop
    colour.warm()
    encoding.warm()
    saliency.warm()  # a hand opens no module any more
    confinement.prepare()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, sys.stdout.fileno())
    # Once for all hands: none of this changes by being forked, and opening files for it costs each a millisecond.
    files = _FILES + _FILES_OF_A_HAND * MOST_HANDS
    confinement.limit_all_but_time(memory=int(memory), file_bytes=studio.MOST_BYTES, files=files)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(number)) as line:
        Studio(line, Path(folder), null).run()


if __name__ == "__main__":
    main(sys.argv[1:])
