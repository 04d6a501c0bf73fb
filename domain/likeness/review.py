"""Near-duplicates that wait for somebody to decide, one pair of assets each; and whole clusters of them.

Only whoever sees everything of both assets, drafts and old versions too, is shown a pair, finds it counted or may
decide about it. An asset that was merged counts as what it became.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import orm

from domain import identity
from domain.pages import Key, Paging, Slice, read_slice, sliced
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AlikeRow, AssetRow, AssetTrashRow, AssetVersionRow, NearDuplicateRow

#: Undecided pairs that clusters are made of: the oldest.
MOST_PAIRS = 200_000
#: Assets named of one cluster: the first by id.
MOST_ASSETS = 100


_gone = orm.aliased(AssetRow)


@dataclass(frozen=True)
class Cluster:
    """Assets that look alike, each like some other of them; `count` is of all, `assets` names at most 100."""

    assets: list[AssetRow]
    count: int
    pairs: int


@dataclass(frozen=True)
class Evidence:
    """How near the nearest versions of a pair are."""

    distance: int
    is_mirrored: bool


def page(work: Work, wanted: Paging, *, decided: bool = False) -> Slice[NearDuplicateRow]:
    """Those that wait, the oldest first; or those that were decided, the latest first."""
    if decided:
        keys = [Key(NearDuplicateRow.decided_at, True), Key(NearDuplicateRow.id, True)]
        return read_slice(work, _listed(work, decided=True), keys, wanted)
    return read_slice(work, _listed(work, decided=False), [Key(NearDuplicateRow.id, False)], wanted)


def count(work: Work, *, decided: bool = False) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_listed(work, decided=decided).subquery())) or 0


def by_id(work: Work, ids: Iterable[int]) -> dict[int, NearDuplicateRow]:
    rows = sa.select(NearDuplicateRow).where(NearDuplicateRow.id.in_(set(ids)), *_reviewed(work))
    return {row.id: row for row in work.session.scalars(rows)}


def evidence(work: Work, ids: Iterable[int]) -> dict[int, Evidence]:
    """Per pair, which the viewer is shown; none where bytes went since."""
    low, high = orm.aliased(AssetVersionRow), orm.aliased(AssetVersionRow)
    rows = (
        sa.select(NearDuplicateRow.id, AlikeRow.distance, AlikeRow.is_mirrored)
        .join(low, low.asset_id == NearDuplicateRow.low_asset_id)
        .join(high, high.asset_id == NearDuplicateRow.high_asset_id)
        .join(AlikeRow, sa.and_(AlikeRow.sha256 == low.sha256, AlikeRow.other == high.sha256))
        .where(NearDuplicateRow.id.in_(set(ids)))
    )
    found: dict[int, Evidence] = {}
    for id_, distance, is_mirrored in work.session.execute(rows):
        if id_ not in found or distance < found[id_].distance:
            found[id_] = Evidence(distance, is_mirrored)
    return found


def clusters(work: Work, wanted: Paging) -> Slice[Cluster]:
    """What waits, put together: by their first asset's id. Three statements, however many there are."""
    pairs = _pairs(work)
    members = _members(pairs)
    firsts = sorted(members, reverse=wanted.backwards)
    if wanted.position is not None:
        beyond = wanted.position[0]
        firsts = [each for each in firsts if (each < beyond if wanted.backwards else each > beyond)]
    firsts = firsts[: wanted.limit + 1]
    named = {first: sorted(members[first])[:MOST_ASSETS] for first in firsts}
    ids = [id_ for each in named.values() for id_ in each]
    rows = {row.id: row for row in work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(ids)))}
    counted: dict[int, int] = defaultdict(int)
    of = {id_: first for first in firsts for id_ in members[first]}
    for low, _ in pairs:
        if low in of:
            counted[of[low]] += 1
    found = [Cluster([rows[id_] for id_ in named[first]], len(members[first]), counted[first]) for first in firsts]
    return sliced(found, [(first,) for first in firsts], wanted)


def cluster_count(work: Work) -> int:
    return len(_members(_pairs(work)))


def _listed(work: Work, *, decided: bool) -> sa.Select[NearDuplicateRow]:
    rows = sa.select(NearDuplicateRow).where(*_reviewed(work))
    return rows.where(NearDuplicateRow.decision.is_not(None) if decided else NearDuplicateRow.decision.is_(None))


def _reviewed(work: Work) -> list[sa.ColumnElement[bool]]:
    whole: sa.Select[int] = sa.select(AssetRow.id).where(
        identity.sees_asset(work),
        identity.holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED),
        AssetRow.id.not_in(sa.select(AssetTrashRow.asset_id)),
    )
    merged = sa.select(_gone.id).where(_gone.merged_into_id.in_(whole))
    shown = sa.union_all(whole, merged)
    return [NearDuplicateRow.low_asset_id.in_(shown), NearDuplicateRow.high_asset_id.in_(shown)]


def _pairs(work: Work) -> list[tuple[int, int]]:
    rows = _listed(work, decided=False).with_only_columns(NearDuplicateRow.low_asset_id, NearDuplicateRow.high_asset_id)
    return [(low, high) for low, high in work.session.execute(rows.order_by(NearDuplicateRow.id).limit(MOST_PAIRS))]


def _members(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """By the lowest id of each cluster all its assets."""
    above: dict[int, int] = {}

    def first(id_: int) -> int:
        root = id_
        while above.setdefault(root, root) != root:
            root = above[root]
        while above[id_] != root:
            above[id_], id_ = root, above[id_]
        return root

    for low, high in pairs:
        one, other = sorted((first(low), first(high)))
        above[other] = one
    members: dict[int, set[int]] = defaultdict(set)
    for id_ in list(above):
        members[first(id_)].add(id_)
    return members
