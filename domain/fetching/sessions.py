"""Sessions: opening one, bringing uploads into it, asking for files from elsewhere, and looking at what became of them.

Whoever opened a session has it to themselves; for everybody else it does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain import asking, assets, history, identity, intake, taxonomy
from domain.assets import NewAsset
from domain.fetching import items, terms
from domain.fetching.messages import FetchLane, UnpackSession
from domain.fetching.terms import Brought, Terms
from domain.pages import Key, Paging, Slice, read_slice, sliced
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import MAX_TITLE, line, tidy_line
from domain.work import Work
from storage.tables import UploadItemRow, UploadSessionRow

#: Sessions of one principal that are open or running.
MOST_AT_ONCE: Final = 100
#: Uploads, or addresses, that are named at once.
MOST_NAMED: Final = 100
#: Files of one session.
MOST_ITEMS: Final = 10_000
ACTIVE: Final = ("OPEN", "RUNNING")
MAX_PREFIX: Final = 1_000
MAX_ADDRESS: Final = 2_000


@dataclass(frozen=True)
class Counts:
    waiting: int = 0
    created: int = 0
    duplicates: int = 0
    refused: int = 0


def open_(work: Work, given: Terms) -> UploadSessionRow:
    """A session that takes uploads until it is closed. Needs ASSET_CREATE somewhere; not for guests."""
    return _opened(work, given, "UPLOADS", "OPEN")


def add(work: Work, session_id: int, brought: Sequence[Brought]) -> UploadSessionRow:
    """Makes assets of finished uploads, at most 100 at once, each with an outcome of its own. An upload that was taken
    is left as it is; one that was refused is tried again, with what is said of it now. `Conflict` unless the session is
    OPEN, or with too many files in it.
    """
    check_some(brought, ("uploads",))
    row = _held(work, session_id)
    if row.state != "OPEN":
        raise Conflict(f"This session is {row.state}: it takes no more uploads.", ("session",))
    there = _named(work, row, brought)
    wanted = {each.upload_id: each for each in brought}
    fresh = [each for each in wanted.values() if each.upload_id not in there]
    names = {each.upload_id: intake.completed(work, each.upload_id).file_name for each in fresh}
    for place, each in enumerate(fresh, _room(work, row, len(fresh))):
        there[each.upload_id] = items.new(work, row, place, names[each.upload_id], address=each.upload_id)
    common = terms.kept(row)
    for each in wanted.values():
        item = there[each.upload_id]
        if item.state in {"WAITING", "REFUSED"}:
            item.title = None if each.title is None else tidy_line(each.title)[:MAX_TITLE]
            _take(work, row, item, common, each)
    return row


def close(work: Work, session_id: int) -> UploadSessionRow:
    """Nothing more comes. `Conflict` unless it is OPEN."""
    row = _held(work, session_id)
    if row.state != "OPEN":
        raise Conflict(f"This session is {row.state}: there is nothing to close.", ("session",))
    items.end(work, row, "DONE")
    return row


def cancel(work: Work, session_id: int) -> UploadSessionRow:
    """Gives up what still waits; what was brought stays. `Conflict` where it is over."""
    row = _held(work, session_id)
    if row.state not in ACTIVE:
        raise Conflict(f"This session is {row.state}: there is nothing to cancel.", ("session",))
    items.end(work, row, "CANCELLED")
    return row


def from_addresses(work: Work, given: Terms, addresses: Sequence[str]) -> UploadSessionRow:
    """Has these addresses fetched, at most 100, each with an outcome of its own."""
    check_some(addresses, ("addresses",))
    if any(len(each) > MAX_ADDRESS or not each.isprintable() for each in addresses):
        raise Invalid(f"An address has at most {MAX_ADDRESS:,} printable characters.", ("addresses",), "format")
    row = _opened(work, given, "URLS", "RUNNING", is_listed=True)
    for number, address in enumerate(dict.fromkeys(addresses), 1):
        shown = address.partition("?")[0].partition("#")[0]
        items.new(work, row, number, shown.rpartition("@")[2] or "address", address=address)
    work.session.flush()
    asking.ask(work, FetchLane.of(row.id))
    return row


def from_zip(work: Work, given: Terms, upload_id: str) -> UploadSessionRow:
    """Has what is in a ZIP, a finished upload of the viewer's, brought file by file."""
    upload = intake.completed(work, upload_id)
    row = _opened(work, given, "ZIP", "RUNNING", sha256=upload.sha256)
    asking.ask(work, UnpackSession(row.id))
    return row


def from_bucket(work: Work, given: Terms, bucket: str, prefix: str = "") -> UploadSessionRow:
    """Has everything brought whose key begins with `prefix`. Needs BUCKET_IMPORT at the brand; the operator names the
    buckets.
    """
    identity.require_in_org(work, Permission.BUCKET_IMPORT)
    if bucket not in work.limits.buckets:
        raise NotFound("There is no bucket of this name.", ("bucket",))
    if len(prefix) > MAX_PREFIX or not (prefix.isprintable() or not prefix):
        raise Invalid(f"A prefix has at most {MAX_PREFIX:,} printable characters.", ("prefix",), "format")
    row = _opened(work, given, "BUCKET", "RUNNING", bucket=bucket, prefix=prefix)
    asking.ask(work, FetchLane.of(row.id))
    return row


def by_id(work: Work, ids: Iterable[int]) -> dict[int, UploadSessionRow]:
    return {row.id: row for row in work.session.scalars(_own(work).where(UploadSessionRow.id.in_(set(ids))))}


def page(work: Work, wanted: Paging) -> Slice[UploadSessionRow]:
    """The viewer's own, newest first."""
    return read_slice(work, _own(work), [Key(UploadSessionRow.id, True)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_own(work).subquery())) or 0


def counts(work: Work, session_ids: Iterable[int]) -> dict[int, Counts]:
    """Per session how its files fared."""
    wanted = set(session_ids)
    rows = sa.select(UploadItemRow.session_id, UploadItemRow.state, sa.func.count()).where(
        UploadItemRow.session_id.in_(wanted)
    )
    found: dict[int, dict[str, int]] = {session_id: {} for session_id in wanted}
    for session_id, state, number in work.session.execute(rows.group_by(UploadItemRow.session_id, UploadItemRow.state)):
        found[session_id][state] = number
    return {
        session_id: Counts(
            waiting=of.get("WAITING", 0),
            created=of.get("CREATED", 0),
            duplicates=of.get("DUPLICATE", 0),
            refused=of.get("REFUSED", 0),
        )
        for session_id, of in found.items()
    }


def items_of(work: Work, session_ids: Collection[int], wanted: Paging) -> dict[int, Slice[UploadItemRow]]:
    """One page of files per session in their order, in one statement whatever the number of sessions."""
    number = UploadItemRow.number
    rank = sa.func.row_number().over(
        partition_by=UploadItemRow.session_id, order_by=number.desc() if wanted.backwards else number.asc()
    )
    ranked = sa.select(UploadItemRow.id, rank.label("rank")).where(UploadItemRow.session_id.in_(set(session_ids)))
    if wanted.position is not None:
        beyond = wanted.position[0]
        ranked = ranked.where(number < beyond if wanted.backwards else number > beyond)
    inner = ranked.subquery()
    rows = (
        sa.select(UploadItemRow)
        .join(inner, inner.c.id == UploadItemRow.id)
        .where(inner.c.rank <= wanted.limit + 1)
        .order_by(UploadItemRow.session_id, inner.c.rank)
    )
    found: dict[int, list[UploadItemRow]] = {session_id: [] for session_id in session_ids}
    for row in work.session.scalars(rows):
        found[row.session_id].append(row)
    return {of: sliced(rows_of, [(row.number,) for row in rows_of], wanted) for of, rows_of in found.items()}


def item_counts(work: Work, session_ids: Iterable[int]) -> dict[int, int]:
    rows = sa.select(UploadItemRow.session_id, sa.func.count()).where(UploadItemRow.session_id.in_(set(session_ids)))
    return dict(work.session.execute(rows.group_by(UploadItemRow.session_id)).all())


def check_some(named: Sequence[object], path: tuple[str, ...]) -> None:
    """`Invalid` where none, or too many, are named at once."""
    if not 1 <= len(named) <= MOST_NAMED:
        raise Invalid(f"Name between 1 and {MOST_NAMED}.", path, "length")


def _own(work: Work) -> sa.Select[UploadSessionRow]:
    return sa.select(UploadSessionRow).where(UploadSessionRow.principal_id == work.viewer.principal_id)


def _opened(
    work: Work,
    given: Terms,
    source: str,
    state: str,
    *,
    is_listed: bool = False,
    sha256: str | None = None,
    bucket: str | None = None,
    prefix: str | None = None,
) -> UploadSessionRow:
    terms.check_may_bring(work)
    assert work.viewer.principal_id is not None, "a session is somebody's"
    under_way = _own(work).where(UploadSessionRow.state.in_(ACTIVE)).with_only_columns(sa.func.count())
    if (work.session.scalar(under_way) or 0) >= MOST_AT_ONCE:
        raise Conflict(f"{MOST_AT_ONCE} sessions of yours are under way: close or cancel one first.")
    common = terms.read(work, given)
    if given.tags:
        taxonomy.named(work, given.tags, ("terms", "tags"))
    row = UploadSessionRow(
        org_id=work.viewer.org_id,
        principal_id=work.viewer.principal_id,
        token_id=None if work.viewer.by_session else work.viewer.token_id,
        source=source,
        state=state,
        name=line(given.name, MAX_TITLE, ("terms", "name")),
        description=common.description,
        tags=list(common.tags),
        home_org_id=common.org_id,
        brand_id=common.brand_id,
        is_own_work=common.is_own_work,
        said=[each.plain() for each in common.said],
        words=common.words.plain(),
        requires_complete=given.requires_complete,
        sha256=sha256,
        bucket=bucket,
        prefix=prefix,
        is_listed=is_listed,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    history.record(work, "upload_session.opened", ("UploadSession", row.id), {"source": source}, org_id=row.org_id)
    return row


def _named(work: Work, row: UploadSessionRow, brought: Sequence[Brought]) -> dict[str, UploadItemRow]:
    """Items of the session by the upload they were made of, as far as they are named."""
    ids = [each.upload_id for each in brought if each.upload_id.isprintable()]  # PostgreSQL takes no NUL
    rows = sa.select(UploadItemRow).where(UploadItemRow.session_id == row.id, UploadItemRow.address.in_(ids))
    return {item.address or "": item for item in work.session.scalars(rows)}


def _take(work: Work, row: UploadSessionRow, item: UploadItemRow, common: NewAsset, each: Brought) -> None:
    def like() -> NewAsset:
        return terms.of_file(work, common, each)

    items.take(work, row, item, lambda: assets.of_upload(work, each.upload_id), like)


def _held(work: Work, session_id: int) -> UploadSessionRow:
    rows = _own(work).where(UploadSessionRow.id == session_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no upload session with this id.", ("session",))
    return row


def _room(work: Work, row: UploadSessionRow, count: int) -> int:
    """The number of the next item; `Conflict` where so many more would be too many."""
    last = sa.select(sa.func.max(UploadItemRow.number)).where(UploadItemRow.session_id == row.id)
    number = (work.session.scalar(last) or 0) + 1
    if number + count - 1 > MOST_ITEMS:
        raise Conflict(f"A session holds at most {MOST_ITEMS:,} files: open another one.", ("uploads",))
    return number
