"""Organisations and people for tests, made as rows: who acts, and as what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain import identity
from domain.hub import Hub
from domain.work import BRAND_ORG_ID, HUB, Viewer
from storage.tables import GrantRow, GuestLinkRow, OrganisationRow, PrincipalRow, RoleRow


def organisation(hub: Hub, name: str, parent: int = BRAND_ORG_ID, kind: str = "AFFILIATE") -> int:
    """A new organisation below another; its id."""
    with hub.writing(HUB) as work:
        above = work.session.get_one(OrganisationRow, parent)
        row = OrganisationRow(name=name, path=f"{above.path}{name}/", kind=kind, created_at=work.now)
        work.session.add(row)
        work.session.flush()
        row.path = f"{above.path}{row.id}/"
        return row.id


def member(hub: Hub, *roles: str, org_id: int = BRAND_ORG_ID, name: str = "Somebody", **grant: Any) -> Viewer:
    """A new person of that organisation with these roles there; `grant` are further fields of the grants."""
    with hub.writing(HUB) as work:
        row = PrincipalRow(org_id=org_id, kind="PERSON", name=name, created_at=work.now)
        work.session.add(row)
        work.session.flush()
        for role in roles:
            give(hub, row.id, role, org_id=org_id, session=work.session, **grant)
        return identity.viewer_of(work, row)


def give(hub: Hub, principal_id: int, role: str, *, org_id: int = BRAND_ORG_ID, session: Any, **grant: Any) -> None:
    role_id = session.scalars(sa.select(RoleRow.id).where(RoleRow.name == role)).one()
    told = {"scope": "ORGANISATION", "created_at": hub.clock(), **grant}
    session.add(GrantRow(org_id=org_id, principal_id=principal_id, role_id=role_id, **told))
    session.flush()


def again(hub: Hub, viewer: Viewer) -> Viewer:
    """The same person with what they hold now."""
    assert viewer.principal_id is not None
    with hub.reading(HUB) as work:
        return identity.viewer_of_principal(work, viewer.principal_id)


def guest(hub: Hub, maker: Viewer, *, purpose: str = "VIEW", **opens: Any) -> Viewer:
    """The guest of a new link that opens `lightbox_id` or `asset_id`, or lets files be brought."""
    with hub.writing(HUB) as work:
        row = PrincipalRow(org_id=maker.org_id, kind="SERVICE", name="Guest", created_at=work.now)
        work.session.add(row)
        work.session.flush()
        link = GuestLinkRow(
            org_id=maker.org_id,
            principal_id=row.id,
            name="A link",
            purpose=purpose,
            created_at=work.now,
            created_by=maker.principal_id,
            expires_at=work.now + timedelta(days=7),
            **opens,
        )
        work.session.add(link)
        work.session.flush()
        return identity.viewer_of_principal(work, row.id)
