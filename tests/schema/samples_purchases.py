"""Acceptable inputs for mutations of suppliers and purchases."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from domain import purchases
from domain.global_ids import decode, encode
from domain.money import Money
from domain.purchases import suppliers
from domain.work import BRAND_ORG_ID
from storage.tables import LicenseRow, LikenessRow
from tests import acting

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "stockPurchaseRequest": "it makes a new one",
    "stockPurchaseRecord": "it makes a new one",
}
PATTERN: Final = {"host": "stock.example.com", "path": r"/photos/(?P<item>\d+)"}


def supplier(brand: Brand) -> str:
    with brand.hub.writing(brand.client.viewer) as work:
        return encode("Supplier", suppliers.create(work, f"supplier-{_next(brand)}", "A supplier").id)


def purchase(brand: Brand, *moves: str) -> dict[str, Any]:
    """Its id and revision; asked for by somebody else, and moved on by the brand's administrator."""
    wish = _wish(decode(supplier(brand))[1], brand)
    with brand.hub.writing(acting.member(brand.hub, "designer")) as work:
        number = purchases.request(work, wish).id
    with brand.hub.writing(brand.client.viewer) as work:
        revision = 1
        for name in moves:
            move: Any = getattr(purchases, name)
            revision = move(work, number, revision).revision
    return {"purchase": encode("StockPurchase", number), "expectedRevision": revision}


def spared(brand: Brand) -> str:
    """The supplier of a memo."""
    made = supplier(brand)
    wish = replace(_wish(decode(made)[1], brand), fee=Money(100, "EUR"))
    for viewer in (acting.member(brand.hub, "designer"), brand.client.viewer):
        try:
            with brand.hub.writing(viewer) as work:
                purchases.request(work, wish)
        except purchases.AlreadyRequested as refusal:
            with brand.hub.writing(viewer) as work:
                purchases.spared(work, wish, refusal)
    return made


def license_(brand: Brand) -> str:
    with brand.hub.writing(brand.client.viewer) as work:
        row = LicenseRow(
            org_id=BRAND_ORG_ID,
            number=f"P-{_next(brand)}",
            title=f"Licence {brand.made[0]}",
            kind="ROYALTY_FREE",
            status="DRAFT",
            licensee_org_id=BRAND_ORG_ID,
            end_user_org_ids=[],
            starts_on=date(2020, 1, 1),
            zone="UTC",
            sublicensable=False,
            free_text=[],
            created_at=work.now,
            created_by=brand.client.viewer.principal_id,
            updated_at=work.now,
        )
        work.session.add(row)
        work.session.flush()
        row.status, row.activated_at = "ACTIVE", work.now
        return encode("License", row.id)


def nodes(brand: Brand) -> dict[str, str]:
    return {"Supplier": supplier(brand), "StockPurchase": purchase(brand)["purchase"]}


def _next(brand: Brand) -> int:
    brand.made[0] += 1
    return brand.made[0]


def _wish(supplier_id: int, brand: Brand) -> purchases.Wanted:
    return purchases.Wanted(supplier_id, f"item-{_next(brand)}", "STANDARD")


def _item(brand: Brand) -> dict[str, Any]:
    return {"supplier": supplier(brand), "item": f"item-{_next(brand)}", "licenseTier": "STANDARD"}


def _looked_at(brand: Brand) -> str:
    """A preview in which a worker found nothing to compare."""
    data = brand.picture()
    upload = brand.client.upload(data)
    told = {"state": "NOTHING", "algorithm": 1, "updated_at": brand.hub.clock()}
    with brand.hub.writing(brand.client.viewer) as work:
        work.session.merge(LikenessRow(sha256=hashlib.sha256(data).hexdigest(), **told))
    return upload


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "supplierCreate": lambda brand: {"key": f"new-{_next(brand)}", "name": "New", "urlPatterns": [PATTERN]},
    "supplierUpdate": lambda brand: {"supplier": supplier(brand), "expectedRevision": 1, "name": "Another"},
    "stockPurchaseRequest": lambda brand: {
        **_item(brand),
        "upload": _looked_at(brand),
        "acknowledged": [brand.asset()["id"]],
    },
    "stockPurchaseRecord": lambda brand: {
        **_item(brand),
        "license": license_(brand),
        "asset": brand.asset()["id"],
    },
    "stockPurchaseApprove": lambda brand: {**purchase(brand), "acknowledged": [brand.asset()["id"]]},
    "stockPurchaseReject": lambda brand: {**purchase(brand), "reason": "Too dear."},
    "stockPurchaseOrder": lambda brand: purchase(brand, "approve"),
    "stockPurchaseLicense": lambda brand: {
        **purchase(brand, "approve", "order"),
        "license": license_(brand),
        "asset": brand.asset()["id"],
    },
    "stockPurchaseCancel": purchase,
}
