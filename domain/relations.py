"""What one asset is to another: derived from it, made from its source file, its variant in a language, its print face.

Always true here:
- A relation is read from one asset to the other, and is there once. Nothing is derived from itself, nor its own source
  file, however far around.
- Who sees only one end does not learn that there is another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Final

import sqlalchemy as sa

from domain import history, identity
from domain.assets import reading
from domain.permissions import Permission
from domain.refusals import Conflict, NotFound
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRelationRow, AssetRow, OrganisationRow

#: Relations of one asset that are told; as many may begin at it.
MAX_RELATIONS: Final = 200


class Kind(Enum):
    DERIVED_FROM = "DERIVED_FROM"
    SOURCE_FILE = "SOURCE_FILE"
    LANGUAGE_VARIANT = "LANGUAGE_VARIANT"
    PRINT_WEB = "PRINT_WEB"


#: These lead from what was made to what it was made of.
ONE_WAY: Final = (Kind.DERIVED_FROM, Kind.SOURCE_FILE)


def relate(work: Work, from_id: int, to_id: int, kind: Kind) -> AssetRelationRow:
    """Says it of two assets that the viewer sees; of the first they need ASSET_UPDATE. Saying it again changes nothing.

    `Conflict` where it would lead back to where it begins, or the first asset has as many as it may.
    """
    first = _held(work, from_id, ("from",))
    _check_change(work, first)
    if to_id not in reading.by_id(work, [to_id]):
        raise NotFound("There is no asset with this id.", ("to",))
    if from_id == to_id:
        raise Conflict("An asset is not related to itself.", ("to",))
    if kind in ONE_WAY:
        _take_turn(work)
        if _leads(work, to_id, from_id, kind):
            raise Conflict("This would lead back to the asset that it begins with.", ("to",))
    same = sa.select(AssetRelationRow).where(
        AssetRelationRow.from_asset_id == from_id,
        AssetRelationRow.to_asset_id == to_id,
        AssetRelationRow.kind == kind.value,
    )
    present = work.session.scalars(same).one_or_none()
    if present is not None:
        return present
    begun = sa.select(sa.func.count()).where(AssetRelationRow.from_asset_id == from_id)
    if (work.session.scalar(begun) or 0) >= MAX_RELATIONS:
        raise Conflict(f"An asset has at most {MAX_RELATIONS} relations of its own.", ("from",))
    assert work.viewer.principal_id is not None
    row = AssetRelationRow(
        org_id=first.org_id,
        kind=kind.value,
        from_asset_id=from_id,
        to_asset_id=to_id,
        created_at=work.now,
        created_by=work.viewer.principal_id,
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "relation.created", row)
    return row


def unrelate(work: Work, relation_id: int) -> int:
    """Takes it back; the viewer needs ASSET_UPDATE of the asset that it begins with, which is answered."""
    row = by_id(work, [relation_id]).get(relation_id)
    if row is None:
        raise NotFound("There is no relation with this id.", ("relation",))
    _check_change(work, _held(work, row.from_asset_id, ("relation",)))
    _forget(work, row)
    return row.from_asset_id


def forget_of(work: Work, asset_id: int) -> None:
    """All relations of an asset that is no more."""
    either = sa.or_(AssetRelationRow.from_asset_id == asset_id, AssetRelationRow.to_asset_id == asset_id)
    for row in work.session.scalars(sa.select(AssetRelationRow).where(either).order_by(AssetRelationRow.id)).all():
        _forget(work, row)


def leads_back(work: Work, asset_id: int) -> bool:
    """Whether one-way relations lead from the asset back to itself, as they may once it took over another's."""
    _take_turn(work)
    return any(_reaches(work, asset_id, asset_id, kind) for kind in ONE_WAY)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, AssetRelationRow]:
    rows = work.session.scalars(_seen(work).where(AssetRelationRow.id.in_(set(ids))))
    return {row.id: row for row in rows}


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[AssetRelationRow]]:
    """Per asset what it is to others and others are to it, oldest first, at most 200."""
    wanted = set(asset_ids)
    seen = _seen(work).where(
        sa.or_(AssetRelationRow.from_asset_id.in_(wanted), AssetRelationRow.to_asset_id.in_(wanted))
    )
    found: dict[int, list[AssetRelationRow]] = defaultdict(list)
    for row in work.session.scalars(seen.order_by(AssetRelationRow.id)):
        for end in {row.from_asset_id, row.to_asset_id} & wanted:
            if len(found[end]) < MAX_RELATIONS:
                found[end].append(row)
    return {asset_id: found[asset_id] for asset_id in wanted}


def _seen(work: Work) -> sa.Select[AssetRelationRow]:
    """Both ends are asked for, each by the policy."""
    mine = sa.select(AssetRow.id).where(identity.sees_asset(work))
    return sa.select(AssetRelationRow).where(
        AssetRelationRow.from_asset_id.in_(mine.where(AssetRow.id == AssetRelationRow.from_asset_id)),
        AssetRelationRow.to_asset_id.in_(mine.where(AssetRow.id == AssetRelationRow.to_asset_id)),
    )


def _held(work: Work, asset_id: int, path: tuple[str, ...]) -> AssetRow:
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no asset with this id.", path)
    return row


def _check_change(work: Work, asset: AssetRow) -> None:
    identity.require(work, Permission.ASSET_UPDATE, asset)
    if asset.lifecycle == "ARCHIVED":
        raise Conflict("This asset is archived: restore it first.", ("from",))


def _take_turn(work: Work) -> None:
    """Two that each close half of a circle would not see each other: they go one after the other."""
    brand = sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID)
    work.session.execute(brand.with_for_update(key_share=True))


def _leads(work: Work, from_id: int, to_id: int, kind: Kind) -> bool:
    """Whether relations of this kind lead from one asset to the other, or it is the other."""
    return from_id == to_id or _reaches(work, from_id, to_id, kind)


def _reaches(work: Work, from_id: int, to_id: int, kind: Kind) -> bool:
    step = sa.select(AssetRelationRow.to_asset_id.label("id")).where(
        AssetRelationRow.from_asset_id == from_id, AssetRelationRow.kind == kind.value
    )
    reached = step.cte("reached", recursive=True)
    further = sa.select(AssetRelationRow.to_asset_id).where(
        AssetRelationRow.from_asset_id == reached.c.id, AssetRelationRow.kind == kind.value
    )
    reached = reached.union(further)
    return bool(work.session.scalar(sa.select(sa.exists().where(reached.c.id == to_id))))


def _forget(work: Work, row: AssetRelationRow) -> None:
    work.session.delete(row)
    work.session.flush()
    _record(work, "relation.removed", row)


def _record(work: Work, event: str, row: AssetRelationRow) -> None:
    story = {"relation": row.id, "kind": row.kind, "to": row.to_asset_id}
    history.record(work, event, ("Asset", row.from_asset_id), story, org_id=row.org_id)
