"""Making what was asked of a version: its renditions, from one decoding, and what its file says of itself.

The stranger's file is only ever opened in a sandbox. Finished bytes enter the blob store before the rows that point
at them, so a crash leaves nothing half visible: at most bytes that nobody points at yet.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from domain import credentials, crediting, metadata, presets, refreshing, renditions
from domain.metadata import Findings
from domain.recipes import FailureCode, Recipe
from domain.renditions import Failure, Kept, Made, Outcome
from domain.statements import Statement
from domain.tailoring import Asked
from domain.work import Work
from storage import blobs, jobs
from storage.jobs import Claimed
from storage.tables import AssetRow, AssetVersionRow
from workers import likeness, reductions, scratch
from workers.imaging import credentials as signing
from workers.imaging import failures, render, safely
from workers.imaging.failures import PictureError
from workers.imaging.metadata import Facts
from workers.registry import Chore, Handler, Tools, Write

#: Versions that one step of applying a preset looks at.
STEP = 200
#: Scratch folders older than this belong to nobody any more.
ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class SweepScratch:
    """Remove what killed processes left in the scratch folder and in the blob store."""

    kind: ClassVar[str] = "sweep_scratch"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 2

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class MarkWhatRanOut:
    """Look again at the renditions of assets whose last day of use was yesterday."""

    kind: ClassVar[str] = "mark_what_ran_out"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def render_version(tools: Tools, job: Claimed) -> Write:
    version_id = int(job.payload["version_id"])
    with tools.writing() as work:
        started = renditions.start(work, version_id)
    if started is None:
        return lambda _: None
    version, asked = started
    read = version.analysis_state != "READY"
    looked: Write | None = None
    found: Findings | Failure | None
    outcomes: dict[int, Outcome]
    if safely.can_open(version.media_type):
        with scratch.folder(tools.hub.settings) as folder:
            source = scratch.source(tools, version.sha256, folder)
            found = _read(tools, version, source) if read else None
            looked = likeness.look(tools, version.sha256, version.media_type, source) if read else None
            if isinstance(found, Findings):
                asked = _as_the_file_says(tools, version, asked, found)
            outcomes = _render(tools, version, source, asked, folder, lays=read) if asked else {}
    else:  # what no reader knows is not fetched to find that out
        found = _findings(Facts()) if read else None
        looked = likeness.look(tools, version.sha256, version.media_type, None) if read else None
        outcomes = dict.fromkeys(asked, _failure(failures.refused(FailureCode.UNSUPPORTED_FORMAT)))

    def write(work: Work) -> None:
        row = work.session.get_one(AssetVersionRow, version_id)
        renditions.finish(work, row, outcomes)
        if isinstance(found, Findings):
            metadata.record(work, row, found)
        elif found is not None:
            metadata.record_failure(work, row, found.code, found.message)
        if isinstance(found, Findings):  # titles and keywords taken over from the file
            refreshing.if_told(work, work.session.get_one(AssetRow, row.asset_id))
        if looked is not None:
            looked(work)

    return write


def refresh_renditions(tools: Tools, job: Claimed) -> Write:
    version_id = int(job.payload["version_id"])
    with tools.reading() as work:
        version, asked = renditions.stale(work, version_id)
    if not asked:
        return lambda _: None
    with scratch.folder(tools.hub.settings) as folder:
        outcomes = _render(tools, version, scratch.source(tools, version.sha256, folder), asked, folder)

    def write(work: Work) -> None:
        renditions.replace_stale(work, work.session.get_one(AssetVersionRow, version_id), outcomes)

    return write


def refresh_licensed(tools: Tools, job: Claimed) -> Write:
    """In steps and at the operator's pace, as presets are applied."""
    with tools.reading() as work:
        begin = work.now
    _refresh_under(tools, [int(job.payload["license_id"])], begin, 0)
    return lambda _: None


def refresh_naming(tools: Tools, job: Claimed) -> Write:
    """Likewise; what is under two of the licences has its turn with each, and is made anew once."""
    last, done = 0, 0
    with tools.reading() as work:
        begin = work.now
    while True:
        with tools.reading() as work:
            licenses = refreshing.licenses_from(work, int(job.payload["party_id"]), last, STEP)
        if not licenses:
            return lambda _: None
        last, done = licenses[-1], _refresh_under(tools, licenses, begin, done)


def _refresh_under(tools: Tools, licenses: list[int], begin: datetime, done: int) -> int:
    """Of all that is under these licences; how many had their turn by then."""
    last, per_minute = 0, tools.hub.settings.rerenders_per_minute
    while True:
        tools.tick()
        pace = refreshing.Pace(begin, per_minute, done) if per_minute else None
        with tools.writing() as work:
            ids = refreshing.ask_under(work, licenses, last, STEP, pace)
        if not ids:
            return done
        last, done = ids[-1], done + len(ids)


def give_up(work: Work, job: Claimed, code: str, sentence: str) -> None:
    renditions.give_up(work, int(job.payload["version_id"]), code, sentence)


def apply_preset(tools: Tools, job: Claimed) -> Write:
    """Queues in steps, each a transaction, so that nobody waits behind a hundred thousand rows; what is queued falls
    due at the pace that the operator allows.
    """
    preset_id, digest = int(job.payload["preset_id"]), str(job.payload["params_digest"])
    with tools.reading() as work:
        total, begin = presets.count_after(work, preset_id, digest), work.now
    last, done, per_minute = 0, 0, tools.hub.settings.rerenders_per_minute
    while True:
        tools.tick()
        pace = presets.Pace(begin, per_minute, done) if per_minute else None
        with tools.writing() as work:
            ids = presets.queue_after(work, preset_id, digest, last, STEP, pace)
        if not ids:
            return lambda _: None
        last, done = ids[-1], done + len(ids)
        tools.progress(done, max(done, total))


def mark_what_ran_out(tools: Tools, _job: Claimed) -> Write:
    last = 0
    while True:
        tools.tick()
        with tools.writing() as work:
            assets = crediting.run_out(work, work.now.date(), last, STEP)
            for asset in assets:
                refreshing.of_asset(work, asset)
            ids = [asset.id for asset in assets]
        if not ids:
            return lambda _: None
        last = ids[-1]


def sweep_scratch(tools: Tools, _job: Claimed) -> Write:
    place = tools.hub.settings.data_dir / "scratch"
    place.mkdir(mode=0o700, exist_ok=True)
    for folder in place.iterdir():
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
            limits=scratch.limits(settings),
            sandbox_limits=scratch.sandbox(settings),
            tick=tools.tick,
        )
    except PictureError as error:
        return _failure(error)
    return _findings(facts)


def _as_the_file_says(
    tools: Tools, version: AssetVersionRow, asked: dict[int, Asked], found: Findings
) -> dict[int, Asked]:
    """Where nobody stated whose it is, what the file claimed just now counts."""
    entries = {(namespace, name): value for namespace, name, value in found.entries}
    with tools.reading() as work:
        said = crediting.rights_of(work, version, entries)
    return {rendition_id: each.saying(_kept(each, said)) for rendition_id, each in asked.items()}


def _kept(asked: Asked, said: Statement) -> Statement:
    """Title, description and keywords are the asset's."""
    told = asked.bare.statement or Statement()
    return replace(said, title=told.title, description=told.description, keywords=told.keywords)


def _render(
    tools: Tools,
    version: AssetVersionRow,
    source: Path,
    asked: Mapping[int, Asked],
    folder: Path,
    *,
    lays: bool = False,
) -> dict[int, Outcome]:
    """What is decoded is laid by for whoever wants a part of it, where it is asked to and nothing else waits: of many
    files at once it would only push out one another's.
    """
    out = folder / "out"
    out.mkdir()
    recipes = {rendition_id: _named(rendition_id, each) for rendition_id, each in asked.items()}
    lays = lays and not jobs.are_due(tools.hub.database, (renditions.RenderVersion.queue,))
    settings = tools.hub.settings
    try:
        with reductions.shelf(settings, version.sha256, folder) if lays else contextlib.nullcontext() as shelf:
            rendered = safely.rendered(
                source,
                version.media_type,
                [recipe for pair in recipes.values() for recipe in pair],
                out,
                limits=scratch.limits(settings),
                sandbox_limits=scratch.sandbox(settings),
                tick=tools.tick,
                shelf=shelf,
            )
    except PictureError as error:
        return dict.fromkeys(asked, _failure(error))
    if settings.content_credentials:
        rendered = _signed(tools, version, source, rendered, out)
    outcomes: dict[int, Outcome] = {}
    for rendition_id, pair in recipes.items():
        outcomes[rendition_id] = _outcome(tools, rendered, pair, asked[rendition_id], out)
        tools.tick()
    return outcomes


def _signed(
    tools: Tools, version: AssetVersionRow, source: Path, rendered: render.Rendered, out: Path
) -> render.Rendered:
    """What could not be signed has failed: nothing is passed on as signed that is not."""
    settings = tools.hub.settings
    failed = signing.signed(
        signing.Original(source, version.media_type, version.sha256),
        rendered.made,
        out,
        credentials.of_hub(tools.hub.secret, settings.public_url),
        limits=scratch.sandbox(settings),
    )
    return replace(rendered, failed={**rendered.failed, **failed})


def _named(rendition_id: int, asked: Asked) -> list[Recipe]:
    """Under names of their own: the bare and the marked one are files side by side."""
    bare = replace(asked.bare, preset=f"r{rendition_id}")
    return [bare] if asked.marked is None else [bare, replace(asked.marked, preset=f"r{rendition_id}-marked")]


def _outcome(tools: Tools, rendered: render.Rendered, pair: list[Recipe], asked: Asked, out: Path) -> Outcome:
    """The bytes enter the store only if both are there: nothing unmarked stands alone where a mark was asked for."""
    for recipe in pair:
        if (failure := rendered.failed.get(recipe.preset)) is not None:
            return Failure(failure.code.value, failure.sentence)
    made = {one.preset: one for one in rendered.made}
    bare, *marked = (made[recipe.preset] for recipe in pair)
    kept = [tools.hub.blobs.adopt(out / one.file_name) for one in (bare, *marked)]
    return Made(
        sha256=kept[0].sha256,
        byte_size=kept[0].size,
        media_type=bare.media_type,
        width=bare.width,
        height=bare.height,
        digest=asked.digest,
        marked=Kept(kept[1].sha256, kept[1].size) if marked else None,
        focal=bare.focal,
    )


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
        text=facts.text,
    )


HANDLERS: dict[str, Handler] = {
    renditions.RenderVersion.kind: render_version,
    renditions.RenderVersionAgain.kind: render_version,
    presets.ApplyPreset.kind: apply_preset,
    refreshing.RefreshRenditions.kind: refresh_renditions,
    refreshing.RefreshLicensed.kind: refresh_licensed,
    refreshing.RefreshNaming.kind: refresh_naming,
    MarkWhatRanOut.kind: mark_what_ran_out,
    SweepScratch.kind: sweep_scratch,
}
EXHAUSTED = {
    renditions.RenderVersion.kind: give_up,
    renditions.RenderVersionAgain.kind: give_up,
}
WARM = (safely.warm,)
CHORES = (
    Chore("sweep_scratch", timedelta(hours=6), SweepScratch()),
    Chore("mark_what_ran_out", timedelta(days=1), MarkWhatRanOut()),
)
