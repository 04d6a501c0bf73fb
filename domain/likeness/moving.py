"""Whatever points at an asset points at another one from now on: for merging, table by table as the foreign keys say.

A table that comes later moves without being named here; where both assets say a thing that can be said only once, the
one that stays has said it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from domain.work import Work
from storage.tables import Row

#: What `merging` moves itself, for there is more to it.
THEMSELVES: Final = frozenset(
    {"approval", "asset_rights", "asset_tag", "asset_version", "lightbox_asset", "near_duplicate", "share"}
)
#: What stays with the record of the asset that goes: counters, matters of law that are over, what operations and
#: earlier merges did, what has yet to be compiled.
STAYS: Final = frozenset({"asset_merge", "asset_stamp", "asset_trash", "bulk_item", "deliverable_due", "legal_hold"})
#: What is taken over as a whole or not at all: by these columns.
TOGETHER: Final = {"asset_field": ("field_id",)}


def move(work: Work, from_id: int, into_id: int) -> None:
    for table in Row.metadata.sorted_tables:
        columns = pointers(table)
        if not columns or table.name in THEMSELVES | STAYS:
            continue
        _part(work, table, columns, {from_id, into_id})
        for column in columns:
            for others in _once(table, column):
                _yield(work, table, column, others, from_id, into_id)
            values: dict[str, Any] = {column.name: into_id}
            if table.name == "asset_field" and column.name == "target_id":
                values["word"] = f":{into_id}"  # what equals it, as the field is asked about
            work.session.execute(sa.update(table).where(column == from_id).values(values))


def pointers(table: sa.Table) -> list[Any]:
    """The columns that point at an asset."""
    return [column for column in table.columns if any(key.column.table.name == "asset" for key in column.foreign_keys)]


def _part(work: Work, table: sa.Table, columns: list[Any], both: set[int]) -> None:
    """What one of the two was to the other is nothing to itself."""
    for at, column in enumerate(columns):
        for other in columns[at + 1 :]:
            between = column.in_(both), other.in_(both)
            work.session.execute(sa.delete(table).where(*between))


def _once(table: sa.Table, column: Any) -> Iterable[tuple[str, ...]]:
    """Per rule that something of an asset stands once: the other columns of that rule."""
    if table.name in TOGETHER and table.c[column.name].primary_key:
        yield TOGETHER[table.name]
    rules = [table.primary_key.columns.keys()]
    rules += [each.columns.keys() for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
    rules += [list(each.columns.keys()) for each in table.indexes if each.unique]
    for names in rules:
        if column.name in names:
            yield tuple(name for name in names if name != column.name)


def _yield(work: Work, table: sa.Table, column: Any, others: tuple[str, ...], from_id: int, into_id: int) -> None:
    there = table.alias()
    same = [there.c[name] == table.c[name] for name in others]
    taken = sa.select(sa.literal(1)).where(there.c[column.name] == into_id, *same).correlate(table)
    work.session.execute(sa.delete(table).where(column == from_id, taken.exists()))
