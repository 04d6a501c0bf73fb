"""Folders to import, and importing them in process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from domain import importing
from domain.hub import Hub
from domain.importing import Outcome
from domain.work import Viewer

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def png(mark: object, size: int = 0) -> bytes:
    """Bytes that begin like a PNG, as many as asked for and at least enough to hold `mark`."""
    told = PNG + str(mark).encode()
    return told + bytes(max(0, size - len(told)))


def write(folder: Path, *paths: str | bytes) -> None:
    """A small picture at each of these paths, no two of which are alike."""
    for path in paths:
        file = folder / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(os.fsencode(path)))


def outcomes(
    hub: Hub,
    viewer: Viewer,
    folder: Path,
    *,
    threads: int = 1,
    tag_folders: bool = False,
    stop: threading.Event | None = None,
    moved: Callable[[int], None] = lambda _: None,
) -> dict[str, Outcome]:
    """What became of every path."""
    heard = importing.run(
        hub, viewer, folder, threads=threads, tag_folders=tag_folders, stop=stop or threading.Event(), moved=moved
    )
    told: dict[str, Outcome] = {}
    for outcome in heard:
        assert outcome.path not in told, "told twice"
        told[outcome.path] = outcome
    return told


def words(told: dict[str, Outcome]) -> dict[str, str]:
    """Per path the word, and the reason if there is one."""
    return {
        path: outcome.word.value + (f" {outcome.reason}" if outcome.reason else "") for path, outcome in told.items()
    }
