"""Making pictures that somebody waits for: of the original, or of its tiles; and throwing away what takes up room.

As with renditions, bytes enter the store before the rows that point at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from domain import blobs, credentials, transforms
from domain.iiif import pyramids
from domain.iiif.pyramids import Level
from domain.recipes import Recipe
from domain.transforms import Begun, Failed, Made, MakeTransform
from domain.work import Work
from storage.jobs import Claimed
from storage.tables import TransformRow
from workers import reductions, scratch
from workers.imaging import credentials as signing
from workers.imaging import pictures, safely, tiling_safely
from workers.imaging.failures import PictureError
from workers.imaging.tiling import Piece
from workers.registry import Chore, Exhausted, Handler, Tools, Write

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class SweepTransforms:
    """Throw away what was asked for longest ago, until the rest fits into its budget."""

    kind: ClassVar[str] = "sweep_transforms"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def make_transform(tools: Tools, job: Claimed) -> Write:
    transform_id = int(job.payload["transform_id"])
    with tools.writing() as work:
        begun = transforms.start(work, transform_id)
    if begun is None:
        return _nothing_more
    outcome = _made(tools, begun)
    return lambda work: transforms.finish(work, transform_id, outcome)


def sweep_transforms(tools: Tools, _job: Claimed) -> Write:
    budget, there_is_more = tools.hub.settings.transform_cache_mb * MEBIBYTE, True
    while there_is_more:
        tools.tick()
        with tools.writing() as work:
            freed, there_is_more = transforms.sweep(work, budget)
        for sha256 in freed:
            with tools.writing() as work:
                blobs.remove(work, sha256)
    return _nothing_more


def sweep_reductions(tools: Tools) -> None:
    settings = tools.hub.settings
    reductions.sweep(settings)
    if kept := reductions.digests(settings):
        with tools.reading() as work:
            living = transforms.living(work, kept)
        reductions.forget(settings, kept - living)


def give_up(work: Work, job: Claimed, code: str, sentence: str) -> None:
    transforms.finish(work, int(job.payload["transform_id"]), Failed(code, sentence))


def _made(tools: Tools, begun: Begun) -> Made | Failed:
    assert begun.wanted.recipe is not None, "all but pyramids have a recipe"
    with scratch.folder(tools.hub.settings) as inside:
        try:
            if begun.pyramid is None:
                return _of_original(tools, begun, begun.wanted.recipe, inside)
            return _of_tiles(tools, begun, begun.pyramid, inside)
        except PictureError as error:
            return Failed(error.failure.code.value, error.failure.sentence)


def _of_original(tools: Tools, begun: Begun, recipe: Recipe, inside: Path) -> Made | Failed:
    settings = tools.hub.settings
    source = scratch.source(tools, begun.wanted.source_sha256, inside)
    out = inside / "out"
    out.mkdir()
    with reductions.shelf(settings, begun.wanted.source_sha256, inside) as shelf:
        rendered = safely.rendered(
            source,
            begun.media_type,
            [recipe],
            out,
            limits=scratch.limits(settings),
            sandbox_limits=scratch.sandbox(settings),
            tick=tools.tick,
            shelf=shelf,
        )
    if rendered.failed:
        failure = rendered.failed[recipe.preset]
        return Failed(failure.code.value, failure.sentence)
    (one,) = rendered.made
    if begun.wanted.is_signed and (failed := _signed(tools, begun, source, one, out)):
        return failed
    kept = tools.hub.blobs.adopt(out / one.file_name)
    return Made(kept.sha256, kept.size, one.media_type, one.width, one.height)


def _signed(tools: Tools, begun: Begun, source: Path | None, one: pictures.Made, folder: Path) -> Failed | None:
    """What could not be signed has failed, as renditions have."""
    settings = tools.hub.settings
    failed = signing.signed(
        signing.Original(source, begun.media_type, begun.wanted.source_sha256),
        [one],
        folder,
        credentials.of_hub(tools.hub.secret, settings.public_url),
        limits=scratch.sandbox(settings),
    )
    return next((Failed(each.code.value, each.sentence) for each in failed.values()), None)


def _of_tiles(tools: Tools, begun: Begun, pyramid: TransformRow, inside: Path) -> Made | Failed:
    """Only the tiles that show something of the region are fetched; the original is not, whatever it is signed as."""
    wanted, recipe = begun.wanted, begun.wanted.recipe
    assert recipe is not None, "all but pyramids have a recipe"
    assert recipe.region is not None, "a part is a part of something"
    assert pyramid.sha256 is not None, "begun only with a pyramid that is there"
    whole = (pyramid.width or 0, pyramid.height or 0)
    level = pyramids.level_for(*whole, recipe.region, (recipe.width, recipe.height))
    pieces = _fetched(tools, pyramid.sha256, pyramid.index_at or 0, whole, level, recipe.region, inside / "tiles")
    out = inside / recipe.file_name
    limits = scratch.sandbox(tools.hub.settings)
    tiles, bitonal = inside / "tiles", wanted.is_bitonal
    tiling_safely.part(tiles, pieces, level, whole, recipe, out, limits, tools.tick, is_bitonal=bitonal)
    size = (recipe.width, recipe.height)
    if recipe.rotation % 180:
        size = size[::-1]
    media_type = recipe.format.media_type
    one = pictures.Made(recipe.preset, out.name, media_type, *size, byte_size=out.stat().st_size)
    if wanted.is_signed and (failed := _signed(tools, begun, None, one, inside)):
        return failed
    kept = tools.hub.blobs.adopt(out)
    return Made(kept.sha256, kept.size, media_type, *size)


def _fetched(
    tools: Tools,
    sha256: str,
    index_at: int,
    whole: tuple[int, int],
    level: Level,
    region: tuple[int, int, int, int],
    into: Path,
) -> list[Piece]:
    """The tiles of the level that show something of the region, one after another in a file of their own."""
    store = tools.hub.blobs
    with store.open(sha256, index_at) as reader:
        spans = pyramids.spans(reader.read(), *whole)
    across, down = level.width / whole[0], level.height / whole[1]
    left, top, width, height = region
    box = (left * across, top * down, (left + width) * across, (top + height) * down)
    pieces: list[Piece] = []
    with into.open("wb") as file:
        for x, y, number in pyramids.covering(level, box):
            start = file.tell()
            with store.open(sha256, spans[number].start, spans[number].stop) as reader:
                file.write(reader.read())
            pieces.append(Piece(x, y, start, file.tell()))
            tools.tick()
    return pieces


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {
    MakeTransform.kind: make_transform,
    SweepTransforms.kind: sweep_transforms,
}
EXHAUSTED: dict[str, Exhausted] = {MakeTransform.kind: give_up}
ROUNDS = (sweep_reductions,)
CHORES = (Chore("sweep_transforms", timedelta(minutes=10), SweepTransforms()),)
