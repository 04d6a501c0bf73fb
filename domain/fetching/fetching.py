"""What workers do for sessions: list what there is, fetch the next file, and end what has nothing left.

Every step is a transaction of its own and may be done again: whoever is killed in between goes on where it was, and no
file is taken twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain import asking, egress
from domain.assets import Content
from domain.egress import Egress
from domain.fetching import addresses, arriving, items, terms, zips
from domain.fetching.items import Wanted
from domain.fetching.messages import LANES, FetchLane, UnpackSession
from domain.hub import Hub
from domain.refusals import FileRefused, NotAllowed
from domain.work import HUB, Work
from storage import blobs, buckets
from storage.tables import UploadItemRow, UploadSessionRow

Tick = Callable[[], None]
#: Keys of a bucket that are listed at once.
PAGE: Final = 500
#: Files of a session of a bucket: more are brought by prefixes.
MOST_KEYS: Final = 100_000
#: Sessions of one lane that are looked at in one turn.
TURN: Final = 100


@dataclass(frozen=True)
class Source:
    """Where the files of a session are, as it was when it was last looked at."""

    id: int
    kind: str
    bucket: str | None
    prefix: str
    position: str | None
    is_listed: bool
    sha256: str | None


def sessions_of(hub: Hub, lane: int) -> list[int]:
    """Sessions of the lane that wait for others' servers, oldest first."""
    rows = sa.select(UploadSessionRow.id).where(
        UploadSessionRow.state == "RUNNING",
        UploadSessionRow.source.in_(("URLS", "BUCKET")),
        UploadSessionRow.id % LANES == lane,
    )
    with hub.reading(HUB) as work:
        return list(work.session.scalars(rows.order_by(UploadSessionRow.id).limit(TURN)))


def fetch_next(hub: Hub, session_id: int, tick: Tick, way: Egress | None = None) -> None:
    """One step of a session: a file, or a page of the listing, or its end. By `way`; else by what the settings say."""
    with _ending(hub, session_id):
        source = _source(hub, session_id)
        if source is None:
            return
        bucket = None if source.bucket is None else _bucket(hub, source.bucket)
        wanted = _next(hub, session_id)
        if wanted is not None:
            out = way or egress.of_import_settings(hub.settings)
            _fetch(hub, wanted, lambda: _content(hub, wanted, bucket, out, tick))
        elif bucket is not None and not source.is_listed:
            _list(hub, source, bucket)
        else:
            _finish(hub, session_id)


def fetch_zip(hub: Hub, session_id: int, tick: Tick) -> None:
    """All that is in the ZIP of a session."""
    with _ending(hub, session_id):
        source = _source(hub, session_id)
        if source is None or source.sha256 is None:
            return
        size = hub.blobs.stat(source.sha256) or 0
        with hub.blobs.open(source.sha256) as stream:
            archive = zips.Archive(stream, size)
            entries = dict(enumerate(archive.entries(), 1))
            if not source.is_listed:
                _write_entries(hub, session_id, list(entries.values()))
            tick()
            while (wanted := _next(hub, session_id)) is not None:
                entry, most = entries[wanted.number], hub.settings.max_upload_bytes
                pieces = archive.pieces(entry.place)
                _fetch(hub, wanted, lambda: arriving.bring(hub.blobs, pieces, entry.file_name, most, tick))  # noqa: B023  # called at once
                tick()
        _finish(hub, session_id)


def lanes_to_ask(work: Work) -> None:
    """Asks again for whatever still waits, should its job have died."""
    rows = sa.select(UploadSessionRow.id, UploadSessionRow.source).where(UploadSessionRow.state == "RUNNING")
    for session_id, source in work.session.execute(rows.order_by(UploadSessionRow.id)):
        asking.ask(work, UnpackSession(session_id) if source == "ZIP" else FetchLane.of(session_id))


def _source(hub: Hub, session_id: int) -> Source | None:
    with hub.reading(HUB) as work:
        row = work.session.get(UploadSessionRow, session_id)
        if row is None or row.state != "RUNNING":
            return None
        return Source(row.id, row.source, row.bucket, row.prefix or "", row.position, row.is_listed, row.sha256)


def _next(hub: Hub, session_id: int) -> Wanted | None:
    with hub.writing(HUB) as work:
        return None if items.held(work, session_id) is None else items.next_waiting(work, session_id)


def _fetch(hub: Hub, wanted: Wanted, content: Callable[[], Content]) -> None:
    """The bytes outside every transaction, their asset and the outcome in one, with the rights of whoever asked."""
    try:
        found = content()
    except FileRefused as refused:
        _refuse(hub, wanted.id, refused)
        return
    except BaseException:  # no fault of this file's: only whoever is killed spends an attempt
        _give_back(hub, wanted.id)
        raise
    with hub.writing(HUB) as work:
        session = work.session.get_one(UploadSessionRow, _session_of(work, wanted.id))
        owner = items.owner_of(work, session)
    if owner is None:
        raise NotAllowed("Whoever opened this session may bring nothing any more.", "asset.create")
    with hub.writing(owner) as work:
        held = items.waiting(work, wanted.id)
        if held is not None:
            items.take(work, *held, lambda: found, lambda: terms.kept(held[0]))


def _give_back(hub: Hub, item_id: int) -> None:
    with hub.writing(HUB) as work:
        held = items.waiting(work, item_id)
        if held is not None:
            held[1].attempts -= 1


def _refuse(hub: Hub, item_id: int, refused: FileRefused) -> None:
    with hub.writing(HUB) as work:
        held = items.waiting(work, item_id)
        if held is not None:
            items.refuse(work, held[1], refused.reason, refused.message)


def _content(hub: Hub, wanted: Wanted, bucket: buckets.Bucket | None, way: Egress, tick: Tick) -> Content:
    most = hub.settings.max_upload_bytes
    if bucket is None:
        return addresses.fetch(way, hub.blobs, wanted.address or "", most, tick)
    name = wanted.name.rpartition("/")[2] or wanted.name
    try:
        return arriving.bring(hub.blobs, bucket.pieces(wanted.address or wanted.name), name, most, tick)
    except blobs.BlobMissing:
        raise FileRefused("It was gone before it could be fetched.", "GONE") from None


def _list(hub: Hub, source: Source, bucket: buckets.Bucket) -> None:
    """The next page of keys becomes items, and the place behind it is remembered, in one transaction."""
    found = bucket.listed(source.prefix, source.position, PAGE)
    with hub.writing(HUB) as work:
        row = items.held(work, source.id)
        if row is None or row.position != source.position or row.is_listed:
            return
        number = _last_number(work, source.id)
        if number + len(found) > MOST_KEYS:
            raise FileRefused(f"There are more than {MOST_KEYS:,} files: name a longer prefix.", "TOO_MANY")
        for place, each in enumerate(found, number + 1):
            if not each.key.endswith("/"):
                items.new(work, row, place, each.key, address=each.key)
        row.position = found[-1].key if found else row.position
        row.is_listed = len(found) < PAGE


def _write_entries(hub: Hub, session_id: int, entries: list[zips.Entry]) -> None:
    with hub.writing(HUB) as work:
        row = items.held(work, session_id)
        if row is None or row.is_listed:
            return
        for number, entry in enumerate(entries, 1):
            item = items.new(work, row, number, entry.path)
            if entry.reason is not None:
                items.refuse(work, item, entry.reason, entry.sentence or "")
        row.is_listed = True


def _finish(hub: Hub, session_id: int) -> None:
    with hub.writing(HUB) as work:
        row = items.held(work, session_id)
        waits = sa.select(UploadItemRow.id).where(
            UploadItemRow.session_id == session_id, UploadItemRow.state == "WAITING"
        )
        if row is not None and row.is_listed and work.session.scalar(waits.limit(1)) is None:
            items.end(work, row, "DONE")


def _bucket(hub: Hub, name: str) -> buckets.Bucket:
    url = hub.settings.buckets.get(name)
    if url is None:
        raise FileRefused("The operator has taken this bucket away.", "NO_BUCKET")
    return buckets.from_url(url)


@contextmanager
def _ending(hub: Hub, session_id: int) -> Iterator[None]:
    """What keeps every further file of the session out ends it, with its reason."""
    try:
        yield
    except FileRefused as refused:
        _fail(hub, session_id, refused.reason, refused.message)
    except NotAllowed as refused:
        _fail(hub, session_id, refused.code, refused.message)


def _fail(hub: Hub, session_id: int, code: str, sentence: str) -> None:
    with hub.writing(HUB) as work:
        row = items.held(work, session_id)
        if row is not None:
            items.end(work, row, "FAILED", code, sentence)


def _session_of(work: Work, item_id: int) -> int:
    return work.session.scalars(sa.select(UploadItemRow.session_id).where(UploadItemRow.id == item_id)).one()


def _last_number(work: Work, session_id: int) -> int:
    last = sa.select(sa.func.max(UploadItemRow.number)).where(UploadItemRow.session_id == session_id)
    return work.session.scalar(last) or 0
