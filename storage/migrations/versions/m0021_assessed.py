"""Nothing is approved of which nobody assessed the rights, and own work is assessed in one step.

What was delivered by one decision is one usage; embargoes are found by the moments at which they begin and end; a
version that moves to another asset moves the epochs of all that is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

#: Nothing that stands was said of the version, nor of all of its asset.
UNASSESSED = (
    "NOT EXISTS (SELECT 1 FROM asset_rights "
    "WHERE asset_rights.asset_id = NEW.asset_id AND asset_rights.ended_at IS NULL "
    "AND (asset_rights.version_id IS NULL OR asset_rights.version_id = NEW.version_id))"
)
SENTENCE = "the rights of what is approved were assessed"
#: Where assets are merged their versions move; what is said of the one asset holds for them from then on, and for all
#: that is made of them. The asset that goes still points at what is no longer its own: it is written last, by whoever
#: merges.
TOUCHED = (
    "WITH RECURSIVE touched(id) AS (SELECT NEW.asset_id UNION "
    "SELECT whole.asset_id FROM touched JOIN asset_version AS part ON part.asset_id = touched.id "
    "JOIN component ON component.part_version_id = part.id "
    "JOIN asset_version AS whole ON whole.id = component.composite_version_id) SELECT id FROM touched"
)
#: What was decided at an epoch of the asset that goes is decided anew: the other's is beyond both.
MOVED = (
    "UPDATE asset SET rights_epoch = 1 + CASE id WHEN NEW.asset_id "  # noqa: S608  # constants of ours
    "THEN {greatest}(rights_epoch, (SELECT rights_epoch FROM asset WHERE id = OLD.asset_id)) ELSE rights_epoch END "
    f"WHERE id IN ({TOUCHED}) AND id <> OLD.asset_id"
)


def upgrade() -> None:
    op.create_table(
        "own_work",
        sa.Column("org_id", Id, autoincrement=False, nullable=False),
        sa.Column("license_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["license_id"], ["license.id"], name=op.f("fk_own_work_license_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_own_work_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_own_work")),
    )
    op.add_column("upload_session", sa.Column("is_own_work", sa.Boolean(), server_default=sa.false(), nullable=False))
    _index("uq_usage_delivered", "usage", "decision_id", "source = 'DELIVERY'", unique=True)
    _index("ix_embargo_starts", "embargo", "starts_at", "lifted_at IS NULL AND starts_at IS NOT NULL")
    _index("ix_embargo_ends", "embargo", "ends_at", "lifted_at IS NULL AND ends_at IS NOT NULL")
    for statement in _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(statement)


def _index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], unique=unique, sqlite_where=condition, postgresql_where=condition)


def _on_sqlite() -> Iterator[str]:
    yield (
        f"CREATE TRIGGER approval_assessed BEFORE INSERT ON approval WHEN {UNASSESSED} "
        f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    )
    yield (
        "CREATE TRIGGER rights_version_moved AFTER UPDATE OF asset_id ON asset_version "
        f"WHEN NEW.asset_id <> OLD.asset_id BEGIN {MOVED.format(greatest='max')}; END"
    )


def _on_postgres() -> Iterator[str]:
    yield f"""CREATE FUNCTION approval_assessed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF {UNASSESSED} THEN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'check_violation'; END IF;
          RETURN NEW;
        END $$"""
    yield (
        "CREATE TRIGGER approval_assessed BEFORE INSERT ON approval FOR EACH ROW EXECUTE FUNCTION approval_assessed()"
    )
    yield f"""CREATE FUNCTION rights_version_moved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM 1 FROM asset WHERE id IN ({TOUCHED}) ORDER BY id FOR NO KEY UPDATE;
          {MOVED.format(greatest="greatest")};
          RETURN NULL;
        END $$"""
    yield (
        "CREATE TRIGGER rights_version_moved AFTER UPDATE OF asset_id ON asset_version FOR EACH ROW "
        "WHEN (NEW.asset_id <> OLD.asset_id) EXECUTE FUNCTION rights_version_moved()"
    )
