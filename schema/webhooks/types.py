"""Webhooks, their deliveries and attempts, as GraphQL speaks of them."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from domain import people, webhooks
from domain.global_ids import encode
from domain.permissions import Permission
from schema.connections import Connection, below
from schema.context import Context
from schema.fields import field
from schema.node import KINDS, Kind, Node
from schema.paging import After, Before, First, Last
from schema.people.actors import Actor
from schema.scalars import Instant, Url
from storage.tables import WebhookAttemptRow, WebhookDeliveryRow, WebhookRow

#: Mypy cannot read an enum whose members are computed; these are the domain's own types of events.
_computed: Any = Enum
WebhookEvent: Any = strawberry.enum(
    _computed(
        "WebhookEvent",
        {
            each.replace(".", "_").upper(): strawberry.enum_value(each, description=f"`{each}`.")
            for each in webhooks.TOPICS
        },
    ),
    description="What a webhook can be told of; in the message `type` says it with a dot, such as `asset.updated`.",
)


@strawberry.enum(description="Whether a webhook is told of anything.")
class WebhookState(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="It is told of what happens.")
    PAUSED = strawberry.enum_value("PAUSED", description="Somebody switched it off.")
    DISABLED = strawberry.enum_value("DISABLED", description="The hub switched it off and says why.")
    ARCHIVED = strawberry.enum_value("ARCHIVED", description="It was put away for good.")


@strawberry.enum(description="How far a delivery is.")
class WebhookDeliveryState(Enum):
    PENDING = strawberry.enum_value("PENDING", description="It is to be sent, or to be sent again.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="The receiver answered with a 2xx.")
    FAILED = strawberry.enum_value("FAILED", description="It was given up, and says why.")


@strawberry.type(description="Why something was not sent, or is not sent any more.")
class WebhookFailure:
    code: str = strawberry.field(description="A stable word, such as `TIMEOUT`, `REFUSED` or `RIGHTS_ENDED`.")
    message: str = strawberry.field(description="A whole sentence for people.")

    @classmethod
    def of(cls, code: str | None, message: str | None) -> WebhookFailure | None:
        return None if code is None else cls(code=code, message=message or "")


@strawberry.type(description="One sending of a delivery, and what came back.")
class WebhookAttempt:
    number: int = strawberry.field(description="From 1.")
    begun_at: Instant
    milliseconds: int = strawberry.field(description="How long it took.")
    status: int | None = strawberry.field(description="The HTTP status; null where nothing answered.")
    failure: WebhookFailure | None
    snippet: str | None = strawberry.field(description="How the answer's body begins, as one line of text.")

    @classmethod
    def of(cls, row: WebhookAttemptRow) -> WebhookAttempt:
        return cls(
            number=row.number,
            begun_at=row.begun_at,
            milliseconds=row.milliseconds,
            status=row.status,
            failure=WebhookFailure.of(row.failure_code, row.failure_message),
            snippet=row.snippet,
        )


@strawberry.type(description="One event told to one webhook. Kept for 30 days.")
class WebhookDelivery(Node):
    row: strawberry.Private[WebhookDeliveryRow]
    type: str = strawberry.field(description="What is told of, such as `asset.updated`; `webhook.ping` for a test.")
    message_id: str = strawberry.field(description="The header `webhook-id` of every attempt.")
    state: WebhookDeliveryState
    failure: WebhookFailure | None = strawberry.field(description="What was last in the way; null after a success.")
    created_at: Instant
    next_attempt_at: Instant | None = strawberry.field(description="When it is tried again, if it is.")
    finished_at: Instant | None

    @classmethod
    def of(cls, row: WebhookDeliveryRow) -> WebhookDelivery:
        state = "PENDING" if row.state == "UNRENDERED" else row.state
        return cls(
            row=row,
            id=strawberry.ID(encode("WebhookDelivery", row.id)),
            type=row.type,
            message_id=row.message_id,
            state=WebhookDeliveryState(state),
            failure=WebhookFailure.of(row.failure_code, row.failure_message),
            created_at=row.created_at,
            next_attempt_at=row.next_attempt_at,
            finished_at=row.finished_at,
        )

    @field("To whom it is told.")
    async def webhook(self, info: strawberry.Info[Context]) -> Webhook:
        row = await info.context.load(webhooks.by_id, self.row.webhook_id)
        assert row is not None, "whoever knows of a delivery knows of its webhook"
        return Webhook.of(row)

    @field("The JSON that is sent; null for whoever may not see all that the webhook may.")
    async def body(self, info: strawberry.Info[Context]) -> str | None:
        return await info.context.load(webhooks.bodies, self.row.id)

    @field("The last 50 attempts, oldest first.", size=50)
    async def attempts(self, info: strawberry.Info[Context]) -> list[WebhookAttempt]:
        rows = await info.context.load(webhooks.attempts_of, self.row.id) or []
        return [WebhookAttempt.of(row) for row in rows]


@strawberry.type(description="An address that is told of what happens.")
class Webhook(Node):
    row: strawberry.Private[WebhookRow]
    name: str
    url: Url = strawberry.field(description="Where messages are sent.")
    events: list[WebhookEvent] = strawberry.field(description="What it is told of.")
    document: str = strawberry.field(description="The query whose answer is the message's `data`.")
    header_names: list[str] = strawberry.field(description="Headers that are sent along; their values are not shown.")
    scopes: list[Permission] | None = strawberry.field(
        description="Permissions that it is limited to; null for all that whoever it speaks for holds."
    )
    state: WebhookState
    disabled: WebhookFailure | None = strawberry.field(description="Why the hub switched it off; null if it did not.")
    disabled_at: Instant | None
    ends_at: Instant | None = strawberry.field(description="When it stops by itself; null for never.")
    old_secret_until: Instant | None = strawberry.field(
        description="Until then messages are signed with the secret before this one, too."
    )
    created_at: Instant
    revision: int = strawberry.field(description="Give it back as `expectedRevision` to change the webhook.")

    @classmethod
    def of(cls, row: WebhookRow) -> Webhook:
        known = {each.value: each for each in Permission}
        return cls(
            row=row,
            id=strawberry.ID(encode("Webhook", row.id)),
            name=row.name,
            url=Url(row.url),
            events=[WebhookEvent(each) for each in row.events if each in webhooks.TOPICS],
            document=row.document,
            header_names=list(row.header_names),
            scopes=None if row.scopes is None else [known[each] for each in row.scopes if each in known],
            state=_state(row),
            disabled=WebhookFailure.of(row.disabled_code, row.disabled_message),
            disabled_at=row.disabled_at,
            ends_at=row.ends_at,
            old_secret_until=row.old_secret_until,
            created_at=row.created_at,
            revision=row.revision,
        )

    @field("With whose rights its document is run; null where the viewer may not know of them.")
    async def speaks_for(self, info: strawberry.Info[Context]) -> Actor | None:
        row = await info.context.load(people.by_id, self.row.principal_id)
        return None if row is None else Actor.of(row)

    @field("What it was told in the last 30 days, newest first.")
    async def deliveries(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[WebhookDelivery]:
        read, counted, of = webhooks.of_webhooks, webhooks.counts_of_webhooks, WebhookDelivery.of
        page = {"first": first, "after": after, "last": last, "before": before}
        return await below(info, self.row.id, "webhook.deliveries", read, counted, of, **page)  # type: ignore[arg-type]


def _state(row: WebhookRow) -> WebhookState:
    if row.archived_at is not None:
        return WebhookState.ARCHIVED
    if row.disabled_at is not None:
        return WebhookState.DISABLED
    return WebhookState.ACTIVE if row.is_active else WebhookState.PAUSED


KINDS["Webhook"] = Kind(webhooks.by_id, Webhook.of)
KINDS["WebhookDelivery"] = Kind(webhooks.deliveries_by_id, WebhookDelivery.of)
