"""What fields say of the files of a session, and what those are called in other languages, is said with its terms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Json

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("upload_session", sa.Column("said", Json, server_default="[]", nullable=False))
    op.add_column("upload_session", sa.Column("words", Json, server_default="{}", nullable=False))
    op.add_column(
        "upload_session", sa.Column("requires_complete", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
