"""Landlock: the one folder that a process still opens files in.

What this kernel's Landlock does not know yet is left out silently; where there is none, all of it.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from typing import Any

#: The same numbers on all architectures.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_FOR_VERSION = 1
_BENEATH = 1
_READ_FILE = 1 << 2
#: Of the rights over files, how many each version knows; the last stands for all later ones too.
_RIGHTS = (13, 14, 15, 15, 16)
#: No abstract socket and no signal outside, which the kernel would also send on a file's behalf.
_SCOPED, _SCOPED_SINCE = 0b11, 6


def narrow(libc: Any, folder: Path) -> None:
    """Files are read beneath the folder only, none is written, nothing there is made, renamed or taken away; no process
    outside is traced, nor where the kernel can prevent it sent a signal. For one that has no new privileges to come.
    """
    known = version(libc)
    if known < 1:
        return
    handled = (1 << _RIGHTS[min(known, len(_RIGHTS)) - 1]) - 1
    told = struct.pack("QQQ", handled, 0, _SCOPED if known >= _SCOPED_SINCE else 0)
    rules = libc.syscall(_CREATE, told, ctypes.c_size_t(len(told)), 0)
    beneath = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    libc.syscall(_ADD, rules, _BENEATH, struct.pack("=Qi", _READ_FILE, beneath), 0)
    libc.syscall(_RESTRICT, rules, 0)
    os.close(beneath)
    os.close(rules)


def version(libc: Any) -> int:
    """Of this kernel's Landlock; below 1 where there is none."""
    return int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), _ASK_FOR_VERSION))
