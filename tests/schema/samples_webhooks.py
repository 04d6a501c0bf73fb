"""Acceptable inputs for mutations of webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain import webhooks
from domain.global_ids import decode, encode

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "webhookTest": "a ping adds a delivery and changes no webhook",
    "webhookDeliveryReplay": "a delivery has a state instead of a revision",
}
#: A public address that nothing is sent to: the jobs are never run.
URL: Final = "https://1.1.1.1/hook"
DOCUMENT: Final = "query ($subject: ID!) { node(id: $subject) { id } }"
WISH: Final = {
    "name": "A receiver",
    "url": URL,
    "events": ["ASSET_CREATED"],
    "document": DOCUMENT,
}


def webhook(brand: Brand) -> dict[str, Any]:
    """Its id and revision."""
    wish = webhooks.Wish(
        name="A receiver",
        url=URL,
        events=["asset.created"],
        document=DOCUMENT,
        is_active=True,
    )
    with brand.hub.writing(brand.client.viewer) as work:
        number = webhooks.create(work, wish).id
    return {"id": encode("Webhook", number), "revision": 1}


def delivery(brand: Brand) -> str:
    """Of a ping that is over."""
    number = decode(webhook_id(brand))[1]
    with brand.hub.writing(brand.client.viewer) as work:
        row = webhooks.test(work, number)
        row.state, row.next_attempt_at, row.finished_at = "FAILED", None, work.now
        return encode("WebhookDelivery", row.id)


def webhook_id(brand: Brand) -> str:
    found: str = webhook(brand)["id"]
    return found


def _of(brand: Brand, **fields: Any) -> dict[str, Any]:
    made = webhook(brand)
    return {"webhook": made["id"], "expectedRevision": made["revision"], **fields}


def _account(brand: Brand) -> str:
    from tests.schema import samples_sharing

    return samples_sharing._account(brand)


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "webhookCreate": lambda brand: {**WISH, "serviceAccount": _account(brand)},
    "webhookUpdate": lambda brand: _of(brand, name="Another"),
    "webhookArchive": _of,
    "webhookSecretRotate": lambda brand: _of(brand, overlapHours=1),
    "webhookTest": lambda brand: {"webhook": webhook_id(brand)},
    "webhookDeliveryReplay": lambda brand: {"delivery": delivery(brand)},
}
