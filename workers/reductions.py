"""The reductions of JPEGs that this machine keeps, in a folder of their own.

Always true here:
- Together they take no more room than `IMPRIMATUR_REDUCTIONS_MB`: what took up the most room for the longest without
  being of use goes first, so that the small ones, which most is made of, stay longest. All of it can be thrown away at
  any moment.
- What was made of bytes that no version holds any more goes at the next round of this machine's runners; a server that
  has none throws all of it away when it starts.
- They are of the same bytes as the original they are named by, and used only in jobs that may read that.
- No job fails for what cannot be kept, or swept, here.
"""

from __future__ import annotations

import contextlib
import stat
import time
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
    found = None if settings.reductions_mb == 0 else _put_up(settings.reductions_dir, sha256, inside)
    yield found
    if found is not None and _kept(found):
        sweep(settings)


def sweep(settings: Settings) -> None:
    """Throws away what takes up too much room."""
    now, room = time.time(), settings.reductions_mb * _MEBIBYTE
    for _, size, path in sorted(
        ((now - used) * size, size, path) for used, size, path in _all(settings.reductions_dir)
    ):
        room -= size
        if room < 0:
            _throw_away(path)


def digests(settings: Settings) -> set[str]:
    """Of whose bytes there are any."""
    return {_digest(path) for _, _, path in _all(settings.reductions_dir)}


def forget(settings: Settings, gone: set[str]) -> None:
    """Throws away whatever was made of these bytes."""
    for _, _, path in _all(settings.reductions_dir):
        if _digest(path) in gone:
            _throw_away(path)


def _put_up(folder: Path, sha256: str, inside: Path) -> Shelf | None:
    """None where the disk does not let us."""
    found = Shelf(folder / sha256, inside / "reductions")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found.fresh.mkdir()
    except OSError:
        return None
    return found


def _kept(found: Shelf) -> list[int]:
    """By which factors what was laid in it is kept now."""
    return [factor for factor in FACTORS if _is_kept(found, factor)]


def _is_kept(found: Shelf, factor: int) -> bool:
    fresh = found.fresh / str(factor)
    try:
        seen = fresh.lstat()
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > 2 * reductions.MOST_BYTES:
            return False
        fresh.replace(found.place(factor))
    except OSError:  # mostly: there is none
        return False
    return True


def _all(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was last of use, and how large it is."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                seen = path.lstat()
                yield seen.st_mtime, seen.st_size, path


def _throw_away(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _digest(path: Path) -> str:
    return path.name.partition("-")[0]
