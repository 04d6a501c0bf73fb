"""The memo journal of avoided spend: what was about to be paid for a picture that was here, or on its way, already.

Append-only, and nothing is paid by it. A person's wish for one picture under one tier counts once, however often they
ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from domain import history, identity
from domain.money import Money
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.purchases.wanted import Wanted
from domain.work import Work
from storage.tables import AvoidedSpendRow


class AvoidedBy(Enum):
    ALREADY_LICENSED = "ALREADY_LICENSED"
    PENDING = "PENDING"
    SAME_PICTURE_OTHER_SUPPLIER = "SAME_PICTURE_OTHER_SUPPLIER"
    OWNED_ALTERNATIVE = "OWNED_ALTERNATIVE"


def book(
    work: Work,
    wanted: Wanted,
    avoided_by: AvoidedBy,
    *,
    principal_id: int,
    org_id: int,
    purchase_id: int | None = None,
    license_id: int | None = None,
) -> AvoidedSpendRow | None:
    """None where nobody said what it would cost, or it was booked before."""
    if wanted.fee is None or wanted.fee.minor == 0:
        return None
    row = AvoidedSpendRow(
        org_id=org_id,
        supplier_id=wanted.supplier_id,
        supplier_item_id=wanted.item,
        license_tier=wanted.tier,
        principal_id=principal_id,
        avoided_by=avoided_by.value,
        amount_minor=wanted.fee.minor,
        currency=wanted.fee.currency,
        purchase_id=purchase_id,
        license_id=license_id,
        occurred_at=work.now,
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
            work.session.flush()
    except IntegrityError:  # by the same person, before or at this very moment
        return None
    told = {"memo": row.id, "amount": row.amount_minor, "currency": row.currency, "avoided_by": avoided_by.value}
    history.record(work, "spend.avoided", ("Supplier", wanted.supplier_id), told, org_id=org_id)
    return row


def page(work: Work, wanted: Paging) -> Slice[AvoidedSpendRow]:
    """Newest first, of organisations where the viewer may see money."""
    return read_slice(work, sa.select(AvoidedSpendRow).where(_seen(work)), [Key(AvoidedSpendRow.id, True)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count(AvoidedSpendRow.id)).where(_seen(work))) or 0


def by_id(work: Work, ids: Iterable[int]) -> dict[int, AvoidedSpendRow]:
    rows = sa.select(AvoidedSpendRow).where(AvoidedSpendRow.id.in_(set(ids)), _seen(work))
    return {row.id: row for row in work.session.scalars(rows)}


def totals(work: Work) -> list[Money]:
    """Per currency, in its order; amounts of different currencies are never added."""
    summed = sa.func.sum(AvoidedSpendRow.amount_minor)
    rows = sa.select(AvoidedSpendRow.currency, summed).where(_seen(work)).group_by(AvoidedSpendRow.currency)
    return [Money(int(minor), currency) for currency, minor in sorted(work.session.execute(rows))]


def _seen(work: Work) -> sa.ColumnElement[bool]:
    return identity.in_orgs(work, Permission.FIELD_MONEY, AvoidedSpendRow.org_id)
