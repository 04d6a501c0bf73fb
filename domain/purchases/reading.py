"""What is bought, for those who may know of it: whoever may ask for purchases, or decides them, where it is bought.

Affiliates and agencies know of their own, and whoever stands above them of theirs too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum

import sqlalchemy as sa

from domain import identity
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.work import Work
from storage.tables import PurchaseSubscriberRow, StockPurchaseRow


class State(Enum):
    """REQUESTED → APPROVED → ORDERED → LICENSED; the first two may be REJECTED, the first three CANCELLED."""

    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    ORDERED = "ORDERED"
    LICENSED = "LICENSED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


#: In these nobody asks for the same picture again.
UNDER_WAY = frozenset({State.REQUESTED, State.APPROVED, State.ORDERED})


def visible(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `StockPurchaseRow` that binds every read of purchases."""
    return sa.or_(
        identity.in_orgs(work, Permission.PURCHASE_REQUEST, StockPurchaseRow.org_id),
        identity.in_orgs(work, Permission.PURCHASE_APPROVE, StockPurchaseRow.org_id),
    )


def by_id(work: Work, ids: Iterable[int]) -> dict[int, StockPurchaseRow]:
    rows = sa.select(StockPurchaseRow).where(StockPurchaseRow.id.in_(set(ids)), visible(work))
    return {row.id: row for row in work.session.scalars(rows)}


def page(work: Work, wanted: Paging, states: Collection[State], *, mine: bool) -> Slice[StockPurchaseRow]:
    """Newest first; no states: in any. `mine`: those that the viewer asked for or waits for."""
    rows = _listed(work, states, mine=mine)
    return read_slice(work, rows, [Key(StockPurchaseRow.id, descending=True)], wanted)


def count(work: Work, states: Collection[State], *, mine: bool) -> int:
    rows = _listed(work, states, mine=mine).subquery()
    return work.session.scalar(sa.select(sa.func.count()).select_from(rows)) or 0


def subscribed(work: Work, ids: Iterable[int]) -> dict[int, bool]:
    """Per purchase whether the viewer waits for what becomes of it."""
    wanted = set(ids)
    mine = sa.select(PurchaseSubscriberRow.purchase_id).where(
        PurchaseSubscriberRow.purchase_id.in_(wanted),
        PurchaseSubscriberRow.principal_id == work.viewer.principal_id,
    )
    found = set(work.session.scalars(mine))
    return {each: each in found for each in wanted}


def counts_of_subscribers(work: Work, ids: Iterable[int]) -> dict[int, int]:
    """Per purchase how many wait for it, its requester among them."""
    wanted = set(ids)
    columns = (PurchaseSubscriberRow.purchase_id, sa.func.count())
    rows = sa.select(*columns).where(columns[0].in_(wanted)).group_by(columns[0])
    return dict.fromkeys(wanted, 0) | dict(work.session.execute(rows).all())


def may_of(work: Work, org_ids: Iterable[int], permission: Permission) -> dict[int, bool]:
    """Per organisation whether the permission holds for what is bought there."""
    return {org_id: work.viewer.holdings.in_org(permission, org_id) for org_id in org_ids}


def _listed(work: Work, states: Collection[State], *, mine: bool) -> sa.Select[StockPurchaseRow]:
    rows = sa.select(StockPurchaseRow).where(visible(work))
    if states:
        rows = rows.where(StockPurchaseRow.state.in_(sorted(each.value for each in states)))
    if mine:
        awaited = sa.select(PurchaseSubscriberRow.purchase_id).where(
            PurchaseSubscriberRow.principal_id == work.viewer.principal_id
        )
        rows = rows.where(StockPurchaseRow.id.in_(awaited))
    return rows
