"""What lists ask of each asset that some set names is in an index beside the key: the rows are ten times as wide."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    told = ["id", "lifecycle", "created_at", "org_id", "approved_version_id", "merged_into_id"]
    op.create_index("ix_asset_listed", "asset", told)
