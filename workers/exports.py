"""Writing exports, gone on with where a killed worker left off; and throwing away those whose time is over."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, ClassVar, cast

from domain import changes, exports
from domain.work import Work
from storage.blobs import BlobMissing, BlobStore
from storage.jobs import Claimed
from workers.registry import Chore, Exhausted, Handler, JobFailed, Tools, Write

#: Times that rights may change while one export is written.
MOST_TURNS = 5
PIECE = 1 << 20


@dataclass(frozen=True)
class SweepExports:
    """Throw away files whose time is over, and parts that nobody needs any more."""

    kind: ClassVar[str] = "sweep_exports"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 3

    def unique_key(self) -> str:
        return self.kind


def write_export(tools: Tools, job: Claimed) -> Write:
    export_id = int(job.payload["export_id"])
    for _ in range(MOST_TURNS):
        changes.settle(tools.hub)  # so that the feed, from the cursor on, tells little that the lines say already
        with tools.writing() as work:
            wanted = exports.begin(work, export_id)
        if not wanted:
            return _nothing_more
        if _write_lines(tools, export_id):
            return _joined(tools, export_id)
    raise JobFailed("TURNED", "What whoever asked may see changed again and again.", retryable=True)


def sweep_exports(tools: Tools, _job: Claimed) -> Write:
    while True:
        tools.tick()
        with tools.writing() as work:
            freed = exports.sweep(work)
        for sha256 in freed:
            tools.hub.blobs.remove(sha256)
        if not freed:
            return _nothing_more


def gave_up(work: Work, job: Claimed, code: str, message: str) -> None:
    exports.fail(work, int(job.payload["export_id"]), code, message)


def _write_lines(tools: Tools, export_id: int) -> bool:
    """Whether all lines are written; False where they have to be begun anew, or are wanted no more."""
    while True:
        tools.tick()
        with tools.reading() as work:
            if exports.is_written(work, export_id):
                return True
            batch = exports.batch(work, export_id)
        if batch is None:
            return False
        stored = tools.hub.blobs.put(io.BytesIO(batch.body))
        with tools.writing() as work:
            done = exports.keep(work, export_id, batch, stored)
        if done is None:
            return False
        tools.progress(*done)


def _joined(tools: Tools, export_id: int) -> Write:
    with tools.reading() as work:
        parts = exports.parts(work, export_id)
    reader = io.BufferedReader(_Parts(tools, parts), PIECE)
    try:
        stored = tools.hub.blobs.put(cast("BinaryIO", reader))
    except BlobMissing:
        raise JobFailed("PART_MISSING", "A part of this export is gone: ask for it again.", retryable=False) from None
    return lambda work: exports.finish(work, export_id, stored)


class _Parts(io.RawIOBase):
    """All parts, one after the other, as one stream."""

    def __init__(self, tools: Tools, parts: Sequence[str]) -> None:
        self._pieces = _pieces(tools, tools.hub.blobs, parts)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        room = memoryview(cast("bytearray", buffer))
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(room)]
        room[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def _pieces(tools: Tools, store: BlobStore, parts: Sequence[str]) -> Iterator[bytes]:
    for sha256 in parts:
        with store.open(sha256) as reader:
            while piece := reader.read(PIECE):
                tools.tick()
                yield piece


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {
    exports.WriteExport.kind: write_export,
    SweepExports.kind: sweep_exports,
}
EXHAUSTED: dict[str, Exhausted] = {exports.WriteExport.kind: gave_up}
CHORES = (Chore("sweep_exports", timedelta(hours=1), SweepExports()),)
