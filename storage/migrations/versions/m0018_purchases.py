"""Suppliers and what is bought from them."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json, NullableJson

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

#: What was asked for stays as it was asked, and the state follows its arrows.
ARROWS = (
    ("REQUESTED", "APPROVED"),
    ("REQUESTED", "REJECTED"),
    ("REQUESTED", "CANCELLED"),
    ("APPROVED", "ORDERED"),
    ("APPROVED", "REJECTED"),
    ("APPROVED", "CANCELLED"),
    ("ORDERED", "LICENSED"),
    ("ORDERED", "CANCELLED"),
)
ASKED = (
    *("id", "org_id", "supplier_id", "supplier_item_id", "license_tier", "title", "fee_minor", "fee_currency"),
    *("intended_use", "preview_sha256", "requested_at", "requested_by"),
)
REWRITTEN = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in ASKED)
ASTRAY = "NEW.state <> OLD.state AND NOT ({})".format(
    " OR ".join(f"(OLD.state = '{before}' AND NEW.state = '{after}')" for before, after in ARROWS)
)
#: Name, when, what is refused, in which words.
REFUSED = (
    ("purchase_rewritten", "UPDATE ON stock_purchase", REWRITTEN, "what was asked for never changes"),
    ("purchase_astray", "UPDATE ON stock_purchase", ASTRAY, "a purchase moves only along its arrows"),
    (
        "purchase_begun",
        "INSERT ON stock_purchase",
        "NEW.state NOT IN ('REQUESTED', 'LICENSED')",
        "a purchase begins as a request",
    ),
    ("purchase_deleted", "DELETE ON stock_purchase", "", "a purchase is never deleted"),
    ("spend_rewritten", "UPDATE ON avoided_spend", "", "a memo never changes"),
    ("spend_deleted", "DELETE ON avoided_spend", "", "a memo is never deleted"),
)


def upgrade() -> None:
    op.create_table(
        "supplier",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url_patterns", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_supplier_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_supplier_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
    )
    op.create_index("uq_supplier_key", "supplier", ["org_id", "key"], unique=True)
    op.create_table(
        "stock_purchase",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("supplier_id", Id, nullable=False),
        sa.Column("supplier_item_id", sa.Text(), nullable=False),
        sa.Column("license_tier", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("fee_minor", Id, nullable=True),
        sa.Column("fee_currency", sa.Text(), nullable=True),
        sa.Column("intended_use", NullableJson, nullable=True),
        sa.Column("preview_sha256", sa.Text(), nullable=True),
        sa.Column("acknowledged", Json, nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("requested_by", Id, nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", Id, nullable=True),
        sa.Column("order_ref", sa.Text(), nullable=True),
        sa.Column("license_id", Id, nullable=True),
        sa.Column("asset_id", Id, nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.CheckConstraint("(state = 'LICENSED') = (license_id IS NOT NULL)", name=op.f("ck_stock_purchase_license")),
        sa.CheckConstraint(
            "state IN ('REQUESTED', 'APPROVED', 'ORDERED', 'LICENSED', 'REJECTED', 'CANCELLED')",
            name=op.f("ck_stock_purchase_state"),
        ),
        sa.CheckConstraint("(fee_minor IS NULL) = (fee_currency IS NULL)", name=op.f("ck_stock_purchase_fee")),
        sa.CheckConstraint("fee_minor >= 0", name=op.f("ck_stock_purchase_fee_sign")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_stock_purchase_asset_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["principal.id"], name=op.f("fk_stock_purchase_decided_by")),
        sa.ForeignKeyConstraint(["license_id"], ["license.id"], name=op.f("fk_stock_purchase_license_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_stock_purchase_org_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["principal.id"], name=op.f("fk_stock_purchase_requested_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_stock_purchase_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_purchase")),
    )
    op.create_index("ix_stock_purchase_asset", "stock_purchase", ["asset_id"], unique=False)
    op.create_index(
        "ix_stock_purchase_item", "stock_purchase", ["supplier_id", "supplier_item_id", "state"], unique=False
    )
    op.create_index("ix_stock_purchase_license", "stock_purchase", ["license_id"], unique=False)
    op.create_index("ix_stock_purchase_org", "stock_purchase", ["org_id", "id"], unique=False)
    op.create_index(
        "uq_stock_purchase_under_way",
        "stock_purchase",
        ["supplier_id", "supplier_item_id", "license_tier"],
        unique=True,
        sqlite_where=sa.text("state IN ('REQUESTED', 'APPROVED', 'ORDERED')"),
        postgresql_where=sa.text("state IN ('REQUESTED', 'APPROVED', 'ORDERED')"),
    )
    op.create_table(
        "purchase_subscriber",
        sa.Column("purchase_id", Id, autoincrement=False, nullable=False),
        sa.Column("principal_id", Id, autoincrement=False, nullable=False),
        sa.Column("subscribed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_purchase_subscriber_principal_id")),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["stock_purchase.id"], name=op.f("fk_purchase_subscriber_purchase_id")
        ),
        sa.PrimaryKeyConstraint("purchase_id", "principal_id", name=op.f("pk_purchase_subscriber")),
    )
    op.create_index("ix_purchase_subscriber_principal", "purchase_subscriber", ["principal_id"], unique=False)
    op.create_table(
        "avoided_spend",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("supplier_id", Id, nullable=False),
        sa.Column("supplier_item_id", sa.Text(), nullable=False),
        sa.Column("license_tier", sa.Text(), nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("avoided_by", sa.Text(), nullable=False),
        sa.Column("amount_minor", Id, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("purchase_id", Id, nullable=True),
        sa.Column("license_id", Id, nullable=True),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "avoided_by IN ('ALREADY_LICENSED', 'PENDING', 'SAME_PICTURE_OTHER_SUPPLIER', 'OWNED_ALTERNATIVE')",
            name=op.f("ck_avoided_spend_avoided_by"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_avoided_spend_amount")),
        sa.ForeignKeyConstraint(["license_id"], ["license.id"], name=op.f("fk_avoided_spend_license_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_avoided_spend_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_avoided_spend_principal_id")),
        sa.ForeignKeyConstraint(["purchase_id"], ["stock_purchase.id"], name=op.f("fk_avoided_spend_purchase_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_avoided_spend_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_avoided_spend")),
    )
    op.create_index("ix_avoided_spend_org", "avoided_spend", ["org_id", "id"], unique=False)
    op.create_index(
        "uq_avoided_spend_once",
        "avoided_spend",
        ["supplier_id", "supplier_item_id", "license_tier", "principal_id"],
        unique=True,
    )
    for statement in _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(statement)


def _on_sqlite() -> Iterator[str]:
    for name, when, broken, sentence in REFUSED:
        raised = f"SELECT RAISE(ABORT, '{sentence}');"
        yield f"CREATE TRIGGER {name} BEFORE {when} WHEN {broken or '1'} BEGIN {raised} END"


def _on_postgres() -> Iterator[str]:
    for name, when, broken, sentence in REFUSED:
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF {broken or "TRUE"} THEN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END IF;
              RETURN NEW;
            END $$"""
        yield f"CREATE TRIGGER {name} BEFORE {when} FOR EACH ROW EXECUTE FUNCTION {name}()"
