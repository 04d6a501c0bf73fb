"""The hot folder: files that rest in it are taken in, each once, and moved to `done` or `refused` beside them.

Always true here:
- A file that is still written to is left alone: it is taken when neither its bytes nor its name have changed for as
  long as the operator says.
- Whoever takes a file holds a lock on it (`flock`), which the system lifts when they die; so several processes may
  watch one folder. Whoever is killed before the file was moved leaves it to be found again, and its bytes to be known:
  they make no second asset.
- Nothing is overwritten in `done` and `refused`, and what was refused has its reason beside it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from domain import assets, identity, intake
from domain.assets import NewAsset, OnDuplicate
from domain.hub import Hub
from domain.importing import sources, walking
from domain.importing.outcomes import Outcome, Word
from domain.importing.walking import File
from domain.refusals import FileRefused, Refusal, StorageFull, StorageUnavailable
from domain.work import HUB, Viewer

DONE: Final = "done"
REFUSED: Final = "refused"
#: Files taken in one look; the next look is a minute away.
MOST_AT_ONCE: Final = 1_000


#: What a file system says that knows no second name for a file.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class _Elsewhere(Exception):
    """Somebody else has it in hand, or has moved it."""


@dataclass(frozen=True)
class _Watch:
    hub: Hub
    viewer: Viewer
    root: Path
    stop: threading.Event
    moved: Callable[[int], None]


def watch(
    hub: Hub, folder: Path, *, stop: threading.Event, tick: Callable[[], None] = lambda: None
) -> Iterator[Outcome]:
    """Takes in what rests in `folder` now, for the hub's first administrator; each file's outcome as it happens. A
    folder that is not there has nothing in it.
    """
    if not folder.is_dir():
        return
    with hub.writing(HUB) as work:
        viewer = identity.administrator(work)
    on_way = _Watch(hub, viewer, folder.resolve(), stop, lambda _count: tick())
    for file in _rested(on_way):
        tick()
        try:
            yield _take(on_way, file)
        except (_Elsewhere, sources.Stopped, FileNotFoundError):
            continue
        except OSError as error:
            passed = walking.unreadable(file.path, error)
            yield _refused(file, passed.reason, passed.sentence)


def _rested(watch: _Watch) -> Iterator[File]:
    """At most `MOST_AT_ONCE`, without what was moved aside."""
    rest, taken = watch.hub.settings.hot_folder_seconds, 0
    for found in walking.walk(watch.root, (watch.hub.settings.data_dir, watch.root / DONE, watch.root / REFUSED)):
        if taken == MOST_AT_ONCE:
            return
        if isinstance(found, File) and _rests(watch.root / found.path, rest):
            taken += 1
            yield found


def _rests(path: Path, seconds: float) -> bool:
    """By the last change of its bytes, and of its name and rights: who moves a file in keeps the former."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return max(status.st_mtime, status.st_ctime) <= time.time() - seconds


def _take(watch: _Watch, file: File) -> Outcome:
    path = watch.root / file.path
    with _locked(path):
        outcome = _brought(watch, file)
        if outcome.word is Word.REFUSED:
            _explain(_move(watch.root, file.path, REFUSED), outcome)
        else:
            _move(watch.root, file.path, DONE)
        return outcome


def _brought(watch: _Watch, file: File) -> Outcome:
    try:
        return _stored(watch, file)
    except sources.Changed:
        raise _Elsewhere from None
    except (StorageFull, StorageUnavailable):
        raise
    except FileRefused as refused:
        return _refused(file, refused.reason, refused.message)
    except Refusal as refused:
        return _refused(file, refused.code, refused.message)


def _stored(watch: _Watch, file: File) -> Outcome:
    with sources.opened(watch.root / file.path, watch.stop, watch.moved) as source:
        intake.refuse_size(source.byte_size, watch.hub.settings.max_upload_bytes)
        content = assets.judge(source.head, "", source.byte_size, Path(file.path).name)
        if (source.byte_size, source.modified_ns) != (file.byte_size, file.modified_ns):
            raise sources.Changed
        stored = watch.hub.blobs.put(source.stream())
    content = assets.Content(stored.sha256, stored.size, content.file_name, content.media_type, content.kind)
    wanted = NewAsset(on_duplicate=OnDuplicate.REUSE, is_own_work=watch.hub.settings.hot_folder_own_work)
    with watch.hub.writing(watch.viewer) as work:
        created = assets.create(work, content, wanted)
        is_new = created.duplicate_of is None
    word = Word.NEW if is_new else Word.DUPLICATE
    return Outcome(file.path, word, content.byte_size, created.asset.id, created.asset.title, content.sha256)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone with the file, which still has its name; `_Elsewhere` otherwise."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _Elsewhere from None
        if not os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False)):
            raise _Elsewhere
        yield
    finally:
        os.close(descriptor)


def _move(root: Path, path: str, aside: str) -> Path:
    """Where it is now: in the same subfolder of `aside`, under a name that was free. A move that was interrupted
    between its two steps left the file under both names.
    """
    origin, wanted = root / path, root / aside / path
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in count():
        place = wanted if not number else wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        try:
            os.link(origin, place, follow_symlinks=False)
        except FileExistsError:
            if not os.path.samestat(origin.stat(), place.stat(follow_symlinks=False)):
                continue
        except OSError as error:
            if error.errno not in _NO_LINKS or place.exists():
                raise
            return origin.rename(place)
        origin.unlink()
        return place
    raise AssertionError


def _explain(place: Path, outcome: Outcome) -> None:
    place.with_name(f"{place.name}.reason.txt").write_text(f"{outcome.reason}: {outcome.sentence}\n")


def _refused(file: File, reason: str, sentence: str) -> Outcome:
    return Outcome(file.path, Word.REFUSED, file.byte_size, reason=reason, sentence=sentence)
