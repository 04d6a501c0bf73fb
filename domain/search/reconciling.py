"""Comparing what the index holds with the rows, and mending what differs without any event that would tell of it.

Always true here:
- The rows are only read. The index is fed `DOCUMENTS_AT_ONCE` at a time, at the checkpoint it stands at.
- An asset whose events the index has not been told of yet is left to `catch_up`: it differs, but nothing is wrong.
- Compared are which faces an asset has, and its revisions. What changes in a document without that (the spelling of a
  tag, the lightboxes and organisations that open it) is told by events alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlalchemy as sa

from domain.hub import Hub
from domain.search import faces
from domain.search.documents import DOCUMENTS_AT_ONCE, revisions
from domain.search.feeding import feed
from domain.work import HUB, Work
from storage.tables import EventRow

#: Assets, and documents, compared at once: at least two, for an asset may have two.
COMPARED_AT_ONCE = 5_000

Wrong: TypeAlias = Literal["unknown", "missing", "outdated"]


@dataclass(frozen=True)
class Reconciled:
    """How many assets were compared, and how many of them the index held although the rows do not know them
    (`unknown`: removed), lacked (`missing`: fed) or held otherwise (`outdated`: fed again).

    Not `complete` when it was ended before the last asset.
    """

    compared: int
    unknown: int
    missing: int
    outdated: int
    complete: bool

    @property
    def mended(self) -> int:
        return self.unknown + self.missing + self.outdated


def reconcile(hub: Hub, keep_on: Callable[[], bool] = lambda: True) -> Reconciled:
    """Compares all of the index with the rows and mends it; the caller holds the writer's lock.

    `keep_on` is asked before each batch, outside any transaction: there the caller may catch up with what has happened
    meanwhile, or end it by answering false.
    """
    counts: Counter[str] = Counter()
    batches = _batches(hub)
    complete = False
    while not complete and keep_on():
        batch = next(batches, None)
        counts.update(batch or {})
        complete = batch is None
    return Reconciled(counts["compared"], counts["unknown"], counts["missing"], counts["outdated"], complete)


@dataclass(frozen=True)
class _Stretch:
    """A run of ids: how many assets stand in it, what is wrong with which, and its last id, None where it is open."""

    compared: int
    wrong: list[tuple[int, Wrong]]
    upto: int | None


def _batches(hub: Hub) -> Iterator[Counter[str]]:
    """Compares a stretch or mends a part of one whenever it is asked for the next; what that came to."""
    upto: int | None = 0
    while upto is not None:
        stretch = _compared(hub, upto)
        yield Counter(compared=stretch.compared)
        for start in range(0, len(stretch.wrong), DOCUMENTS_AT_ONCE):
            some = stretch.wrong[start : start + DOCUMENTS_AT_ONCE]
            with hub.reading(HUB) as work:
                feed(work, [asset_id for asset_id, _ in some])
            yield Counter(wrong for _, wrong in some)
        upto = stretch.upto


def _compared(hub: Hub, after_id: int) -> _Stretch:
    with hub.reading(HUB) as work:
        known = revisions(work, after_id, COMPARED_AT_ONCE)
        held = work.index.revisions(faces.public_id(after_id), COMPARED_AT_ONCE)
        full = [max(known)] if len(known) == COMPARED_AT_ONCE else []
        if len(held) == COMPARED_AT_ONCE:
            full.append(faces.asset_of(held[-1][0] + 1) - 1)  # the last of which no further face can follow
        upto = min(full, default=None)
        left = _on_their_way(work, after_id, upto)
    indexed: dict[int, dict[int, int]] = defaultdict(dict)
    for document_id, revision in held:
        indexed[faces.asset_of(document_id)][document_id] = revision
    every = sorted(id_ for id_ in known.keys() | indexed.keys() if upto is None or id_ <= upto)
    differing = [asset_id for asset_id in every if known.get(asset_id) != indexed.get(asset_id)]
    wrong = [(asset_id, _wrong(asset_id, known, indexed)) for asset_id in differing if asset_id not in left]
    return _Stretch(len(every), wrong, upto)


def _on_their_way(work: Work, after_id: int, upto: int | None) -> set[int]:
    """The assets of which something has happened that the index has not been told."""
    untold = sa.or_(EventRow.seq.is_(None), EventRow.seq > work.index.checkpoint())
    changed = sa.select(EventRow.subject_id).where(untold, EventRow.subject_type == "Asset")
    within = changed.where(EventRow.subject_id > after_id)
    return set(work.session.scalars(within if upto is None else within.where(EventRow.subject_id <= upto)))


def _wrong(asset_id: int, known: Mapping[int, object], indexed: Mapping[int, object]) -> Wrong:
    if asset_id not in known:
        return "unknown"
    return "outdated" if asset_id in indexed else "missing"
