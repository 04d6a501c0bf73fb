"""Whether one who holds this may hand out that: nobody gives more than they have themselves, nor for longer.

Answers on the safe side: what cannot be shown to lie inside counts as beyond.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from domain.holdings import Holdings, Reach, Scope, Tree
from domain.identity import viewers
from domain.permissions import Permission
from domain.work import Work
from storage.tables import GrantRow, TeamMemberRow


def covers(mine: Holdings, theirs: Holdings) -> bool:
    """Whether everything that `theirs` opens now and may open later is open to `mine` as well."""
    return all(_reaches(mine.reach(permission), reach) for permission, reach in theirs.reaches.items())


def covers_throughout(
    work: Work,
    principal_id: int,
    *,
    permissions: frozenset[Permission] | None = None,
    until: datetime | None = None,
) -> bool:
    """Whether the viewer covers what the principal holds, now and until then (None: for ever), as things stand; with
    `permissions`, of these only.
    """
    for then in moments(work, [principal_id], until):
        theirs = viewers.holdings_of(then, principal_id)
        if not covers(then.viewer.holdings, theirs if permissions is None else theirs.limited_to(permissions)):
            return False
    return True


def moments(work: Work, others: Collection[int], until: datetime | None = None) -> Iterator[Work]:
    """The unit of work now, and at each later moment before `until` at which the viewer may begin to hold less than one
    of the others: when something that they were given ends, or something that the other is denied.
    """
    yield work
    viewer = work.viewer
    if viewer.principal_id is None:
        return
    endings = work.session.scalars(_endings(work, viewer.principal_id, others)).all()
    for moment in filter(None, endings):
        if until is not None and moment >= until:
            return
        then = _at(work, moment)
        held = viewers.holdings_of(then, viewer.principal_id).limited_to(frozenset(viewer.holdings.reaches))
        yield replace(then, viewer=replace(viewer, holdings=held))


def _endings(work: Work, principal_id: int, others: Collection[int]) -> sa.Select[datetime | None]:
    freed = sa.and_(GrantRow.is_denial, _given_to(others))
    return (
        sa.select(GrantRow.expires_at)
        .where(sa.or_(_given_to([principal_id]), freed), viewers.standing_grant(work))
        .distinct()
        .order_by(GrantRow.expires_at)
    )


def _given_to(principal_ids: Collection[int]) -> sa.ColumnElement[bool]:
    teams = sa.select(TeamMemberRow.team_id).where(TeamMemberRow.principal_id.in_(principal_ids))
    return sa.or_(GrantRow.principal_id.in_(principal_ids), GrantRow.team_id.in_(teams))


def _at(work: Work, moment: datetime) -> Work:
    return replace(work, clock=lambda: moment)


def _reaches(mine: Reach, theirs: Reach) -> bool:
    if not all(any(_inside(inner, outer) for outer in mine.allowed) for inner in theirs.allowed):
        return False
    return not theirs.allowed or set(mine.denied) <= set(theirs.denied)


def _inside(inner: Scope, outer: Scope) -> bool:
    if inner == outer:
        return True
    if not isinstance(outer, Tree):
        return False
    if outer.orgs is None and outer.kind is None:
        return True
    if not isinstance(inner, Tree) or outer.kind not in {None, inner.kind}:
        return False
    return outer.orgs is None or (inner.orgs is not None and inner.orgs <= outer.orgs)
