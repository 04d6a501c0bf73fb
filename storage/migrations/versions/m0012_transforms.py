"""Renditions that are asked for by address, and pyramids of tiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transform",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("params_digest", sa.Text(), nullable=False),
        sa.Column("recipe", Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("width", Id, nullable=True),
        sa.Column("height", Id, nullable=True),
        sa.Column("byte_size", Id, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("index_at", Id, nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('PICTURE', 'PART', 'PYRAMID')", name=op.f("ck_transform_kind")),
        sa.CheckConstraint("state IN ('QUEUED', 'RUNNING', 'READY', 'FAILED')", name=op.f("ck_transform_state")),
        sa.CheckConstraint("(state = 'READY') = (sha256 IS NOT NULL)", name=op.f("ck_transform_bytes")),
        sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name=op.f("ck_transform_failure")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_transform_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transform")),
        sa.UniqueConstraint(
            "source_sha256", "kind", "params_digest", name=op.f("uq_transform_source_sha256_kind_params_digest")
        ),
    )
    for name in ("used_at", "sha256"):
        op.create_index(f"ix_transform_{name}", "transform", [name], unique=False)
