"""What may be delivered is listed in the order in which assets came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

COLUMNS = "version_id, asset_id, epoch, rules, reach_id"


def upgrade() -> None:
    """Anew: SQLite adds no column to what is there that must not be NULL."""
    op.execute(f"CREATE TABLE deliverable_before AS SELECT {COLUMNS} FROM deliverable_version")  # noqa: S608  # our own
    op.drop_table("deliverable_version")
    op.create_table(
        "deliverable_version",
        sa.Column("version_id", Id, autoincrement=False, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("epoch", Id, nullable=False),
        sa.Column("rules", Id, nullable=False),
        sa.Column("reach_id", Id, nullable=True),
        sa.Column("listed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_deliverable_version_version_id")),
        sa.ForeignKeyConstraint(["reach_id"], ["deliverable_reach.id"], name=op.f("fk_deliverable_version_reach_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_deliverable_version")),
    )
    op.execute(
        f"INSERT INTO deliverable_version ({COLUMNS}, listed_at) "  # noqa: S608  # our own
        "SELECT before.version_id, before.asset_id, before.epoch, before.rules, before.reach_id, asset.created_at "
        "FROM deliverable_before AS before JOIN asset ON asset.id = before.asset_id"
    )
    op.drop_table("deliverable_before")
    op.create_index("ix_deliverable_version_rules", "deliverable_version", ["rules"], unique=False)
    op.create_index("ix_deliverable_version_reach", "deliverable_version", ["reach_id"], unique=False)
    columns = ["listed_at", "asset_id", "reach_id"]
    op.create_index("ix_deliverable_version_newest", "deliverable_version", columns, unique=False)
