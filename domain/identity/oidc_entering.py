"""Who of those that an identity provider vouches for may come in, and as whom.

Always true here:
- The pair of issuer and subject is who somebody is; it belongs to one person until it is taken from them. An e-mail
  address only helps to find a person who is not linked, and only one that the provider has verified.
- An address that passed to somebody else at the provider does not bring them in: whoever is linked to this issuer
  already is not linked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import sqlalchemy as sa

from domain import history, texts
from domain.hub import Hub
from domain.identity import invitations, sessions
from domain.identity.sessions import NewSession
from domain.refusals import NotSignedIn
from domain.work import BRAND_ORG_ID, HUB, Work
from storage.tables import ExternalIdentityRow, GrantRow, PrincipalRow, RoleRow

Newcomers = Literal["refuse", "viewer"]
NEWCOMERS_ROLE = "viewer"
LONGEST_NAME = 200

T = TypeVar("T")


@dataclass(frozen=True)
class External:
    """Somebody as their provider tells of them."""

    issuer: str
    subject: str
    name: str | None
    #: Only one that the provider has verified.
    email: str | None


def enter(hub: Hub, who: External, newcomers: Newcomers, address: str | None) -> NewSession:
    """A session of whoever this is. `NotSignedIn` for somebody unknown, unless newcomers are welcome."""

    def entered(work: Work) -> NewSession:
        person = _linked(work, who) or _known(work, who, address) or _newcomer(work, who, newcomers, address)
        return sessions.begin(work, person, address)

    return _twice(hub, entered)


def enter_invited(hub: Hub, who: External, secret: str, address: str | None) -> NewSession:
    """A session of the person whose invitation this is, who comes by this identity from now on.

    `NotFound` if the invitation does not stand, `NotSignedIn` if the identity is somebody else's already.
    """

    def entered(work: Work) -> NewSession:
        person = invitations.take(work, secret, address)
        linked = _linked(work, who)
        if linked is None:
            link(sessions.as_person(work, person, address), person, who.issuer, who.subject)
        elif linked.id != person.id:
            raise NotSignedIn("You are known here as somebody else: sign out at your provider, then follow the link.")
        return sessions.begin(work, person, address)

    return _twice(hub, entered)


def link(work: Work, person: PrincipalRow, issuer: str, subject: str) -> None:
    """From now on whoever the issuer knows as this subject is this person or service.

    The caller has made sure that it may be. `IntegrityError` if the pair is taken.
    """
    row = ExternalIdentityRow(principal_id=person.id, issuer=issuer, subject=subject, created_at=work.now)
    work.session.add(row)
    work.session.flush()
    history.record(work, "identity.linked", ("Principal", person.id), org_id=person.org_id)


def principal_of(work: Work, issuer: str, subject: str) -> PrincipalRow | None:
    """Whom the pair belongs to, shut out or not."""
    return work.session.scalars(_of_pair(issuer, subject)).one_or_none()


def _of_pair(issuer: str, subject: str) -> sa.Select[PrincipalRow]:
    mine = sa.select(PrincipalRow).join(ExternalIdentityRow, ExternalIdentityRow.principal_id == PrincipalRow.id)
    return mine.where(ExternalIdentityRow.issuer == issuer, ExternalIdentityRow.subject == subject)


def _linked(work: Work, who: External) -> PrincipalRow | None:
    """Whose the pair is, until the transaction ends: whoever takes it back waits, and ends the session begun here."""
    held = _of_pair(who.issuer, who.subject).with_for_update(of=ExternalIdentityRow, read=True)
    person = work.session.scalars(held).one_or_none()
    if person is not None and (person.disabled_at is not None or person.kind != "PERSON"):
        raise _unwelcome()
    return person


def _known(work: Work, who: External, address: str | None) -> PrincipalRow | None:
    """The person with this verified e-mail, linked from now on."""
    person = _of_email(work, who.email)
    if person is None:
        return None
    before = sa.select(ExternalIdentityRow.id).where(
        ExternalIdentityRow.principal_id == person.id, ExternalIdentityRow.issuer == who.issuer
    )
    if person.disabled_at is not None or person.kind != "PERSON" or work.session.scalar(before) is not None:
        raise _unwelcome()
    link(sessions.as_person(work, person, address), person, who.issuer, who.subject)
    invitations.close(work, person)
    return person


def _newcomer(work: Work, who: External, newcomers: Newcomers, address: str | None) -> PrincipalRow:
    if newcomers == "refuse":
        raise _unwelcome()
    person = PrincipalRow(
        org_id=BRAND_ORG_ID,
        kind="PERSON",
        name=texts.tidy_line(who.name or "")[:LONGEST_NAME] or "Newcomer",
        created_at=work.now,
        email=folded(who.email),
    )
    work.session.add(person)
    work.session.flush()
    role_id = work.session.scalar(sa.select(RoleRow.id).where(RoleRow.name == NEWCOMERS_ROLE))
    if role_id is not None:  # a brand that did away with the role lets newcomers in and shows them nothing
        scope = {"org_id": BRAND_ORG_ID, "scope": "ORGANISATION"}
        work.session.add(GrantRow(principal_id=person.id, role_id=role_id, created_at=work.now, **scope))
    history.record(work, "person.joined", ("Principal", person.id), org_id=person.org_id)
    link(sessions.as_person(work, person, address), person, who.issuer, who.subject)
    return person


def _of_email(work: Work, email: str | None) -> PrincipalRow | None:
    """Locked, so that of two who come with one address at once the second finds the first linked."""
    wanted = folded(email)
    if wanted is None:
        return None
    return work.session.scalars(
        sa.select(PrincipalRow).where(PrincipalRow.email == wanted).with_for_update()
    ).one_or_none()


def folded(email: str | None) -> str | None:
    """The address as rows hold it; None for one with letters beyond ASCII, which folding could turn into another's."""
    if email is None or not email.isascii() or "@" not in email:
        return None
    return texts.fold(email.strip()) or None


def _twice(hub: Hub, do: Callable[[Work], T]) -> T:
    """Once more if somebody came in by the same identity at the same moment: then they are found."""
    try:
        with hub.writing(HUB) as work:
            return do(work)
    except sa.exc.IntegrityError:
        with hub.writing(HUB) as work:
            return do(work)


def _unwelcome() -> NotSignedIn:
    return NotSignedIn("You are not known here: ask whoever looks after this hub for an invitation.")
