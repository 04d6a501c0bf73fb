"""A partner in one step: an affiliate of the brand, an account for its machines, and a token for that.

For an operator at the machine itself; whoever asks over the API makes the three one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain import identity, organisations, people
from domain.global_ids import MAX_DIGITS
from domain.refusals import Conflict, NotFound
from domain.texts import fold, line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import OrganisationRow, PrincipalRow, RoleRow

MAX_NAME = 100
PARTNER = "partner"


def add(work: Work, name: str, days: int | None = None, networks: Sequence[str] | None = None) -> identity.NewToken:
    """The affiliate `name` below the brand, its service account of the same name with the role `partner`, its token."""
    org = organisations.create(work, name, "AFFILIATE", BRAND_ORG_ID)
    account = account_in(work, org.id, name)
    return identity.create_token(work, name, days, networks=networks, principal_id=account.id)


def account_in(work: Work, org_id: int, name: str, role: str = PARTNER) -> PrincipalRow:
    """The organisation's service account `name`; a new one, with that role there, if there is none."""
    spelled = line(name, MAX_NAME, ("name",))
    there = sa.select(PrincipalRow).where(
        PrincipalRow.org_id == org_id,
        PrincipalRow.kind == "SERVICE",
        PrincipalRow.disabled_at.is_(None),
        sa.not_(identity.is_guest()),
    )
    same = [row for row in work.session.scalars(there) if fold(row.name) == fold(spelled)]
    return same[0] if same else _new_account(work, org_id, spelled, role)


def principal_named(work: Work, named: str) -> PrincipalRow:
    """The person with this e-mail address, or the person or service account with this id."""
    is_number = named.isdecimal() and len(named) < MAX_DIGITS
    which = PrincipalRow.id == int(named) if is_number else PrincipalRow.email == fold(named.strip())
    row = work.session.scalars(sa.select(PrincipalRow).where(which, sa.not_(identity.is_guest()))).one_or_none()
    if row is None:
        raise NotFound(f"There is nobody with the address or id {named}.", ("for",))
    return row


def organisation_named(work: Work, named: str) -> OrganisationRow:
    """The living organisation with this id or name; `Conflict` where several have the name."""
    living = sa.select(OrganisationRow).where(OrganisationRow.archived_at.is_(None))
    rows = list(work.session.scalars(living))
    found = [row for row in rows if str(row.id) == named] or [row for row in rows if fold(row.name) == fold(named)]
    if not found:
        raise NotFound(f"There is no organisation with the name or id {named}.", ("organisation",))
    if len(found) > 1:
        raise Conflict(f"Several organisations are called {named}: say the id of one of them.", ("organisation",))
    return found[0]


def _new_account(work: Work, org_id: int, name: str, role: str) -> PrincipalRow:
    known = sa.select(RoleRow.id).where(RoleRow.name == role, RoleRow.archived_at.is_(None))
    role_id = work.session.scalars(known).one_or_none()
    if role_id is None:
        raise NotFound(f"There is no role {role}.", ("role",))
    return people.create_service_account(work, name, org_id, role_id=role_id)
