"""The one policy: what a viewer may see and do, as conditions for queries and as answers about single things.

`domain.holdings` is the rule; here it is said once in SQL, for lists of any length, and once by gathering `Facts` and
asking the rule. Whatever reads assets, versions, lightboxes or tags asks here; nobody compares organisations itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from domain import holdings
from domain.holdings import WITHHELD, Facts, Lightbox, Scope, Tree
from domain.identity import opened, reaching
from domain.identity.opened import Opened
from domain.permissions import Permission
from domain.refusals import NotAllowed
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import (
    ApprovalRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    LightboxAssetRow,
    LightboxRow,
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


#: What seeing an asset, and which of its versions, asks.
_SEEING = (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.INBOX_VIEW)


def sees_asset(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that binds every read of assets: `holdings.sees` in SQL."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    inbox = holds_asset(work, Permission.INBOX_VIEW)
    public = sa.and_(AssetRow.approved_version_id.is_not(None), AssetRow.lifecycle.not_in(WITHHELD))
    judged = sa.true() if reaching.is_true(inbox) else sa.or_(AssetRow.lifecycle != "QUARANTINED", inbox)
    shown = sa.true() if reaching.is_true(unapproved) else sa.or_(public, unapproved)
    return sa.and_(holds_asset(work, Permission.ASSET_VIEW), shown, judged)


def sees_version(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `AssetVersionRow`, joined with its `AssetRow`."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    if reaching.is_true(unapproved):
        return sees_asset(work)
    standing = sa.select(ApprovalRow.id).where(
        ApprovalRow.version_id == AssetVersionRow.id,
        ApprovalRow.revoked_at.is_(None),
    )
    return sa.and_(sees_asset(work), sa.or_(standing.exists(), unapproved))


def shown_version_id(work: Work) -> sa.ColumnElement[int | None]:
    """Of an `AssetRow`, its newest version that the viewer may see: what filters, orders and `current` speak of."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    if reaching.is_true(unapproved):
        return AssetRow.current_version_id.expression
    if _is_false(unapproved):
        return AssetRow.approved_version_id.expression
    return sa.case((unapproved, AssetRow.current_version_id), else_=AssetRow.approved_version_id)


def sees_lightbox(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `LightboxRow`: a selection is work in progress, so an organisation's own need the right to see
    what is unapproved; one that was shared or granted needs only the right to look. Who is denied to look there sees
    none.
    """
    return sa.and_(
        sa.or_(
            _lightboxes(work, Permission.ASSET_VIEW_UNAPPROVED, whole_trees=True),
            _lightboxes(work, Permission.ASSET_VIEW, whole_trees=False),
        ),
        _may_look(work),
    )


def edits_lightbox(work: Work) -> sa.ColumnElement[bool]:
    return sa.and_(_lightboxes(work, Permission.LIGHTBOX_EDIT, whole_trees=True), _may_look(work))


def sees_tag(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `TagRow`: the vocabulary is the brand's, and whoever adds nothing to it sees the words on what
    they see.
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
    return opened.kept(
        work, (permission, work.viewer.holdings.reach(permission)), lambda: reaching.of(work, permission)
    )


def likeness(work: Work, permissions: Iterable[Permission] = ()) -> Hashable:
    """In a unit of work that reads: equal for those for whom the conditions on assets and versions are spelled alike,
    and those that these permissions hold.
    """
    return tuple(reaching.likeness(work, each) for each in (*_SEEING, *permissions))


def sees_everything(viewer: Viewer) -> bool:
    """Whether no asset and no version of one is hidden from them, whatever happens to shares and lightboxes."""
    return all(viewer.holdings.reach(each).is_everywhere for each in _SEEING)


def in_orgs(work: Work, permission: Permission, column: Any) -> sa.ColumnElement[bool]:
    """The condition that a row of the organisation in `column` is reached by the permission."""
    reach = work.viewer.holdings.reach(permission)

    def said(scope: Scope) -> sa.ColumnElement[bool]:
        return reaching.in_tree(scope, column) if isinstance(scope, Tree) and not scope.kind else sa.false()

    return reaching.both(reach, said)


def facts(work: Work, assets: Iterable[AssetRow]) -> dict[int, Facts]:
    """What the rule asks about these assets for this viewer, in at most two statements however many they are."""
    rows = list(assets)
    boxed = any(isinstance(scope, Lightbox) for scope in _scopes(work))
    known: dict[int, Facts] = opened.kept(work, ("facts", opened.to_viewer(work), boxed), dict)
    known |= _gathered(work, [row for row in rows if row.id not in known], boxed=boxed)
    return {row.id: known[row.id] for row in rows}


def shown(work: Work, assets: Iterable[AssetRow]) -> dict[int, int]:
    """Of those that the viewer sees, the version that they are shown: `shown_version_id` by the rule itself."""
    rows, held = list(assets), work.viewer.holdings
    told = facts(work, rows)
    found = {}
    for row in rows:
        if holdings.sees(held, told[row.id]):
            whole = holdings.sees_unapproved(held, told[row.id])
            found[row.id] = row.current_version_id if whole else row.approved_version_id
    return {asset_id: version_id for asset_id, version_id in found.items() if version_id is not None}


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
    return opened.tree(work, org_id)


def standing_share(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `ShareRow` that it has not ended."""
    return opened.standing(work)


def _lightboxes(work: Work, permission: Permission, *, whole_trees: bool) -> sa.ColumnElement[bool]:
    def said(scope: Scope) -> sa.ColumnElement[bool]:
        return _boxes_of(work, scope, permission, whole_trees=whole_trees)

    return reaching.both(work.viewer.holdings.reach(permission), said)


def _may_look(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `LightboxRow` that nothing denies ASSET_VIEW there."""
    denied = work.viewer.holdings.reach(Permission.ASSET_VIEW).denied
    if not denied:
        return sa.true()
    return sa.not_(sa.or_(*(_boxes_of(work, scope, Permission.ASSET_VIEW, whole_trees=True) for scope in denied)))


def _boxes_of(work: Work, scope: Scope, permission: Permission, *, whole_trees: bool) -> sa.ColumnElement[bool]:
    match scope:
        case Tree(kind=None):
            shared = sa.select(ShareRow.lightbox_id).where(
                reaching.standing(work, scope, permission), ShareRow.lightbox_id.is_not(None)
            )
            there = reaching.in_tree(scope, LightboxRow.org_id) if whole_trees else sa.false()
            return there if reaching.is_true(there) else sa.or_(there, LightboxRow.id.in_(shared))
        case Lightbox():
            return LightboxRow.id == scope.id
        case _:
            return sa.false()


def _scopes(work: Work) -> Iterable[Scope]:
    reaches = work.viewer.holdings.reaches.values()
    return (scope for reach in reaches for scope in (*reach.allowed, *reach.denied))


def _gathered(work: Work, rows: list[AssetRow], *, boxed: bool) -> dict[int, Facts]:
    boxes, shares = _around(work, rows, boxed=boxed) if rows else ({}, {})
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


def _around(
    work: Work, rows: list[AssetRow], *, boxed: bool
) -> tuple[Mapping[int, set[int]], Mapping[tuple[int, str], set[int]]]:
    """By asset the lightboxes that matter to the viewer; by asset and access which of the viewer's organisations it is
    opened to. Nothing is asked where nothing can be found.
    """
    ways = opened.to_viewer(work)
    boxes: dict[int, set[int]] = defaultdict(set)
    shares: dict[tuple[int, str], set[int]] = defaultdict(set)
    asked = _asked(work, [row.id for row in rows], ways, boxed=boxed)
    for asset_id, lightbox_id, access, org_id in work.session.execute(sa.union_all(*asked)) if asked else ():
        if lightbox_id is None:
            shares[asset_id, access].add(org_id)
        else:
            boxes[asset_id].add(lightbox_id)
    of_boxes = [way for way in ways if way.lightbox_id is not None]
    for row in rows if of_boxes else ():
        for way in of_boxes:
            if way.lightbox_id in boxes.get(row.id, ()) and _belongs(work, row.org_id, way.from_org_id):
                shares[row.id, way.access].add(way.to_org_id)
    return boxes, shares


def _asked(work: Work, ids: list[int], ways: tuple[Opened, ...], *, boxed: bool) -> list[Any]:
    """Rows of asset, lightbox, access and organisation: what they lie in, and what opens them one by one."""
    in_array, none = opened.is_postgres(work), sa.literal(None, sa.BigInteger)
    asked: list[Any] = []
    if boxed or any(way.lightbox_id is not None for way in ways):
        inside = sa.select(LightboxAssetRow.asset_id, LightboxAssetRow.lightbox_id, sa.null().label("access"), none)
        asked.append(inside.where(opened.one_of(LightboxAssetRow.asset_id, ids, in_array=in_array)))
    if any(way.lightbox_id is None for way in ways):
        direct = sa.select(ShareRow.asset_id, none, ShareRow.access, ShareRow.to_org_id)
        asked.append(
            direct.where(
                opened.standing(work),
                opened.one_of(ShareRow.asset_id, ids, in_array=in_array),
                opened.one_of(ShareRow.to_org_id, {way.to_org_id for way in ways}, in_array=in_array),
            )
        )
    return asked


def _belongs(work: Work, org_id: int, above_id: int | None) -> bool:
    """Whether an organisation is the other or stands below it."""
    return above_id == BRAND_ORG_ID or (above_id is not None and org_id in opened.tree(work, above_id))


def _is_false(condition: Any) -> bool:
    return isinstance(condition, sa.sql.elements.False_)
