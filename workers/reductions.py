"""The reductions of JPEGs that this machine keeps for a while, in a folder of their own.

Always true here:
- Together they take no more room than `MOST_BYTES`, and none is kept longer than `LONGEST` after it was last of use:
  what was made of bytes that are gone is gone soon after. All of it can be thrown away at any moment.
- They are of the same bytes as the original they are named by, and used only in jobs that may read that.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from storage.settings import Settings
from workers.imaging import reductions
from workers.imaging.reductions import FACTORS, Shelf

#: Bytes that all of them may take together.
MOST_BYTES: Final = 256 << 20
#: Seconds after which one that nobody used goes.
LONGEST: Final = 600.0


@contextlib.contextmanager
def shelf(settings: Settings, sha256: str, inside: Path) -> Iterator[Shelf]:
    """Where reductions of these bytes are found while the block runs; what was laid in it is kept when it ends well.

    `inside` is the job's own folder, on the same file system.
    """
    folder = _folder(settings)
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
    """Throws away what nobody used for long, and what takes up too much room, the longest unused first."""
    room, oldest = MOST_BYTES, time.time() - LONGEST
    for used, size, path in sorted(_all(_folder(settings)), reverse=True):
        room -= size
        if room < 0 or used < oldest:
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


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "reductions"
