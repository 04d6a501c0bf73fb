"""A person's stay in one browser: a random secret in a cookie, kept here only as SHA-256.

Always true: it ends `IDLE` after it was last used and `LONGEST` after it began, whichever comes first, and at once when
it is ended or its person is shut out. Its secret works as a session's and as nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from domain import history
from domain.hub import Hub
from domain.identity import tokens, viewers
from domain.refusals import NotSignedIn
from domain.work import HUB, Viewer, Work
from storage.tables import PrincipalRow, Row, TokenRow

MARK = "ims_"
PURPOSE = "SESSION"
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
#: How long one that is over can still be looked up by whoever asks what happened, and how many are dropped at once.
KEPT = timedelta(days=30)
SWEPT_AT_ONCE = 2_000
#: How often it is written down that a token was used, at most.
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class NewSession:
    id: int
    principal_id: int
    #: For the cookie; it cannot be found out again.
    secret: str
    expires_at: datetime


def begin(work: Work, person: PrincipalRow, address: str | None) -> NewSession:
    """A new session of somebody who has shown who they are. `NotSignedIn` for one who is shut out."""
    if person.disabled_at is not None or person.kind != "PERSON":
        raise NotSignedIn("You cannot sign in here any more.")
    secret = MARK + secrets.token_urlsafe(32)
    until = work.now + LONGEST
    row = tokens.add_token(work, person, "session", secret, purpose=PURPOSE, expires_at=until)
    row.last_used_at = work.now
    history.record(as_person(work, person, address), "session.begun", ("Token", row.id))
    return NewSession(row.id, person.id, secret, until)


def viewer_of_session(hub: Hub, secret: str, address: str | None) -> Viewer:
    """Whose session this is. One that is unknown, over, ended or idle for too long reads the same."""
    with hub.reading(HUB) as work:
        used = work.session.execute(
            sa.select(TokenRow.created_at, TokenRow.last_used_at).where(
                TokenRow.digest == tokens.digest_of(secret), TokenRow.purpose == PURPOSE
            ),
        ).one_or_none()
        if used is None or max(each for each in used if each is not None) + IDLE <= work.now:
            raise _over()
    try:
        return tokens.viewer_of_token(hub, secret, address, purposes={PURPOSE})
    except NotSignedIn:
        raise _over() from None


def end(hub: Hub, secret: str, address: str | None) -> None:
    """The session works no more; one that does not anyway is left alone."""
    with hub.writing(HUB) as work:
        row = work.session.scalars(
            sa.select(TokenRow).where(
                TokenRow.digest == tokens.digest_of(secret), TokenRow.purpose == PURPOSE, TokenRow.revoked_at.is_(None)
            ),
        ).one_or_none()
        if row is not None:
            row.revoked_at = work.now
            person = work.session.get_one(PrincipalRow, row.principal_id)
            history.record(as_person(work, person, address), "session.ended", ("Token", row.id))


def end_all(work: Work, principal_id: int) -> None:
    """Wherever this person was signed in, they are no more."""
    work.session.execute(
        sa.update(TokenRow)
        .where(TokenRow.principal_id == principal_id, TokenRow.purpose == PURPOSE, TokenRow.revoked_at.is_(None))
        .values(revoked_at=work.now),
    )


def note_uses(work: Work, uses: Mapping[int, datetime]) -> None:
    """Writes down when tokens were last used, by their ids; never an earlier moment than stands there."""
    for id_, moment in sorted(uses.items()):
        unknown = sa.or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at < moment)
        work.session.execute(sa.update(TokenRow).where(TokenRow.id == id_, unknown).values(last_used_at=moment))


def forget(work: Work) -> int:
    """Drops sessions that were over `KEPT` ago, some thousands at most; how many. One that an event names, or anything
    else, stays: by it the record tells in which session something was done.
    """
    over = sa.or_(TokenRow.revoked_at < work.now - KEPT, TokenRow.expires_at < work.now - KEPT)
    unnamed = [sa.not_(sa.exists().where(column == TokenRow.id)) for column in _naming()]
    late = sa.select(TokenRow.id).where(TokenRow.purpose == PURPOSE, over, *unnamed).order_by(TokenRow.id)
    gone = sa.delete(TokenRow).where(TokenRow.id.in_(late.limit(SWEPT_AT_ONCE))).returning(TokenRow.id)
    return len(work.session.execute(gone).all())


def as_person(work: Work, person: PrincipalRow, address: str | None) -> Work:
    """The same unit of work, done by this person: what it records says so."""
    origin = None if address is None else tokens.origin_of(work, address)
    return replace(work, viewer=viewers.viewer_of(work, person, origin=origin))


def _naming() -> list[sa.Column[int | None]]:
    """Every column anywhere that may name a token."""
    keys = (key for table in Row.metadata.sorted_tables for key in table.foreign_keys)
    aliased = sa.inspect(TokenRow).local_table
    return [key.parent for key in keys if key.column.table is aliased and key.parent.table is not aliased]


def _over() -> NotSignedIn:
    return NotSignedIn("Your session is over: sign in again.")
