"""Exports and their parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_export",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("token_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("subjects", Json, nullable=False),
        sa.Column("condition", Json, nullable=True),
        sa.Column("fields", Json, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("subject", Id, nullable=False),
        sa.Column("last_id", Id, nullable=False),
        sa.Column("parts", Id, nullable=False),
        sa.Column("lines", Id, nullable=False),
        sa.Column("total", Id, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("byte_size", Id, nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name=op.f("ck_bulk_export_state")
        ),
        sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name=op.f("ck_bulk_export_failure")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_bulk_export_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_bulk_export_principal_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_bulk_export_token_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_bulk_export_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_export")),
    )
    for name, columns in (
        ("principal", ["principal_id", "id"]),
        ("state", ["state", "org_id"]),
        ("expires", ["expires_at"]),
    ):
        op.create_index(f"ix_bulk_export_{name}", "bulk_export", columns, unique=False)
    op.create_table(
        "bulk_export_part",
        sa.Column("export_id", Id, nullable=False),
        sa.Column("number", Id, autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["bulk_export.id"], name=op.f("fk_bulk_export_part_export_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_bulk_export_part_sha256")),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_bulk_export_part")),
    )
