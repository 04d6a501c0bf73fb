"""Purging what has lain in the trash long enough, and letting go of bytes that nobody points at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import sqlalchemy as sa

from domain import likeness, sweeping, trash
from domain.work import Work
from storage.jobs import Claimed
from workers.registry import Chore, Handler, Tools, Write


@dataclass(frozen=True)
class PurgeTrash:
    """Purge assets whose time in the trash is over and that nothing holds."""

    kind: ClassVar[str] = "purge_trash"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


@dataclass(frozen=True)
class SweepBlobs:
    """Let go of bytes that nobody has pointed at for a day."""

    kind: ClassVar[str] = "sweep_blobs"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def purge_trash(tools: Tools, _job: Claimed) -> Write:
    """Each asset in a transaction of its own; what one of them is refused for does not keep the others. Merges can be
    undone for as long as things lie there.
    """
    tried: set[int] = set()
    while True:
        with tools.reading() as work:
            due = [asset_id for asset_id in trash.due(work) if asset_id not in tried]
        if not due:
            return _forget_merges
        for asset_id in due:
            tools.tick()
            tried.add(asset_id)
            _purge(tools, asset_id)


def sweep_blobs(tools: Tools, _job: Claimed) -> Write:
    for _ in sweeping.sweep(tools.hub, tick=tools.tick):
        pass
    return _nothing_more


def _purge(tools: Tools, asset_id: int) -> None:
    try:
        with tools.writing() as work:
            freed = trash.purge(work, asset_id)
    except sa.exc.IntegrityError as error:  # a hold that came meanwhile, or rows of a feature that must not go yet
        tools.log.warning("trash.kept", asset=asset_id, reason=str(error.orig))
        return
    sweeping.release(tools.hub, freed, tools.tick)


def _forget_merges(work: Work) -> None:
    likeness.forget(work)


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {PurgeTrash.kind: purge_trash, SweepBlobs.kind: sweep_blobs}
CHORES = (
    Chore("purge_trash", timedelta(hours=1), PurgeTrash()),
    Chore("sweep_blobs", timedelta(days=1), SweepBlobs()),
)
