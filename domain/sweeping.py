"""Letting go of bytes that nobody points at: what a crash, an eviction or a purge leaves behind.

Nothing younger than the safety age goes, for whoever brought it may not have committed yet; bytes in the store without
a row are given one, and wait that long from then on. A dry run writes nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import sqlalchemy as sa

from domain import blobs, history
from domain.hub import Hub
from domain.refusals import Conflict
from domain.work import BRAND_ORG_ID, HUB
from storage.tables import BlobRow

#: A day outlasts any upload and any job.
SAFETY: Final = timedelta(days=1)
#: Rows or keys looked at in one snapshot.
BATCH: Final = blobs.MOST_AT_ONCE


@dataclass(frozen=True)
class Swept:
    """Bytes that are gone, or would be. `is_stray`: no row knew them, so their time only begins now."""

    sha256: str
    byte_size: int
    is_stray: bool = False


def sweep(
    hub: Hub, *, dry_run: bool = False, age: timedelta = SAFETY, tick: Callable[[], None] = lambda: None
) -> Iterator[Swept]:
    """Every orphan as it goes, or would go, strays among them; what went is recorded when the end is reached."""
    count = size = 0
    for source in (_strays(hub, tick, dry_run=dry_run), _orphans(hub, age, tick, dry_run=dry_run)):
        for found in source:
            if not found.is_stray:
                count, size = count + 1, size + found.byte_size
            yield found
    if count and not dry_run:
        with hub.writing(HUB) as work:
            story = {"blobs": count, "bytes": size}
            history.record(work, "blobs.swept", ("Organisation", BRAND_ORG_ID), story, org_id=BRAND_ORG_ID)


def release(hub: Hub, digests: Collection[str], tick: Callable[[], None] = lambda: None) -> list[str]:
    """Lets go of these bytes now, as far as nothing points at them; those that went."""
    gone = []
    for sha256 in sorted(digests):
        tick()
        if _let_go(hub, sha256, None):
            gone.append(sha256)
    return gone


def _strays(hub: Hub, tick: Callable[[], None], *, dry_run: bool) -> Iterator[Swept]:
    keys = hub.blobs.keys()
    while batch := list(islice(keys, BATCH)):
        tick()
        for sha256 in _unknown(hub, batch):
            size = hub.blobs.stat(sha256)
            if size is None:
                continue
            if dry_run or _known(hub, sha256, size):
                yield Swept(sha256, size, is_stray=True)


def _known(hub: Hub, sha256: str, size: int) -> bool:
    """Whether they have a row from now on: not where another sweep is removing the very same bytes."""
    try:
        with hub.writing(HUB) as work:
            blobs.keep(work, sha256, size)
    except Conflict:
        return False
    return True


def _orphans(hub: Hub, age: timedelta, tick: Callable[[], None], *, dry_run: bool) -> Iterator[Swept]:
    before, last = hub.clock() - age, ""
    while True:
        page = sa.select(BlobRow.sha256, BlobRow.byte_size, BlobRow.state).where(BlobRow.sha256 > last)
        aged = sa.or_(BlobRow.state == "GOING", sa.and_(BlobRow.state == "HERE", BlobRow.created_at <= before))
        with hub.reading(HUB) as work:
            rows = work.session.execute(page.where(aged).order_by(BlobRow.sha256).limit(BATCH)).all()
            free = blobs.unused(work, [row.sha256 for row in rows])
        if not rows:
            return
        last = rows[-1].sha256
        for row in rows:
            tick()
            if row.sha256 in free and (dry_run or _let_go(hub, row.sha256, before)):
                yield Swept(row.sha256, row.byte_size)


def _let_go(hub: Hub, sha256: str, before: datetime | None) -> bool:
    with hub.writing(HUB) as work:
        going = blobs.let_go(work, sha256, before)
    if not going:
        return False
    with hub.writing(HUB) as work:
        return blobs.remove(work, sha256)


def _unknown(hub: Hub, keys: Sequence[str]) -> list[str]:
    """Those without a row, and those that came again after their row said they were gone."""
    with hub.reading(HUB) as work:
        known = sa.select(BlobRow.sha256).where(BlobRow.sha256.in_(keys), BlobRow.state != "GONE")
        there = set(work.session.scalars(known))
    return [key for key in keys if key not in there]
