"""Rendering and reading metadata in a sandbox: what workers call, and the only way a stranger's file is opened.

The answers are those of `render.render` and `metadata.read_metadata`, and so are the refusals; a job that was stopped
is a `PictureError` too, with the code TIMEOUT, OUT_OF_MEMORY or CRASHED.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.recipes import FailureCode, Recipe, RenderFailure
from workers import sandbox
from workers.imaging import colour, failures, metadata, opening, pdf, render
from workers.imaging.limits import Limits
from workers.imaging.metadata import Facts, Proposal
from workers.imaging.render import Made, Rendered
from workers.sandbox import SandboxLimits


def warm() -> None:
    """Builds in the forking process what every job needs; call it once per worker."""
    colour.warm()


def can_open(media_type: str) -> bool:
    """Whether there is a reader at all; for other types the answer is known without looking at the file."""
    return media_type in opening.READERS or media_type in pdf.MEDIA_TYPES


def rendered(
    source: Path,
    media_type: str,
    recipes: Sequence[Recipe],
    out_dir: Path,
    *,
    limits: Limits | None = None,
    sandbox_limits: SandboxLimits | None = None,
    tick: Callable[[], None] | None = None,
) -> Rendered:
    """`render.render` in a sandbox. On an error `out_dir` may hold partial files: remove it with everything in it."""
    said = _in_sandbox(
        _render, source, media_type, recipes, out_dir, limits or Limits(), limits=sandbox_limits, tick=tick
    )
    with _distrust():
        return _checked(said, recipes, out_dir)


def facts(
    source: Path,
    media_type: str,
    *,
    limits: Limits | None = None,
    sandbox_limits: SandboxLimits | None = None,
    tick: Callable[[], None] | None = None,
) -> Facts:
    """`metadata.read_metadata` in a sandbox."""
    said = _in_sandbox(_read, source, media_type, limits or Limits(), limits=sandbox_limits, tick=tick)
    with _distrust():
        return _facts(said)


def _render(source: Path, media_type: str, recipes: Sequence[Recipe], out_dir: Path, limits: Limits) -> dict[str, Any]:
    """Runs inside the sandbox, as `_read` does; both answer in JSON."""
    try:
        return asdict(render.render(source, media_type, recipes, out_dir, limits))
    except failures.PictureError as error:
        return {"refused": asdict(error.failure)}


def _read(source: Path, media_type: str, limits: Limits) -> dict[str, Any]:
    try:
        found = asdict(metadata.read_metadata(source, media_type, limits))
    except failures.PictureError as error:
        return {"refused": asdict(error.failure)}
    captured = found["proposal"]["captured_at"]
    found["proposal"]["captured_at"] = captured.isoformat() if captured else None
    return found


def _in_sandbox(
    job: Callable[..., dict[str, Any]],
    *arguments: Any,
    limits: SandboxLimits | None,
    tick: Callable[[], None] | None,
) -> dict[str, Any]:
    try:
        said: dict[str, Any] = sandbox.run(job, *arguments, limits=limits, tick=tick)
    except sandbox.StoppedError as stopped:
        raise failures.refused(stopped.code) from stopped
    if "refused" in said:
        raise failures.PictureError(_failure(said["refused"]))
    return said


def _failure(said: dict[str, str]) -> RenderFailure:
    return RenderFailure(FailureCode(said["code"]), said["sentence"])


@contextmanager
def _distrust() -> Iterator[None]:
    """A child that was captured may answer anything: nonsense is a crash, not a bug of ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise failures.refused(FailureCode.CRASHED) from error


def _checked(said: dict[str, Any], recipes: Sequence[Recipe], out_dir: Path) -> Rendered:
    """Only names we gave, only regular files, only sizes we see ourselves: no link leads out of `out_dir`."""
    sizes = {one["preset"]: (int(one["width"]), int(one["height"])) for one in said["made"]}
    made = tuple(_file(recipe, *sizes[recipe.preset], out_dir) for recipe in recipes if recipe.preset in sizes)
    failed = {r.preset: _failure(said["failed"][r.preset]) for r in recipes if r.preset not in sizes}
    return Rendered(made, failed)


def _file(recipe: Recipe, width: int, height: int, out_dir: Path) -> Made:
    seen = (out_dir / recipe.file_name).lstat()
    if not stat.S_ISREG(seen.st_mode):
        raise ValueError(recipe.preset)
    return Made(recipe.preset, recipe.file_name, recipe.format.media_type, width, height, seen.st_size)


def _facts(said: dict[str, Any]) -> Facts:
    proposal = said.pop("proposal")
    proposal["keywords"] = tuple(proposal["keywords"])
    captured = proposal["captured_at"]
    proposal["captured_at"] = datetime.fromisoformat(captured) if captured else None
    said["dpi"] = tuple(said["dpi"]) if said["dpi"] else None
    said["entries"] = tuple((space, name, value) for space, name, value in said["entries"])
    return Facts(**said, proposal=Proposal(**proposal))
