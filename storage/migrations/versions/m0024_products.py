"""Products, which licences and uses may name."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

REWRITTEN = " OR ".join(
    f"NEW.{name} IS DISTINCT FROM OLD.{name}"
    for name in ("id", "org_id", "code", "code_folded", "created_at", "created_by")
)
#: Name, when, what is refused, in which words.
REFUSED = (
    ("product_rewritten", "UPDATE ON product", REWRITTEN, "a product keeps its code and whose it is"),
    ("product_deleted", "DELETE ON product", "", "a product is never deleted"),
)


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_folded", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("revision", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["principal.id"], name=op.f("fk_product_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_product_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_index("uq_product_code", "product", ["org_id", "code_folded"], unique=True)
    for statement in _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(statement)


def _on_sqlite() -> Iterator[str]:
    for name, when, broken, sentence in REFUSED:
        raised = f"SELECT RAISE(ABORT, '{sentence}');"
        yield f"CREATE TRIGGER {name} BEFORE {when} WHEN {broken or '1'} BEGIN {raised} END"


def _on_postgres() -> Iterator[str]:
    for name, when, broken, sentence in REFUSED:
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF {broken or "TRUE"} THEN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END IF;
              RETURN NEW;
            END $$"""
        yield f"CREATE TRIGGER {name} BEFORE {when} FOR EACH ROW EXECUTE FUNCTION {name}()"
