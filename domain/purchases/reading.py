"""What is bought, for those who may know of it: whoever may ask for purchases, or decides them, where it is bought.

Affiliates and agencies know of their own, and whoever stands above them of theirs too.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from enum import Enum
from typing import Final

import sqlalchemy as sa

from domain import identity, reads
from domain.pages import Key
from domain.permissions import Permission
from domain.reads import By, Ordered
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


def sight(work: Work) -> Hashable:
    """Equal for those for whom `visible` is spelled alike."""
    return identity.likeness_in_orgs(work, Permission.PURCHASE_REQUEST, Permission.PURCHASE_APPROVE)


def seen(work: Work) -> By:
    return By(sa.select(StockPurchaseRow).where(visible(work)), StockPurchaseRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, StockPurchaseRow]:
    return reads.by_id(work, seen(work), ids)


def listed(work: Work, states: Collection[State] = (), *, mine: bool = False) -> Ordered:
    """Newest first; no states: in any. `mine`: those that the viewer asked for or waits for."""
    rows = seen(work).rows
    if states:
        rows = rows.where(StockPurchaseRow.state.in_(sorted(each.value for each in states)))
    if mine:
        awaited = sa.select(PurchaseSubscriberRow.purchase_id).where(
            PurchaseSubscriberRow.principal_id == work.viewer.principal_id
        )
        rows = rows.where(StockPurchaseRow.id.in_(awaited))
    return Ordered(rows, (Key(StockPurchaseRow.id, descending=True),))


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


def _waiting() -> sa.ScalarSelect[int]:
    rows = sa.select(sa.func.count()).select_from(PurchaseSubscriberRow)
    return (
        rows.where(PurchaseSubscriberRow.purchase_id == StockPurchaseRow.id)
        .correlate(StockPurchaseRow)
        .scalar_subquery()
    )


#: Beside a `StockPurchaseRow`, what `counts_of_subscribers` answers.
SUBSCRIBERS: Final = _waiting()
