"""The one policy: what a viewer may see and do, as conditions for queries and as answers about single things.

`domain.holdings` is the rule; here it is said once in SQL, for lists of any length, and once by gathering `Facts` and
asking the rule. Whatever reads assets, versions, lightboxes or tags asks here; nobody compares organisations itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from domain import holdings
from domain.holdings import WITHHELD, Facts, Lightbox, One, Own, Reach, Scope, Tree
from domain.permissions import SHARED_TO_CONTRIBUTE, SHARED_TO_READ, Permission
from domain.refusals import NotAllowed
from domain.work import BRAND_ORG_ID, Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    LightboxAssetRow,
    LightboxRow,
    OrganisationRow,
    ShareRow,
    TagRow,
)

_ACTIONS = {
    Permission.ASSET_UPDATE: "change this asset",
    Permission.ASSET_VERSION_ADD: "add versions to this asset",
    Permission.ASSET_APPROVE: "approve assets",
    Permission.ASSET_ARCHIVE: "put this asset away or back",
    Permission.ASSET_CREATE: "bring assets here",
    Permission.ASSET_DOWNLOAD: "download this",
}


def sees_asset(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that binds every read of assets: `holdings.sees` in SQL."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    inbox = holds_asset(work, Permission.INBOX_VIEW)
    public = sa.and_(AssetRow.approved_version_id.is_not(None), AssetRow.lifecycle.not_in(WITHHELD))
    judged = sa.true() if _is_true(inbox) else sa.or_(AssetRow.lifecycle != "QUARANTINED", inbox)
    shown = sa.true() if _is_true(unapproved) else sa.or_(public, unapproved)
    return sa.and_(holds_asset(work, Permission.ASSET_VIEW), shown, judged)


def sees_version(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `AssetVersionRow`, joined with its `AssetRow`."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    if _is_true(unapproved):
        return sees_asset(work)
    standing = sa.select(ApprovalRow.id).where(
        ApprovalRow.version_id == AssetVersionRow.id,
        ApprovalRow.revoked_at.is_(None),
    )
    return sa.and_(sees_asset(work), sa.or_(standing.exists(), unapproved))


def shown_version_id(work: Work) -> sa.ColumnElement[int | None]:
    """Of an `AssetRow`, its newest version that the viewer may see: what filters, orders and `current` speak of."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    if _is_true(unapproved):
        return AssetRow.current_version_id.expression
    if _is_false(unapproved):
        return AssetRow.approved_version_id.expression
    return sa.case((unapproved, AssetRow.current_version_id), else_=AssetRow.approved_version_id)


def sees_lightbox(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `LightboxRow`: a selection is work in progress, so an organisation's own need the right to see
    what is unapproved; one that was shared or granted needs only the right to look.
    """
    return sa.or_(
        _lightboxes(work, Permission.ASSET_VIEW_UNAPPROVED, whole_trees=True),
        _lightboxes(work, Permission.ASSET_VIEW, whole_trees=False),
    )


def edits_lightbox(work: Work) -> sa.ColumnElement[bool]:
    return _lightboxes(work, Permission.LIGHTBOX_EDIT, whole_trees=True)


def sees_tag(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `TagRow`: the vocabulary is the brand's, and whoever adds nothing to it sees the words on what they
    see.
    """
    held = work.viewer.holdings
    if held.in_org(Permission.ASSET_VIEW_UNAPPROVED, BRAND_ORG_ID) or held.anywhere(Permission.TAG_CREATE):
        return sa.true()
    used = (
        sa.select(AssetTagRow.tag_id)
        .join(AssetRow, AssetRow.id == AssetTagRow.asset_id)
        .where(AssetTagRow.tag_id == TagRow.id, sees_asset(work))
        .correlate(TagRow)
    )
    return used.exists()


def holds_asset(work: Work, permission: Permission) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that the permission holds there: `holdings.holds` in SQL."""
    reach = work.viewer.holdings.reach(permission)
    return _both(reach, lambda scope: _reached(work, scope, permission))


def in_orgs(work: Work, permission: Permission, column: Any) -> sa.ColumnElement[bool]:
    """The condition that a row of the organisation in `column` is reached by the permission."""
    reach = work.viewer.holdings.reach(permission)
    return _both(
        reach, lambda scope: _tree(scope, column) if isinstance(scope, Tree) and not scope.kind else sa.false()
    )


def facts(work: Work, assets: Iterable[AssetRow]) -> dict[int, Facts]:
    """What the rule asks about these assets, in at most two statements however many they are."""
    rows = list(assets)
    ids = [row.id for row in rows]
    boxes, shares = (_boxes(work, ids), _shares(work, ids)) if _needs_more(work) else ({}, {})
    return {
        row.id: Facts(
            id=row.id,
            org_id=row.org_id,
            kind=row.kind,
            lifecycle=row.lifecycle,
            is_approved=row.approved_version_id is not None,
            created_by=row.created_by,
            lightboxes=frozenset(boxes.get(row.id, ())),
            shared_to_read=frozenset(shares.get((row.id, "READ"), ())),
            shared_to_contribute=frozenset(shares.get((row.id, "CONTRIBUTE"), ())),
        )
        for row in rows
    }


def may(work: Work, permission: Permission, asset: AssetRow) -> bool:
    return holdings.holds(work.viewer.holdings, permission, facts(work, [asset])[asset.id])


def require(work: Work, permission: Permission, asset: AssetRow) -> None:
    """`NotAllowed` unless the viewer holds the permission for this asset, which they see."""
    if not may(work, permission, asset):
        raise not_allowed(permission)


def require_in_org(work: Work, permission: Permission, org_id: int = BRAND_ORG_ID, kind: str | None = None) -> None:
    if not work.viewer.holdings.in_org(permission, org_id, kind):
        raise not_allowed(permission)


def require_anywhere(work: Work, permission: Permission) -> None:
    if not work.viewer.holdings.anywhere(permission):
        raise not_allowed(permission)


def not_allowed(permission: Permission) -> NotAllowed:
    what = _ACTIONS.get(permission)
    sentence = f"You may not {what}." if what else f"This needs the permission {permission.value}."
    return NotAllowed(sentence, permission.value)


def tree(work: Work, org_id: int) -> frozenset[int]:
    """The organisation and everything below it."""
    above = sa.select(OrganisationRow.path).where(OrganisationRow.id == org_id).scalar_subquery()
    return frozenset(work.session.scalars(sa.select(OrganisationRow.id).where(OrganisationRow.path.startswith(above))))


def _both(reach: Reach, said: Any) -> sa.ColumnElement[bool]:
    allowed = [said(scope) for scope in reach.allowed]
    if not allowed:
        return sa.false()
    denied = [said(scope) for scope in reach.denied]
    there = sa.true() if any(map(_is_true, allowed)) else sa.or_(*allowed)
    if not denied:
        return there
    return sa.and_(there, sa.not_(sa.or_(*denied)))


def _reached(work: Work, scope: Scope, permission: Permission) -> sa.ColumnElement[bool]:
    match scope:
        case Tree():
            there = _tree(scope, AssetRow.org_id)
            if not _is_true(there) and permission in SHARED_TO_CONTRIBUTE:
                there = sa.or_(there, *_shared(work, scope, permission))
            return there if scope.kind is None else sa.and_(AssetRow.kind == scope.kind, there)
        case Lightbox(id_):
            inside = sa.select(LightboxAssetRow.asset_id).where(LightboxAssetRow.lightbox_id == id_)
            return AssetRow.id.in_(inside)
        case One(id_):
            return AssetRow.id == id_
        case Own(principal_id):
            return AssetRow.created_by == principal_id


def _tree(scope: Tree, column: Any) -> sa.ColumnElement[bool]:
    if scope.orgs is None:
        return sa.true()
    return column == scope.root if scope.orgs == {scope.root} else column.in_(sorted(scope.orgs))  # type: ignore[no-any-return]


def _shared(work: Work, scope: Tree, permission: Permission) -> list[sa.ColumnElement[bool]]:
    standing = _standing(work, scope, permission)
    direct = sa.select(ShareRow.asset_id).where(standing, ShareRow.asset_id.is_not(None))
    inside = (
        sa.select(LightboxAssetRow.asset_id)
        .join(ShareRow, ShareRow.lightbox_id == LightboxAssetRow.lightbox_id)
        .where(standing)
    )
    return [AssetRow.id.in_(direct), AssetRow.id.in_(inside)]


def _standing(work: Work, scope: Tree, permission: Permission) -> sa.ColumnElement[bool]:
    enough = sa.true() if permission in SHARED_TO_READ else ShareRow.access == "CONTRIBUTE"
    return sa.and_(standing_share(work), _tree(scope, ShareRow.to_org_id), enough)


def standing_share(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `ShareRow` that it has not ended."""
    return sa.and_(ShareRow.ended_at.is_(None), sa.or_(ShareRow.ends_at.is_(None), ShareRow.ends_at > work.now))


def _lightboxes(work: Work, permission: Permission, *, whole_trees: bool) -> sa.ColumnElement[bool]:
    def said(scope: Scope) -> sa.ColumnElement[bool]:
        match scope:
            case Tree(kind=None):
                shared = sa.select(ShareRow.lightbox_id).where(
                    _standing(work, scope, permission), ShareRow.lightbox_id.is_not(None)
                )
                there = _tree(scope, LightboxRow.org_id) if whole_trees else sa.false()
                return there if _is_true(there) else sa.or_(there, LightboxRow.id.in_(shared))
            case Lightbox(id_):
                return LightboxRow.id == id_
            case _:
                return sa.false()

    return _both(work.viewer.holdings.reach(permission), said)


def _needs_more(work: Work) -> bool:
    """Whether lightboxes and shares can matter: not for somebody whose every reach is the whole hub."""
    reaches = work.viewer.holdings.reaches.values()
    return not all(_is_plain(scope) for reach in reaches for scope in (*reach.allowed, *reach.denied))


def _is_plain(scope: Scope) -> bool:
    return isinstance(scope, Tree) and scope.orgs is None


def _boxes(work: Work, ids: list[int]) -> Mapping[int, set[int]]:
    rows = sa.select(LightboxAssetRow.asset_id, LightboxAssetRow.lightbox_id).where(LightboxAssetRow.asset_id.in_(ids))
    found: dict[int, set[int]] = defaultdict(set)
    for asset_id, lightbox_id in work.session.execute(rows):
        found[asset_id].add(lightbox_id)
    return found


def _shares(work: Work, ids: list[int]) -> Mapping[tuple[int, str], set[int]]:
    direct = sa.select(ShareRow.asset_id, ShareRow.access, ShareRow.to_org_id).where(ShareRow.asset_id.in_(ids))
    inside = (
        sa.select(LightboxAssetRow.asset_id, ShareRow.access, ShareRow.to_org_id)
        .join(ShareRow, ShareRow.lightbox_id == LightboxAssetRow.lightbox_id)
        .where(LightboxAssetRow.asset_id.in_(ids))
    )
    found: dict[tuple[int, str], set[int]] = defaultdict(set)
    both: Any = sa.union_all(direct.where(standing_share(work)), inside.where(standing_share(work)))
    for asset_id, access, org_id in work.session.execute(both):
        found[asset_id, access].add(org_id)
    return found


def _is_true(condition: Any) -> bool:
    return isinstance(condition, sa.sql.elements.True_)


def _is_false(condition: Any) -> bool:
    return isinstance(condition, sa.sql.elements.False_)
