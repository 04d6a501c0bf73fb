"""What lists ask of an asset stands beside each tag that it carries, kept there by triggers."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

#: Of the asset, by the names that they have there.
KEPT = ("created_at", "lifecycle", "org_id", "approved_version_id", "kind")
INTO = f"INSERT INTO tag_listing (asset_id, tag_id, {', '.join(KEPT)}) SELECT asset.id, "
#: A plan is made at a connection's first run, which may be of thousands, and kept for those of one.
BY_KEY = "SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off"
OF_ASSET = ", ".join(f"asset.{name}" for name in KEPT)


def upgrade() -> None:
    op.create_table(
        "tag_listing",
        sa.Column("asset_id", Id, autoincrement=False, nullable=False),
        sa.Column("tag_id", Id, autoincrement=False, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("lifecycle", sa.Text(), nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("approved_version_id", Id, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "tag_id", name=op.f("pk_tag_listing")),
        sqlite_with_rowid=False,
    )
    # First, for whoever makes a trigger keeps others from writing until all is done: servers may be running.
    for statement in _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(statement)
    op.execute(f"{INTO} asset_tag.tag_id, {OF_ASSET} FROM asset_tag JOIN asset ON asset.id = asset_tag.asset_id")
    columns = ["tag_id", "created_at", "asset_id", "lifecycle", "org_id", "approved_version_id", "kind"]
    op.create_index("ix_tag_listing_newest", "tag_listing", columns, unique=False)


def _on_sqlite() -> Iterator[str]:
    listed = f"{INTO} NEW.tag_id, {OF_ASSET} FROM asset WHERE asset.id = NEW.asset_id;"
    gone = "DELETE FROM tag_listing WHERE asset_id = OLD.asset_id AND tag_id = OLD.tag_id;"  # our own
    for event, told in {"INSERT": listed, "UPDATE": gone + listed, "DELETE": gone}.items():
        yield f"CREATE TRIGGER tag_listing_{event.lower()} AFTER {event} ON asset_tag BEGIN {told} END"
    moved = ", ".join(f"{name} = NEW.{name}" for name in KEPT)
    differs = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT)
    yield (
        f"CREATE TRIGGER tag_listing_moved AFTER UPDATE OF {', '.join(KEPT)} ON asset WHEN {differs} "  # noqa: S608
        f"BEGIN UPDATE tag_listing SET {moved} WHERE asset_id = NEW.id; END"  # our own
    )


def _on_postgres() -> Iterator[str]:
    """Their names come after those of the stamps (0009), so that they run after these. Whoever tags an asset, and
    whoever changes it, has moved its stamp then: of two who do so at once the second has waited, and sees it.
    """
    listed = f"{INTO} new_rows.tag_id, {OF_ASSET} FROM new_rows JOIN asset ON asset.id = new_rows.asset_id;"
    gone = (
        "DELETE FROM tag_listing USING old_rows "  # our own
        "WHERE tag_listing.asset_id = old_rows.asset_id AND tag_listing.tag_id = old_rows.tag_id;"
    )
    old, new = "OLD TABLE AS old_rows", "NEW TABLE AS new_rows"
    yield from _trigger("tag_listing_insert", "INSERT ON asset_tag", new, listed)
    yield from _trigger("tag_listing_update", "UPDATE ON asset_tag", f"{old} {new}", gone + listed)
    yield from _trigger("tag_listing_delete", "DELETE ON asset_tag", old, gone)
    moved = ", ".join(f"{name} = asset.{name}" for name in KEPT)
    kept = ", ".join(f"tag_listing.{name}" for name in KEPT)
    changed = (
        f"UPDATE tag_listing SET {moved} FROM new_rows JOIN asset ON asset.id = new_rows.id "  # noqa: S608  # our own
        f"WHERE tag_listing.asset_id = asset.id AND ({kept}) IS DISTINCT FROM ({OF_ASSET});"
    )
    yield from _trigger("tag_listing_moved", "UPDATE ON asset", new, changed)
    yield from _trigger("tag_listing_emptied", "TRUNCATE ON asset_tag", "", "DELETE FROM tag_listing;")


def _trigger(name: str, event: str, rows: str, told: str) -> Iterator[str]:
    yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {BY_KEY} AS $$ BEGIN {told} RETURN NULL; END $$"
    referencing = f"REFERENCING {rows} " if rows else ""
    yield f"CREATE TRIGGER {name} AFTER {event} {referencing}FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
