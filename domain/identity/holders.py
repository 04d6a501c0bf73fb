"""What many principals hold at once: the same as `viewers.holdings_of` says of each, in two statements for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa

from domain.holdings import Holdings, Reach, Scope
from domain.identity.viewers import _once, _scope, _trees, standing_grant
from domain.permissions import Permission
from domain.work import Work
from storage.tables import GrantRow, RoleRow, TeamMemberRow, TeamRow

_KNOWN = {each.value: each for each in Permission}


def holdings_of_all(work: Work, principal_ids: Collection[int]) -> dict[int, Holdings]:
    """Per principal what their own grants and those of their teams come to now, whether they are shut out or not."""
    rows = list(work.session.execute(_granted(work, set(principal_ids))))
    trees = _trees(work, {grant.org_id for _, grant, _ in rows if grant.scope != "ASSET"})
    allowed: dict[tuple[int, Permission], list[Scope]] = defaultdict(list)
    denied: dict[tuple[int, Permission], list[Scope]] = defaultdict(list)
    for holder, grant, names in rows:
        for name in names:
            if name in _KNOWN:
                (denied if grant.is_denial else allowed)[holder, _KNOWN[name]].append(_scope(grant, trees))
    reaches: dict[int, dict[Permission, Reach]] = {each: {} for each in principal_ids}
    for holder, permission in allowed.keys() | denied.keys():
        reaches[holder][permission] = Reach(_once(allowed[holder, permission]), _once(denied[holder, permission]))
    return {each: Holdings(found) for each, found in reaches.items()}


def _granted(work: Work, principal_ids: set[int]) -> sa.Select[int, GrantRow, list[str]]:
    own = sa.select(GrantRow.principal_id.label("holder"), GrantRow.id.label("grant_id")).where(
        GrantRow.principal_id.in_(principal_ids)
    )
    by_team = (
        sa.select(TeamMemberRow.principal_id, GrantRow.id)
        .join(GrantRow, GrantRow.team_id == TeamMemberRow.team_id)
        .join(TeamRow, TeamRow.id == TeamMemberRow.team_id)
        .where(TeamMemberRow.principal_id.in_(principal_ids), TeamRow.archived_at.is_(None))
    )
    held = sa.union_all(own, by_team).subquery()
    return (
        sa.select(held.c.holder, GrantRow, RoleRow.permissions)
        .join(GrantRow, GrantRow.id == held.c.grant_id)
        .join(RoleRow, RoleRow.id == GrantRow.role_id)
        .where(standing_grant(work), RoleRow.archived_at.is_(None))
        .order_by(held.c.holder, GrantRow.id)
    )
