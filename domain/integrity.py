"""Whether rows, bytes and the search index still agree, and whether the audit is whole.

Nothing is repaired and nothing is written. Batches are read in snapshots of their own, so that a check of a large hub
neither holds up writers nor needs much memory; what changed while it was looked at is looked at again before it is
reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

import sqlalchemy as sa

from domain import audit
from domain.hub import Hub
from domain.work import HUB
from storage import blobs, events
from storage.tables import AssetVersionRow, BlobRow, EventRow, RenditionRow

#: Rows or keys looked at in one snapshot.
BATCH = 500
#: How long an event may wait for the index before that is worth reporting.
PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True)
class Finding:
    """`kind` is a stable word, `subject` a digest or a name, `sentence` for whoever must act."""

    kind: str
    subject: str
    sentence: str


@dataclass
class Tally:
    """What was looked at so far."""

    blobs: int = 0
    bytes: int = 0
    keys: int = 0
    events: int = 0
    findings: int = field(default=0)


def check(hub: Hub, tally: Tally, *, deep: bool = False) -> Iterator[Finding]:
    """Everything that is not as it should be, as it is found; `deep` reads every byte again."""
    for source in (_blobs(hub, tally, deep=deep), _sizes(hub), _orphans(hub, tally), _audit(hub, tally), _index(hub)):
        for finding in source:
            tally.findings += 1
            yield finding


def _blobs(hub: Hub, tally: Tally, *, deep: bool) -> Iterator[Finding]:
    for sha256, byte_size in _rows(hub):
        tally.blobs += 1
        tally.bytes += byte_size
        size = hub.blobs.stat(sha256)
        if size is None:
            yield Finding("MISSING_BLOB", sha256, f"The bytes of {sha256} are gone: {_users(hub, sha256)}.")
        elif size != byte_size:
            yield Finding("WRONG_SIZE", sha256, f"{sha256} has {size:,} bytes where {byte_size:,} belong.")
        elif deep and not _is_intact(hub, sha256):
            yield Finding("DAMAGED_BLOB", sha256, f"The bytes of {sha256} are no longer those: {_users(hub, sha256)}.")


def _rows(hub: Hub) -> Iterator[tuple[str, int]]:
    last = ""
    while True:
        page = sa.select(BlobRow.sha256, BlobRow.byte_size).where(BlobRow.sha256 > last, BlobRow.state == "HERE")
        with hub.reading(HUB) as work:
            found = work.session.execute(page.order_by(BlobRow.sha256).limit(BATCH)).all()
        if not found:
            return
        yield from found
        last = found[-1][0]


def _is_intact(hub: Hub, sha256: str) -> bool:
    try:
        return hub.blobs.verify(sha256)
    except blobs.BlobMissing:
        return False


def _users(hub: Hub, sha256: str) -> str:
    """Who misses these bytes, in words."""
    with hub.reading(HUB) as work:
        versions, renditions = (
            work.session.scalar(sa.select(sa.func.count()).where(held)) or 0
            for held in (
                AssetVersionRow.sha256 == sha256,
                sa.or_(RenditionRow.sha256 == sha256, RenditionRow.marked_sha256 == sha256),
            )
        )
    return f"{versions} versions and {renditions} renditions hold them"


def _sizes(hub: Hub) -> Iterator[Finding]:
    """Versions and READY renditions that tell another size than the blob they point at."""
    for table, word in ((AssetVersionRow, "Version"), (RenditionRow, "Rendition")):
        lying = (
            sa.select(table.id, table.byte_size, BlobRow.byte_size)
            .join(BlobRow, BlobRow.sha256 == table.sha256)
            .where(sa.or_(table.byte_size.is_(None), table.byte_size != BlobRow.byte_size))
            .limit(BATCH)
        )
        with hub.reading(HUB) as work:
            found = work.session.execute(lying).all()
        for row_id, told, kept in found:
            sentence = f"{word} {row_id} tells a size of {told} bytes; its blob has {kept:,}."
            yield Finding("WRONG_RECORD", f"{word}:{row_id}", sentence)


def _orphans(hub: Hub, tally: Tally) -> Iterator[Finding]:
    """Bytes without a row: what a crash between storing and committing leaves. Harmless, but they take room."""
    keys = hub.blobs.keys()
    while batch := list(islice(keys, BATCH)):
        tally.keys += len(batch)
        for sha256 in _unknown(hub, batch):
            yield Finding(
                "ORPHAN", sha256, f"No row knows the stored bytes {sha256}; uploading them again adopts them."
            )


def _unknown(hub: Hub, keys: Sequence[str]) -> list[str]:
    with hub.reading(HUB) as work:
        known = set(work.session.scalars(sa.select(BlobRow.sha256).where(BlobRow.sha256.in_(keys))))
    return [key for key in keys if key not in known]


def _audit(hub: Hub, tally: Tally) -> Iterator[Finding]:
    """The first place in each organisation's chain of events that is not what was recorded."""

    def count(events: int) -> None:
        tally.events += events

    for broken in audit.check(hub, count):
        whose = "the hub" if broken.org_id is None else f"organisation {broken.org_id}"
        sentence = f"In the audit of {whose}: {broken.sentence}"
        yield Finding(f"AUDIT_{broken.fault.value}", f"{whose}:{broken.chain_seq}", sentence)


def _index(hub: Hub) -> Iterator[Finding]:
    if hub.index.needs_rebuild:
        yield Finding(
            "INDEX_OLD", "index", "The search index was made by another version: run `python -m server reindex`."
        )
        return
    reached = hub.index.checkpoint()
    waiting = sa.select(sa.func.min(EventRow.occurred_at)).where(sa.or_(EventRow.seq > reached, EventRow.seq.is_(None)))
    with hub.reading(HUB) as work:
        last, oldest = events.last(work.session), work.session.scalar(waiting)
    if reached > last:
        yield Finding(
            "INDEX_AHEAD",
            "index",
            f"The search index knows event {reached}, the database only {last}: run `python -m server reindex`.",
        )
    elif oldest is not None and hub.clock() - oldest > PATIENCE:
        yield Finding(
            "INDEX_BEHIND",
            "index",
            f"The search index stands at event {reached} of {last} and has waited since {oldest:%Y-%m-%d %H:%M} UTC: "
            "are the workers running?",
        )
