"""What stands shared is found by whom it is shared with, however much it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    assets, boxes = (sa.text(f"ended_at IS NULL AND lightbox_id IS {which}") for which in ("NULL", "NOT NULL"))
    columns = ["to_org_id", "access", "ends_at", "asset_id"]
    op.create_index("ix_share_one", "share", columns, sqlite_where=assets, postgresql_where=assets)
    op.create_index("ix_share_box", "share", ["to_org_id", "lightbox_id"], sqlite_where=boxes, postgresql_where=boxes)
