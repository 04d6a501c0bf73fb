"""Stamps: counters that triggers move with every change to what is shown of an asset; and an index to count by."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: Per table where a row's asset is found; `{row}` is NEW or OLD on SQLite, the changed rows on PostgreSQL.
OWNERS = {
    "asset": "SELECT {row}.id AS asset_id, 1",
    "asset_version": "SELECT {row}.asset_id AS asset_id, 1",
    "asset_tag": "SELECT {row}.asset_id AS asset_id, 1",
    "approval": "SELECT {row}.asset_id AS asset_id, 1",
    "rendition": "SELECT asset_version.asset_id AS asset_id, 1",
    "metadata": "SELECT asset_version.asset_id AS asset_id, 1",
}
#: These say it by their version.
BY_VERSION = frozenset({"rendition", "metadata"})
#: A new row of these shows nowhere until another table speaks of it.
SHARED = ("tag", "rendition_preset")
REWRITES = ("UPDATE", "DELETE")
EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def upgrade() -> None:
    op.create_table(
        "asset_stamp",
        sa.Column("asset_id", Id, autoincrement=False, nullable=False),
        sa.Column("stamp", Id, nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_stamp_asset_id")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_asset_stamp")),
    )
    table = op.create_table(
        "table_epoch",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("epoch", Id, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_table_epoch")),
    )
    op.bulk_insert(table, [{"name": name, "epoch": 1} for name in SHARED])
    op.create_index("ix_asset_lifecycle", "asset", ["lifecycle"], unique=False)
    triggers = _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite()
    for statement in triggers:
        op.execute(statement)


def _on_sqlite() -> Iterator[str]:
    for table, owner in OWNERS.items():
        for event, sides in EVENTS.items():
            if table == "asset" and event != "UPDATE":  # nothing was kept of a new one; none ever goes
                continue
            moves = "".join(f"{_moved(_owners(table, owner, side))};" for side in sides)
            yield f"CREATE TRIGGER stamp_{table}_{event.lower()} AFTER {event} ON {table} BEGIN {moves} END"
    for table in SHARED:
        for event in REWRITES:
            moved = f"UPDATE table_epoch SET epoch = epoch + 1 WHERE name = '{table}';"  # noqa: S608  # our own name
            yield f"CREATE TRIGGER epoch_{table}_{event.lower()} AFTER {event} ON {table} BEGIN {moved} END"


def _on_postgres() -> Iterator[str]:
    """Once per statement, in the order of ids: two that change the same assets do not lock each other out."""
    for table, owner in OWNERS.items():
        for event, sides in EVENTS.items():
            if table == "asset" and event != "UPDATE":
                continue
            each = " UNION ".join(_owners(table, owner, f"{side.lower()}_rows") for side in sides)
            owners = f"SELECT DISTINCT asset_id, 1 FROM ({each}) AS owners ORDER BY asset_id"  # noqa: S608  # likewise
            yield from _trigger(f"stamp_{table}_{event.lower()}", table, event, sides, _moved(owners))
    for table in SHARED:
        for event in REWRITES:
            sides = EVENTS[event]
            moved = f"UPDATE table_epoch SET epoch = epoch + 1 WHERE name = '{table}'"  # noqa: S608  # our own name
            yield from _trigger(f"epoch_{table}_{event.lower()}", table, event, sides, moved)
    yield from _emptied()


def _emptied() -> Iterator[str]:
    """Who empties a whole table tells no rows."""
    yield (
        "CREATE FUNCTION stamp_emptied() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN UPDATE table_epoch SET epoch = epoch + 1; RETURN NULL; END $$"
    )
    for table in (*OWNERS, *SHARED):
        yield (
            f"CREATE TRIGGER stamp_{table}_emptied AFTER TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION stamp_emptied()"
        )


def _trigger(name: str, table: str, event: str, sides: tuple[str, ...], moved: str) -> Iterator[str]:
    rows = " ".join(f"{side} TABLE AS {side.lower()}_rows" for side in sides)
    yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {moved}; RETURN NULL; END $$"
    yield (
        f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )


def _owners(table: str, owner: str, row: str) -> str:
    of_rows = row.islower()
    selected = owner.format(row=row)
    if table in BY_VERSION:
        source = f"{row} JOIN asset_version ON" if of_rows else "asset_version WHERE"
        return f"{selected} FROM {source} asset_version.id = {row}.version_id"
    return f"{selected} FROM {row}" if of_rows else f"{selected} WHERE true"  # else ON reads as a join's


def _moved(owners: str) -> str:
    return (
        f"INSERT INTO asset_stamp (asset_id, stamp) {owners} "
        "ON CONFLICT (asset_id) DO UPDATE SET stamp = asset_stamp.stamp + 1"
    )
