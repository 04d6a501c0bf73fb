"""Trusted documents: GraphQL texts that were registered, by digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusted_document",
        sa.Column("id", Id, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("retires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_trusted_document_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_document")),
        sa.UniqueConstraint("sha256", name=op.f("uq_trusted_document_sha256")),
    )
