"""What fields say of assets, read for whoever asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain import holdings, identity
from domain.custom_fields.defining import EPOCH, MICRO, fits
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetFieldRow, AssetRow, CustomFieldRow


class Piece(NamedTuple):
    """One thing that is said, without whose and what of."""

    locale: str
    place: int
    word: str
    text: str | None = None
    number: int | None = None
    term_id: int | None = None
    target_id: int | None = None

    @classmethod
    def of(cls, row: AssetFieldRow) -> Piece:
        return cls(row.locale, row.place, row.word, row.text, row.number, row.term_id, row.target_id)


def decimal(number: int) -> Decimal:
    """A number as it is written, without zeros at its end."""
    exact = Decimal(number) / MICRO
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()


def day(number: int) -> date:
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True)
class Said:
    """What a field says of an asset, in order of languages and places."""

    field: CustomFieldRow
    pieces: tuple[Piece, ...]


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[Said]]:
    """Per asset what its living fields say, as far as the viewer may read them there, in the order of the fields."""
    ids = set(asset_ids)
    found = pieces_of(work, ids)
    fields = _living(work, {field_id for said in found.values() for field_id in said})
    needed = {row.needs for row in fields if row.needs is not None}
    readable = {name: _readable(work, ids, Permission(name)) for name in needed}
    return {
        asset_id: [
            Said(row, said[row.id])
            for row in fields
            if row.id in said and (row.needs is None or asset_id in readable[row.needs])
        ]
        for asset_id, said in found.items()
    }


def pieces_of(work: Work, asset_ids: Collection[int]) -> dict[int, dict[int, tuple[Piece, ...]]]:
    """Per asset and field all that is said, whoever may read it."""
    rows = sa.select(AssetFieldRow).where(AssetFieldRow.asset_id.in_(set(asset_ids)))
    order = (AssetFieldRow.asset_id, AssetFieldRow.field_id, AssetFieldRow.locale, AssetFieldRow.place)
    found: dict[int, dict[int, tuple[Piece, ...]]] = defaultdict(dict)
    for row in work.session.scalars(rows.order_by(*order).execution_options(populate_existing=True)):
        of_asset = found[row.asset_id]
        of_asset[row.field_id] = (*of_asset.get(row.field_id, ()), Piece.of(row))
    return found


def is_said(work: Work, assets: Collection[AssetRow], field_ids: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of asset and field, of those that say anything."""
    rows = sa.select(AssetFieldRow.asset_id, AssetFieldRow.field_id).distinct()
    asked = rows.where(
        AssetFieldRow.asset_id.in_({row.id for row in assets}), AssetFieldRow.field_id.in_(set(field_ids))
    )
    return {(asset_id, field_id) for asset_id, field_id in work.session.execute(asked)}


def may_write(work: Work, row: CustomFieldRow, asset: AssetRow) -> bool:
    """Whether the viewer, who may change the asset, may also say this of it."""
    return row.needs is None or identity.may(work, Permission(row.needs), asset)


def has(row: CustomFieldRow, asset: AssetRow) -> bool:
    return fits(row, asset.kind)


def _living(work: Work, ids: Collection[int]) -> list[CustomFieldRow]:
    rows = sa.select(CustomFieldRow).where(CustomFieldRow.id.in_(set(ids)), CustomFieldRow.archived_at.is_(None))
    return list(work.session.scalars(rows.order_by(CustomFieldRow.place, CustomFieldRow.id))) if ids else []


def _readable(work: Work, asset_ids: set[int], permission: Permission) -> set[int]:
    """The assets of which the viewer holds the permission."""
    if work.viewer.holdings.reach(permission).is_everywhere:
        return asset_ids
    rows: list[Any] = list(work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(asset_ids))))
    facts = identity.facts(work, rows)
    return {row.id for row in rows if holdings.holds(work.viewer.holdings, permission, facts[row.id])}
