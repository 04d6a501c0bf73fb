"""What may be delivered where, compiled; triggers list what is due to be compiled anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Id

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

#: Of what nothing was ever said nothing is deliverable, and nothing has to be compiled.
MOVED = (
    "{new}.rights_epoch > 0 AND ({new}.rights_epoch <> {old}.rights_epoch "
    "OR {new}.current_version_id IS DISTINCT FROM {old}.current_version_id "
    "OR {new}.approved_version_id IS DISTINCT FROM {old}.approved_version_id)"
)
AGAIN = "ON CONFLICT (asset_id) DO UPDATE SET times = deliverable_due.times + 1"
ON_SQLITE = f"""CREATE TRIGGER deliverable_due_moved
    AFTER UPDATE OF rights_epoch, current_version_id, approved_version_id ON asset
    WHEN {MOVED.format(new="NEW", old="OLD")}
    BEGIN INSERT INTO deliverable_due (asset_id, times) VALUES (NEW.id, 1) {AGAIN}; END"""  # noqa: S608  # our own
#: Once per statement and in the order of ids, as everything that many rows are locked for.
ON_POSTGRES = (
    f"""CREATE FUNCTION deliverable_due_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO deliverable_due (asset_id, times) SELECT later.id, 1
        FROM new_rows AS later JOIN old_rows AS before ON before.id = later.id
        WHERE {MOVED.format(new="later", old="before")} ORDER BY later.id {AGAIN};
        RETURN NULL; END $$""",  # noqa: S608  # our own
    """CREATE TRIGGER deliverable_due_moved AFTER UPDATE ON asset
        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION deliverable_due_moved()""",
)
NUMBERS = ("party", "uses", "channels_0", "channels_1", "first", "first_to", "last")
PLACES = ("places_0", "places_1", "places_2", "places_3")


def upgrade() -> None:
    op.create_table(
        "deliverable_reach",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliverable_reach")),
        sa.UniqueConstraint("digest", name=op.f("uq_deliverable_reach_digest")),
    )
    op.create_table(
        "deliverable_part",
        sa.Column("reach_id", Id, autoincrement=False, nullable=False),
        sa.Column("number", Id, autoincrement=False, nullable=False),
        *(sa.Column(name, Id, nullable=False) for name in (*NUMBERS, *PLACES)),
        sa.Column("subdivisions", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["reach_id"], ["deliverable_reach.id"], name=op.f("fk_deliverable_part_reach_id")),
        sa.PrimaryKeyConstraint("reach_id", "number", name=op.f("pk_deliverable_part")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deliverable_version",
        sa.Column("version_id", Id, autoincrement=False, nullable=False),
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("epoch", Id, nullable=False),
        sa.Column("rules", Id, nullable=False),
        sa.Column("reach_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_deliverable_version_version_id")),
        sa.ForeignKeyConstraint(["reach_id"], ["deliverable_reach.id"], name=op.f("fk_deliverable_version_reach_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_deliverable_version")),
    )
    op.create_index("ix_deliverable_version_rules", "deliverable_version", ["rules"], unique=False)
    op.create_index("ix_deliverable_version_reach", "deliverable_version", ["reach_id"], unique=False)
    op.create_table(
        "deliverable_due",
        sa.Column("asset_id", Id, autoincrement=False, nullable=False),
        sa.Column("times", Id, nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_deliverable_due_asset_id")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_deliverable_due")),
    )
    op.execute("INSERT INTO deliverable_due (asset_id, times) SELECT id, 1 FROM asset WHERE rights_epoch > 0")
    for statement in ON_POSTGRES if op.get_bind().dialect.name == "postgresql" else (ON_SQLITE,):
        op.execute(statement)
