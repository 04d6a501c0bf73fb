"""Decisions that addresses are given out by are found again: by version, organisation and use, while they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rights_decision", sa.Column("use_digest", sa.Text(), nullable=True))
    op.add_column("rights_decision", sa.Column("renew_at", Instant(), nullable=True))
    op.add_column("rights_decision", sa.Column("repeats_id", Id, nullable=True))
    op.create_index(
        "ix_rights_decision_delivered",
        "rights_decision",
        ["version_id", "org_id", "use_digest", "epoch", "renew_at"],
        unique=False,
        sqlite_where=sa.text("mode = 'DELIVER'"),
        postgresql_where=sa.text("mode = 'DELIVER'"),
    )
