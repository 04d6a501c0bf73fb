"""The files of a session: each is taken once, and says for good what became of it.

Always true here:
- The outcome stands in the transaction that made the asset. Whoever is killed before that leaves the file waiting.
- A refusal is of one file, never of the session; what keeps every further file out is raised.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain import assets, completeness, history, identity
from domain.assets import Content, NewAsset
from domain.permissions import Permission
from domain.refusals import DuplicateAsset, FileRefused, Refusal, StorageFull, StorageUnavailable
from domain.work import Viewer, Work
from storage.tables import TokenRow, UploadItemRow, UploadSessionRow

#: Times that fetching one file is begun.
MOST_ATTEMPTS: Final = 3
#: Longest name of a file that is kept, in characters.
MAX_NAME: Final = 1_000


@dataclass(frozen=True)
class Wanted:
    """A file that waits, as far as whoever fetches it needs to know."""

    id: int
    number: int
    name: str
    address: str | None


def new(
    work: Work,
    session: UploadSessionRow,
    number: int,
    name: str,
    *,
    address: str | None = None,
) -> UploadItemRow:
    row = UploadItemRow(
        session_id=session.id,
        number=number,
        name=name[:MAX_NAME],
        address=address,
        state="WAITING",
    )
    work.session.add(row)
    work.session.flush()
    return row


def take(
    work: Work,
    session: UploadSessionRow,
    item: UploadItemRow,
    content: Callable[[], Content],
    like: Callable[[], NewAsset],
) -> None:
    """Makes an asset of the file, `like` that, in the name of the viewer, or writes down why not."""
    try:
        with work.session.begin_nested():
            found = content()
            asset = assets.create(work, found, like()).asset
            made = asset.id
            if session.requires_complete:
                completeness.check(work, asset)
    except DuplicateAsset as known:
        _told(work, item, "DUPLICATE", asset_id=known.asset_id)
    except (StorageFull, StorageUnavailable):
        raise
    except Refusal as refused:
        refuse(work, item, refused.reason if isinstance(refused, FileRefused) else refused.code, refused.message)
    else:
        _told(work, item, "CREATED", asset_id=made, sha256=found.sha256, byte_size=found.byte_size)


def refuse(work: Work, item: UploadItemRow, reason: str, sentence: str) -> None:
    _told(work, item, "REFUSED", reason=reason, sentence=sentence)


def next_waiting(work: Work, session_id: int) -> Wanted | None:
    """The next file to be fetched, which counts as an attempt; None where none waits. One that was begun too often is
    refused.
    """
    while True:
        rows = sa.select(UploadItemRow).where(UploadItemRow.session_id == session_id, UploadItemRow.state == "WAITING")
        row = work.session.scalars(rows.order_by(UploadItemRow.number).limit(1).with_for_update()).one_or_none()
        if row is None:
            return None
        if row.attempts < MOST_ATTEMPTS:
            row.attempts += 1
            work.session.flush()
            return Wanted(row.id, row.number, row.name, row.address)
        refuse(work, row, "INTERRUPTED", "Fetching this file was interrupted again and again: it was given up.")


def waiting(work: Work, item_id: int) -> tuple[UploadSessionRow, UploadItemRow] | None:
    """The file and its session, locked; None where it waits no more, or the session is over."""
    found = sa.select(UploadItemRow.session_id).where(UploadItemRow.id == item_id)
    session = held(work, work.session.scalars(found).one())
    rows = sa.select(UploadItemRow).where(UploadItemRow.id == item_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one()
    return None if session is None or row.state != "WAITING" else (session, row)


def held(work: Work, session_id: int) -> UploadSessionRow | None:
    """The session, locked; None unless it is RUNNING."""
    rows = sa.select(UploadSessionRow).where(UploadSessionRow.id == session_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    return row if row is not None and row.state == "RUNNING" else None


def end(
    work: Work, session: UploadSessionRow, state: str, code: str | None = None, sentence: str | None = None
) -> None:
    """Nothing more comes: what waits is refused, and what was kept for the session is let go of."""
    waits = sa.select(UploadItemRow).where(UploadItemRow.session_id == session.id, UploadItemRow.state == "WAITING")
    for item in work.session.scalars(waits).all():
        refuse(work, item, "CANCELLED", "The session ended before this file was fetched.")
    session.state, session.failure_code, session.failure_message = state, code, sentence
    session.sha256, session.finished_at = None, work.now
    work.session.flush()
    story = {"state": state, **_tally(work, session.id)}
    history.record(work, "upload_session.finished", ("UploadSession", session.id), story, org_id=session.org_id)


def owner_of(work: Work, session: UploadSessionRow) -> Viewer | None:
    """Whoever opened it, with what they hold now; None where they may bring nothing any more. A token for some networks
    was shown from one of them.
    """
    token = None if session.token_id is None else work.session.get(TokenRow, session.token_id)
    networks = None if token is None else token.networks
    address = None if not networks else str(ipaddress.ip_network(networks[0]).network_address)
    try:
        viewer, _ = identity.viewer_by(work, session.principal_id, session.token_id, address, lasting=True)
    except Refusal:
        return None
    return viewer if viewer.holdings.anywhere(Permission.ASSET_CREATE) else None


def _told(work: Work, item: UploadItemRow, state: str, **outcome: int | str | None) -> None:
    item.state, item.finished_at = state, work.now
    item.reason = item.sentence = None  # of an earlier attempt
    if state != "WAITING" and item.address is not None and "://" in item.address:
        item.address = None
    for name, value in outcome.items():
        setattr(item, name, value)
    work.session.flush()


def _tally(work: Work, session_id: int) -> dict[str, int]:
    rows = sa.select(UploadItemRow.state, sa.func.count()).where(UploadItemRow.session_id == session_id)
    return {state.lower(): number for state, number in work.session.execute(rows.group_by(UploadItemRow.state))}
