"""Webhooks, their deliveries, and every attempt at one.

The permission to manage them is given to `admin` at the next start, as every new permission is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("token_id", Id, nullable=True),
        sa.Column("scopes", Json, nullable=True),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", Json, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("header_names", Json, nullable=False),
        sa.Column("sealed_headers", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("sealed_old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", Instant(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("disabled_code", sa.Text(), nullable=True),
        sa.Column("disabled_message", sa.Text(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.Column("cursor", Id, nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("failures", Id, nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("rests_until", Instant(), nullable=True),
        sa.CheckConstraint("(disabled_at IS NULL) = (disabled_code IS NULL)", name=op.f("ck_webhook_disabled")),
        sa.CheckConstraint("(claimed_by IS NULL) = (claimed_until IS NULL)", name=op.f("ck_webhook_claimed")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_webhook_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_webhook_principal_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_webhook_token_id")),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_webhook_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_org_id"), "webhook", ["org_id"], unique=False)
    op.create_index(op.f("ix_webhook_principal_id"), "webhook", ["principal_id"], unique=False)
    _create_deliveries()


def _create_deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("webhook_id", Id, nullable=False),
        sa.Column("event_id", Id, nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("attempts", Id, nullable=False),
        sa.Column("tries", Id, nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.Column("give_up_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('UNRENDERED', 'PENDING', 'DELIVERED', 'FAILED')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.CheckConstraint(
            "state <> 'PENDING' OR (body IS NOT NULL AND next_attempt_at IS NOT NULL)",
            name=op.f("ck_webhook_delivery_pending"),
        ),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_webhook_delivery_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("message_id", name=op.f("uq_webhook_delivery_message_id")),
        sa.UniqueConstraint("webhook_id", "event_id", name=op.f("uq_webhook_delivery_webhook_id_event_id")),
    )
    op.create_index(op.f("ix_webhook_delivery_created_at"), "webhook_delivery", ["created_at"], unique=False)
    op.create_index("ix_webhook_delivery_page", "webhook_delivery", ["webhook_id", "id"], unique=False)
    for name, column, state in (("due", "next_attempt_at", "PENDING"), ("unrendered", "id", "UNRENDERED")):
        op.create_index(
            f"ix_webhook_delivery_{name}",
            "webhook_delivery",
            ["webhook_id", column],
            unique=False,
            sqlite_where=sa.text(f"state = '{state}'"),
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "webhook_attempt",
        sa.Column("id", Id, nullable=False),
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("milliseconds", Id, nullable=False),
        sa.Column("status", Id, nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("snippet", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_delivery.id"],
            name=op.f("fk_webhook_attempt_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
        sa.UniqueConstraint("delivery_id", "number", name=op.f("uq_webhook_attempt_delivery_id_number")),
    )
