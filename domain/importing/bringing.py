"""The import itself: threads that take the next file, read it, and say what became of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePath

import sqlalchemy as sa

from domain import assets, intake
from domain.assets import Content, NewAsset, OnDuplicate
from domain.hub import Hub
from domain.importing import ledger, sources, walking
from domain.importing.ledger import Done
from domain.importing.outcomes import Outcome, Word
from domain.importing.walking import File, Passed
from domain.refusals import FileRefused, Refusal, StorageFull, StorageUnavailable
from domain.taxonomy import MAX_TAGS_PER_ASSET
from domain.texts import MAX_TAG, tidy_line
from domain.work import Viewer
from storage import blobs, database
from storage.database import POOL_SIZE

#: Files looked up in the ledger at once.
BATCH = 200
#: Times that a file is read which changes under the reader's hands.
TRIES = 2
#: Seconds that files in hand get to be let go once the import is told to stop; a crash is safe, so none waits longer.
STOP_SECONDS = 5.0
#: Seconds between two looks whether the import was told to stop.
_LOOK_SECONDS = 0.2


class Halted(Exception):
    """No further file can be taken; `str()` says why. What was imported before stays."""


@dataclass(frozen=True)
class _Trip:
    """What all threads of one import share."""

    hub: Hub
    viewer: Viewer
    root: Path
    tag_folders: bool
    own_work: bool
    stop: threading.Event
    moved: Callable[[int], None]
    #: One writes to SQLite at a time: queueing here is quicker than asking its file again and again.
    turn: threading.Semaphore


def survey(hub: Hub, root: Path, stop: threading.Event) -> tuple[int, int]:
    """How many files there are to look at and how many bytes they have, for telling how far an import is."""
    files = size = 0
    for found in walking.walk(root.resolve(), _own_folders(hub)):
        if stop.is_set():
            break
        if isinstance(found, File):
            files, size = files + 1, size + found.byte_size
    return files, size


def run(
    hub: Hub,
    viewer: Viewer,
    root: Path,
    *,
    threads: int,
    tag_folders: bool,
    stop: threading.Event,
    own_work: bool = False,
    moved: Callable[[int], None] = lambda _count: None,
) -> Iterator[Outcome]:
    """What became of everything below `root`, as it happens; ends early, within seconds, once `stop` is set.

    With `tag_folders` a new asset carries the names of the folders between `root` and its file, with `own_work` it is
    declared the organisation's own. `moved` hears, from any thread, how many bytes were just read. `Halted` when the
    hub can take no more.
    """
    turn = threading.Semaphore(POOL_SIZE - 1 if hub.database.is_postgres else 1)
    trip = _Trip(hub, viewer, root.resolve(), tag_folders, own_work, stop, moved, turn)
    told: queue.SimpleQueue[Outcome | Exception | None] = queue.SimpleQueue()
    feed = _Feed(trip)
    for number in range(threads):
        # A daemon, because a thread that hangs in a slow store must not keep the process: crashing is safe.
        threading.Thread(target=_take, args=(trip, feed, told), name=f"import-{number}", daemon=True).start()
    try:
        yield from _heard(told, threads, stop)
    except BaseException:
        stop.set()
        raise


def _heard(
    told: queue.SimpleQueue[Outcome | Exception | None], threads: int, stop: threading.Event
) -> Iterator[Outcome]:
    failure: Exception | None = None
    deadline: float | None = None
    while threads and (deadline is None or time.monotonic() < deadline):
        if stop.is_set() and deadline is None:
            deadline = time.monotonic() + STOP_SECONDS
        try:
            heard = told.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue
        match heard:
            case None:
                threads -= 1
            case Outcome():
                yield heard
            case _:
                failure = failure or heard
                stop.set()
    if failure is not None:
        raise failure


class _Feed:
    """Hands every file to one thread; what needs no reading comes as its outcome."""

    def __init__(self, trip: _Trip) -> None:
        self._items = _items(trip)
        self._turn = threading.Lock()

    def __iter__(self) -> Iterator[File | Outcome]:
        while (item := self._next()) is not None:
            yield item

    def _next(self) -> File | Outcome | None:
        with self._turn:
            return next(self._items, None)


def _items(trip: _Trip) -> Iterator[File | Outcome]:
    found = walking.walk(trip.root, _own_folders(trip.hub))
    while batch := list(islice(found, BATCH)):
        files = [each for each in batch if isinstance(each, File)]
        with trip.hub.reading(trip.viewer) as work:
            done = ledger.finished(work, trip.root, files)
        for each in batch:
            if isinstance(each, Passed):
                yield _passed(each)
            else:
                yield _unchanged(each, done[each.path]) if each.path in done else each


def _take(trip: _Trip, feed: _Feed, told: queue.SimpleQueue[Outcome | Exception | None]) -> None:
    try:
        for item in feed:
            if trip.stop.is_set():
                return
            told.put(item if isinstance(item, Outcome) else _bring(trip, item))
    except sources.Stopped:
        return
    except Exception as error:  # noqa: BLE001  # the thread that started us raises it
        told.put(_halt(error) or error)
    finally:
        told.put(None)


def _bring(trip: _Trip, file: File) -> Outcome:
    try:
        return _finished(trip, *_stored(trip, file))
    except FileNotFoundError:
        return _passed(walking.gone(file.path))
    except OSError as error:
        return _passed(walking.unreadable(file.path, error), file.byte_size)
    except FileRefused as refused:
        return _refused(file, refused.reason, refused.message)
    except (StorageFull, StorageUnavailable):  # no fault of this file's: the next would fare the same
        raise
    except Refusal as refused:
        return _refused(file, refused.code, refused.message)


def _stored(trip: _Trip, file: File) -> tuple[File, Content]:
    """The file as it was read, its bytes in the store."""
    for last in (False, True):
        try:
            return _stored_once(trip, file)
        except sources.Changed:
            if last:
                raise
    raise AssertionError


def _stored_once(trip: _Trip, file: File) -> tuple[File, Content]:
    with sources.opened(trip.root / file.path, trip.stop, trip.moved) as source:
        intake.refuse_size(source.byte_size, trip.hub.settings.max_upload_bytes)
        # Judged before it is stored: of what is refused, no byte is kept.
        content = assets.judge(source.head, "", source.byte_size, PurePath(file.path).name)
        stored = trip.hub.blobs.put(source.stream())
        read = replace(file, byte_size=source.byte_size, modified_ns=source.modified_ns)
        return read, replace(content, sha256=stored.sha256)


def _finished(trip: _Trip, file: File, content: Content) -> Outcome:
    tags = _folder_tags(file.path) if trip.tag_folders else []
    wanted = NewAsset(folder_tags=tags, on_duplicate=OnDuplicate.REUSE, is_own_work=trip.own_work)
    with trip.turn, trip.hub.writing(trip.viewer) as work:
        created = assets.create(work, content, wanted)
        is_new = created.duplicate_of is None
        ledger.finish(work, trip.root, file, created.asset, content.sha256, is_new=is_new)
    word = Word.NEW if is_new else Word.DUPLICATE
    return Outcome(file.path, word, content.byte_size, created.asset.id, created.asset.title, content.sha256)


def _folder_tags(path: str) -> Sequence[str]:
    """The names of the folders on the way, as far as they can be tags; of too many, those nearest the file."""
    names = (tidy_line(tidy_line(part)[:MAX_TAG]) for part in path.split("/")[:-1])
    return [name for name in dict.fromkeys(names) if name][-MAX_TAGS_PER_ASSET:]


def _own_folders(hub: Hub) -> tuple[Path, ...]:
    return (hub.settings.data_dir,)


def _halt(error: Exception) -> Halted | None:
    """What keeps every further file out as well, in a sentence; None for anything unforeseen."""
    match error:
        case blobs.StoreFull():
            return Halted(f"{error} What was imported so far is safe.")
        case StorageFull():
            return Halted(f"{error.message} What was imported so far is safe.")
        case StorageUnavailable() | blobs.BlobError():
            return Halted(str(error))
        case database.Contended():
            return Halted("The database gave up: others held what was needed for too long.")
        case sa.exc.OperationalError():
            return Halted(f"The database gave up: {str(error.orig).strip().partition(chr(10))[0]}.")
    return None


def _passed(passed: Passed, byte_size: int = 0) -> Outcome:
    word = Word.REFUSED if passed.reason == walking.UNREADABLE else Word.SKIPPED
    return Outcome(passed.path, word, byte_size, reason=passed.reason, sentence=passed.sentence)


def _refused(file: File, reason: str, sentence: str) -> Outcome:
    return Outcome(file.path, Word.REFUSED, file.byte_size, reason=reason, sentence=sentence)


def _unchanged(file: File, done: Done) -> Outcome:
    return Outcome(file.path, Word.UNCHANGED, file.byte_size, done.asset_id, done.title, done.sha256)
