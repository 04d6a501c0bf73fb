"""Cutting and putting together in a sandbox: what workers call.

The answers are those of `tiling`, and so are the refusals; a job that was stopped is a `PictureError` too. Tiles are
opened in there as well: a captured child may have written them.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain.iiif import pyramids
from domain.iiif.pyramids import Level
from domain.recipes import FailureCode, Recipe, RenderFailure
from workers import sandbox
from workers.imaging import failures, tiling
from workers.imaging.limits import Limits
from workers.imaging.tiling import Piece, Pyramid
from workers.sandbox import SandboxLimits


def build(
    source: Path,
    media_type: str,
    target: Path,
    limits: Limits,
    sandbox_limits: SandboxLimits,
    tick: Callable[[], None],
) -> Pyramid:
    """`tiling.build` in a sandbox. On an error partial files may stand beside `target`."""
    memory = sandbox_limits.memory_bytes
    said = _in_sandbox(_build, (source, media_type, target, memory, limits), sandbox_limits, tick)
    try:
        return _checked(Pyramid(int(said["width"]), int(said["height"]), int(said["index_at"])), target)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise failures.refused(FailureCode.CRASHED) from error


def part(
    tiles: Path,
    pieces: Sequence[Piece],
    level: Level,
    whole: tuple[int, int],
    recipe: Recipe,
    out: Path,
    sandbox_limits: SandboxLimits,
    tick: Callable[[], None],
    *,
    is_bitonal: bool = False,
) -> None:
    """`tiling.part` in a sandbox; `out` is a regular file then."""
    _in_sandbox(_part, (tiles, pieces, level, whole, recipe, out, is_bitonal), sandbox_limits, tick)
    if not out.is_file() or out.is_symlink():
        raise failures.refused(FailureCode.CRASHED)


def _build(source: Path, media_type: str, target: Path, memory: int, limits: Limits) -> dict[str, Any]:
    """Runs inside the sandbox, as `_part` does; both answer in JSON."""
    try:
        return asdict(tiling.build(source, media_type, target, memory, limits))
    except failures.PictureError as error:
        return {"refused": asdict(error.failure)}


def _part(
    tiles: Path,
    pieces: Sequence[Piece],
    level: Level,
    whole: tuple[int, int],
    recipe: Recipe,
    out: Path,
    is_bitonal: bool,
) -> dict[str, Any]:
    try:
        tiling.part(tiles, pieces, level, whole, recipe, out, is_bitonal=is_bitonal)
    except (OSError, ValueError):  # our own tiles: the store's bytes are damaged
        return {"refused": asdict(failures.failure(FailureCode.CRASHED))}
    return {}


def _in_sandbox(
    job: Callable[..., dict[str, Any]],
    arguments: tuple[Any, ...],
    limits: SandboxLimits,
    tick: Callable[[], None],
) -> dict[str, Any]:
    try:
        said: dict[str, Any] = sandbox.run(job, *arguments, limits=limits, tick=tick)
    except sandbox.StoppedError as stopped:
        raise failures.refused(stopped.code) from stopped
    if "refused" in said:
        told = said["refused"]
        raise failures.PictureError(RenderFailure(FailureCode(told["code"]), told["sentence"]))
    return said


def _checked(said: Pyramid, target: Path) -> Pyramid:
    """A child that was captured may answer anything: what its file holds is looked at before it is believed."""
    seen = target.lstat()
    if not stat.S_ISREG(seen.st_mode) or said.width < 1 or said.height < 1:
        raise ValueError
    with target.open("rb") as file:
        file.seek(said.index_at)
        spans = pyramids.spans(file.read(), said.width, said.height)
    if spans[-1].stop != said.index_at:
        raise ValueError
    return said
