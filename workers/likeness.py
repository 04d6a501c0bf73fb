"""Looking at pictures, and finding those that look alike.

A stranger's file is only ever opened in a sandbox, of its own: whatever looking at it ends in, its analysis and its
renditions do not suffer. One job at a time compares, in whichever process took it; each keeps an index in its memory
once it has compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from domain import asking, looks, media_types
from domain.looks import Likeness, Unseen
from domain.recipes import FailureCode
from domain.work import Work
from storage import likeness
from storage.jobs import Claimed
from workers import scratch
from workers.imaging import safely
from workers.imaging.failures import PictureError
from workers.registry import Chore, Handler, Tools, Write

#: Of these there is no picture to compare by: nothing is wrong with them.
_NO_PICTURE = frozenset({FailureCode.UNSUPPORTED_FORMAT, FailureCode.NOT_INSTALLED, FailureCode.ENCRYPTED})


@dataclass(frozen=True)
class SweepLooks:
    """Have looked at what nobody looked at, and forget what nothing holds any more."""

    kind: ClassVar[str] = "sweep_looks"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 2

    def unique_key(self) -> str:
        return self.kind


def look_at_bytes(tools: Tools, job: Claimed) -> Write:
    sha256 = str(job.payload["sha256"])
    with tools.reading() as work:
        wanted, name = looks.is_wanted(work, sha256), looks.file_name(work, sha256)
    if not wanted or tools.hub.blobs.stat(sha256) is None:
        return lambda _: None
    with tools.hub.blobs.open(sha256, 0, media_types.HEAD_BYTES) as stream:
        media_type = media_types.sniff(stream.read(media_types.HEAD_BYTES), name).type
    with scratch.folder(tools.hub.settings) as folder:
        can_open = safely.can_open(media_type)
        return look(tools, sha256, media_type, scratch.source(tools, sha256, folder) if can_open else None)


def look(tools: Tools, sha256: str, media_type: str, source: Path | None) -> Write:
    """Looks at a file that holds these bytes, unless somebody did; None where its kind has no picture anyway. What it
    answers keeps what was seen, and notices assets that look alike.
    """
    with tools.reading() as work:
        wanted = looks.is_wanted(work, sha256)
    seen = _seen(tools, media_type, source) if wanted else None

    def write(work: Work) -> None:
        looks.notice(work, [sha256])
        if seen is not None:
            looks.record(work, sha256, seen)

    return write


def compare_looks(tools: Tools, _job: Claimed) -> Write:
    while True:
        tools.tick()
        with tools.reading() as work:
            compared = looks.compare(work, likeness.index_of(work.session))
        if compared is None:
            return lambda _: None
        with tools.writing() as work:
            looks.keep(work, compared)


def sweep_looks(tools: Tools, _job: Claimed) -> Write:
    last = ""
    while True:
        tools.tick()
        with tools.writing() as work:
            digests = looks.unlooked(work, last)
            for sha256 in digests:
                asking.ask(work, looks.LookAtBytesAgain(sha256))
        if not digests:
            break
        last = digests[-1]
    while True:
        tools.tick()
        with tools.writing() as work:
            if not looks.forget(work):
                return lambda _: None


def _seen(tools: Tools, media_type: str, source: Path | None) -> Likeness | Unseen:
    if source is None:
        return Unseen()
    settings = tools.hub.settings
    try:
        with scratch.folder(settings) as folder:
            found = safely.likeness(
                source,
                media_type,
                folder,
                limits=scratch.limits(settings),
                sandbox_limits=scratch.sandbox(settings),
                tick=tools.tick,
            )
    except PictureError as error:
        code = error.failure.code
        return Unseen() if code in _NO_PICTURE else Unseen(code.value, error.failure.sentence)
    return found or Unseen()


HANDLERS: dict[str, Handler] = {
    looks.LookAtBytes.kind: look_at_bytes,
    looks.LookAtBytesAgain.kind: look_at_bytes,
    looks.CompareLooks.kind: compare_looks,
    SweepLooks.kind: sweep_looks,
}
CHORES = (Chore("sweep_looks", timedelta(hours=1), SweepLooks()),)
