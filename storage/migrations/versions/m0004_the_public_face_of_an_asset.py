"""The public face of an asset: when it last changed, and how often, for those who see only what is approved.

Whatever shows to them is counted by triggers, so that no writer can forget it; a newer version, what is found in it
and what is made of it are not. Until now all counted, so what stands is taken over as it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_asset_changed", ["org_id", "public_updated_at", "id"]),
    ("ix_asset_latest", ["updated_at", "id"]),
    ("ix_asset_latest_change", ["public_updated_at", "id"]),
    ("ix_asset_named", ["title_folded", "id"]),
)


def upgrade() -> None:
    op.add_column("asset", sa.Column("public_updated_at", Instant(), nullable=True))
    op.add_column("asset", sa.Column("public_revision", Id, server_default="1", nullable=False))
    op.execute("UPDATE asset SET public_updated_at = updated_at, public_revision = revision")
    for name, columns in INDEXES:
        op.create_index(name, "asset", columns, unique=False)
    if op.get_bind().dialect.name == "postgresql":
        _postgres_triggers()
    else:
        _sqlite_triggers()


SEEN = ("org_id", "brand_id", "kind", "title", "description", "lifecycle", "approved_version_id")
#: Something that shows has changed, the asset has or had a public face, and whoever wrote has not counted it.
UNCOUNTED = f"""NEW.public_revision = OLD.public_revision
  AND (OLD.approved_version_id IS NOT NULL OR NEW.approved_version_id IS NOT NULL)
  AND ({" OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in SEEN)})"""
#: An approval counts by itself: one of an older version leaves the asset as it is, but shows among its versions.
COUNTED = "UPDATE asset SET public_revision = public_revision + 1, public_updated_at = {} WHERE id = NEW.asset_id"
REVOKED = "NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL"


def _postgres_triggers() -> None:
    counted = """NEW.public_revision := OLD.public_revision + 1; NEW.public_updated_at := NEW.updated_at;"""
    for name, table, when, condition, then in (
        ("asset_public_counted", "asset", "BEFORE UPDATE", UNCOUNTED, counted),
        (
            "asset_public_begun",
            "asset",
            "BEFORE INSERT",
            "NEW.public_updated_at IS NULL",
            "NEW.public_updated_at := NEW.updated_at;",
        ),
        ("approval_counted", "approval", "AFTER INSERT", "TRUE", f"{COUNTED.format('NEW.approved_at')};"),
        ("revocation_counted", "approval", "AFTER UPDATE", REVOKED, f"{COUNTED.format('NEW.revoked_at')};"),
    ):
        op.execute(
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              {then}
              RETURN NEW;
            END $$""",
        )
        op.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()")


def _sqlite_triggers() -> None:
    begun = "UPDATE asset SET public_updated_at = NEW.updated_at WHERE id = NEW.id"
    counted = (
        "UPDATE asset SET public_revision = OLD.public_revision + 1, public_updated_at = NEW.updated_at"
        " WHERE id = NEW.id"
    )
    for name, when, condition, then in (
        ("asset_public_counted", "AFTER UPDATE ON asset", UNCOUNTED, counted),
        ("asset_public_begun", "AFTER INSERT ON asset", "NEW.public_updated_at IS NULL", begun),
        ("approval_counted", "AFTER INSERT ON approval", "1", COUNTED.format("NEW.approved_at")),
        ("revocation_counted", "AFTER UPDATE ON approval", REVOKED, COUNTED.format("NEW.revoked_at")),
    ):
        op.execute(f"CREATE TRIGGER {name} {when} WHEN {condition} BEGIN {then}; END")
