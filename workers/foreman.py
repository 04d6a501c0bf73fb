"""Keeps the worker processes alive: as many runners as asked for, and one process of every other role.

A child that dies is started again after a pause that doubles while it keeps dying. No child outlives its foreman,
and the foreman does not outlive the process that `IMPRIMATUR_PARENT_PID` names: each asks the kernel for a signal
when its parent dies, and looks at its parent's id besides.
"""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, Final

from workers.registry import Stop

#: Name of the variable that tells a process who started it.
PARENT: Final = "IMPRIMATUR_PARENT_PID"
#: What a process of each role runs: `module:function`, called with (open_tools, stop).
ROLES: Final = {"runner": "workers.runner:main", "indexer": "workers.search:main", "sender": "workers.webhooks:main"}
#: The exit code of a process whose settings cannot be used: starting it again would not help.
BAD_SETTINGS: Final = 2
#: Seconds before a dead child is started again: the first pause, the longest, and the life that resets it.
FIRST_PAUSE, LONGEST_PAUSE, HEALTHY_AFTER = 0.5, 30.0, 60.0
#: Seconds that children have to stop before they are killed.
STOP_SECONDS: Final = 9.0
_LOOK_SECONDS: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1


@dataclass
class Post:
    """A place that one process fills."""

    role: str
    process: BaseProcess | None = None
    started_at: float = 0.0
    next_start: float = 0.0
    deaths: int = 0


@dataclass
class Foreman:
    posts: list[Post]
    stop: Stop
    log: Any
    #: Begins a child of this role.
    begin: Callable[[str], BaseProcess]
    _exit_code: int = field(default=0, init=False)

    def run(self) -> int:
        """Until asked to stop or a child finds its settings unusable; answers the exit code."""
        try:
            while not self.stop.is_asked:
                for post in self.posts:
                    self._look_after(post)
                time.sleep(_LOOK_SECONDS)
        finally:
            self._send_home()
        return self._exit_code

    def _look_after(self, post: Post) -> None:
        if post.process is not None and (code := post.process.exitcode) is not None:
            self._note_death(post, code)
        if post.process is None and time.monotonic() >= post.next_start and not self.stop.is_asked:
            post.process = self.begin(post.role)
            post.started_at = time.monotonic()
            self.log.info("child.started", role=post.role, pid=post.process.pid)

    def _note_death(self, post: Post, code: int) -> None:
        if code == BAD_SETTINGS:
            self._exit_code = BAD_SETTINGS
            self.stop.ask()
        lived = time.monotonic() - post.started_at
        post.deaths = 1 if lived > HEALTHY_AFTER else post.deaths + 1
        pause = min(FIRST_PAUSE * 2 ** min(post.deaths - 1, 10), LONGEST_PAUSE)
        post.process, post.next_start = None, time.monotonic() + pause
        self.log.warning("child.died", role=post.role, code=code, lived=round(lived, 1), pause=pause)

    def _send_home(self) -> None:
        alive = [post.process for post in self.posts if post.process is not None and post.process.exitcode is None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in alive:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                self.log.warning("child.killed", pid=process.pid)
                process.kill()
                process.join()


def posts(runners: int) -> list[Post]:
    """The places to fill: `runners` runners, and one of each other role."""
    return [Post("runner") for _ in range(runners)] + [Post(role) for role in ROLES if role != "runner"]


def player_of(role: str) -> Callable[..., None]:
    """What a process of this role runs."""
    module, _, function = ROLES[role].partition(":")
    player: Callable[..., None] = getattr(importlib.import_module(module), function)
    return player


def parent_of_this_process() -> int | None:
    """The process that must outlive this one; None when this one was started by hand."""
    named = os.environ.get(PARENT, "")
    return int(named) if named.isdecimal() else None


def die_with_parent(how: signal.Signals) -> None:
    """Asks the kernel for this signal when the parent's starting thread ends; where it cannot, nothing happens.

    The parent may be dead already: whoever calls this also looks at `os.getppid()`, as `Stop` does.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)


def fork(role: str, play: Callable[[str, int], None]) -> BaseProcess:
    """Begins `play(role, pid of this process)` in a child that has everything imported already.

    Only a process with a single thread and nothing open may do this; a fresh interpreter would spend seconds of
    computing time on imports before it could take its first job.
    """
    child = multiprocessing.get_context("fork").Process(target=play, args=(role, os.getpid()), name=role)
    child.start()
    return child
