"""Naming people and service accounts, and shutting them out.

Whoever is shut out is out at once: their tokens, sessions and invitations end in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain import authority, grants, history, organisations
from domain.identity import invitations
from domain.people import addresses, listing
from domain.permissions import Permission
from domain.refusals import Conflict, NotFound, Refusal, StaleRevision
from domain.texts import line
from domain.work import Work
from storage.tables import OrganisationRow, PrincipalRow, TokenRow

MAX_NAME = 200
INVITATION_DAYS = 7
ACTIONS: Final = ("UPDATE", "DISABLE", "ENABLE")


@dataclass(frozen=True)
class Invited:
    """`url` lets the person in once; it cannot be found out again."""

    person: PrincipalRow
    url: str


def invite(
    work: Work, email: str, name: str, org_id: int, *, role_id: int | None = None, days: int = INVITATION_DAYS
) -> Invited:
    """A person who may come in by the address, with the role in their organisation if one is given.

    `Conflict` where the e-mail address belongs to somebody in the hub already.
    """
    work = authority.in_turn(work)
    org = organisations.held_for(work, "INVITE", org_id, ("organisation",))
    address = addresses.folded(email)
    spelled = line(name, MAX_NAME, ("name",))
    _check_address(work, address)
    row = _made(work, org, "PERSON", spelled, address)
    invited = _invited(work, row, days)
    _give(work, row, role_id)
    return invited


def invite_again(work: Work, principal_id: int, days: int = INVITATION_DAYS) -> Invited:
    """A new address for a person who lost theirs, or their password; earlier ones end."""
    work = authority.in_turn(work)
    row = listing.persons_by_id(work, [principal_id]).get(principal_id)
    if row is None:
        raise NotFound("There is nobody with this id.", ("person",))
    authority.check_manages(work, [row])
    return _invited(work, row, days)


def create_service_account(work: Work, name: str, org_id: int, *, role_id: int | None = None) -> PrincipalRow:
    """Somebody who is no person: it acts by tokens that are made for it."""
    work = authority.in_turn(work)
    org = organisations.held_for(work, "ADD_SERVICE_ACCOUNT", org_id, ("organisation",))
    row = _made(work, org, "SERVICE", line(name, MAX_NAME, ("name",)), None)
    _give(work, row, role_id)
    return row


def rename(work: Work, principal_id: int, name: str, expected_revision: int) -> PrincipalRow:
    work = authority.in_turn(work)
    row = _held(work, principal_id, expected_revision, "UPDATE")
    row.name = line(name, MAX_NAME, ("name",))
    return _touched(work, row, "principal.updated")


def disable(work: Work, principal_id: int, expected_revision: int) -> PrincipalRow:
    """Ends everything they came in by. What they were granted waits for them."""
    work = authority.in_turn(work)
    row = _held(work, principal_id, expected_revision, "DISABLE")
    if row.kind == "PERSON":
        invitations.revoke(work, row)
    row.disabled_at = work.now
    work.session.flush()
    authority.check_administered(work, ("principal",))
    standing = sa.select(TokenRow).where(TokenRow.principal_id == row.id, TokenRow.revoked_at.is_(None))
    for token in work.session.scalars(standing.order_by(TokenRow.id)):
        token.revoked_at = work.now
        history.record(work, "token.revoked", ("Token", token.id), org_id=row.org_id)
    return _touched(work, row, "principal.disabled")


def enable(work: Work, principal_id: int, expected_revision: int) -> PrincipalRow:
    """Lets them in again, with a password or a provider they had; tokens and sessions stay ended."""
    work = authority.in_turn(work)
    row = _held(work, principal_id, expected_revision, "ENABLE")
    organisations.living(work, row.org_id, ("principal",))
    row.disabled_at = None
    return _touched(work, row, "principal.enabled")


def held(work: Work, principal_id: int) -> PrincipalRow:
    """The principal, held until the transaction ends. Refused: unknown, not the viewer's to manage."""
    if principal_id not in listing.by_id(work, [principal_id]):
        raise NotFound("There is nobody with this id.", ("principal",))
    locked = sa.select(PrincipalRow).where(PrincipalRow.id == principal_id).with_for_update(key_share=True)
    row = work.session.scalars(locked.execution_options(populate_existing=True)).one()
    authority.check_manages(work, [row])
    return row


def viewer_can(work: Work, rows: Iterable[PrincipalRow]) -> dict[int, list[str]]:
    """Per principal the actions of `ACTIONS` that would not be refused now, in a few statements for all."""
    kept = list(rows)
    managed = [row.id for row in kept if work.viewer.holdings.in_org(Permission.PEOPLE_MANAGE, row.org_id)]
    if not managed:
        return {row.id: [] for row in kept}
    beyond = authority.beyond(work, managed)
    closed = _closed(work, {row.org_id for row in kept})
    last = authority.administrators(work, 2)
    return {
        row.id: [
            action
            for action in ACTIONS
            if row.id in beyond
            and beyond[row.id] is None
            and _misfit(action, row, closed=row.org_id in closed) is None
            and (action != "DISABLE" or last != [row.id])
        ]
        for row in kept
    }


def _held(work: Work, principal_id: int, expected_revision: int, action: str) -> PrincipalRow:
    """The principal as `held` has it. Refused besides: changed since, in a state that forbids it."""
    row = held(work, principal_id)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    refusal = _misfit(action, row, closed=row.org_id in _closed(work, {row.org_id}))
    if refusal is not None:
        raise refusal
    return row


def _misfit(action: str, row: PrincipalRow, *, closed: bool) -> Refusal | None:
    """Why nobody could do this now; that somebody must go on administering the hub is asked afterwards."""
    if action == "DISABLE" and row.disabled_at is not None:
        return Conflict("They are shut out already.", ("principal",))
    if action == "ENABLE" and row.disabled_at is None:
        return Conflict("They are not shut out.", ("principal",))
    if action == "ENABLE" and closed:
        return Conflict("Their organisation is archived: nobody comes in there any more.", ("principal",))
    return None


def _closed(work: Work, org_ids: set[int]) -> set[int]:
    rows = sa.select(OrganisationRow.id).where(
        OrganisationRow.id.in_(org_ids), OrganisationRow.archived_at.is_not(None)
    )
    return set(work.session.scalars(rows))


def _check_address(work: Work, address: str) -> None:
    if work.session.scalar(sa.select(PrincipalRow.id).where(PrincipalRow.email == address)) is not None:
        raise _taken()


def _made(work: Work, org: OrganisationRow, kind: str, name: str, email: str | None) -> PrincipalRow:
    row = PrincipalRow(org_id=org.id, kind=kind, name=name, email=email, created_at=work.now)
    work.session.add(row)
    try:
        work.session.flush()
    except sa.exc.IntegrityError:  # whoever came by another door this very moment; only the address is unique
        raise _taken() from None
    history.record(work, "principal.created", ("Principal", row.id), {"kind": kind}, org_id=org.id)
    return row


def _invited(work: Work, row: PrincipalRow, days: int) -> Invited:
    return Invited(row, f"{work.public_url}/auth/invite/{invitations.invite(work, row, days)}")


def _taken() -> Conflict:
    return Conflict("This e-mail address belongs to somebody already.", ("email",))


def _give(work: Work, row: PrincipalRow, role_id: int | None) -> None:
    if role_id is not None:
        grants.create(work, grants.Holder(principal_id=row.id), role_id, grants.Where(org_id=row.org_id))


def _touched(work: Work, row: PrincipalRow, event: str) -> PrincipalRow:
    work.session.flush()
    history.record(work, event, ("Principal", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row
