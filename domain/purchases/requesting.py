"""Asking for a picture to be bought, deciding it, ordering it, and saying under which licence it came.

Always true here:
- The same item is never under way twice for the same tier: of two who ask at once, one asks and the other hears of it.
- Before anybody asks or approves, it is found out in the same transaction whether it needs to be bought at all.
- Nobody decides about what they asked for themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from domain import history, identity, money
from domain.likeness import Looking, of_upload
from domain.money import Money
from domain.permissions import Permission
from domain.purchases import addresses, checking, fitting, reading, savings, suppliers
from domain.purchases.checking import Finding, Kind
from domain.purchases.fitting import IntendedUse
from domain.purchases.reading import State
from domain.purchases.savings import AvoidedBy
from domain.purchases.wanted import AlreadyLicensed, AlreadyRequested, LooksAlike, Wanted
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_NOTE, MAX_TITLE, line, paragraphs
from domain.work import Work
from storage.tables import AssetRow, PurchaseSubscriberRow, StockPurchaseRow

MAX_ORDER_REF: Final = 100
#: Assets that one request says were looked at.
MAX_ACKNOWLEDGED: Final = 100
_TIER: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
#: What an ending is booked as when it was found that the picture need not be bought, by what is told first.
_AVOIDED: Final = {
    Kind.ALREADY_LICENSED: AvoidedBy.ALREADY_LICENSED,
    Kind.PENDING: AvoidedBy.PENDING,
    Kind.SAME_PICTURE_OTHER_SUPPLIER: AvoidedBy.SAME_PICTURE_OTHER_SUPPLIER,
    Kind.OWNED_ALTERNATIVE: AvoidedBy.OWNED_ALTERNATIVE,
}


@dataclass(frozen=True)
class Named:
    """What is wanted, as somebody said it: by supplier and item, or by an address at a supplier's."""

    supplier_id: int | None = None
    item: str | None = None
    address: str | None = None


def wish(
    work: Work,
    named: Named,
    tier: str,
    *,
    upload: str | None = None,
    title: str | None = None,
    fee: Money | None = None,
    acknowledged: frozenset[int] = frozenset(),
) -> Wanted:
    """What a request is about. `Invalid` for what names nothing; `Conflict` while the preview is still looked at, and
    for a supplier that nothing is bought from any more.
    """
    supplier_id, item = found(work, named)
    if not _TIER.fullmatch(tier):
        sentence = "A tier is a word of up to 40 capital letters, digits and underscores, such as STANDARD."
        raise Invalid(sentence, ("licenseTier",), "format")
    _check_acknowledged(work, acknowledged)
    return Wanted(
        supplier_id=supplier_id,
        item=item,
        tier=tier,
        preview=None if upload is None else looked_at(work, upload),
        title=None if title is None else line(title, MAX_TITLE, ("title",)),
        fee=fee,
        acknowledged=acknowledged,
    )


def found(work: Work, named: Named) -> tuple[int, str]:
    """The supplier, which is not archived, and the item."""
    if (named.address is None) == (named.item is None) or (named.item is not None and named.supplier_id is None):
        raise Invalid("Name a supplier and its item, or an address.", ("item",), "choice")
    if named.item is not None:
        assert named.supplier_id is not None
        return suppliers.open_(work, named.supplier_id).id, addresses.item(named.item, ("item",))
    shown = suppliers.of_address(work, named.address or "")
    if shown is None or named.supplier_id not in {None, shown[0].id}:
        raise Invalid("No supplier says what this address shows: name supplier and item.", ("url",), "address")
    return shown[0].id, shown[1]


def looked_at(work: Work, upload: str) -> str:
    """The digest of a preview that the viewer uploaded and that was looked at."""
    looked, digest = of_upload(work, upload, 0), fitting.digest_of(work, upload)
    if looked.state is Looking.LOOKING:
        raise Conflict("This preview is still being looked at: ask again in a moment.", ("upload",))
    return digest


def request(work: Work, asked: Wanted, use: IntendedUse | None = None) -> StockPurchaseRow:
    """Needs PURCHASE_REQUEST at home. Refused: `AlreadyLicensed`, `AlreadyRequested`, and `LooksAlike` unless every
    look-alike was acknowledged.
    """
    identity.require_in_org(work, Permission.PURCHASE_REQUEST, work.viewer.org_id)
    _check_needed(work, asked, use, asked.acknowledged, but=None)
    row = _row(work, asked, State.REQUESTED)
    row.intended_use = None if use is None else fitting.spelled(use)
    try:
        with work.session.begin_nested():
            work.session.add(row)
            work.session.flush()
    except IntegrityError:
        raise AlreadyRequested(_under_way(work, asked)) from None
    _subscribe(work, row.id)
    _record(work, "stock_purchase.requested", row)
    return row


def spared(work: Work, asked: Wanted, refusal: AlreadyRequested | AlreadyLicensed) -> None:
    """What a refused request leaves, in a unit of work of its own: the viewer waits for the purchase that was there
    first, and what they were about to spend is booked, unless it is theirs.
    """
    principal_id, purchase_id = work.viewer.principal_id, refusal.purchase_id
    if principal_id is None:
        return
    by = AvoidedBy.ALREADY_LICENSED
    if isinstance(refusal, AlreadyRequested):
        by = AvoidedBy.PENDING
        row = None if purchase_id is None else reading.by_id(work, [purchase_id]).get(purchase_id)
        if row is not None and row.requested_by == principal_id:
            return
        if row is not None and _subscribe(work, row.id):
            _record(work, "stock_purchase.subscribed", row)
    story = {"purchase_id": purchase_id, "license_id": refusal.license_id}
    savings.book(work, asked, by, principal_id=principal_id, org_id=work.viewer.org_id, **story)


def approve(
    work: Work, purchase_id: int, expected_revision: int, acknowledged: frozenset[int] = frozenset()
) -> StockPurchaseRow:
    """Needs PURCHASE_APPROVE there, and somebody else than who asked. Checked anew: refused like `request`; look-alikes
    that came since have to be acknowledged.
    """
    row = _decided(work, purchase_id, expected_revision, {State.REQUESTED})
    _check_acknowledged(work, acknowledged)
    seen = frozenset(row.acknowledged) | acknowledged
    use = None if row.intended_use is None else fitting.read(row.intended_use, work.now)
    _check_needed(work, _wanted_by(row), use, seen, but=row.id)
    row.acknowledged = sorted(seen)
    return _moved(work, row, State.APPROVED, "stock_purchase.approved")


def reject(work: Work, purchase_id: int, expected_revision: int, reason: str) -> StockPurchaseRow:
    """Needs PURCHASE_APPROVE there, and a reason. Where the picture was found not to be needed, what it would have cost
    is booked as avoided.
    """
    row = _decided(work, purchase_id, expected_revision, {State.REQUESTED, State.APPROVED})
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    if why is None:
        raise Invalid("Say why.", ("reason",), "required")
    _book_if_needless(work, row)
    row.ended_at = work.now
    return _moved(work, row, State.REJECTED, "stock_purchase.rejected", why)


def order(work: Work, purchase_id: int, expected_revision: int, order_ref: str | None = None) -> StockPurchaseRow:
    """Needs PURCHASE_APPROVE there: it was ordered at the supplier's, under this reference."""
    row = _held(work, purchase_id, expected_revision, {State.APPROVED})
    identity.require_in_org(work, Permission.PURCHASE_APPROVE, row.org_id)
    row.order_ref = None if order_ref is None else line(order_ref, MAX_ORDER_REF, ("orderRef",))
    return _moved(work, row, State.ORDERED, "stock_purchase.ordered")


def license_(
    work: Work, purchase_id: int, expected_revision: int, license_id: int, asset_id: int | None = None
) -> StockPurchaseRow:
    """It came, under this licence, which the viewer sees, and is this asset, if it is here already. Needs
    PURCHASE_APPROVE there.
    """
    row = _held(work, purchase_id, expected_revision, {State.ORDERED})
    identity.require_in_org(work, Permission.PURCHASE_APPROVE, row.org_id)
    fitting.check_license(work, license_id)
    _check_asset(work, asset_id)
    row.license_id, row.asset_id, row.ended_at = license_id, asset_id, work.now
    return _moved(work, row, State.LICENSED, "stock_purchase.licensed")


def record(work: Work, bought: Wanted, license_id: int, asset_id: int | None = None) -> StockPurchaseRow:
    """A picture that was bought before anybody asked the hub, so that it is not bought again. Needs PURCHASE_APPROVE at
    home.
    """
    identity.require_in_org(work, Permission.PURCHASE_APPROVE, work.viewer.org_id)
    fitting.check_license(work, license_id)
    _check_asset(work, asset_id)
    row = _row(work, bought, State.LICENSED)
    row.license_id, row.asset_id, row.ended_at = license_id, asset_id, work.now
    work.session.add(row)
    work.session.flush()
    _record(work, "stock_purchase.licensed", row)
    return row


def cancel(work: Work, purchase_id: int, expected_revision: int, reason: str | None = None) -> StockPurchaseRow:
    """By whoever asked for it, or with PURCHASE_APPROVE there. Books what was avoided as `reject` does."""
    row = _held(work, purchase_id, expected_revision, set(reading.UNDER_WAY))
    if row.requested_by != work.viewer.principal_id:
        identity.require_in_org(work, Permission.PURCHASE_APPROVE, row.org_id)
    _book_if_needless(work, row)
    row.ended_at = work.now
    return _moved(work, row, State.CANCELLED, "stock_purchase.cancelled", paragraphs(reason, MAX_NOTE, ("reason",)))


def _row(work: Work, asked: Wanted, state: State) -> StockPurchaseRow:
    assert work.viewer.principal_id is not None
    return StockPurchaseRow(
        org_id=work.viewer.org_id,
        supplier_id=asked.supplier_id,
        supplier_item_id=asked.item,
        license_tier=asked.tier,
        state=state.value,
        title=asked.title,
        fee_minor=None if asked.fee is None else asked.fee.minor,
        fee_currency=None if asked.fee is None else asked.fee.currency,
        preview_sha256=asked.preview,
        acknowledged=sorted(asked.acknowledged),
        requested_at=work.now,
        requested_by=work.viewer.principal_id,
    )


def _check_needed(
    work: Work, asked: Wanted, use: IntendedUse | None, acknowledged: frozenset[int], but: int | None
) -> None:
    told = checking.findings(
        work, asked.supplier_id, asked.item, tier=asked.tier, preview=asked.preview, use=use, but=but
    )
    for each in told:
        if each.kind is Kind.ALREADY_LICENSED and each.purchase is not None and each.license_id is not None:
            raise AlreadyLicensed(each.purchase.id, each.license_id)
        if each.kind is Kind.PENDING and each.purchase is not None and each.purchase.license_tier == asked.tier:
            raise AlreadyRequested(each.purchase.id)
    unseen = [each.asset_id for each in told if each.needs_acknowledgement and each.asset_id not in acknowledged]
    if unseen:
        raise LooksAlike(tuple(each for each in unseen if each is not None))


def _under_way(work: Work, asked: Wanted) -> int | None:
    """The purchase that was faster, where the viewer may see it."""
    rows = sa.select(StockPurchaseRow.id).where(
        StockPurchaseRow.supplier_id == asked.supplier_id,
        StockPurchaseRow.supplier_item_id == asked.item,
        StockPurchaseRow.license_tier == asked.tier,
        StockPurchaseRow.state.in_(sorted(each.value for each in reading.UNDER_WAY)),
        reading.visible(work),
    )
    return work.session.scalar(rows)


def _subscribe(work: Work, purchase_id: int) -> bool:
    """Whether the viewer did not wait for it before."""
    assert work.viewer.principal_id is not None
    key = (purchase_id, work.viewer.principal_id)
    if work.session.get(PurchaseSubscriberRow, key) is not None:
        return False
    row = PurchaseSubscriberRow(purchase_id=key[0], principal_id=key[1], subscribed_at=work.now)
    try:
        with work.session.begin_nested():
            work.session.add(row)
            work.session.flush()
    except IntegrityError:  # at this very moment, by another request of theirs
        return False
    return True


def _decided(work: Work, purchase_id: int, expected_revision: int, states: set[State]) -> StockPurchaseRow:
    row = _held(work, purchase_id, expected_revision, states)
    identity.require_in_org(work, Permission.PURCHASE_APPROVE, row.org_id)
    if row.requested_by == work.viewer.principal_id:
        raise Conflict("Somebody else decides about what you asked for.", ("purchase",))
    row.decided_at, row.decided_by = work.now, work.viewer.principal_id
    return row


def _held(work: Work, purchase_id: int, expected_revision: int, states: set[State]) -> StockPurchaseRow:
    """Locked, as it stands now."""
    rows = sa.select(StockPurchaseRow).where(StockPurchaseRow.id == purchase_id, reading.visible(work))
    row = work.session.scalars(rows.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no purchase with this id.", ("purchase",))
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if State(row.state) not in states:
        raise Conflict(f"This purchase is {row.state}.", ("purchase",))
    return row


def _check_asset(work: Work, asset_id: int | None) -> None:
    if asset_id is None:
        return
    seen = sa.select(AssetRow.id).where(AssetRow.id == asset_id, identity.sees_asset(work))
    if work.session.scalar(seen) is None:
        raise NotFound("There is no asset with this id.", ("asset",))


def _fee(row: StockPurchaseRow) -> Money | None:
    return money.kept(row.fee_minor, row.fee_currency)


def _check_acknowledged(work: Work, asset_ids: frozenset[int]) -> None:
    if len(asset_ids) > MAX_ACKNOWLEDGED:
        raise Invalid(f"At most {MAX_ACKNOWLEDGED} assets are named.", ("acknowledged",), "length")
    seen = sa.select(AssetRow.id).where(AssetRow.id.in_(asset_ids), identity.sees_asset(work))
    if set(work.session.scalars(seen)) != asset_ids:
        raise NotFound("There is no asset with this id.", ("acknowledged",))


def _wanted_by(row: StockPurchaseRow) -> Wanted:
    return Wanted(row.supplier_id, row.supplier_item_id, row.license_tier, preview=row.preview_sha256, fee=_fee(row))


def _book_if_needless(work: Work, row: StockPurchaseRow) -> None:
    asked = _wanted_by(row)
    use = None if row.intended_use is None else fitting.read(row.intended_use, work.now)
    told = checking.findings(
        work, asked.supplier_id, asked.item, tier=asked.tier, preview=asked.preview, use=use, but=row.id
    )
    telling = next((each for each in told if _makes_needless(each, asked)), None)
    if telling is None:
        return
    story = {"purchase_id": row.id, "license_id": telling.license_id}
    savings.book(work, asked, _AVOIDED[telling.kind], principal_id=row.requested_by, org_id=row.org_id, **story)


def _makes_needless(each: Finding, asked: Wanted) -> bool:
    if each.kind is Kind.PENDING:
        return each.purchase is not None and each.purchase.license_tier == asked.tier
    return each.kind in _AVOIDED


def _moved(work: Work, row: StockPurchaseRow, state: State, event: str, reason: str | None = None) -> StockPurchaseRow:
    row.state = state.value
    work.session.flush()
    _record(work, event, row, reason)
    return row


def _record(work: Work, event: str, row: StockPurchaseRow, reason: str | None = None) -> None:
    told = {"supplier": row.supplier_id, "tier": row.license_tier, "state": row.state}
    history.record(work, event, ("StockPurchase", row.id), told, org_id=row.org_id, reason=reason)
