"""Keeping the index in step with the rows: applying what happened, and building it anew.

One process per index does this, holding its writer lock; the index is disposable, the rows are the truth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from domain.hub import Hub
from domain.search import faces
from domain.search.documents import DOCUMENTS_AT_ONCE, documents, every_document
from domain.work import HUB, Work
from storage import events
from storage.glances import Glance
from storage.index.contract import (
    Document,
    NotLeading,
    Put,
    Remove,
)
from storage.tables import AssetFieldRow, AssetTagRow, CustomFieldRow, EventRow

#: Events read at once while catching up.
BATCH = 500
#: Events that change nothing the index knows of, and are many: they alone do not move its checkpoint.
UNSEARCHED = frozenset({"delivery.served"})
#: Seconds for which events that change nothing the index knows of may wait to be numbered, so that many are at once.
PATIENCE = 1.0
#: How long a command waits for the indexer to have built the index anew, and how often it looks.
REBUILD_SECONDS = 6 * 3600.0
LOOK_SECONDS = 0.2


def lag_ms(work: Work) -> int:
    """Milliseconds for which the oldest change that the index does not know yet has been waiting; 0 when in step."""
    behind = (EventRow.seq.is_(None)) | (EventRow.seq > work.index.checkpoint())
    told = EventRow.type.not_in(UNSEARCHED)
    oldest = work.session.scalar(sa.select(sa.func.min(EventRow.occurred_at)).where(behind, told))
    return 0 if oldest is None else max(0, (work.now - oldest) // timedelta(milliseconds=1))


def catch_up(hub: Hub) -> int:
    """Applies the next batch of events to the index; how many there were. The caller holds the writer's lock."""
    return _step(hub)[0]


def _step(hub: Hub) -> tuple[int, int]:
    """How many events were applied, and up to where all was looked at."""
    if _WAITING.row(hub.database) != (None,):
        with hub.writing(HUB) as work:
            events.number(work.session, work.secret)
    with hub.reading(HUB) as work:
        known = hub.index.checkpoint()
        batch = events.after(work.session, known, BATCH)
        seq = (batch[-1].seq if batch else None) or known
        if len(batch) < BATCH and all(event.type in UNSEARCHED for event in batch):
            return 0, seq
        feed(work, sorted(_assets_changed(work, batch)))
        hub.index.apply((), seq)
    return len(batch), seq


@dataclass
class Watch:
    """For whoever catches up again and again: whether it is time to."""

    hub: Hub
    #: Everything up to here was looked at by this process.
    _seen: int = 0
    _looked_at: float = 0.0

    def catch_up(self) -> int:
        """Everything that happened until now; how many events were applied. Does nothing unless something happened that
        the index may have to know, or something else has waited for `PATIENCE` seconds to be numbered, or there is a
        whole batch of it.
        """
        total = 0
        while self._is_due():
            count, self._seen = _step(self.hub)
            self._looked_at = time.monotonic()
            total += count
        return total

    def _is_due(self) -> bool:
        last, waits, told = _NEWS.row(self.hub.database, seen=self._seen) or (None, None, None)
        is_late = waits is not None and time.monotonic() - self._looked_at >= PATIENCE
        return told is not None or is_late or (last or 0) - self.hub.index.checkpoint() >= BATCH


_TOLD: Final = EventRow.type.not_in(UNSEARCHED)
_FIRST_WAITING: Final = sa.select(EventRow.id).where(EventRow.seq.is_(None)).limit(1).scalar_subquery()
_WAITING: Final = Glance(sa.select(_FIRST_WAITING))
_NEWS: Final = Glance(
    sa.select(
        sa.select(sa.func.max(EventRow.seq)).scalar_subquery(),
        _FIRST_WAITING,
        sa.func.coalesce(
            sa.select(EventRow.id).where(EventRow.seq.is_(None), _TOLD).limit(1).scalar_subquery(),
            sa.select(EventRow.id).where(EventRow.seq > sa.bindparam("seen"), _TOLD).limit(1).scalar_subquery(),
        ),
    )
)


def feed(work: Work, asset_ids: Sequence[int]) -> None:
    """Tells the index what these assets are now, or that they are gone; its checkpoint stays where it is.

    Feeds `DOCUMENTS_AT_ONCE` at a time. The caller holds the writer's lock.
    """
    for start in range(0, len(asset_ids), DOCUMENTS_AT_ONCE):
        operations = _operations(work, asset_ids[start : start + DOCUMENTS_AT_ONCE])
        work.index.apply(operations, work.index.checkpoint())


def rebuild(hub: Hub, progress: Callable[[int], None] = lambda _: None, *, leading: bool = False) -> int:
    """Builds the index anew from the rows while the old one goes on answering; how many documents it holds.

    Takes the writer's lock, unless the caller leads already; `NotLeading` where another process does.
    """
    with hub.writing(HUB) as work:
        events.number(work.session, work.secret)
    count = 0

    def counted(documents: Iterator[Document]) -> Iterator[Document]:
        nonlocal count
        for document in documents:
            count += 1
            progress(count)
            yield document

    with hub.index.writer_lock() if not leading else nullcontext(), hub.reading(HUB) as work:
        hub.index.rebuild(counted(every_document(work)), events.last(work.session))
    return count


def is_astray(hub: Hub) -> bool:
    """Whether only building anew helps: another analyser made it, it is empty, or ahead of rows that were restored."""
    if hub.index.needs_rebuild or hub.index.checkpoint() == 0:
        return True
    with hub.reading(HUB) as work:
        return hub.index.checkpoint() > events.last(work.session)


def reindex(hub: Hub, progress: Callable[[int], None] = lambda _: None, patience: float = REBUILD_SECONDS) -> bool:
    """Has the index of this machine built anew, and returns when that is done; false where nobody did it in time.

    Where an indexer is at work it holds the index, so it is asked to do it; else it is done here.
    """
    try:
        rebuild(hub, progress)
    except NotLeading:
        asked = _asking_file(hub)
        asked.touch()
        deadline = time.monotonic() + patience
        while asked.exists():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
    return True


@contextmanager
def reindex_was_asked(hub: Hub) -> Iterator[bool]:
    """For the indexer: whether somebody waits for the index to be built anew; they are told when the block ends."""
    asked = _asking_file(hub)
    found = asked.exists()
    yield found
    if found:
        asked.unlink(missing_ok=True)


def _asking_file(hub: Hub) -> Path:
    """On this machine, like the index itself."""
    return hub.settings.data_dir / "reindex-asked"


def _assets_changed(work: Work, batch: Sequence[EventRow]) -> set[int]:
    changed = {event.subject_id for event in batch if event.subject_type == "Asset"}
    for event in batch:
        if event.type == "lightbox.assets_changed":
            changed.update(event.payload.get("added", ()), event.payload.get("removed", ()))
    tags = {event.subject_id for event in batch if event.type in {"tag.updated", "tag.merged"}}
    if tags:
        changed |= set(work.session.scalars(sa.select(AssetTagRow.asset_id).where(AssetTagRow.tag_id.in_(tags))))
    return changed | _assets_saying(work, batch)


def _assets_saying(work: Work, batch: Sequence[EventRow]) -> set[int]:
    """Those of which a field says something that was changed, or is called otherwise by now."""
    fields = {event.subject_id for event in batch if event.type in {"custom_field.archived", "custom_field.restored"}}
    vocabularies = {event.subject_id for event in batch if event.type == "vocabulary.updated"}
    if vocabularies:
        choosing = sa.select(CustomFieldRow.id).where(CustomFieldRow.vocabulary_id.in_(vocabularies))
        fields |= set(work.session.scalars(choosing))
    if not fields:
        return set()
    return set(work.session.scalars(sa.select(AssetFieldRow.asset_id).where(AssetFieldRow.field_id.in_(fields))))


def _operations(work: Work, asset_ids: Sequence[int]) -> list[Put | Remove]:
    """All that the index is to hold of these assets: a face they do not have goes."""
    found = documents(work, asset_ids)
    work.session.expunge_all()  # a tag on everything changes everything
    operations: list[Put | Remove] = []
    for asset_id in asset_ids:
        both = (faces.draft_id(asset_id), faces.public_id(asset_id))
        told = {document.id: Put(document) for document in found.get(asset_id, ())}
        operations += [told.get(id_, Remove(id_)) for id_ in both]
    return operations
