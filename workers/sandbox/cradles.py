"""Where sandboxes are forked from: this process, or a small one that is kept for it.

A worker holds the whole hub in its memory, and forking costs by what is held. A nursery holds what pictures are made
with and nothing else: forking it takes a third.

Always true here:
- A nursery does what the one process says that started it, one thing after another; it opens no file of a stranger's
  itself. It dies with that process, and what was forked from it dies with it.
- A child is killed with its group and waited for when it is buried, not before: till then its number means nobody else.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from workers.sandbox import confinement
from workers.sandbox.life import SandboxLimits, live

#: Bytes that tell a nursery what to do; a job that says more is forked here.
_LONGEST: Final = 128 * 1024
_FORK, _BURY = b"F", b"B"
_PID: Final = struct.Struct("<q")
#: How a child ended, as `os.waitid` tells it: si_code and si_status.
_END: Final = struct.Struct("<qq")

End = tuple[int, int]


class Gone(Exception):
    """The nursery is not there any more, or cannot take this job."""


class Cradle(Protocol):
    def bear(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], limits: SandboxLimits, writing: int
    ) -> int:
        """The number of a new process that does this and says the outcome into the pipe `writing`."""
        ...

    def bury(self, child: int) -> End:
        """Kills it with all its group, and tells how it had ended or ends now."""
        ...


class Here:
    """Forks this process, which must have a single thread: a lock that another one held would stay locked."""

    def bear(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], limits: SandboxLimits, writing: int
    ) -> int:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            live(parent, writing, lambda: (limits, function, arguments))
        return child

    def bury(self, child: int) -> End:
        return buried(child)


class Nursery:
    """A process that was started for this one, with these modules imported; `close` ends it."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules
        self._owner = os.getpid()
        self._started()

    @property
    def is_ours(self) -> bool:
        """Whether this process started it: one that was forked since has none."""
        return os.getpid() == self._owner

    def bear(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], limits: SandboxLimits, writing: int
    ) -> int:
        """Raises `Gone` where it cannot; one that has died is started again for the next."""
        try:
            told = _FORK + pickle.dumps((limits, function, arguments))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise Gone from error
        if len(told) > _LONGEST:
            raise Gone
        try:
            socket.send_fds(self._line, [told], [writing])
            return int(_PID.unpack(self._heard(_PID.size))[0])
        except OSError as error:
            self.close()
            self._started()
            raise Gone from error

    def bury(self, child: int) -> End:
        try:
            self._line.send(_BURY + _PID.pack(child))
            code, status = _END.unpack(self._heard(_END.size))
        except OSError:  # it died, and the child with it
            return os.CLD_KILLED, signal.SIGKILL
        return code, status

    def close(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()

    def _started(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            start = (
                f"import sys; sys.path[:] = {sys.path!r}\n"
                f"from workers.sandbox import cradles; cradles.tend({number}, {os.getpid()}, {list(self._modules)!r})"
            )
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-c", start], stdin=subprocess.DEVNULL, pass_fds=(number,)
            )

    def _heard(self, size: int) -> bytes:
        heard = self._line.recv(size)
        if len(heard) != size:
            raise ConnectionResetError
        return heard


def tend(line: int, parent: int, modules: Sequence[str]) -> None:
    """The whole life of a nursery: until nobody speaks to it any more."""
    confinement.die_with(parent)
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever started it says when to stop
        signal.signal(number, signal.SIG_IGN)
    for name in modules:
        warm = getattr(importlib.import_module(name), "warm", None)
        if warm is not None:
            warm()
    confinement.prepare()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=line) as ears:
        while True:
            told, handles, _flags, _address = socket.recv_fds(ears, _LONGEST, 1)
            if not told:
                return
            if told[:1] == _FORK:
                ears.send(_PID.pack(_born(told[1:], handles[0])))
            else:
                ears.send(_END.pack(*buried(_PID.unpack(told[1:])[0])))


def _born(told: bytes, writing: int) -> int:
    """Read by the child: whatever that imports is gone with it."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        live(parent, writing, lambda: pickle.loads(told))  # noqa: S301 - from whoever started us
    os.close(writing)
    return child


def buried(child: int) -> End:
    """Its number cannot be given to another process before it is waited for, so the group is killed first."""
    seen = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return (seen.si_code, seen.si_status) if seen is not None else (os.CLD_KILLED, signal.SIGKILL)
