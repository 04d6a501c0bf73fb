"""Cutting a picture into tiles, once, so that people can look at it closely."""

from __future__ import annotations

from domain import transforms
from domain.iiif import pyramids
from domain.transforms import Begun, BuildPyramid, Failed, Made
from domain.work import Work
from storage.jobs import Claimed
from workers import scratch
from workers.imaging import tiling_safely
from workers.imaging.failures import PictureError
from workers.registry import Exhausted, Handler, Tools, Write


def build_pyramid(tools: Tools, job: Claimed) -> Write:
    transform_id = int(job.payload["transform_id"])
    with tools.writing() as work:
        begun = transforms.start(work, transform_id)
    if begun is None:
        return lambda _: None
    outcome = _built(tools, begun)
    return lambda work: transforms.finish(work, transform_id, outcome)


def give_up(work: Work, job: Claimed, code: str, sentence: str) -> None:
    transforms.finish(work, int(job.payload["transform_id"]), Failed(code, sentence))


def _built(tools: Tools, begun: Begun) -> Made | Failed:
    settings = tools.hub.settings
    with scratch.folder(settings) as inside:
        target = inside / "pyramid"
        try:
            built = tiling_safely.build(
                scratch.source(tools, begun.wanted.source_sha256, inside),
                begun.media_type,
                target,
                scratch.limits(settings),
                scratch.sandbox(settings),
                tools.tick,
            )
        except PictureError as error:
            return Failed(error.failure.code.value, error.failure.sentence)
        kept = tools.hub.blobs.adopt(target)
    return Made(kept.sha256, kept.size, pyramids.MEDIA_TYPE, built.width, built.height, built.index_at)


HANDLERS: dict[str, Handler] = {BuildPyramid.kind: build_pyramid}
EXHAUSTED: dict[str, Exhausted] = {BuildPyramid.kind: give_up}
