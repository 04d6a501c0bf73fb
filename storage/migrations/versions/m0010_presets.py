"""What a preset may say more, and what it said before; what of an asset shapes its renditions and is written into them.

Whoever saw previews of what is not approved goes on seeing them as they are: their roles are given the new permission.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FORMATS = (
    "format IN ('WEBP', 'JPEG', 'AVIF', 'PNG')",
    "format IN ('WEBP', 'JPEG', 'AVIF', 'PNG', 'GIF', 'TIFF', 'PDF', 'MP4')",
)
FITS = ("fit IN ('CONTAIN', 'COVER')", "fit IN ('CONTAIN', 'COVER', 'PAD', 'EXACT')")
#: Columns of a preset in SQL that both databases read, with the checks that belong to them.
COLUMNS = (
    (
        "colour TEXT NOT NULL DEFAULT 'SRGB' CONSTRAINT ck_rendition_preset_colour "
        "CHECK (colour IN ('SRGB', 'GREY', 'CMYK'))"
    ),
    "profile TEXT",
    "proof TEXT",
    "page {id} NOT NULL DEFAULT 0",
    "at_seconds {double} NOT NULL DEFAULT 0",
    "is_animated BOOLEAN NOT NULL DEFAULT {false}",
    "clip_seconds {id} NOT NULL DEFAULT 0",
    "dpi {id} NOT NULL DEFAULT 0",
    (
        "metadata_policy TEXT NOT NULL DEFAULT 'RIGHTS' CONSTRAINT ck_rendition_preset_metadata_policy "
        "CHECK (metadata_policy IN ('STRIP', 'RIGHTS', 'ALL'))"
    ),
    "watermark TEXT",
    (
        "channel TEXT CONSTRAINT ck_rendition_preset_channel "
        "CHECK (channel IN ('WEB', 'SOCIAL', 'EMAIL', 'MOBILE', 'PRINT'))"
    ),
    "number {id} NOT NULL DEFAULT 1",
)
SEES, UNMARKED = "asset.view_unapproved", "asset.view_unmarked"


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    if is_postgres:
        for name, (_, condition) in (("format", FORMATS), ("fit", FITS)):
            op.drop_constraint(op.f(f"ck_rendition_preset_{name}"), "rendition_preset", type_="check")
            op.create_check_constraint(op.f(f"ck_rendition_preset_{name}"), "rendition_preset", condition)
    else:
        _widen_checks_on_sqlite()
    spelled = ("BIGINT", "false", "DOUBLE PRECISION") if is_postgres else ("INTEGER", "0", "DOUBLE")
    words = dict(zip(("id", "false", "double"), spelled, strict=True))
    for column in COLUMNS:
        op.execute(f"ALTER TABLE rendition_preset ADD COLUMN {column.format(**words)}")
    _versions()
    _renditions()
    _particulars()
    _whoever_saw_goes_on_seeing()


def _widen_checks_on_sqlite() -> None:
    """SQLite changes no check: the table is made anew, within the transaction, and its rows come back before it ends.

    Putting them back is what satisfies the foreign keys again, which is only asked at the end.
    """
    bind = op.get_bind()
    kept = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'rendition_preset' AND sql IS NOT NULL")
    made: dict[str, list[str]] = {"table": [], "index": [], "trigger": []}
    for kind, sql in bind.execute(kept).all():
        made[kind].append(sql)
    (table,) = made["table"]
    for before, after in (FORMATS, FITS):
        assert before in table, before
        table = table.replace(before, after)
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE kept_presets AS SELECT * FROM rendition_preset")
    op.execute("DROP TABLE rendition_preset")
    op.execute(table)
    op.execute("INSERT INTO rendition_preset SELECT * FROM kept_presets")
    op.execute("DROP TABLE kept_presets")
    for sql in (*made["index"], *made["trigger"]):
        op.execute(sql)


def _versions() -> None:
    op.create_table(
        "rendition_preset_version",
        sa.Column("preset_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("params_digest", sa.Text(), nullable=False),
        sa.Column("recipe", Json, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["preset_id"], ["rendition_preset.id"], name=op.f("fk_rendition_preset_version_preset_id")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["principal.id"], name=op.f("fk_rendition_preset_version_made_by")),
        sa.PrimaryKeyConstraint("preset_id", "number", name=op.f("pk_rendition_preset_version")),
    )


def _renditions() -> None:
    op.add_column("rendition", sa.Column("made_digest", sa.Text(), nullable=True))
    op.execute(
        "ALTER TABLE rendition ADD COLUMN marked_sha256 TEXT "
        "CONSTRAINT fk_rendition_marked_sha256 REFERENCES blob (sha256)"
    )
    op.add_column("rendition", sa.Column("marked_byte_size", Id, nullable=True))
    op.create_index(
        "ix_rendition_marked",
        "rendition",
        ["marked_sha256"],
        unique=False,
        sqlite_where=sa.text("marked_sha256 IS NOT NULL"),
        postgresql_where=sa.text("marked_sha256 IS NOT NULL"),
    )


def _particulars() -> None:
    op.create_table(
        "focal_point",
        sa.Column("version_id", Id, autoincrement=False, nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("set_by", Id, nullable=True),
        sa.CheckConstraint("origin IN ('PROPOSED', 'MANUAL')", name=op.f("ck_focal_point_origin")),
        sa.CheckConstraint("x BETWEEN 0 AND 1 AND y BETWEEN 0 AND 1", name=op.f("ck_focal_point_inside")),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_focal_point_version_id")),
        sa.ForeignKeyConstraint(["set_by"], ["principal.id"], name=op.f("fk_focal_point_set_by")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_focal_point")),
    )
    op.create_table(
        "asset_statement",
        sa.Column("asset_id", Id, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("creator", "credit", "notice", "terms")),
        sa.Column("web_statement", sa.Text(), nullable=False),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("data_mining", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("updated_by", Id, nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_statement_asset_id")),
        sa.ForeignKeyConstraint(["updated_by"], ["principal.id"], name=op.f("fk_asset_statement_updated_by")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_asset_statement")),
    )
    op.create_index("ix_asset_statement_expires", "asset_statement", ["expires"], unique=False)


def _whoever_saw_goes_on_seeing() -> None:
    role = sa.table("role", sa.column("id", Id), sa.column("permissions", Json))
    for row_id, permissions in op.get_bind().execute(sa.select(role.c.id, role.c.permissions)).all():
        if SEES in permissions and UNMARKED not in permissions:
            given = sa.update(role).where(role.c.id == row_id)
            op.execute(given.values(permissions=sorted([*permissions, UNMARKED])))
