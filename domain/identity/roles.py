"""Roles as rows: the seeded ones, and who holds which where."""

from __future__ import annotations

import sqlalchemy as sa

from domain.permissions import ROLES
from domain.work import BRAND_ORG_ID, Work
from storage.tables import GrantRow, PrincipalRow, RoleRow

ADMIN = "admin"


def ensure_seeds(work: Work) -> None:
    """Seeded roles that are missing are made, and `admin` is given every permission there is; the rest stays as people
    left it. An administrator of old is granted `admin` on the brand.
    """
    present = {row.name: row for row in work.session.scalars(sa.select(RoleRow))}
    for seed in ROLES:
        permissions = sorted(each.value for each in seed.permissions)
        if seed.name not in present:
            row = RoleRow(name=seed.name, description=seed.description, permissions=permissions, created_at=work.now)
            work.session.add(row)
            present[seed.name] = row
        elif seed.name == ADMIN and present[ADMIN].permissions != permissions:
            present[ADMIN].permissions = permissions
    work.session.flush()
    _keep_administrators(work, present[ADMIN])


def grant_administrator(work: Work, principal: PrincipalRow) -> None:
    admin = work.session.scalars(sa.select(RoleRow).where(RoleRow.name == ADMIN)).one_or_none()
    if admin is None:
        ensure_seeds(work)
        return
    _grant(work, admin, principal.id)


def _keep_administrators(work: Work, admin: RoleRow) -> None:
    held = sa.select(GrantRow.principal_id).where(GrantRow.role_id == admin.id, GrantRow.principal_id.is_not(None))
    without = sa.select(PrincipalRow.id).where(PrincipalRow.is_administrator, PrincipalRow.id.not_in(held))
    for principal_id in list(work.session.scalars(without)):
        _grant(work, admin, principal_id)


def _grant(work: Work, role: RoleRow, principal_id: int) -> None:
    work.session.add(
        GrantRow(
            org_id=BRAND_ORG_ID,
            principal_id=principal_id,
            role_id=role.id,
            scope="ORGANISATION",
            created_at=work.now,
            created_by=work.viewer.principal_id,
        ),
    )
    work.session.flush()
