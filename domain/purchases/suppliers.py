"""Suppliers: whom pictures are bought from, and how addresses of their pages name what they show.

They are the brand's: whoever may ask for a purchase anywhere sees them all, whoever holds SUPPLIER_MANAGE at the brand
changes them. A supplier's key never changes, and what was bought from it stays bought from it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from domain import history, identity, reads
from domain.permissions import Permission
from domain.purchases import addresses, agencies
from domain.purchases.addresses import Pattern
from domain.reads import By
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import line
from domain.work import BRAND_ORG_ID, Work
from storage.tables import OrganisationRow, SupplierRow

MAX_SUPPLIERS: Final = 200
MAX_NAME: Final = 100

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


def create(work: Work, key: str, name: str, patterns: Sequence[Pattern] | None = None) -> SupplierRow:
    """With the patterns of the agency whose key it is where none are said. Refused: without SUPPLIER_MANAGE, a key that
    is taken, patterns that `addresses` does not take.
    """
    identity.require_in_org(work, Permission.SUPPLIER_MANAGE)
    if not _KEY.fullmatch(key):
        raise Invalid("A key is made of up to 50 small letters, digits and hyphens.", ("key",), "format")
    kept = addresses.checked(agencies.PATTERNS.get(key, ()) if patterns is None else patterns, ("urlPatterns",))
    _take_turns(work)
    present = list(work.session.scalars(sa.select(SupplierRow.key).where(SupplierRow.org_id == BRAND_ORG_ID)))
    if key in present:
        raise Conflict("There is a supplier with this key.", ("key",))
    if len(present) >= MAX_SUPPLIERS:
        raise Conflict(f"There are at most {MAX_SUPPLIERS} suppliers.", ("key",))
    assert work.viewer.principal_id is not None
    row = SupplierRow(
        org_id=BRAND_ORG_ID,
        key=key,
        name=line(name, MAX_NAME, ("name",)),
        url_patterns=kept,
        created_at=work.now,
        created_by=work.viewer.principal_id,
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "supplier.created", row)
    return row


def update(
    work: Work,
    supplier_id: int,
    expected_revision: int,
    *,
    name: str | None = None,
    patterns: Sequence[Pattern] | None = None,
    is_archived: bool | None = None,
) -> SupplierRow:
    """What is None stays. From an archived supplier nothing more is asked for; what is under way goes on."""
    row = _held(work, supplier_id, expected_revision)
    if name is not None:
        row.name = line(name, MAX_NAME, ("name",))
    if patterns is not None:
        row.url_patterns = addresses.checked(patterns, ("urlPatterns",))
    if is_archived is not None and is_archived != (row.archived_at is not None):
        row.archived_at = work.now if is_archived else None
    work.session.flush()
    _record(work, "supplier.updated", row)
    return row


def seen(work: Work) -> By:
    return By(sa.select(SupplierRow).where(sa.true() if _sees(work) else sa.false()), SupplierRow.id)


def sight(work: Work) -> Hashable:
    """Equal for those who see all of them, and for those who see none."""
    return _sees(work)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, SupplierRow]:
    return reads.by_id(work, seen(work), ids) if _sees(work) else {}


def known(work: Work) -> list[SupplierRow]:
    """All of them by name, archived ones too, at most 200."""
    if not _sees(work):
        return []
    return sorted(work.session.scalars(sa.select(SupplierRow)), key=lambda row: (row.name.casefold(), row.id))


def of_address(work: Work, address: str) -> tuple[SupplierRow, str] | None:
    """The supplier whose patterns fit the address, and the item that it shows; archived suppliers show nothing."""
    for row in known(work):
        found = None if row.archived_at is not None else addresses.item_of(address, row.url_patterns)
        if found is not None:
            return row, found
    return None


def open_(work: Work, supplier_id: int) -> SupplierRow:
    """One that the viewer sees and that is not archived."""
    row = by_id(work, [supplier_id]).get(supplier_id)
    if row is None:
        raise NotFound("There is no supplier with this id.", ("supplier",))
    if row.archived_at is not None:
        raise Conflict("Nothing is bought from this supplier any more.", ("supplier",))
    return row


def _sees(work: Work) -> bool:
    held = work.viewer.holdings
    return any(
        held.anywhere(each)
        for each in (Permission.PURCHASE_REQUEST, Permission.PURCHASE_APPROVE, Permission.SUPPLIER_MANAGE)
    )


def _held(work: Work, supplier_id: int, expected_revision: int) -> SupplierRow:
    if not _sees(work):
        raise NotFound("There is no supplier with this id.", ("supplier",))
    rows = sa.select(SupplierRow).where(SupplierRow.id == supplier_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no supplier with this id.", ("supplier",))
    identity.require_in_org(work, Permission.SUPPLIER_MANAGE)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    return row


def _take_turns(work: Work) -> None:
    """Of two who use the same key at once, the second sees the first."""
    brand = sa.select(OrganisationRow.id).where(OrganisationRow.id == BRAND_ORG_ID)
    work.session.execute(brand.with_for_update())


def _record(work: Work, event: str, row: SupplierRow) -> None:
    history.record(work, event, ("Supplier", row.id), {"key": row.key, "revision": row.revision}, org_id=row.org_id)
