"""The words that stand in a version's file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "version_text",
        sa.Column("version_id", Id, autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_version_text_version_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_version_text")),
    )
