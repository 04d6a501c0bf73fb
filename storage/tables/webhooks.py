"""Webhooks: who is told of what, by which words, and what became of each telling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.row import Row, one_of, only_when

#: UNRENDERED: to be told again, in words yet to be found. PENDING: to be sent.
DELIVERY_STATES = ("UNRENDERED", "PENDING", "DELIVERED", "FAILED")


class WebhookRow(Row):
    """An address that is told of events, with the rights of one principal."""

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint("(disabled_at IS NULL) = (disabled_code IS NULL)", name="disabled"),
        CheckConstraint("(claimed_by IS NULL) = (claimed_until IS NULL)", name="claimed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The organisation of its principal.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    #: With whose rights its document is run.
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    #: The token with which somebody made it for themselves: it reaches as far, and as long.
    token_id: Mapped[int | None] = mapped_column(ForeignKey("token.id"))
    #: Permissions it is limited to; None for all that the principal holds.
    scopes: Mapped[list[Any] | None]
    #: When it stops by itself; None for never.
    ends_at: Mapped[datetime | None]
    name: Mapped[str]
    url: Mapped[str]
    #: Types of events, as `domain.history` names them.
    events: Mapped[list[Any]]
    document: Mapped[str]
    #: Names of the headers sent along; their values stand in `sealed_headers`.
    header_names: Mapped[list[Any]]
    #: Encrypted with the hub's secret.
    sealed_headers: Mapped[str]
    sealed_secret: Mapped[str]
    sealed_old_secret: Mapped[str | None]
    old_secret_until: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    archived_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_code: Mapped[str | None]
    disabled_message: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=1)
    #: Events up to this `seq` have their deliveries. Moved in the transaction that adds them.
    cursor: Mapped[int]
    #: The process that is finding the words for the next ones, and until when nobody else does.
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    #: Attempts that failed since one succeeded, and since when.
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    #: Nothing is sent before.
    rests_until: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": revision}


class WebhookDeliveryRow(Row):
    """One event told to one webhook, at most once each; a ping is about no event."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        one_of("state", DELIVERY_STATES),
        CheckConstraint("state <> 'PENDING' OR (body IS NOT NULL AND next_attempt_at IS NOT NULL)", name="pending"),
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_delivery_page", "webhook_id", "id"),
        Index("ix_webhook_delivery_due", "webhook_id", "next_attempt_at", **only_when("state = 'PENDING'")),
        Index("ix_webhook_delivery_unrendered", "webhook_id", "id", **only_when("state = 'UNRENDERED'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    type: Mapped[str]
    #: The `webhook-id` of every attempt, so that a receiver knows a repetition.
    message_id: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str | None]
    state: Mapped[str]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    #: All attempts, and those since it was asked for last.
    attempts: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    give_up_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]


class WebhookAttemptRow(Row):
    """One sending and what came back."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"))
    number: Mapped[int]
    begun_at: Mapped[datetime]
    milliseconds: Mapped[int]
    #: HTTP's; None where nothing answered, and then `failure_code` says why.
    status: Mapped[int | None]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    #: How the answer's body begins, made harmless.
    snippet: Mapped[str | None]
