"""The reductions of JPEGs that this machine keeps, in a folder of their own.

Always true here:
- Together they take no more room than `IMPRIMATUR_REDUCTIONS_MB`: what was of use longest ago goes first. All of it can
  be thrown away at any moment.
- What was made of bytes that no version holds any more goes at the next round of this machine's runners.
- They are of the same bytes as the original they are named by, and used only in jobs that may read that.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from storage.settings import Settings
from workers.imaging import reductions
from workers.imaging.reductions import FACTORS, Shelf

_MEBIBYTE: Final = 1 << 20


@contextlib.contextmanager
def shelf(settings: Settings, sha256: str, inside: Path) -> Iterator[Shelf | None]:
    """Where reductions of these bytes are found while the block runs; what was laid in it is kept when it ends well.
    None where there is no room for any.

    `inside` is the job's own folder, on the same file system.
    """
    if settings.reductions_mb == 0:
        yield None
        return
    folder = settings.reductions_dir
    folder.mkdir(mode=0o700, exist_ok=True)
    found = Shelf(folder / sha256, inside / "reductions")
    found.fresh.mkdir()
    for factor in FACTORS:
        with contextlib.suppress(FileNotFoundError):
            os.utime(found.place(factor))
    yield found
    laid = [factor for factor in FACTORS if _kept(found, factor)]
    if laid:
        sweep(settings)


def sweep(settings: Settings) -> None:
    """Throws away what takes up too much room, the longest unused first."""
    room = settings.reductions_mb * _MEBIBYTE
    for _used, size, path in sorted(_all(settings.reductions_dir), reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)


def digests(settings: Settings) -> set[str]:
    """Of whose bytes there are any."""
    return {_digest(path) for _, _, path in _all(settings.reductions_dir)}


def forget(settings: Settings, gone: set[str]) -> None:
    """Throws away whatever was made of these bytes."""
    for _, _, path in _all(settings.reductions_dir):
        if _digest(path) in gone:
            path.unlink(missing_ok=True)


def _kept(found: Shelf, factor: int) -> bool:
    fresh = found.fresh / str(factor)
    try:
        seen = fresh.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISREG(seen.st_mode) and seen.st_size <= 2 * reductions.MOST_BYTES:
        fresh.replace(found.place(factor))
    return True


def _all(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was last of use, and how large it is."""
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                seen = path.lstat()
                yield seen.st_mtime, seen.st_size, path


def _digest(path: Path) -> str:
    return path.name.partition("-")[0]
