"""The one policy: what a viewer may see and do, as conditions for queries and as answers about single things.

`domain.holdings` is the rule; here it is said once in SQL, for lists of any length, and once by gathering `Facts` and
asking the rule. Whatever reads assets, versions, lightboxes or tags asks here; nobody compares organisations itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from domain import holdings, reads
from domain.holdings import WITHHELD, Facts, Lightbox, Scope, Tree
from domain.identity import opened, reaching
from domain.identity.opened import Opened
from domain.permissions import Permission
from domain.refusals import NotAllowed
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage import statements
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

Value = TypeVar("Value")

_ACTIONS = {
    Permission.ASSET_UPDATE: "change this asset",
    Permission.ASSET_VERSION_ADD: "add versions to this asset",
    Permission.ASSET_APPROVE: "approve assets",
    Permission.ASSET_ARCHIVE: "put this asset away or back",
    Permission.ASSET_CREATE: "bring assets here",
    Permission.ASSET_DOWNLOAD: "download this",
}


class Change(NamedTuple):
    """When an asset last changed, and the revision that it then came to."""

    updated_at: datetime
    revision: int


#: What seeing an asset, and which of its versions, asks.
_SEEING = (Permission.ASSET_VIEW, Permission.ASSET_VIEW_UNAPPROVED, Permission.INBOX_VIEW)


def sees_asset(work: Work, *, few: bool = False) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that binds every read of assets: `holdings.sees` in SQL.

    Spelled for `few` it is quick where rows are named by id, and slow in a list.
    """
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED, few=few)
    inbox = holds_asset(work, Permission.INBOX_VIEW, few=few)
    public = sa.and_(AssetRow.approved_version_id.is_not(None), AssetRow.lifecycle.not_in(WITHHELD))
    judged = sa.true() if reaching.is_true(inbox) else sa.or_(AssetRow.lifecycle != "QUARANTINED", inbox)
    shown = sa.true() if reaching.is_true(unapproved) else sa.or_(public, unapproved)
    return sa.and_(holds_asset(work, Permission.ASSET_VIEW, few=few), shown, judged, _STANDS)


def _stands() -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that it is not part of another one: such are archived, and found by a small index."""
    merged = sa.orm.aliased(AssetRow)
    gone = sa.select(merged.id).where(merged.merged_into_id.is_not(None))
    return sa.or_(AssetRow.lifecycle != "ARCHIVED", AssetRow.id.not_in(gone))


_STANDS = _stands()


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
    return _shown(work, AssetRow.current_version_id.expression, AssetRow.approved_version_id.expression)


def shown_updated_at(work: Work) -> sa.ColumnElement[datetime]:
    """Of an `AssetRow`, when it last changed in what the viewer may see: what filters and orders speak of."""
    return _shown(work, AssetRow.updated_at.expression, AssetRow.public_updated_at.expression)


def shown_revision(work: Work) -> sa.ColumnElement[int]:
    """Of an `AssetRow`, the revision that it came to with that change."""
    return _shown(work, AssetRow.revision.expression, AssetRow.public_revision.expression)


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


def sees_tag(work: Work, *, few: bool = False) -> sa.ColumnElement[bool]:
    """The condition on `TagRow`: the vocabulary is the brand's, and whoever adds nothing to it sees the words on what
    they see. Spelled for `few` it is quick where tags are named that the viewer sees something of, and slow in a list.
    """
    if _sees_all_tags(work):
        return sa.true()
    used = (
        sa.select(AssetTagRow.tag_id)
        .join(AssetRow, AssetRow.id == AssetTagRow.asset_id)
        .where(AssetTagRow.tag_id == TagRow.id, sees_asset(work, few=few))
        .correlate(TagRow)
    )
    if few and opened.is_postgres(work):
        # It would join everything that the viewer sees: what has a limit it asks row by row.
        return used.limit(1).scalar_subquery().is_not(None)
    return used.exists()


def holds_asset(work: Work, permission: Permission, *, few: bool = False) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that the permission holds there: `holdings.holds` in SQL."""
    key = (permission, work.viewer.holdings.reach(permission), few)
    return opened.kept(work, key, lambda: reaching.of(work, permission, few=few))


def likeness(work: Work, permissions: Iterable[Permission] = ()) -> Hashable:
    """In a unit of work that reads: equal for those for whom the conditions on assets and versions are spelled alike,
    and those that these permissions hold.
    """
    return tuple(reaching.likeness(work, each) for each in (*_SEEING, *permissions))


def likeness_of_tags(work: Work) -> Hashable:
    """The same of `sees_tag`."""
    return True if _sees_all_tags(work) else likeness(work)


def sees_everything(viewer: Viewer) -> bool:
    """Whether no asset and no version of one is hidden from them, whatever happens to shares and lightboxes."""
    return all(viewer.holdings.reach(each).is_everywhere for each in _SEEING)


def sees_many(work: Work) -> bool:
    """Whether so many assets are the viewer's that a list of them is best read in its order: known where it is read."""
    return reaching.is_many(work, Permission.ASSET_VIEW)


def in_orgs(work: Work, permission: Permission, column: Any) -> sa.ColumnElement[bool]:
    """The condition that a row of the organisation in `column` is reached by the permission."""
    reach = work.viewer.holdings.reach(permission)

    def said(scope: Scope) -> sa.ColumnElement[bool]:
        return reaching.in_tree(scope, column) if isinstance(scope, Tree) and not scope.kind else sa.false()

    return reaching.both(reach, said)


def likeness_in_orgs(work: Work, *permissions: Permission) -> Hashable:
    """Equal for those for whom `in_orgs` is spelled alike for each of these permissions."""
    reaches = (work.viewer.holdings.reach(each) for each in permissions)
    return tuple(True if reach.is_everywhere else reach for reach in reaches)


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


def shown_changes(work: Work, assets: Iterable[AssetRow]) -> dict[int, Change]:
    """Of those that the viewer sees, the last change that they are shown: `shown_updated_at` by the rule itself."""
    rows = list(assets)
    whole = sees_unapproved(work, rows)
    return {
        row.id: Change(row.updated_at, row.revision)
        if whole[row.id]
        else Change(row.public_updated_at, row.public_revision)
        for row in rows
    }


def sees_unapproved(work: Work, assets: Iterable[AssetRow]) -> dict[int, bool]:
    """Of those that the viewer sees, whether also what nobody approved: `holdings.sees_unapproved`."""
    rows, held = list(assets), work.viewer.holdings
    if sees_all_alike(work):
        return dict.fromkeys((row.id for row in rows), held.anywhere(Permission.ASSET_VIEW_UNAPPROVED))
    told = facts(work, rows)
    return {row.id: holdings.sees_unapproved(held, told[row.id]) for row in rows}


def sees_all_alike(work: Work) -> bool:
    """Whether the viewer sees what is unapproved of all assets or of none, so that none need be looked at."""
    held = work.viewer.holdings
    everywhere = held.reach(Permission.ASSET_VIEW_UNAPPROVED).is_everywhere
    return everywhere or not held.anywhere(Permission.ASSET_VIEW_UNAPPROVED)


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


def _shown(work: Work, whole: sa.ColumnElement[Value], public: sa.ColumnElement[Value]) -> sa.ColumnElement[Value]:
    """One column or the other, for each `AssetRow` as the viewer sees it."""
    unapproved = holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED)
    if reaching.is_true(unapproved):
        return whole
    return public if _is_false(unapproved) else sa.case((unapproved, whole), else_=public)


def _sees_all_tags(work: Work) -> bool:
    held = work.viewer.holdings
    return held.in_org(Permission.ASSET_VIEW_UNAPPROVED, BRAND_ORG_ID) or held.anywhere(Permission.TAG_CREATE)


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
            is_merged=row.lifecycle == "ARCHIVED" and row.merged_into_id is not None,  # as `_STANDS` says it in SQL
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
    of_boxes = [way for way in ways if way.lightbox_id is not None]
    for asset_id, lightbox_id, access, org_id in _found(work, [row.id for row in rows], ways, boxed=boxed):
        if lightbox_id is None:
            shares[asset_id, access].add(org_id)
        else:
            boxes[asset_id].add(lightbox_id)
    for row in rows if of_boxes else ():
        for way in of_boxes:
            if way.lightbox_id in boxes.get(row.id, ()) and _belongs(work, row.org_id, way.from_org_id):
                shares[row.id, way.access].add(way.to_org_id)
    return boxes, shares


def _found(work: Work, ids: list[int], ways: tuple[Opened, ...], *, boxed: bool) -> Iterable[Any]:
    """Rows of asset, lightbox, access and organisation: what they lie in, and what opens them one by one."""
    inside = boxed or any(way.lightbox_id is not None for way in ways)
    direct = any(way.lightbox_id is None for way in ways)
    if not inside and not direct:
        return ()
    dialect = work.session.get_bind().dialect
    org_ids = sorted({way.to_org_id for way in ways})
    return reads.run(
        work,
        ("what opens", inside, direct),
        partial(_asked, inside=inside, direct=direct),
        **{"now": work.now, "org_ids": statements.keys(org_ids, dialect)} if direct else {},
        keys=statements.keys(ids, dialect),
    )


def _asked(dialect: sa.Dialect, *, inside: bool, direct: bool) -> sa.CompoundSelect[Any]:
    none = sa.literal(None, sa.BigInteger)
    lying = sa.select(LightboxAssetRow.asset_id, LightboxAssetRow.lightbox_id, sa.null().label("access"), none)
    shared = sa.select(ShareRow.asset_id, none, ShareRow.access, ShareRow.to_org_id)
    asked: list[Any] = []
    if inside:
        asked.append(lying.where(statements.among(LightboxAssetRow.asset_id, dialect)))
    if direct:
        theirs = statements.among(ShareRow.to_org_id, dialect, "org_ids")
        these = statements.among(ShareRow.asset_id, dialect)
        asked.append(shared.where(opened.standing_at(opened.NOW), theirs, these))
    return sa.union_all(*asked)


def _belongs(work: Work, org_id: int, above_id: int | None) -> bool:
    """Whether an organisation is the other or stands below it."""
    return above_id == BRAND_ORG_ID or (above_id is not None and org_id in opened.tree(work, above_id))


def _is_false(condition: Any) -> bool:
    return isinstance(condition, sa.sql.elements.False_)
