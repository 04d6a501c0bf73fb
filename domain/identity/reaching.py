"""Where one permission reaches, as a condition on `AssetRow`: `holdings.holds` in SQL.

Always true here:
- Other spellings never mean other assets. A unit of work that reads knows what stands shared with its viewer and leaves
  out what cannot matter; one that writes asks for everything.
- A spelling depends on nothing but what is known, so it is made once for many requests: making it costs more than
  asking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from domain.holdings import Lightbox, One, Own, Reach, Scope, Tree
from domain.identity import opened
from domain.identity.opened import Opened
from domain.permissions import SHARED_TO_CONTRIBUTE, SHARED_TO_READ, Permission
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRow, LightboxAssetRow, OrganisationRow, ShareRow

Condition: TypeAlias = sa.ColumnElement[bool]

#: Spellings kept, of some ten kilobytes each: a few of everybody who is at work.
KEPT = 512
#: Made once: an alias costs more than the rest of a condition.
_PLACED, _OWNER, _SHARER = sa.orm.aliased(AssetRow), sa.orm.aliased(OrganisationRow), sa.orm.aliased(OrganisationRow)


def of(work: Work, permission: Permission, *, few: bool = False) -> Condition:
    """For `few` rows, named by id, what stands shared is looked up by the row, else gathered first."""
    reach = work.viewer.holdings.reach(permission)
    if reach.is_everywhere:
        return sa.true()
    if not opened.is_snapshot(work):
        return both(reach, lambda scope: _reached(scope, lambda tree: _any_share(work, tree, permission), _NOTHING))
    return _spelt(permission, reach, _known(work, permission, reach)._replace(few=few))


def likeness(work: Work, permission: Permission) -> Hashable:
    """In a unit of work that reads: equal for those for whom `of` is spelled alike."""
    reach = work.viewer.holdings.reach(permission)
    return True if reach.is_everywhere else (reach, _known(work, permission, reach))


def is_many(work: Work, permission: Permission) -> bool:
    """In a unit of work that reads: whether it reaches many of all assets; tells no more than `likeness` does."""
    reach = work.viewer.holdings.reach(permission)
    if reach.is_everywhere or not opened.is_snapshot(work):
        return reach.is_everywhere
    many = _known(work, permission, reach).many
    return any(isinstance(each, Tree) and (each.orgs is None or each.orgs in many) for each in reach.allowed)


def _known(work: Work, permission: Permission, reach: Reach) -> _Known:
    ways = opened.to_viewer(work) if permission in SHARED_TO_CONTRIBUTE else ()
    trees = [scope.orgs for scope in reach.allowed if isinstance(scope, Tree) and scope.orgs]
    trees = [org_ids for org_ids in trees if ways or len(org_ids) > 1]  # one alone is found in order by the index
    return _Known(
        ways=ways,
        many=frozenset(org_ids for org_ids in trees if opened.are_many(work, org_ids)),
        on_postgres=opened.is_postgres(work),
    )


def both(
    reach: Reach, said: Callable[[Scope], Condition], refused: Callable[[Scope], Condition] | None = None
) -> Condition:
    """Where any scope allows and none denies; what denies may be `refused` in another spelling."""
    allowed = [said(scope) for scope in reach.allowed]
    if not allowed:
        return sa.false()
    denied = [(refused or said)(scope) for scope in reach.denied]
    there = sa.true() if any(map(is_true, allowed)) else sa.or_(*allowed)
    if not denied:
        return there
    return sa.and_(there, sa.not_(sa.or_(*denied)))


def in_tree(scope: Tree | Lightbox, column: Any, *, in_array: bool = False) -> Condition:
    """That the organisation in `column` is one of the scope's."""
    if scope.orgs is None:
        return sa.true()
    if scope.orgs == {scope.root}:
        return column == scope.root  # type: ignore[no-any-return]
    return opened.one_of(column, scope.orgs, in_array=in_array)


def standing(work: Work, scope: Tree, permission: Permission) -> Condition:
    """The condition on `ShareRow` that it opens something to the scope's organisations for this permission."""
    enough = sa.true() if permission in SHARED_TO_READ else ShareRow.access == "CONTRIBUTE"
    return sa.and_(opened.standing(work), in_tree(scope, ShareRow.to_org_id), enough)


def is_true(condition: Any) -> bool:
    return isinstance(condition, sa.sql.elements.True_)


class _Known(NamedTuple):
    """What a spelling depends on, other than on who holds the permission where."""

    ways: tuple[Opened, ...]
    #: Sets of organisations that own many assets.
    many: frozenset[frozenset[int]]
    on_postgres: bool
    few: bool = False


_NOTHING = _Known((), frozenset(), on_postgres=False)


@lru_cache(maxsize=KEPT)
def _spelt(permission: Permission, reach: Reach, known: _Known) -> Condition:
    return both(
        reach,
        lambda scope: _reached(scope, lambda tree: _shared(tree, permission, known, finding=True), known),
        lambda scope: _reached(scope, lambda tree: _shared(tree, permission, known, finding=False), known),
    )


def _reached(scope: Scope, shared: Callable[[Tree], list[Condition]], known: _Known) -> Condition:
    match scope:
        case Tree():
            there = in_tree(scope, _owner(scope, known), in_array=known.on_postgres)
            if not is_true(there):
                there = sa.or_(there, *shared(scope))
            return there if scope.kind is None else sa.and_(AssetRow.kind == scope.kind, there)
        case Lightbox():
            inside = sa.select(LightboxAssetRow.asset_id).where(LightboxAssetRow.lightbox_id == scope.id)
            return sa.and_(AssetRow.id.in_(inside), in_tree(scope, AssetRow.org_id, in_array=known.on_postgres))
        case One(id_):
            return AssetRow.id == id_
        case Own(principal_id):
            return sa.and_(AssetRow.created_by == principal_id, AssetRow.lifecycle == "QUARANTINED")


def _owner(scope: Tree, known: _Known) -> Any:
    """Where they own many, SQLite is kept from finding their assets by the index; PostgreSQL knows by itself."""
    return AssetRow.org_id + 0 if scope.orgs in known.many and not known.on_postgres else AssetRow.org_id


def _any_share(work: Work, scope: Tree, permission: Permission) -> list[Condition]:
    """Whatever stands shared, or may have been a moment ago."""
    if permission not in SHARED_TO_CONTRIBUTE:
        return []
    now = standing(work, scope, permission)
    direct = sa.select(ShareRow.asset_id).where(now, ShareRow.lightbox_id.is_(None))
    inside = (
        sa.select(LightboxAssetRow.asset_id)
        .join(ShareRow, ShareRow.lightbox_id == LightboxAssetRow.lightbox_id)
        .join(_PLACED, _PLACED.id == LightboxAssetRow.asset_id)
        .join(_OWNER, _OWNER.id == _PLACED.org_id)
        .join(_SHARER, _SHARER.id == ShareRow.org_id)
        .where(now, _OWNER.path.startswith(_SHARER.path))
    )
    return [AssetRow.id.in_(direct), AssetRow.id.in_(inside)]


def _shared(scope: Tree, permission: Permission, known: _Known, *, finding: bool) -> list[Condition]:
    """What is known to stand shared with the scope's organisations."""
    mine = [way for way in known.ways if scope.has(way.to_org_id) and _is_enough(way, permission)]
    boxes: dict[int, set[int]] = defaultdict(set)
    for way in mine:
        if way.lightbox_id is not None and way.from_org_id is not None:
            boxes[way.from_org_id].add(way.lightbox_id)
    in_array = finding and known.on_postgres and scope.orgs not in known.many
    is_one_of = _lies_among if known.few else partial(_is_one_of, in_array=in_array)
    among = [_lying_in(lightbox_ids, from_org_id, is_one_of) for from_org_id, lightbox_ids in boxes.items()]
    if any(way.lightbox_id is None for way in mine):
        among.append(is_one_of(_direct(scope, permission, mine, known)))
    return among


def _is_enough(way: Opened, permission: Permission) -> bool:
    return permission in SHARED_TO_READ or (permission in SHARED_TO_CONTRIBUTE and way.access == "CONTRIBUTE")


def _direct(scope: Tree, permission: Permission, ways: list[Opened], known: _Known) -> sa.Select[int | None]:
    """Assets shared one by one. Those that stand end when the first of them does or later, and no others do."""
    first = min((way.ends_at for way in ways if way.ends_at is not None), default=None)
    lasting = ShareRow.ends_at.is_(None)
    return sa.select(ShareRow.asset_id).where(
        ShareRow.ended_at.is_(None),
        lasting if first is None else sa.or_(lasting, ShareRow.ends_at >= first),
        in_tree(scope, ShareRow.to_org_id, in_array=known.on_postgres),
        sa.true() if permission in SHARED_TO_READ else ShareRow.access == "CONTRIBUTE",
        ShareRow.lightbox_id.is_(None),
    )


def _lying_in(lightbox_ids: set[int], from_org_id: int, is_one_of: Callable[[sa.Select[Any]], Condition]) -> Condition:
    """That the asset lies in one of them and belongs to the organisation that shares it, or below."""
    inside = sa.select(LightboxAssetRow.asset_id).where(LightboxAssetRow.lightbox_id.in_(sorted(lightbox_ids)))
    among = is_one_of(inside)
    if from_org_id == BRAND_ORG_ID:
        return among
    above = sa.select(OrganisationRow.path).where(OrganisationRow.id == from_org_id).scalar_subquery()
    below = sa.select(OrganisationRow.id).where(OrganisationRow.path.startswith(above))
    return sa.and_(among, AssetRow.org_id.in_(below))


def _lies_among(ids: sa.Select[Any]) -> Condition:
    return ids.where(ids.selected_columns[0] == AssetRow.id).correlate(AssetRow).exists()


def _is_one_of(ids: sa.Select[Any], *, in_array: bool) -> Condition:
    """PostgreSQL takes an IN for half of all assets and reads on until it has a page; an array, for ten, which it looks
    up.
    """
    return AssetRow.id == sa.any_(sa.func.array(ids.scalar_subquery())) if in_array else AssetRow.id.in_(ids)
