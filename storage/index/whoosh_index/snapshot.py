"""What one process sees of an index at one moment, and how it catches up.

Always true here:
- A snapshot never changes; searches that began on it end on it.
- Catching up opens only segments not seen before; a batch of removals costs a copy of one bit per document.
- The sidecar is asked before every search (one pragma, microseconds): what was committed is seen.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from pysqlite3 import dbapi2 as sqlite

from storage.index.contract import Access, Door, NeedsRebuild, Term
from storage.index.home import Home
from storage.index.whoosh_index import segment as segments
from storage.index.whoosh_index import sidecar
from storage.index.whoosh_index.columns import Array, Columns
from storage.index.whoosh_index.segment import Mask, Segment

#: Viewers whose visible documents are kept as masks: one byte per document each.
_VIEWERS: Final = 64
#: A reader may lose this many races against sweeping writers before it gives up.
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Share:
    """A segment and which of its documents are alive."""

    segment: Segment
    alive: Mask


class Visible(NamedTuple):
    """What one viewer sees: a mask per share, how many documents, and the words in one of them on average."""

    masks: list[Mask]
    documents: int
    average_length: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    seq: int = 0
    change: int = -1
    shares: tuple[Share, ...] = ()
    _visible: "OrderedDict[Access, Visible]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def visible(self, access: Access) -> "Visible":
        """Which documents the doors let a viewer see. Not to be written to."""
        with self._lock:
            known = self._visible.get(access)
            if known is None:
                known = self._visible[access] = _counted(self.shares, access)
                if len(self._visible) > _VIEWERS:
                    self._visible.popitem(last=False)
            return known

    def revisions(self, after_id: int, limit: int) -> list[tuple[int, int]]:
        """Id and revision of the first `limit` living documents beyond that id, in order of id."""
        found = [_revisions(share, after_id) for share in self.shares]
        if not found:
            return []
        ids, revisions = (np.concatenate(some) for some in zip(*found, strict=True))
        first = np.argsort(ids)[:limit]
        return list(zip(ids[first].tolist(), revisions[first].tolist(), strict=True))


class Live:
    """The newest snapshot, for all threads of this process."""

    def __init__(self, home: Home, fingerprint: str) -> None:
        self._home = home
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._reader: sidecar.Reader | None = None
        self._version = -1
        self._snapshot = Snapshot()

    def snapshot(self) -> Snapshot:
        """What holds now; raises NeedsRebuild when the directory was filled otherwise."""
        with self._lock:
            for tries_left in reversed(range(_TRIES)):
                try:
                    return self._newest()
                except (FileNotFoundError, sqlite.OperationalError):
                    # A writer merged or switched between our reading of the list and our opening of its
                    # files.
                    self._forget()
                    if not tries_left:
                        raise
        raise AssertionError

    def texts(self, ids: list[int]) -> dict[int, bytes]:
        """The newest texts of these assets, as they were put."""
        with self._lock:
            return self._reader.texts(ids) if self._reader and ids else {}

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _newest(self) -> Snapshot:
        generation = self._home.current()
        if generation is None:
            return Snapshot()
        if generation.fingerprint != self._fingerprint:
            raise NeedsRebuild("This search index was made by another analyser or schema; rebuild it.")
        if self._reader is None or self._path != generation.path:
            self._forget()
            self._path, self._reader = generation.path, sidecar.Reader(generation.path)
        version = self._reader.version()
        if version != self._version:
            self._snapshot = _caught_up(self._snapshot, generation.path, self._reader)
            self._version = version
        return self._snapshot

    def _forget(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._path, self._reader, self._version, self._snapshot = None, None, -1, Snapshot()


def _caught_up(old: Snapshot, directory: Path, reader: sidecar.Reader) -> Snapshot:
    state = reader.state(old.change)
    known = {share.segment.name: share for share in old.shares}
    dead: dict[str, list[int]] = {}
    for name, document in state.dead:
        dead.setdefault(name, []).append(document)
    shares = tuple(_share(known.get(name), directory, name, dead.get(name, [])) for name in state.segments)
    return Snapshot(state.seq, state.change, shares)


def _share(known: Share | None, directory: Path, name: str, dead: list[int]) -> Share:
    if known is not None and not dead:
        return known
    segment = known.segment if known else segments.open_segment(directory, name)
    alive = known.alive.copy() if known else np.ones(segment.documents, np.bool_)
    alive[dead] = False
    return Share(segment, alive)


def _revisions(share: Share, after_id: int) -> tuple[Array, Array]:
    table = share.segment.columns
    wanted = share.alive & (table["id"] > after_id)
    return table["id"][wanted], table["revision"][wanted]


def _counted(shares: tuple[Share, ...], access: Access) -> Visible:
    masks = [share.alive if access is None else _visible(share, access) for share in shares]
    documents = sum(int(np.count_nonzero(mask)) for mask in masks)
    pairs = zip(shares, masks, strict=True)
    length = sum(int(share.segment.columns["length"][mask].sum()) for share, mask in pairs)
    return Visible(masks, documents, max(length / documents, 1.0) if documents else 1.0)


def _visible(share: Share, doors: tuple[Door, ...]) -> Mask:
    carrying: dict[frozenset[Term], Mask] = {}
    for group in {group for door in doors for group in (*door.all_of, door.none_of)}:
        carrying[group] = _carrying(share.segment.columns, group)
    seen = np.zeros(share.segment.documents, np.bool_)
    for door in doors:
        let_in = share.alive & ~carrying[door.none_of]
        for group in door.all_of:
            let_in &= carrying[group]
        seen |= let_in
    return seen


def _carrying(table: Columns, terms: frozenset[Term]) -> Mask:
    """The documents with any of the terms."""
    names = table.names["access"]
    wanted = np.fromiter((name in terms for name in names), np.bool_, len(names))
    found = np.isin(table["id"], [term for term in terms if isinstance(term, int)])
    found[table["access_document"][wanted[table["access_value"]]]] = True
    return found
