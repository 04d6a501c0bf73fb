"""Brands: what people outside know an organisation's assets by.

An asset carries at most one, of its own organisation or of one above it. A brand is seen where its organisation is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from domain import history, organisations
from domain.refusals import Conflict, NotFound, StaleRevision
from domain.texts import fold, line
from domain.work import Work
from storage.tables import BrandRow, OrganisationRow

MAX_NAME = 200
#: Of one organisation, archived ones included.
MAX_BRANDS = 100


def create(work: Work, org_id: int, name: str) -> BrandRow:
    org = organisations.held_for(work, "ADD_BRAND", org_id, ("organisation",))
    spelled = line(name, MAX_NAME, ("name",))
    if _check_name(work, org.id, spelled) >= MAX_BRANDS:
        raise Conflict(f"An organisation has at most {MAX_BRANDS} brands.", ("organisation",))
    row = BrandRow(org_id=org.id, name=spelled, created_at=work.now)
    work.session.add(row)
    work.session.flush()
    history.record(work, "brand.created", ("Brand", row.id), org_id=org.id)
    return row


def rename(work: Work, brand_id: int, name: str, expected_revision: int) -> BrandRow:
    row = _held(work, brand_id, expected_revision)
    spelled = line(name, MAX_NAME, ("name",))
    if fold(spelled) != fold(row.name):
        _check_name(work, row.org_id, spelled)
    row.name = spelled
    return _touched(work, row, "brand.updated")


def archive(work: Work, brand_id: int, expected_revision: int) -> BrandRow:
    """No asset gets it any more; those that carry it keep it."""
    row = _held(work, brand_id, expected_revision)
    row.archived_at = work.now
    return _touched(work, row, "brand.archived")


def for_assets_of(work: Work, brand_id: int, org_id: int, path: tuple[str, ...] = ("brand",)) -> int:
    """The brand's id, where an asset of this organisation may get it. Held until the transaction ends."""
    held = sa.select(BrandRow.id).where(BrandRow.id == brand_id, _seen(work)).with_for_update(read=True)
    work.session.execute(held)
    return fits(work, brand_id, org_id, path)


def fits(work: Work, brand_id: int, org_id: int, path: tuple[str, ...] = ("brand",)) -> int:
    """The brand's id, where an asset of this organisation may get it now."""
    rows = sa.select(BrandRow, OrganisationRow.path).join(OrganisationRow, OrganisationRow.id == BrandRow.org_id)
    found = work.session.execute(
        rows.where(BrandRow.id == brand_id, _seen(work)).execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no brand with this id.", path)
    brand, home = found
    if brand.archived_at is not None:
        raise Conflict("This brand is archived: no asset gets it any more.", path)
    if not work.session.get_one(OrganisationRow, org_id).path.startswith(home):
        raise Conflict("An asset carries a brand of its own organisation or of one above it.", path)
    return brand.id


def by_id(work: Work, ids: Iterable[int]) -> dict[int, BrandRow]:
    rows = sa.select(BrandRow).where(BrandRow.id.in_(set(ids)), _seen(work))
    return {row.id: row for row in work.session.scalars(rows)}


def of_organisations(work: Work, org_ids: Collection[int]) -> dict[int, list[BrandRow]]:
    """Per organisation its living brands, oldest first."""
    rows = sa.select(BrandRow).where(BrandRow.org_id.in_(set(org_ids)), BrandRow.archived_at.is_(None), _seen(work))
    found: dict[int, list[BrandRow]] = {each: [] for each in org_ids}
    for row in work.session.scalars(rows.order_by(BrandRow.id)):
        found[row.org_id].append(row)
    return found


def _seen(work: Work) -> sa.ColumnElement[bool]:
    return BrandRow.org_id.in_(organisations.seen_ids(work))


def _held(work: Work, brand_id: int, expected_revision: int) -> BrandRow:
    known = by_id(work, [brand_id]).get(brand_id)
    if known is None:
        raise NotFound("There is no brand with this id.", ("brand",))
    organisations.held_for(work, "ADD_BRAND", known.org_id, ("brand",))
    held = sa.select(BrandRow).where(BrandRow.id == brand_id).with_for_update(key_share=True)
    row = work.session.scalars(held.execution_options(populate_existing=True)).one()
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if row.archived_at is not None:
        raise Conflict("This brand is archived.", ("brand",))
    return row


def _check_name(work: Work, org_id: int, name: str) -> int:
    """How many brands the organisation has, none of which is called so. Decided while the organisation is held, so that
    of two at once the second sees the first.
    """
    names = list(work.session.scalars(sa.select(BrandRow.name).where(BrandRow.org_id == org_id)))
    if fold(name) in set(map(fold, names)):
        raise Conflict(f"There is, or was, a brand called {name} here already.", ("name",))
    return len(names)


def _touched(work: Work, row: BrandRow, event: str) -> BrandRow:
    work.session.flush()
    history.record(work, event, ("Brand", row.id), {"revision": row.revision}, org_id=row.org_id)
    return row
