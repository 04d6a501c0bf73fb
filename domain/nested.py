"""Pages of what stands below many parents at once: the like page of each, in one statement however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from domain.pages import Key, Paging, Slice, sliced
from domain.work import Work


def pages_of(
    work: Work,
    rows: sa.Select[Any],
    parent: Any,
    keys: Sequence[Key],
    parents: Collection[int],
    wanted: Paging,
) -> dict[int, Slice[Any]]:
    """Per parent one page of `rows` (one entity per row, whose parent's id is `parent`), in the order of `keys`."""
    turned = [Key(key.column, key.descending != wanted.backwards) for key in keys]
    order = [key.column.desc() if key.descending else key.column.asc() for key in turned]
    places = [key.column.label(f"place_{at}") for at, key in enumerate(keys)]
    rank = sa.func.row_number().over(partition_by=parent, order_by=order).label("rank")
    chosen = rows.add_columns(parent.label("parent"), *places, rank).where(parent.in_(set(parents)))
    if wanted.position is not None:
        chosen = chosen.where(_beyond(turned, wanted.position))
    inner = chosen.subquery()
    entity = sa.orm.aliased(rows.column_descriptions[0]["entity"], inner)
    columns = [inner.c[place.name] for place in places]
    page = sa.select(entity, inner.c.parent, *columns).where(inner.c.rank <= wanted.limit + 1)
    found: dict[int, list[Any]] = defaultdict(list)
    for row, parent_id, *position in work.session.execute(page.order_by(inner.c.parent, inner.c.rank)):
        found[parent_id].append((row, tuple(position)))
    return {
        each: sliced([row for row, _ in found[each]], [position for _, position in found[each]], wanted)
        for each in parents
    }


def counts_of(work: Work, rows: sa.Select[Any], parent: Any, parents: Collection[int]) -> dict[int, int]:
    """Per parent how many of `rows` there are; parents without any are left out."""
    counted = rows.with_only_columns(parent, sa.func.count()).where(parent.in_(set(parents))).group_by(parent)
    return dict(work.session.execute(counted.order_by(None)).all())


def _beyond(keys: Sequence[Key], position: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    alternatives = []
    for at, key in enumerate(keys):
        same = [earlier.column == value for earlier, value in zip(keys[:at], position, strict=False)]
        past = key.column < position[at] if key.descending else key.column > position[at]
        alternatives.append(sa.and_(*same, past))
    return sa.or_(*alternatives)
