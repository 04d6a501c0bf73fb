"""The way in for a person who was named but has not come yet.

Always true:
- An invitation is a secret of 32 random bytes, shown once and kept as SHA-256. It works once, until it expires, and
  until a newer one of the same person is made.
- Whoever holds the secret becomes that person, and stays: so nobody can invite one who may do more than they may
  themselves, or for longer, nor with a token that ends or is for some networks only. An invitation is void as soon as
  its person holds more than whoever made it, or holds it longer, and with the token that it was made with.
- One that is unknown, used, expired, taken back or void reads the same.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa

from domain import history
from domain.hub import Hub
from domain.identity import bounds, passwords, policy, sessions, tokens, worth
from domain.identity.passwords import HASHING, Hashing
from domain.identity.sessions import NewSession
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.work import HUB, Work
from storage.tables import (
    CredentialRow,
    EventRow,
    ExternalIdentityRow,
    InvitationRow,
    OrganisationRow,
    PrincipalRow,
    TokenRow,
)

MAX_DAYS = 30
#: How long one that is over stands in the database, and how many are dropped at once.
KEPT = timedelta(days=30)
SWEPT_AT_ONCE = 2_000


@dataclass(frozen=True)
class Invited:
    """Whom an invitation is for."""

    name: str
    email: str | None
    organisation: str


def invite(work: Work, principal: PrincipalRow, days: int = 7) -> str:
    """A secret with which the person may come in once; `/auth/invite/{secret}` is the address to send them.

    Needs PEOPLE_MANAGE in the person's organisation, and to hold whatever they hold, as long. Earlier invitations of
    theirs end. For a person who has a password already it is the way to a new one.
    """
    policy.require_in_org(work, Permission.PEOPLE_MANAGE, principal.org_id)
    bounds.check_way_in(work, Permission.PEOPLE_MANAGE)
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"An invitation stands between 1 and {MAX_DAYS} days.", ("days",), "range")
    if principal.kind != "PERSON" or principal.disabled_at is not None:
        raise Conflict("Only a person who is not shut out can be invited.")
    if not worth.covers_throughout(work, principal.id):
        raise Conflict("This person may do more than you may, or longer: somebody who may as much has to invite them.")
    if work.viewer.principal_id is None:
        raise Conflict("Somebody has to stand behind an invitation.")
    close(work, principal)
    secret = secrets.token_urlsafe(32)
    row = InvitationRow(
        principal_id=principal.id,
        digest=tokens.digest_of(secret),
        created_at=work.now,
        created_by=work.viewer.principal_id,
        expires_at=work.now + timedelta(days=days),
    )
    work.session.add(row)
    work.session.flush()
    history.record(work, "person.invited", ("Principal", principal.id), org_id=principal.org_id)
    return secret


def revoke(work: Work, principal: PrincipalRow) -> None:
    """Invitations of the person that still stand do not work any more. Needs PEOPLE_MANAGE in their organisation."""
    policy.require_in_org(work, Permission.PEOPLE_MANAGE, principal.org_id)
    if close(work, principal):
        history.record(work, "invitation.revoked", ("Principal", principal.id), org_id=principal.org_id)


def close(work: Work, principal: PrincipalRow) -> int:
    """Ends the person's invitations, without asking who wants it; how many that were."""
    standing = sa.select(InvitationRow).where(InvitationRow.principal_id == principal.id, _standing())
    rows = list(work.session.scalars(standing))
    for row in rows:
        row.revoked_at = work.now
    return len(rows)


def look(hub: Hub, secret: str) -> Invited:
    """Whom the invitation is for; nothing changes. `NotFound` if it does not stand."""
    with hub.reading(HUB) as work:
        person = _of(work, secret)[1]
        organisation = work.session.get_one(OrganisationRow, person.org_id)
        return Invited(person.name, person.email, organisation.name)


def accept(hub: Hub, secret: str, password: str, address: str | None, hashing: Hashing = HASHING) -> NewSession:
    """The person comes in and has this password from now on. `NotFound` if the invitation does not stand; a password
    that is refused (`Invalid`) leaves it standing.
    """
    chosen = passwords.checked(password)
    look(hub, secret)  # before the costly part
    hashed = hashing.of(chosen)
    with hub.writing(HUB) as work:
        person = take(work, secret, address)
        passwords.keep(sessions.as_person(work, person, address), person, hashed)
        return sessions.begin(work, person, address)


def take(work: Work, secret: str, address: str | None) -> PrincipalRow:
    """Uses the invitation up, in this unit of work; whose it is. `NotFound` if it does not stand."""
    row, person = _of(work, secret, for_update=True)
    row.accepted_at = work.now
    close(work, person)
    as_person = sessions.as_person(work, person, address)
    history.record(as_person, "invitation.accepted", ("Principal", person.id), org_id=person.org_id)
    return person


def forget(work: Work) -> int:
    """Drops invitations that were over `KEPT` ago; how many. Not of somebody who has no other way in yet: by them it is
    known that they were invited, and whether they came.
    """
    before = work.now - KEPT
    over = (InvitationRow.accepted_at, InvitationRow.revoked_at, InvitationRow.expires_at)
    ways = [
        sa.exists().where(way.principal_id == InvitationRow.principal_id)
        for way in (CredentialRow, ExternalIdentityRow)
    ]
    late = sa.select(InvitationRow.id).where(sa.or_(*(each < before for each in over)), sa.or_(*ways))
    late = late.order_by(InvitationRow.id).limit(SWEPT_AT_ONCE)
    gone = sa.delete(InvitationRow).where(InvitationRow.id.in_(late)).returning(InvitationRow.id)
    return len(work.session.execute(gone).all())


def _of(work: Work, secret: str, *, for_update: bool = False) -> tuple[InvitationRow, PrincipalRow]:
    wanted = sa.select(InvitationRow).where(
        InvitationRow.digest == tokens.digest_of(secret), _standing(), InvitationRow.expires_at > work.now
    )
    row = work.session.scalars(wanted.with_for_update() if for_update else wanted).one_or_none()
    if row is None:
        raise _gone()
    person = work.session.get_one(PrincipalRow, row.principal_id)
    if person.disabled_at is not None or not _is_backed(work, row, person):
        raise _gone()
    return row, person


def _is_backed(work: Work, row: InvitationRow, person: PrincipalRow) -> bool:
    """Whether whoever made it could make it now, with the token that they made it with."""
    maker, _ = tokens.viewer_by(work, row.created_by, _made_with(work, person), lasting=True)
    may = maker.holdings.in_org(Permission.PEOPLE_MANAGE, person.org_id)
    return may and worth.covers_throughout(replace(work, viewer=maker), person.id)


def _made_with(work: Work, person: PrincipalRow) -> int | None:
    """The token that the person's newest invitation, the only one that stands, was made with; None in a session."""
    told = (
        sa.select(TokenRow.id)
        .select_from(EventRow)
        .outerjoin(TokenRow, sa.and_(TokenRow.id == EventRow.token_id, TokenRow.purpose != sessions.PURPOSE))
        .where(
            EventRow.subject_type == "Principal",
            EventRow.subject_id == person.id,
            EventRow.type == "person.invited",
        )
        .order_by(EventRow.id.desc())
    )
    return work.session.scalar(told.limit(1))


def _standing() -> sa.ColumnElement[bool]:
    return sa.and_(InvitationRow.accepted_at.is_(None), InvitationRow.revoked_at.is_(None))


def _gone() -> NotFound:
    return NotFound("This invitation does not work any more: ask for a new one.")
