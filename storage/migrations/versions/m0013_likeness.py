"""What looks alike, what was decided about it, and assets that became part of another.

A version moves to another asset only while its own is being merged into it, and is only then numbered anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "likeness",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("algorithm", Id, nullable=False),
        sa.Column("number", Id, nullable=True),
        sa.Column("hashes", sa.LargeBinary(), nullable=True),
        sa.Column("proofs", sa.LargeBinary(), nullable=True),
        sa.Column("mirrored_hashes", sa.LargeBinary(), nullable=True),
        sa.Column("mirrored_proofs", sa.LargeBinary(), nullable=True),
        sa.Column("is_page", sa.Boolean(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("state IN ('LOOKING', 'READY', 'NOTHING', 'FAILED')", name=op.f("ck_likeness_state")),
        sa.CheckConstraint("(state = 'READY') = (number IS NOT NULL)", name=op.f("ck_likeness_number")),
        sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name=op.f("ck_likeness_failure")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_likeness")),
        sa.UniqueConstraint("number", name=op.f("uq_likeness_number")),
    )
    head = op.create_table(
        "likeness_head",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("last", Id, nullable=False),
        sa.Column("compared", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likeness_head")),
    )
    op.bulk_insert(head, [{"id": 1, "last": 0, "compared": 0}])
    op.create_table(
        "alike",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("distance", Id, nullable=False),
        sa.Column("is_mirrored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "other", name=op.f("pk_alike")),
    )
    _near_duplicates()
    op.add_column("asset", sa.Column("merged_into_id", Id, nullable=True))
    merged = sa.text("merged_into_id IS NOT NULL")
    op.create_index("ix_asset_merged", "asset", ["merged_into_id"], sqlite_where=merged, postgresql_where=merged)
    _versions_that_move()


def _near_duplicates() -> None:
    op.create_table(
        "near_duplicate",
        sa.Column("id", Id, nullable=False),
        sa.Column("low_asset_id", Id, nullable=False),
        sa.Column("high_asset_id", Id, nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("kept_asset_id", Id, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", Id, nullable=True),
        sa.CheckConstraint("low_asset_id < high_asset_id", name=op.f("ck_near_duplicate_pair")),
        sa.CheckConstraint(
            "decision IN ('REUSE', 'NEW_VERSION', 'MERGE', 'DISTINCT')", name=op.f("ck_near_duplicate_decision")
        ),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_near_duplicate_decided")),
        sa.CheckConstraint("decision <> 'DISTINCT' OR reason IS NOT NULL", name=op.f("ck_near_duplicate_reason")),
        sa.ForeignKeyConstraint(["low_asset_id"], ["asset.id"], name=op.f("fk_near_duplicate_low_asset_id")),
        sa.ForeignKeyConstraint(["high_asset_id"], ["asset.id"], name=op.f("fk_near_duplicate_high_asset_id")),
        sa.ForeignKeyConstraint(["kept_asset_id"], ["asset.id"], name=op.f("fk_near_duplicate_kept_asset_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["principal.id"], name=op.f("fk_near_duplicate_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_near_duplicate")),
        sa.UniqueConstraint("low_asset_id", "high_asset_id", name=op.f("uq_near_duplicate_low_asset_id_high_asset_id")),
    )
    op.create_index("ix_near_duplicate_high", "near_duplicate", ["high_asset_id"], unique=False)
    waiting = sa.text("decision IS NULL")
    op.create_index("ix_near_duplicate_open", "near_duplicate", ["id"], sqlite_where=waiting, postgresql_where=waiting)


FROZEN = ("id", "sha256", "byte_size", "file_name", "media_type", "change_note", "made_from_id", "created_at")
#: Its asset is being merged, or another into its own: the merged one still has its pointer, which goes last.
MERGING = """SELECT 1 FROM asset WHERE asset.merged_into_id = NEW.asset_id AND asset.current_version_id IS NOT NULL
  AND (asset.id = OLD.asset_id OR NEW.asset_id = OLD.asset_id)"""
CHANGED = " OR ".join(
    [
        *(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in (*FROZEN, "created_by")),
        f"((NEW.asset_id <> OLD.asset_id OR NEW.number <> OLD.number) AND NOT EXISTS ({MERGING}))",
    ]
)


def _versions_that_move() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"""CREATE OR REPLACE FUNCTION asset_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF {CHANGED} THEN
                RAISE EXCEPTION 'a version never changes' USING ERRCODE = 'check_violation';
              END IF;
              RETURN NEW;
            END $$""",
        )
        return
    op.execute("DROP TRIGGER asset_version_frozen")
    op.execute(
        f"CREATE TRIGGER asset_version_frozen BEFORE UPDATE ON asset_version WHEN {CHANGED} "
        "BEGIN SELECT RAISE(ABORT, 'a version never changes'); END"
    )
