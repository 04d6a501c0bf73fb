"""What the reader of the feed held when they last read it, and what has changed of that since.

A place keeps a digest of what was held, not the holdings themselves. They are put together again from the grants that
stood then, and the digest proves it: where it does not match, the feed says `resync` instead of guessing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from domain.holdings import Holdings, Lightbox, One, Own, Scope, Tree
from domain.identity import viewers
from domain.permissions import SHARED_TO_CONTRIBUTE, Permission
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import GrantRow, RoleRow, TeamMemberRow, TeamRow, TokenRow

P = Permission
#: What decides which assets and lightboxes exist for somebody, and which fields of them.
SHOWING: Final = (
    P.ASSET_VIEW,
    P.ASSET_VIEW_UNAPPROVED,
    P.INBOX_VIEW,
    P.FIELD_MONEY,
    P.FIELD_PRICES,
    P.FIELD_PERSONAL,
    P.FIELD_NOTES,
)
#: Changes of what somebody holds that are followed one by one; beyond, the feed says `resync`.
MOST_CHANGES: Final = 20

Granted = tuple[GrantRow, list[Any]]


@dataclass(frozen=True)
class Holder:
    """What the viewer holds from one moment to the next: `turns` are the moments at which it changed, in order."""

    turns: tuple[tuple[datetime, Holdings], ...]
    #: Single assets and lightboxes that were granted or taken since.
    asset_ids: frozenset[int] = frozenset()
    lightbox_ids: frozenset[int] = frozenset()

    def at(self, moment: datetime) -> Holdings:
        found = self.turns[0][1]
        for since, held in self.turns:
            if since <= moment:
                found = held
        return found

    @property
    def moments(self) -> list[datetime]:
        return [moment for moment, _ in self.turns[1:]]

    @property
    def org_ids(self) -> frozenset[int]:
        """Organisations to which a share may open something for the viewer."""
        trees = [each.orgs for each in self._scopes() if isinstance(each, Tree) and each.orgs]
        return frozenset().union(*trees)

    @property
    def boxes(self) -> frozenset[int]:
        """Lightboxes in which something lies open to the viewer by a grant, or is denied."""
        return frozenset(each.id for each in self._scopes() if isinstance(each, Lightbox))

    def _scopes(self) -> Iterable[Scope]:
        for _, held in self.turns:
            for permission in SHARED_TO_CONTRIBUTE | {P.INBOX_VIEW}:
                reach = held.reach(permission)
                yield from (*reach.allowed, *reach.denied)


def digest(viewer: Viewer) -> str:
    """Of all that decides what the viewer is shown. Organisations founded below one do not count: they begin empty."""
    return _digest(viewer.holdings)


def sees_vocabulary(viewer: Viewer) -> bool:
    """Whether all tags exist for the viewer, not only those on what they see."""
    return _sees_vocabulary(viewer.holdings)


def since(work: Work, at: datetime, held: str) -> Holder | None:
    """What the viewer held from `at`, when its digest was `held`, until now; None where that cannot be told, or reaches
    further than some assets and lightboxes.
    """
    now = work.viewer.holdings
    if _digest(now) == held:
        return Holder(((at, now),))
    if work.viewer.principal_id is None or work.viewer.on_behalf_of is not None:
        return None
    rows = _granted(work, work.viewer.principal_id, at)
    moments = sorted({moment for row, _ in rows for moment in _moments(row) if at < moment <= work.now})
    if len(moments) > MOST_CHANGES:
        return None
    turns = [(moment, _held(work, rows, moment)) for moment in (at, *moments)]
    if _digest(turns[0][1]) != held or _digest(turns[-1][1]) != _digest(now):
        return None
    turns[-1] = (turns[-1][0], now)
    changed = _changed(turns[0][1], now)
    if not all(isinstance(each, One | Lightbox) for each in changed):
        return None
    return Holder(
        tuple(turns),
        frozenset(each.id for each in changed if isinstance(each, One)),
        frozenset(each.id for each in changed if isinstance(each, Lightbox)),
    )


def _digest(held: Holdings) -> str:
    told: dict[str, Any] = {"vocabulary": _sees_vocabulary(held)}
    for permission in SHOWING:
        reach = held.reach(permission)
        told[permission.value] = [sorted(map(_key, reach.allowed)), sorted(map(_key, reach.denied))]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _key(scope: Scope) -> str:
    match scope:
        case Tree(root, _, kind):
            return f"tree {root} {kind or ''}"
        case Lightbox(id_, root, _):
            return f"lightbox {id_} {root}"
        case One(id_):
            return f"one {id_}"
        case Own(principal_id):
            return f"own {principal_id}"


def _sees_vocabulary(held: Holdings) -> bool:
    return held.in_org(P.ASSET_VIEW_UNAPPROVED, BRAND_ORG_ID) or held.anywhere(P.TAG_CREATE)


def _granted(work: Work, principal_id: int, at: datetime) -> list[Granted]:
    """Every grant that stood at `at` or later, with what its role allows today."""
    teams = (
        sa.select(TeamMemberRow.team_id)
        .join(TeamRow, TeamRow.id == TeamMemberRow.team_id)
        .where(TeamMemberRow.principal_id == principal_id, TeamRow.archived_at.is_(None))
    )
    found = (
        sa.select(GrantRow, RoleRow.permissions)
        .join(RoleRow, RoleRow.id == GrantRow.role_id)
        .where(
            sa.or_(GrantRow.principal_id == principal_id, GrantRow.team_id.in_(teams)),
            RoleRow.archived_at.is_(None),
            sa.or_(GrantRow.revoked_at.is_(None), GrantRow.revoked_at > at),
            sa.or_(GrantRow.expires_at.is_(None), GrantRow.expires_at > at),
        )
        .order_by(GrantRow.id)
    )
    return [(row, names) for row, names in work.session.execute(found)]


def _moments(row: GrantRow) -> list[datetime]:
    return [each for each in (row.created_at, row.revoked_at, row.expires_at) if each is not None]


def _held(work: Work, rows: list[Granted], moment: datetime) -> Holdings:
    standing = [(row, names) for row, names in rows if _stands(row, moment)]
    held = viewers.come_to(work, standing)
    scopes = _token_scopes(work)
    if scopes is None:
        return held
    return viewers.limited(replace(work.viewer, holdings=held), scopes).holdings


def _stands(row: GrantRow, moment: datetime) -> bool:
    ends = [each for each in (row.revoked_at, row.expires_at) if each is not None]
    return row.created_at <= moment and all(moment < end for end in ends)


def _token_scopes(work: Work) -> list[Any] | None:
    if work.viewer.token_id is None:
        return None
    return work.session.scalar(sa.select(TokenRow.scopes).where(TokenRow.id == work.viewer.token_id))


def _changed(before: Holdings, after: Holdings) -> list[Scope]:
    """Scopes that stand on one side only."""
    found: dict[str, Scope] = {}
    for permission in SHOWING:
        was, is_ = before.reach(permission), after.reach(permission)
        for one, other in ((was.allowed, is_.allowed), (was.denied, is_.denied)):
            mine, theirs = {_key(each): each for each in one}, {_key(each): each for each in other}
            found |= {key: each for key, each in (mine | theirs).items() if (key in mine) != (key in theirs)}
    return list(found.values())
