"""Where a job works on a file: a folder of its own, the bytes it reads, and how far it may go."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.settings import Settings
from workers.imaging.limits import Limits
from workers.registry import Tools
from workers.sandbox import SandboxLimits

COPY_BYTES = 1 << 20
MEBIBYTE = 1 << 20


@contextmanager
def folder(settings: Settings) -> Iterator[Path]:
    """Beside the blobs, so that finished files can be linked into the store; it goes when the block ends."""
    place = settings.data_dir / "scratch"
    place.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as made:
        yield Path(made)


def source(tools: Tools, sha256: str, inside: Path) -> Path:
    """The bytes as a local file: in place where the store is a disk, else a copy in this folder."""
    local = tools.hub.blobs.local_path(sha256)
    if local is not None:
        return local
    copy = inside / "source"
    with copy.open("wb") as file, tools.hub.blobs.open(sha256) as stream:
        while piece := stream.read(COPY_BYTES):
            file.write(piece)
            tools.tick()
    return copy


def limits(settings: Settings) -> Limits:
    return Limits(pixels=settings.max_pixels, canvas_pixels=min(Limits.canvas_pixels, settings.max_pixels))


def sandbox(settings: Settings) -> SandboxLimits:
    seconds = settings.render_seconds
    return SandboxLimits(wall_seconds=seconds, cpu_seconds=seconds, memory_bytes=settings.render_memory_mb * MEBIBYTE)
