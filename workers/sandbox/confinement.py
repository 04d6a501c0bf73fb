"""What a process gives up before it touches a stranger's bytes: memory, time, files, network, privileges, signals.

Everything here is one-way and concerns the calling process only. What the kernel does not offer is left out
silently, except the resource limits, which every kernel has.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import resource
import signal
import struct
from functools import cache
from pathlib import Path
from typing import Any

from workers.sandbox import sight

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_CLONE_THREAD = 0x10000
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
#: F_SETOWN F_SETOWN_EX, FIOSETOWN SIOCSPGRP
_OWN = ((8, 15), (0x8901, 0x8902))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 1  # EPERM
_UNKNOWN = 0x00050000 | 38  # ENOSYS: makes the C library start its threads with clone instead of clone3
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_ARCHITECTURE, _NUMBER, _FIRST_ARGUMENT, _SECOND_ARGUMENT, _THIRD_ARGUMENT = 4, 0, 16, 24, 32
_X32 = 0x40000000


class _Calls:
    """System call numbers of one architecture.

    `refused` reach programs, processes or the network, `owning` (fcntl, ioctl) have the kernel send signals on a file's
    behalf. `changing` change what lies in the file system or what another process may use, and `opening` may, by flags
    that stand there.
    """

    def __init__(
        self,
        *,
        audit: int,
        clone: int,
        refused: tuple[int, ...],
        owning: tuple[int, int],
        changing: tuple[int, ...],
        opening: tuple[tuple[int, int], ...],
    ) -> None:
        self.audit = audit
        self.clone = clone
        self.clone3 = 435
        # io_uring_setup, pidfd_send_signal and pidfd_open have the same numbers everywhere.
        self.refused = (*refused, 425, 424, 434)
        self.owning = owning
        # As have openat2, whose flags a filter cannot see, fchmodat2, setxattrat and removexattrat.
        self.changing = (*changing, 437, 452, 463, 466)
        self.opening = opening


_KNOWN = {
    # refused: execve execveat fork vfork socket ptrace kill process_vm_readv/writev unshare setns mount bpf keyctl
    # userfaultfd perf_event_open, and tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo; changing: rename link symlink
    # unlink mkdir mknod with all that are like them, then truncate ftruncate fallocate creat chmod chown and xattr with
    # theirs, then prlimit64 setpriority sched_setaffinity/scheduler/param/attr ioprio_set; opening: open openat
    "x86_64": _Calls(
        audit=0xC000003E,
        clone=56,
        refused=(59, 322, 57, 58, 41, 101, 62, 310, 311, 272, 308, 165, 321, 250, 323, 298, 200, 234, 129, 297),
        owning=(72, 16),
        changing=(
            *(82, 264, 316, 86, 265, 88, 266, 87, 263, 84, 83, 258, 133, 259),
            *(76, 77, 285, 85, 90, 91, 268, 92, 93, 94, 260, 188, 189, 190, 197, 198, 199),
            *(302, 141, 203, 144, 142, 314, 251),
        ),
        opening=((2, _SECOND_ARGUMENT), (257, _THIRD_ARGUMENT)),
    ),
    "aarch64": _Calls(
        audit=0xC00000B7,
        clone=220,
        refused=(221, 281, 198, 117, 129, 270, 271, 97, 268, 40, 280, 219, 282, 241, 130, 131, 138, 240),
        owning=(25, 29),
        changing=(
            *(38, 276, 37, 36, 35, 34, 33),
            *(45, 46, 47, 52, 53, 55, 54, 5, 6, 7, 14, 15, 16),
            *(261, 140, 122, 119, 118, 274, 30),
        ),
        opening=((56, _THIRD_ARGUMENT),),
    ),
}


def prepare() -> None:
    """Builds what every child needs anyway; called in a process that many are forked from."""
    for looking in (False, True):
        _filter(looking)


def die_with(parent: int) -> None:
    """The kernel kills this process when `parent` ends, however it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def forget_the_parent(keep: int) -> None:
    """Inherited descriptors but `keep` become /dev/null, inherited objects are never collected.

    The numbers stay taken on purpose: an inherited object that closes "its" number hits nothing of ours, and
    a database connection cannot be spoken to from here. Signals do what they do by default again.
    """
    gc.freeze()
    for number in (
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGCHLD,
        signal.SIGALRM,
        signal.SIGUSR1,
        signal.SIGUSR2,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    null = os.open(os.devnull, os.O_RDWR)
    for inherited in _open_descriptors():
        if inherited not in {keep, null}:
            os.dup2(null, inherited, inheritable=False)


def limit(*, memory: int, cpu_seconds: int, file_bytes: int, files: int) -> None:
    """`memory` comes on top of what the process holds, `files` above the highest descriptor it has."""
    limit_all_but_time(memory=memory, file_bytes=file_bytes, files=files)
    limit_time(cpu_seconds)


def limit_time(cpu_seconds: int) -> None:
    """Of this process: what is forked counts anew."""
    _set(resource.RLIMIT_CPU, cpu_seconds, spare=1)


def limit_all_but_time(*, memory: int, file_bytes: int, files: int) -> None:
    """Holds for whatever is forked later, too."""
    _set(resource.RLIMIT_AS, _address_space() + memory)
    _set(resource.RLIMIT_FSIZE, file_bytes)
    _set(resource.RLIMIT_NOFILE, max(_open_descriptors()) + 1 + files)
    _set(resource.RLIMIT_CORE, 0)
    os.umask(0o077)
    _die_first()


def renounce() -> None:
    """No new privileges, no network, no other program, no child process, no signal, to itself neither: who aborts is
    ended by the C library all the same. Threads stay allowed.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if not _filter_system_calls():
        leave_the_network()


def only_look(folder: Path) -> None:
    """To the file system nothing is done any more: no file is written, made or taken away, and none is opened outside
    of `folder` where the kernel knows Landlock. None of our user's processes looks into this one.

    For one that has renounced, and writes to what it holds.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)
    sight.narrow(_libc(), folder)
    _filter_system_calls(looking=True)


def leave_the_network() -> None:
    """Where the kernel lets us: as we are, else as the only inhabitant of a world of our own."""
    unshare = getattr(_libc(), "unshare", None)
    if unshare is not None and unshare(_CLONE_NEWNET) != 0:
        unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _filter_system_calls(*, looking: bool = False) -> bool:
    described = _filter(looking)
    return described is not None and _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described[0])


@cache
def _filter(looking: bool) -> tuple[Any, Any] | None:
    """What the kernel is told, and the instructions that this points at; None on a machine whose calls are unknown.

    `looking`: of who only looks, on top of the other.
    """
    calls = _KNOWN.get(platform.machine())
    if calls is None:
        return None
    program = _cut(_looking(calls) if looking else _renouncing(calls))
    instructions = ctypes.create_string_buffer(b"".join(program))
    described = struct.pack("HxxxxxxP", len(program), ctypes.addressof(instructions))
    return ctypes.create_string_buffer(described), instructions


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)


def _renouncing(calls: _Calls) -> bytes:
    """A classic BPF program; a jump skips as many instructions as it says when its test holds, else none."""
    parts = [
        _load(_ARCHITECTURE) + _jump(_EQUAL, calls.audit, 1, 0) + _answer(_REFUSE),
        _load(_NUMBER) + _jump(_AT_LEAST, _X32, 0, 1) + _answer(_REFUSE),
        *map(_refused, calls.refused),
        *(
            _refused_with(number, _SECOND_ARGUMENT, _EQUAL, which)
            for number, which in zip(calls.owning, _OWN, strict=True)
        ),
        _jump(_EQUAL, calls.clone3, 0, 1) + _answer(_UNKNOWN),
        _jump(_EQUAL, calls.clone, 0, 3) + _load(_FIRST_ARGUMENT),
        _jump(_ANY_BIT, _CLONE_THREAD, 1, 0) + _answer(_REFUSE),
        _answer(_ALLOW),
    ]
    return b"".join(parts)


def _looking(calls: _Calls) -> bytes:
    """Another one; calls of other architectures are refused already."""
    opened = [_refused_with(number, flags, _ANY_BIT, (_WRITING,)) for number, flags in calls.opening]
    return b"".join([_load(_NUMBER), *map(_refused, calls.changing), *opened, _answer(_ALLOW)])


def _cut(whole: bytes) -> list[bytes]:
    return [whole[at : at + 8] for at in range(0, len(whole), 8)]


def _refused(number: int) -> bytes:
    return _jump(_EQUAL, number, 0, 1) + _answer(_REFUSE)


def _refused_with(number: int, argument: int, test: int, operands: tuple[int, ...]) -> bytes:
    """Where this argument of the call passes the test with one of these; allowed else."""
    tests = b"".join(_jump(test, operand, 0, 1) + _answer(_REFUSE) for operand in operands)
    return _jump(_EQUAL, number, 0, 2 * len(operands) + 2) + _load(argument) + tests + _answer(_ALLOW)


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", _LOAD, 0, 0, offset)


def _jump(test: int, operand: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("HBBI", test, if_true, if_false, operand)


def _answer(value: int) -> bytes:
    return struct.pack("HBBI", _ANSWER, 0, 0, value)


def _prctl(option: int, *arguments: object) -> bool:
    prctl = getattr(_libc(), "prctl", None)
    if prctl is None:
        return False
    padded = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)[:4]]
    return prctl(option, *padded) == 0  # type: ignore[no-any-return]  # ctypes types nothing


def _set(which: int, value: int, spare: int = 0) -> None:
    """The hard limit lies `spare` above: were both the same, no SIGXCPU would tell of spent seconds."""
    _, hard = resource.getrlimit(which)
    highest = value + spare if hard == resource.RLIM_INFINITY else min(value + spare, hard)
    resource.setrlimit(which, (min(value, highest), highest))


def _address_space() -> int:
    """Bytes of virtual memory held now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _open_descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names are wanted, not paths


def _die_first() -> None:
    """When the machine runs out of memory, the kernel shall take this process and not its parent."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        return
