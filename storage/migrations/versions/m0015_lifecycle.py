"""Trash, holds, relations between assets, what is fetched from elsewhere, and which blobs are still there."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STANDING = "lifted_at IS NULL"
HELD = "under legal hold"
#: What nobody does to an asset under hold, nor to its bytes: table, event, when, the asset meant.
KEPT = (
    ("trash_insert", "INSERT", "asset_trash", "TRUE", "NEW.asset_id"),
    (
        "trash_update",
        "UPDATE",
        "asset_trash",
        "NEW.purged_at IS NOT NULL AND OLD.purged_at IS NULL",
        "NEW.asset_id",
    ),
    ("asset_delete", "DELETE", "asset", "TRUE", "OLD.id"),
)
HOLDING = "SELECT 1 FROM legal_hold WHERE legal_hold.lifted_at IS NULL AND legal_hold.asset_id = {asset}"
HOLDING_BYTES = (
    "SELECT 1 FROM legal_hold JOIN asset_version ON asset_version.asset_id = legal_hold.asset_id "
    "WHERE legal_hold.lifted_at IS NULL AND asset_version.sha256 = {sha256}"
)
#: A hold is a record: what it said when it was placed stays, it is lifted once, and it never goes.
REWRITTEN = " OR ".join(
    [f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in ("id", "org_id", "asset_id", "placed_at", "placed_by")]
    + ["OLD.lifted_at IS NOT NULL"]
)
PURGED = "SELECT 1 FROM asset_trash WHERE asset_trash.purged_at IS NOT NULL AND asset_trash.asset_id = NEW.asset_id"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE blob ADD COLUMN state TEXT NOT NULL DEFAULT 'HERE' "
        "CONSTRAINT ck_blob_state CHECK (state IN ('HERE', 'GOING', 'GONE'))"
    )
    op.create_index(
        "ix_blob_going",
        "blob",
        ["sha256"],
        sqlite_where=sa.text("state = 'GOING'"),
        postgresql_where=sa.text("state = 'GOING'"),
    )
    _lifecycle()
    _fetching()
    for table in ("upload", "bulk_export", "bulk_export_part", "upload_session"):
        op.create_index(f"ix_{table}_sha256", table, ["sha256"], unique=False)
    for statement in _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(statement)


def _lifecycle() -> None:
    op.create_table(
        "asset_trash",
        sa.Column("asset_id", Id, autoincrement=False, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("trashed_at", Instant(), nullable=False),
        sa.Column("trashed_by", Id, nullable=False),
        sa.Column("was_archived", sa.Boolean(), nullable=False),
        sa.Column("purge_after", Instant(), nullable=False),
        sa.Column("purged_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_trash_asset_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_asset_trash_org_id")),
        sa.ForeignKeyConstraint(["trashed_by"], ["principal.id"], name=op.f("fk_asset_trash_trashed_by")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_asset_trash")),
    )
    _partial("ix_asset_trash_due", "asset_trash", ["purge_after"], "purged_at IS NULL")
    op.create_table(
        "legal_hold",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("placed_by", Id, nullable=False),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lifted_by", Id, nullable=True),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_legal_hold_lifted")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_legal_hold_org_id")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_legal_hold_asset_id")),
        sa.ForeignKeyConstraint(["placed_by"], ["principal.id"], name=op.f("fk_legal_hold_placed_by")),
        sa.ForeignKeyConstraint(["lifted_by"], ["principal.id"], name=op.f("fk_legal_hold_lifted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    _partial("uq_legal_hold_standing", "legal_hold", ["asset_id", "matter"], STANDING, unique=True)
    op.create_table(
        "asset_relation",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_asset_id", Id, nullable=False),
        sa.Column("to_asset_id", Id, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.CheckConstraint(
            "kind IN ('DERIVED_FROM', 'SOURCE_FILE', 'LANGUAGE_VARIANT', 'PRINT_WEB')",
            name=op.f("ck_asset_relation_kind"),
        ),
        sa.CheckConstraint("from_asset_id <> to_asset_id", name=op.f("ck_asset_relation_ends")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_asset_relation_org_id")),
        sa.ForeignKeyConstraint(["from_asset_id"], ["asset.id"], name=op.f("fk_asset_relation_from_asset_id")),
        sa.ForeignKeyConstraint(["to_asset_id"], ["asset.id"], name=op.f("fk_asset_relation_to_asset_id")),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_asset_relation_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_relation")),
        sa.UniqueConstraint(
            "from_asset_id", "to_asset_id", "kind", name=op.f("uq_asset_relation_from_asset_id_to_asset_id_kind")
        ),
    )
    op.create_index("ix_asset_relation_to", "asset_relation", ["to_asset_id", "kind"], unique=False)


def _fetching() -> None:
    op.create_table(
        "upload_session",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("token_id", Id, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("tags", Json, nullable=False),
        sa.Column("home_org_id", Id, nullable=True),
        sa.Column("brand_id", Id, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("bucket", sa.Text(), nullable=True),
        sa.Column("prefix", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint("source IN ('UPLOADS', 'URLS', 'ZIP', 'BUCKET')", name=op.f("ck_upload_session_source")),
        sa.CheckConstraint(
            "state IN ('OPEN', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name=op.f("ck_upload_session_state")
        ),
        sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name=op.f("ck_upload_session_failure")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_upload_session_org_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_upload_session_principal_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_upload_session_token_id")),
        sa.ForeignKeyConstraint(["home_org_id"], ["organisation.id"], name=op.f("fk_upload_session_home_org_id")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_upload_session_brand_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_upload_session_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_session")),
    )
    op.create_index("ix_upload_session_principal", "upload_session", ["principal_id", "id"], unique=False)
    op.create_index("ix_upload_session_state", "upload_session", ["state", "org_id"], unique=False)
    op.create_table(
        "upload_item",
        sa.Column("id", Id, nullable=False),
        sa.Column("session_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", Id, nullable=False),
        sa.Column("byte_size", Id, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("asset_id", Id, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('WAITING', 'CREATED', 'DUPLICATE', 'REFUSED')", name=op.f("ck_upload_item_state")
        ),
        sa.CheckConstraint("(state = 'REFUSED') = (reason IS NOT NULL)", name=op.f("ck_upload_item_reason")),
        sa.ForeignKeyConstraint(["session_id"], ["upload_session.id"], name=op.f("fk_upload_item_session_id")),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_upload_item_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_item")),
        sa.UniqueConstraint("session_id", "number", name=op.f("uq_upload_item_session_id_number")),
    )
    op.create_index("ix_upload_item_state", "upload_item", ["session_id", "state", "number"], unique=False)


def _partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    told = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=told, postgresql_where=told)


def _on_sqlite() -> Iterator[str]:
    def trigger(name: str, when: str, broken: str, sentence: str) -> str:
        raised = f"SELECT RAISE(ABORT, '{sentence}');"
        return f"CREATE TRIGGER held_{name} BEFORE {when} WHEN {broken} BEGIN {raised} END"

    for name, event, table, when, asset in KEPT:
        broken = f"{when} AND EXISTS ({HOLDING.format(asset=asset)})"
        yield trigger(name, f"{event} ON {table}", broken, f"this asset is {HELD}")
    gone = f"EXISTS ({HOLDING_BYTES.format(sha256='OLD.sha256')})"
    yield trigger("blob_update", "UPDATE ON blob", f"NEW.state <> 'HERE' AND {gone}", f"these bytes are {HELD}")
    yield trigger("blob_delete", "DELETE ON blob", gone, f"these bytes are {HELD}")
    yield trigger("hold_rewritten", "UPDATE ON legal_hold", REWRITTEN, "a legal hold is only lifted")
    yield trigger("hold_deleted", "DELETE ON legal_hold", "1", "a legal hold is never deleted")
    yield trigger("hold_late", "INSERT ON legal_hold", f"EXISTS ({PURGED})", "this asset is purged")


def _on_postgres() -> Iterator[str]:
    """Whoever places a hold and whoever purges lock the asset first: of two at once, the later sees the earlier."""

    def trigger(name: str, when: str, broken: str, sentence: str, lock: str = "") -> Iterator[str]:
        yield f"""CREATE FUNCTION held_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              {lock}
              IF {broken} THEN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END IF;
              IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
              RETURN NEW;
            END $$"""
        yield f"CREATE TRIGGER held_{name} BEFORE {when} FOR EACH ROW EXECUTE FUNCTION held_{name}()"

    for name, event, table, when, asset in KEPT:
        broken = f"{when} AND EXISTS ({HOLDING.format(asset=asset)})"
        lock = f"PERFORM 1 FROM asset WHERE id = {asset} FOR NO KEY UPDATE;" if table == "asset_trash" else ""
        yield from trigger(name, f"{event} ON {table}", broken, f"this asset is {HELD}", lock)
    gone = f"EXISTS ({HOLDING_BYTES.format(sha256='OLD.sha256')})"
    yield from trigger("blob_update", "UPDATE ON blob", f"NEW.state <> 'HERE' AND {gone}", f"these bytes are {HELD}")
    yield from trigger("blob_delete", "DELETE ON blob", gone, f"these bytes are {HELD}")
    yield from trigger("hold_rewritten", "UPDATE ON legal_hold", REWRITTEN, "a legal hold is only lifted")
    yield from trigger("hold_deleted", "DELETE ON legal_hold", "TRUE", "a legal hold is never deleted")
    lock = "PERFORM 1 FROM asset WHERE id = NEW.asset_id FOR NO KEY UPDATE;"
    yield from trigger("hold_late", "INSERT ON legal_hold", f"EXISTS ({PURGED})", "this asset is purged", lock)
