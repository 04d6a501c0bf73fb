"""Rendering and reading metadata in a sandbox: what workers call, and the only way a stranger's file is opened.

The answers are those of `render.render` and `metadata.read_metadata`, and so are the refusals; a job that was stopped
is a `PictureError` too, with the code TIMEOUT, OUT_OF_MEMORY or CRASHED.
"""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.looks import Likeness
from domain.recipes import FailureCode, Format, Recipe, RenderFailure
from workers import sandbox
from workers.imaging import failures, formats, hashes, inside, metadata, office, opening, pdf
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.metadata import Facts, Proposal
from workers.imaging.pictures import Made
from workers.imaging.reductions import Shelf
from workers.imaging.render import Rendered
from workers.sandbox import SandboxLimits
from workers.sandbox.cradles import Cradle, Nursery

#: After a crash so many are tried each by itself; where none of them can be made, neither are the others.
_CRASHES = 2


def warm() -> None:
    """Builds in the forking process what every job needs; call it once per worker."""
    inside.warm()
    _raise_nursery()


def can_open(media_type: str) -> bool:
    """Whether there is a reader at all; for other types the answer is known without looking at the file."""
    kinds = (opening.READERS, pdf.MEDIA_TYPES, formats.KINDS, office.MEDIA_TYPES)
    return any(media_type in kind for kind in kinds)


def rendered(
    source: Path,
    media_type: str,
    recipes: Sequence[Recipe],
    out_dir: Path,
    *,
    limits: Limits | None = None,
    sandbox_limits: SandboxLimits | None = None,
    tick: Callable[[], None] | None = None,
    shelf: Shelf | None = None,
) -> Rendered:
    """`render.render` in a sandbox. On an error `out_dir` may hold partial files: remove it with everything in it.

    Films are made in a sandbox each, for one that takes too long must not take the pictures with it.
    Office documents become a PDF first, outside of it: see `office`.
    """
    if media_type in office.MEDIA_TYPES:
        with tempfile.TemporaryDirectory(dir=out_dir.parent, ignore_cleanup_errors=True) as home:
            bounds = sandbox_limits or SandboxLimits()
            made = office.as_pdf(source, media_type, Path(home), limits=bounds, tick=tick)
            return _together(made, "application/pdf", recipes, out_dir, limits, sandbox_limits, tick)
    films = [recipe for recipe in recipes if recipe.format is Format.MP4]
    pictures = [recipe for recipe in recipes if recipe.format is not Format.MP4]
    if not films:
        return _together(source, media_type, recipes, out_dir, limits, sandbox_limits, tick, shelf)
    apart = [[recipe] for recipe in films] + ([pictures] if pictures else [])
    parts = [_refused_apart(source, media_type, part, out_dir, limits, sandbox_limits, tick) for part in apart]
    return _joined(recipes, parts)


def _together(
    source: Path,
    media_type: str,
    recipes: Sequence[Recipe],
    out_dir: Path,
    limits: Limits | None,
    sandbox_limits: SandboxLimits | None,
    tick: Callable[[], None] | None,
    shelf: Shelf | None = None,
) -> Rendered:
    """All in one sandbox; if it crashes, each in its own, for a codec that runs into a limit may take the process.

    Where the first `_CRASHES` of them fail too, it is the file: the others are not tried.
    """
    try:
        return _rendered(source, media_type, recipes, out_dir, limits, sandbox_limits, tick, shelf)
    except PictureError as error:
        if error.failure.code is not FailureCode.CRASHED or len(recipes) == 1:
            raise
        crash = error.failure
    parts: list[Rendered] = []
    for recipe in recipes:
        (out_dir / recipe.file_name).unlink(missing_ok=True)
    for at, recipe in enumerate(recipes):
        parts.append(_refused_apart(source, media_type, [recipe], out_dir, limits, sandbox_limits, tick))
        if not parts[-1].made:
            (out_dir / recipe.file_name).unlink(missing_ok=True)
        if at + 1 >= _CRASHES and not any(part.made for part in parts):
            parts.append(Rendered((), {later.preset: crash for later in recipes[at + 1 :]}))
            break
    return _joined(recipes, parts)


def _joined(recipes: Sequence[Recipe], parts: Sequence[Rendered]) -> Rendered:
    made_of = {one.preset: one for part in parts for one in part.made}
    failed = {preset: failure for part in parts for preset, failure in part.failed.items()}
    return Rendered(tuple(made_of[one.preset] for one in recipes if one.preset in made_of), failed)


def _refused_apart(
    source: Path,
    media_type: str,
    recipes: Sequence[Recipe],
    out_dir: Path,
    limits: Limits | None,
    sandbox_limits: SandboxLimits | None,
    tick: Callable[[], None] | None,
) -> Rendered:
    """A refusal of the whole file is the failure of each of these."""
    try:
        return _together(source, media_type, recipes, out_dir, limits, sandbox_limits, tick)
    except PictureError as error:
        return Rendered((), {recipe.preset: error.failure for recipe in recipes})


def _rendered(
    source: Path,
    media_type: str,
    recipes: Sequence[Recipe],
    out_dir: Path,
    limits: Limits | None,
    sandbox_limits: SandboxLimits | None,
    tick: Callable[[], None] | None,
    shelf: Shelf | None,
) -> Rendered:
    said = _in_sandbox(
        inside.rendered,
        source,
        media_type,
        recipes,
        out_dir,
        limits or Limits(),
        shelf,
        limits=sandbox_limits,
        tick=tick,
        cradle=_nursery(),
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


def _read(source: Path, media_type: str, limits: Limits) -> dict[str, Any]:
    try:
        found = asdict(metadata.read_metadata(source, media_type, limits))
    except failures.PictureError as error:
        return {"refused": asdict(error.failure)}
    captured = found["proposal"]["captured_at"]
    found["proposal"]["captured_at"] = captured.isoformat() if captured else None
    return found


#: The nursery of the process that called `warm`.
_nurseries: list[Nursery] = []


def _raise_nursery() -> None:
    if _nursery() is None:
        _nurseries[:] = [Nursery(inside.MODULES)]


def _nursery() -> Nursery | None:
    """None in a process that has none, as one that was forked from it."""
    return next((one for one in _nurseries if one.is_ours), None)


def _in_sandbox(
    job: Callable[..., dict[str, Any]],
    *arguments: Any,
    limits: SandboxLimits | None,
    tick: Callable[[], None] | None,
    cradle: Cradle | None = None,
) -> dict[str, Any]:
    try:
        said: dict[str, Any] = sandbox.run(job, *arguments, limits=limits, tick=tick, cradle=cradle)
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
    told = {one["preset"]: one for one in said["made"]}
    made = tuple(_file(recipe, told[recipe.preset], out_dir) for recipe in recipes if recipe.preset in told)
    failed = {r.preset: _failure(said["failed"][r.preset]) for r in recipes if r.preset not in told}
    return Rendered(made, failed)


def _file(recipe: Recipe, told: dict[str, Any], out_dir: Path) -> Made:
    seen = (out_dir / recipe.file_name).lstat()
    if not stat.S_ISREG(seen.st_mode):
        raise ValueError(recipe.preset)
    width, height, focal = int(told["width"]), int(told["height"]), _point(told["focal"])
    return Made(recipe.preset, recipe.file_name, recipe.format.media_type, width, height, seen.st_size, focal)


def _point(said: Any) -> tuple[float, float] | None:
    if said is None:
        return None
    x, y = (float(part) for part in said)
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError(said)
    return x, y


def _facts(said: dict[str, Any]) -> Facts:
    proposal = said.pop("proposal")
    proposal["keywords"] = tuple(proposal["keywords"])
    captured = proposal["captured_at"]
    proposal["captured_at"] = datetime.fromisoformat(captured) if captured else None
    said["dpi"] = tuple(said["dpi"]) if said["dpi"] else None
    said["entries"] = tuple((space, name, value) for space, name, value in said["entries"])
    return Facts(**said, proposal=Proposal(**proposal))


def likeness(
    source: Path,
    media_type: str,
    folder: Path,
    *,
    limits: Limits | None = None,
    sandbox_limits: SandboxLimits | None = None,
    tick: Callable[[], None] | None = None,
) -> Likeness | None:
    """`hashes.likeness` in a sandbox, which may write into the empty `folder`."""
    said = _in_sandbox(_look, source, media_type, folder, limits or Limits(), limits=sandbox_limits, tick=tick)
    with _distrust():
        return _likeness(said)


def _look(source: Path, media_type: str, folder: Path, limits: Limits) -> dict[str, Any]:
    try:
        found = hashes.likeness(source, media_type, folder, limits)
    except failures.PictureError as error:
        return {"refused": asdict(error.failure)}
    if found is None:
        return {"plain": True}
    return {name: each.hex() if isinstance(each, bytes) else each for name, each in asdict(found).items()}


def _likeness(said: dict[str, Any]) -> Likeness | None:
    """Only as long as they should be: what compares them relies on it."""
    if "plain" in said:
        return None
    lengths = {"hashes": 144, "proofs": 288, "mirrored_hashes": 144, "mirrored_proofs": 288}
    told = {name: bytes.fromhex(said[name]) for name in lengths}
    if any(len(told[name]) != length for name, length in lengths.items()):
        raise ValueError("length")
    return Likeness(**told, is_page=bool(said["is_page"]))
