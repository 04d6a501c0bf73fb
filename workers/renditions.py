"""Making what was asked of a version: its renditions, from one decoding, and what its file says of itself.

The stranger's file is only ever opened in a sandbox. Finished bytes enter the blob store before the rows that point
at them, so a crash leaves nothing half visible: at most bytes that nobody points at yet.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from domain import metadata, presets, renditions
from domain.metadata import Findings
from domain.recipes import FailureCode, Recipe
from domain.renditions import Failure, Made, Outcome
from domain.work import Work
from storage import blobs
from storage.jobs import Claimed
from storage.settings import Settings
from storage.tables import AssetVersionRow
from workers.imaging import failures, safely
from workers.imaging.failures import PictureError
from workers.imaging.limits import Limits
from workers.imaging.metadata import Facts
from workers.registry import Chore, Handler, Tools, Write
from workers.sandbox import SandboxLimits

#: Versions that one step of applying a preset looks at.
STEP = 200
COPY_BYTES = 1 << 20
#: Scratch folders older than this belong to nobody any more.
ABANDONED_SECONDS = 24 * 3600
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class SweepScratch:
    """Remove what killed processes left in the scratch folder and in the blob store."""

    kind: ClassVar[str] = "sweep_scratch"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 2

    def unique_key(self) -> str:
        return self.kind


def render_version(tools: Tools, job: Claimed) -> Write:
    version_id = int(job.payload["version_id"])
    with tools.writing() as work:
        started = renditions.start(work, version_id)
    if started is None:
        return lambda _: None
    version, recipes = started
    read = version.analysis_state != "READY"
    found: Findings | Failure | None
    outcomes: dict[int, Outcome]
    if safely.can_open(version.media_type):
        with _scratch(tools.hub.settings) as folder, _source(tools, version, folder) as source:
            found = _read(tools, version, source) if read else None
            outcomes = _render(tools, version, source, recipes, folder) if recipes else {}
    else:  # a film is not fetched to find out that no picture can be made of it
        found = _findings(Facts()) if read else None
        outcomes = dict.fromkeys(recipes, _failure(failures.refused(FailureCode.UNSUPPORTED_FORMAT)))

    def write(work: Work) -> None:
        row = work.session.get_one(AssetVersionRow, version_id)
        renditions.finish(work, row, outcomes)
        if isinstance(found, Findings):
            metadata.record(work, row, found)
        elif found is not None:
            metadata.record_failure(work, row, found.code, found.message)

    return write


def give_up(work: Work, job: Claimed, code: str, sentence: str) -> None:
    renditions.give_up(work, int(job.payload["version_id"]), code, sentence)


def apply_preset(tools: Tools, job: Claimed) -> Write:
    """Queues in steps, each a transaction, so that nobody waits behind a hundred thousand rows."""
    last, done = 0, 0
    while True:
        tools.tick()
        with tools.writing() as work:
            ids = presets.queue_after(
                work, int(job.payload["preset_id"]), str(job.payload["params_digest"]), last, STEP
            )
        if not ids:
            return lambda _: None
        last, done = ids[-1], done + len(ids)
        tools.progress(done, None)


def sweep_scratch(tools: Tools, _job: Claimed) -> Write:
    for folder in _scratch_folder(tools.hub.settings).iterdir():
        with contextlib.suppress(FileNotFoundError):  # its own job was quicker
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
    if isinstance(tools.hub.blobs, blobs.Sweeps):
        tools.hub.blobs.sweep()
    return lambda _: None


def _read(tools: Tools, version: AssetVersionRow, source: Path) -> Findings | Failure:
    settings = tools.hub.settings
    try:
        facts = safely.facts(
            source,
            version.media_type,
            limits=_limits(settings),
            sandbox_limits=_sandbox(settings),
            tick=tools.tick,
        )
    except PictureError as error:
        return _failure(error)
    return _findings(facts)


def _render(
    tools: Tools,
    version: AssetVersionRow,
    source: Path,
    recipes: Mapping[int, Recipe],
    folder: Path,
) -> dict[int, Outcome]:
    out = folder / "out"
    out.mkdir()
    try:
        rendered = safely.rendered(
            source,
            version.media_type,
            list(recipes.values()),
            out,
            limits=_limits(tools.hub.settings),
            sandbox_limits=_sandbox(tools.hub.settings),
            tick=tools.tick,
        )
    except PictureError as error:
        return dict.fromkeys(recipes, _failure(error))
    made = {one.preset: one for one in rendered.made}
    outcomes: dict[int, Outcome] = {}
    for rendition_id, recipe in recipes.items():
        if recipe.preset in made:
            one = made[recipe.preset]
            kept = tools.hub.blobs.adopt(out / one.file_name)
            outcomes[rendition_id] = Made(kept.sha256, kept.size, one.media_type, one.width, one.height)
        else:
            failure = rendered.failed[recipe.preset]
            outcomes[rendition_id] = Failure(failure.code.value, failure.sentence)
        tools.tick()
    return outcomes


def _failure(error: PictureError) -> Failure:
    return Failure(error.failure.code.value, error.failure.sentence)


def _findings(facts: Facts) -> Findings:
    said = facts.proposal
    technical: list[tuple[str, str, Any]] = [
        ("file", "mode", facts.mode),
        ("file", "colourSpace", facts.colour_space),
        ("file", "profile", facts.profile),
        ("file", "bitDepth", facts.bit_depth),
        ("file", "hasAlpha", facts.has_alpha if facts.mode else None),
        ("file", "orientation", facts.orientation if facts.mode else None),
        ("file", "frames", facts.frames),
        ("file", "dpi", list(facts.dpi) if facts.dpi else None),
        ("gps", "latitude", facts.latitude),
        ("gps", "longitude", facts.longitude),
        ("proposal", "creator", said.creator or None),
        ("proposal", "credit", said.credit or None),
        ("proposal", "rights", said.rights or None),
        ("proposal", "capturedZoneKnown", said.captured_zone_known if said.captured_at else None),
    ]
    entries = {(space, name): value for space, name, value in (*facts.entries, *technical) if value is not None}
    return Findings(
        width=facts.width,
        height=facts.height,
        captured_at=said.captured_at,
        entries=[(space, name, value) for (space, name), value in entries.items()],
        title=said.title or None,
        description=said.description or None,
        keywords=said.keywords,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(pixels=settings.max_pixels, canvas_pixels=min(Limits.canvas_pixels, settings.max_pixels))


def _sandbox(settings: Settings) -> SandboxLimits:
    seconds = settings.render_seconds
    return SandboxLimits(
        wall_seconds=seconds,
        cpu_seconds=seconds,
        memory_bytes=settings.render_memory_mb * MEBIBYTE,
    )


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """A folder of this job's own beside the blobs, so that finished files can be linked into the store."""
    with tempfile.TemporaryDirectory(dir=_scratch_folder(settings), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _scratch_folder(settings: Settings) -> Path:
    folder = settings.data_dir / "scratch"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _source(tools: Tools, version: AssetVersionRow, folder: Path) -> Iterator[Path]:
    """The version's bytes as a local file: in place where the store is a disk, else a copy."""
    local = tools.hub.blobs.local_path(version.sha256)
    if local is not None:
        yield local
        return
    copy = folder / "source"
    with copy.open("wb") as file, tools.hub.blobs.open(version.sha256) as stream:
        while piece := stream.read(COPY_BYTES):
            file.write(piece)
            tools.tick()
    yield copy


HANDLERS: dict[str, Handler] = {
    renditions.RenderVersion.kind: render_version,
    renditions.RenderVersionAgain.kind: render_version,
    presets.ApplyPreset.kind: apply_preset,
    SweepScratch.kind: sweep_scratch,
}
EXHAUSTED = {
    renditions.RenderVersion.kind: give_up,
    renditions.RenderVersionAgain.kind: give_up,
}
WARM = (safely.warm,)
CHORES = (Chore("sweep_scratch", timedelta(hours=6), SweepScratch()),)
