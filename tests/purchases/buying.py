"""What tests of purchases say again and again: suppliers, requests, and licences that stand."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.work import BRAND_ORG_ID, HUB
from storage.tables import AssetRightsRow, LicenseRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted

SELECTED = """purchase { id item licenseTier state revision subscribed subscriberCount supplier { id }
  asset { id } title }"""
PATTERNS = (
    {"host": "stock.example.com", "path": r"/[^/]+/[^/]+-(?P<item>\d+)"},
    {"host": "stock.example.com", "path": r"/search\?id=(?P<item>\d+)"},
)


def supplier(client: Client, key: str = "stock", **more: Any) -> str:
    told = {"key": key, "name": key.title(), "urlPatterns": PATTERNS, **more}
    found: str = accepted(mutate(client, "supplierCreate", "supplier { id }", **told))["supplier"]["id"]
    return found


def asked(client: Client, supplier_id: str, item: str = "100", tier: str = "STANDARD", **more: Any) -> dict[str, Any]:
    """The payload of a request."""
    told = {"supplier": supplier_id, "item": item, "licenseTier": tier, **more}
    return mutate(client, "stockPurchaseRequest", SELECTED, **told)


def mutate(client: Client, name: str, selection: str, /, **fields: Any) -> dict[str, Any]:
    """Like `Client.mutate`, with what the errors of purchases say; also for inputs with a field called `name`."""
    query = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {selection}
      errors {{ __typename code message path ... on ValidationError {{ constraint }}
        ... on StaleRevisionError {{ current }} ... on NotAllowedError {{ permission }}
        ... on AlreadyRequestedError {{ purchase {{ id subscribed }} }}
        ... on AlreadyLicensedError {{ purchase {{ id }} }}
        ... on LooksAlikeError {{ assets {{ id }} }} }} }} }}"""
    found: dict[str, Any] = client.ask(query, input=fields)[name]
    return found


def moved(client: Client, verb: str, purchase: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The payload of `stockPurchaseApprove` and the like."""
    told = {"purchase": purchase["id"], "expectedRevision": purchase["revision"], **more}
    return mutate(client, f"stockPurchase{verb}", SELECTED, **told)


def buyer(hub: Hub, *roles: str, org_id: int = BRAND_ORG_ID, name: str = "Buyer") -> Client:
    return Client(hub, acting.member(hub, *(roles or ("marketing manager",)), org_id=org_id, name=name))


def designer(hub: Hub, name: str = "Designer", org_id: int = BRAND_ORG_ID) -> Client:
    return Client(hub, acting.member(hub, "designer", name=name, org_id=org_id))


def license_(
    hub: Hub, principal_id: int, number: str = "L-1", kind: str = "ROYALTY_FREE", ends_on: date | None = None
) -> str:
    """A licence in force, as a global id."""
    with hub.writing(HUB) as work:
        row = LicenseRow(
            org_id=BRAND_ORG_ID,
            number=number,
            title=number,
            kind=kind,
            status="DRAFT",
            licensee_org_id=BRAND_ORG_ID,
            end_user_org_ids=[],
            starts_on=date(2020, 1, 1),
            ends_on=ends_on,
            zone="Europe/Berlin",
            sublicensable=False,
            free_text=[],
            created_at=work.now,
            created_by=principal_id,
            updated_at=work.now,
        )
        work.session.add(row)
        work.session.flush()
        row.status, row.activated_at = "ACTIVE", work.now
        return encode("License", row.id)


def covered(hub: Hub, asset: dict[str, Any], license_id: str, principal_id: int) -> None:
    """Says that the asset is under the licence."""
    with hub.writing(HUB) as work:
        work.session.add(
            AssetRightsRow(
                org_id=BRAND_ORG_ID,
                asset_id=decode(asset["id"])[1],
                license_id=decode(license_id)[1],
                coverage="WHOLE",
                assessed_at=work.now,
                assessed_by=principal_id,
            )
        )


def bought(hub: Hub, boss: Client, supplier_id: str, license_id: str, asset: str | None = None, **more: Any) -> Any:
    """A purchase from the request to the licence."""
    made = accepted(asked(designer(hub, "Somebody"), supplier_id, **more))["purchase"]
    for verb in ("Approve", "Order"):
        made = accepted(moved(boss, verb, made))["purchase"]
    told = {"license": license_id} | ({} if asset is None else {"asset": asset})
    return accepted(moved(boss, "License", made, **told))["purchase"]


def checked(client: Client, **told: Any) -> list[dict[str, Any]]:
    """The findings of a check."""
    query = """query ($input: PurchaseCheckInput!) { purchaseCheck(input: $input) { item supplier { id }
      findings { kind needsAcknowledgement distance gap purchase { id } asset { id } } } }"""
    found: list[dict[str, Any]] = client.ask(query, input=told)["purchaseCheck"]["findings"]
    return found


def kinds(findings: list[dict[str, Any]]) -> list[str]:
    return [each["kind"] for each in findings]
