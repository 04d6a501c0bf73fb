"""Names of people and accounts as they are compared; an index by which tokens are found that no event names."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

from storage.types import Folded, Id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("principal", sa.Column("name_folded", Folded, server_default=sa.text("''"), nullable=False))
    principal = sa.table(
        "principal", sa.column("id", Id), sa.column("name", sa.Text()), sa.column("name_folded", sa.Text())
    )
    for row_id, name in op.get_bind().execute(sa.select(principal.c.id, principal.c.name)).all():
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        op.execute(sa.update(principal).where(principal.c.id == row_id).values(name_folded=folded))
    op.create_index(
        "ix_event_token",
        "event",
        ["token_id"],
        unique=False,
        sqlite_where=sa.text("token_id IS NOT NULL"),
        postgresql_where=sa.text("token_id IS NOT NULL"),
    )
