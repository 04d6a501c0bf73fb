"""What lies in a folder, in one fixed order: the files that an import takes, and what it passes over and why.

Links are never followed: what they lead to inside the folder is met in its own place, and what lies outside was not
asked for. Names stay as the system spells them, bytes that are no UTF-8 as lone surrogates.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

#: What systems leave behind in folders; beside these, every name that begins with a dot is hidden.
LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
#: Stable words for why something is passed over. Hidden things are only counted.
HIDDEN, LINK, SPECIAL, OWN_DATA, GONE = "HIDDEN", "LINK", "SPECIAL", "OWN_DATA", "GONE"
UNREADABLE = "UNREADABLE"

_SENTENCES = {
    HIDDEN: "It is hidden, or litter that a system left behind.",
    LINK: "It is a link: links are not followed, and what lies inside the folder is taken in its own place.",
    SPECIAL: "It is no file but a pipe, a socket or a device.",
    OWN_DATA: "It is the folder in which this hub keeps its own data.",
    GONE: "It was gone before it could be read.",
}


@dataclass(frozen=True, slots=True)
class File:
    """A regular file; `path` is relative to the folder."""

    path: str
    byte_size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that is not taken; `UNREADABLE` is a refusal, the other reasons are none."""

    path: str
    reason: str
    sentence: str


def walk(root: Path, own: Collection[Path] = ()) -> Iterator[File | Passed]:
    """Everything below `root`, a folder's own files before its subfolders, each sorted by name.

    `own` are folders of the hub itself, which must not import what it stores.
    """
    avoided = {_identity(path.stat()) for path in own if path.exists()}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        inside: list[str] = []
        for found in _within(root, folder, avoided):
            if isinstance(found, str):
                inside.append(found)
            else:
                yield found
        waiting.extend(reversed(inside))


def unreadable(path: str, error: OSError) -> Passed:
    return Passed(path, UNREADABLE, f"It cannot be read: {error.strerror or type(error).__name__}.")


def gone(path: str) -> Passed:
    return Passed(path, GONE, _SENTENCES[GONE])


def _within(root: Path, folder: str, avoided: Collection[tuple[int, int]]) -> Iterator[File | Passed | str]:
    """Files and what is passed over in one folder, and the paths of its subfolders."""
    try:
        with os.scandir(root / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield gone(folder) if isinstance(error, FileNotFoundError) and folder else unreadable(folder or ".", error)
        return
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        try:
            yield _judged(path, entry, avoided)
        except FileNotFoundError:
            yield gone(path)
        except OSError as error:
            yield unreadable(path, error)


def _judged(path: str, entry: os.DirEntry[str], avoided: Collection[tuple[int, int]]) -> File | Passed | str:
    if entry.name.startswith(".") or entry.name.lower() in LITTER:
        return _passed(path, HIDDEN)
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return _passed(path, LINK)
    if stat.S_ISDIR(status.st_mode):
        return _passed(path, OWN_DATA) if _identity(status) in avoided else path
    if not stat.S_ISREG(status.st_mode):
        return _passed(path, SPECIAL)
    return File(path, status.st_size, status.st_mtime_ns)


def _passed(path: str, reason: str) -> Passed:
    return Passed(path, reason, _SENTENCES[reason])


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
