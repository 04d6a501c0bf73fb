"""What a merge of assets moved is kept for as long as it can be undone; and texts of fields as they are sorted."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

from storage.types import Folded, Id, Instant, Json

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

#: Characters of a text that it is sorted by, and texts folded at once.
SORTED = 200
BATCH = 1_000


def upgrade() -> None:
    op.create_table(
        "asset_merge",
        sa.Column("from_id", Id, autoincrement=False, nullable=False),
        sa.Column("into_id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("merged_by", Id, nullable=True),
        sa.Column("undo_until", Instant(), nullable=False),
        sa.Column("trace", Json, nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["asset.id"], name=op.f("fk_asset_merge_from_id")),
        sa.ForeignKeyConstraint(["into_id"], ["asset.id"], name=op.f("fk_asset_merge_into_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_asset_merge_org_id")),
        sa.ForeignKeyConstraint(["merged_by"], ["principal.id"], name=op.f("fk_asset_merge_merged_by")),
        sa.PrimaryKeyConstraint("from_id", name=op.f("pk_asset_merge")),
    )
    op.create_index("ix_asset_merge_into", "asset_merge", ["into_id"], unique=False)
    op.create_index("ix_asset_merge_until", "asset_merge", ["undo_until"], unique=False)
    op.add_column("asset_field", sa.Column("folded", Folded, nullable=True))
    _fold()


def _fold() -> None:
    """As the domain folds texts."""
    connection = op.get_bind()
    key: list[sa.ColumnClause[object]] = [sa.column(name) for name in ("asset_id", "field_id", "locale", "place")]
    fields = sa.table("asset_field", *key, sa.column("text"), sa.column("folded"))
    last: tuple[object, ...] | None = None
    while True:
        rows = sa.select(*key, fields.c.text).where(fields.c.text.is_not(None)).order_by(*key).limit(BATCH)
        if last is not None:
            rows = rows.where(sa.tuple_(*key) > sa.tuple_(*(sa.literal(each) for each in last)))
        found = connection.execute(rows).all()
        if not found:
            return
        for *at, text in found:
            once = unicodedata.normalize("NFKC", text).casefold()
            where = [column == value for column, value in zip(key, at, strict=True)]
            folded = unicodedata.normalize("NFKC", once)[:SORTED]
            connection.execute(sa.update(fields).where(*where).values(folded=folded))
        last = tuple(found[-1][:-1])
