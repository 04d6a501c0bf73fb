"""Whether a picture needs to be bought at all: what is found before anybody pays, the most telling first.

Nobody is told of a purchase, a licence or an asset that they may not see. `CLEAR` stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import sqlalchemy as sa

from domain import identity
from domain.assets import is_kept
from domain.licensing.terms import Decision
from domain.purchases import fitting, reading
from domain.purchases.fitting import IntendedUse
from domain.purchases.reading import State
from domain.work import Work
from storage.tables import AlikeRow, AssetRow, AssetVersionRow, StockPurchaseRow

#: Assets and purchases that are told to look alike.
MAX_ALIKE: Final = 20
#: Licences for one item that are told.
MAX_LICENSED: Final = 20


class Kind(Enum):
    """In the order in which they are told."""

    ALREADY_LICENSED = "ALREADY_LICENSED"
    LICENSED_BUT_INSUFFICIENT = "LICENSED_BUT_INSUFFICIENT"
    PENDING = "PENDING"
    SAME_PICTURE_OTHER_SUPPLIER = "SAME_PICTURE_OTHER_SUPPLIER"
    OWNED_ALTERNATIVE = "OWNED_ALTERNATIVE"
    CLEAR = "CLEAR"


@dataclass(frozen=True)
class Finding:
    """`distance` as `domain.likeness` measures it, of look-alikes alone; `gap` says what a licence lacks."""

    kind: Kind
    purchase: StockPurchaseRow | None = None
    license_id: int | None = None
    asset_id: int | None = None
    distance: int | None = None
    gap: str | None = None
    decision: Decision | None = None

    @property
    def needs_acknowledgement(self) -> bool:
        return self.kind is Kind.SAME_PICTURE_OTHER_SUPPLIER and self.asset_id is not None


def findings(
    work: Work,
    supplier_id: int,
    item: str,
    *,
    tier: str | None = None,
    preview: str | None = None,
    use: IntendedUse | None = None,
    but: int | None = None,
) -> list[Finding]:
    """Of an item at a supplier; `but` is a purchase that does not count: the one that is decided about.

    Without a use, a licence serves that is in force and of the tier asked for.
    """
    found = [*_licensed(work, supplier_id, item, tier, use), *_pending(work, supplier_id, item, but)]
    if preview is not None:
        found += _alike(work, supplier_id, item, preview, but)
    found.sort(key=lambda each: list(Kind).index(each.kind))
    return found or [Finding(Kind.CLEAR)]


def _licensed(work: Work, supplier_id: int, item: str, tier: str | None, use: IntendedUse | None) -> Iterable[Finding]:
    rows = _of_item(supplier_id, item).where(StockPurchaseRow.state == State.LICENSED.value, reading.visible(work))
    bought = list(work.session.scalars(rows.order_by(StockPurchaseRow.id.desc()).limit(MAX_LICENSED)))
    fits = fitting.of_purchases(work, bought, tier, use)
    for row in bought:
        fit = fits[row.id]
        kind = Kind.ALREADY_LICENSED if fit.gap is None else Kind.LICENSED_BUT_INSUFFICIENT
        told = {"license_id": row.license_id, "asset_id": row.asset_id}
        yield Finding(kind, row, gap=fit.gap, decision=fit.decision, **told)


def _pending(work: Work, supplier_id: int, item: str, but: int | None) -> Iterable[Finding]:
    rows = _of_item(supplier_id, item).where(_under_way(), reading.visible(work), StockPurchaseRow.id != (but or 0))
    for row in work.session.scalars(rows.order_by(StockPurchaseRow.id)):
        yield Finding(Kind.PENDING, row)


def _alike(work: Work, supplier_id: int, item: str, preview: str, but: int | None) -> Iterable[Finding]:
    same = sa.select(sa.literal(preview).label("other"), sa.literal(0).label("distance"))
    near = sa.select(AlikeRow.other, AlikeRow.distance).where(AlikeRow.sha256 == preview)
    alike = sa.union_all(same, near).cte("near")
    yield from _assets_alike(work, supplier_id, item, alike)
    rows = (
        sa.select(StockPurchaseRow, alike.c.distance)
        .join(alike, alike.c.other == StockPurchaseRow.preview_sha256)
        .where(_under_way(), reading.visible(work), StockPurchaseRow.id != (but or 0))
        .where(sa.not_(_is_item(supplier_id, item)))
        .order_by(alike.c.distance, StockPurchaseRow.id)
        .limit(MAX_ALIKE)
    )
    for row, distance in work.session.execute(rows):
        yield Finding(Kind.SAME_PICTURE_OTHER_SUPPLIER, row, distance=distance)


def _assets_alike(work: Work, supplier_id: int, item: str, alike: sa.CTE) -> Iterable[Finding]:
    nearest = (
        sa.select(AssetRow.id, sa.func.min(alike.c.distance))
        .join(AssetVersionRow, AssetVersionRow.asset_id == AssetRow.id)
        .join(alike, alike.c.other == AssetVersionRow.sha256)
        .where(identity.sees_version(work), is_kept(AssetRow.id))
        .group_by(AssetRow.id)
        .order_by(sa.func.min(alike.c.distance), AssetRow.id)
        .limit(MAX_ALIKE)
    )
    distances: dict[int, int] = dict(work.session.execute(nearest).all())
    bought = _purchases_of(work, distances)
    owned = fitting.owned(work, distances)
    for asset_id, distance in distances.items():
        purchase = bought.get(asset_id)
        if purchase is not None and (purchase.supplier_id, purchase.supplier_item_id) == (supplier_id, item):
            continue  # told as what is licensed
        kind = Kind.OWNED_ALTERNATIVE if asset_id in owned else Kind.SAME_PICTURE_OTHER_SUPPLIER
        license_id = owned.get(asset_id) if purchase is None else purchase.license_id
        yield Finding(kind, purchase, license_id=license_id, asset_id=asset_id, distance=distance)


def _purchases_of(work: Work, asset_ids: Mapping[int, int] | Sequence[int]) -> dict[int, StockPurchaseRow]:
    rows = sa.select(StockPurchaseRow).where(StockPurchaseRow.asset_id.in_(list(asset_ids)), reading.visible(work))
    return {row.asset_id: row for row in work.session.scalars(rows.order_by(StockPurchaseRow.id)) if row.asset_id}


def _of_item(supplier_id: int, item: str) -> sa.Select[StockPurchaseRow]:
    return sa.select(StockPurchaseRow).where(_is_item(supplier_id, item))


def _is_item(supplier_id: int, item: str) -> sa.ColumnElement[bool]:
    return sa.and_(StockPurchaseRow.supplier_id == supplier_id, StockPurchaseRow.supplier_item_id == item)


def _under_way() -> sa.ColumnElement[bool]:
    return StockPurchaseRow.state.in_(sorted(each.value for each in reading.UNDER_WAY))
