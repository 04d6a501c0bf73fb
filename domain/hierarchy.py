"""What a tag named in a filter stands for: itself and everything below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from domain import identity, reads, taxonomy
from domain.work import BRAND_ORG_ID, Work
from storage import statements
from storage.tables import TagRow


def with_descendants(work: Work, tag_ids: Iterable[int]) -> frozenset[int]:
    """The tags themselves and everything below them; a merged tag counts as what it became."""
    dialect = work.session.get_bind().dialect
    keys = statements.keys(_seen(work, tag_ids), dialect)
    return frozenset(row[0] for row in reads.run(work, "tags below", _below, keys=keys))


def _seen(work: Work, tag_ids: Iterable[int]) -> list[int]:
    """Ids of the tags that `taxonomy.by_id` answers."""
    if not identity.is_snapshot(work):
        return [row.id for row in taxonomy.by_id(work, tag_ids).values()]

    def select(dialect: sa.Dialect) -> sa.Select[Any]:
        mine = identity.sees_tag(work) | TagRow.merged_into_id.is_not(None)
        among = statements.among(TagRow.id, dialect)
        rows: Any = sa.select(TagRow.id, TagRow.merged_into_id)
        return rows.where(among, TagRow.org_id == BRAND_ORG_ID, mine)  # type: ignore[no-any-return]

    wanted = sorted(set(tag_ids))
    keys = statements.keys(wanted, work.session.get_bind().dialect)
    found = reads.run(work, ("tags", identity.likeness_of_tags(work)), select, keys=keys)
    if any(merged is not None for _, merged in found):
        return [row.id for row in taxonomy.by_id(work, wanted).values()]
    return [tag_id for tag_id, _ in found]


def _below(dialect: sa.Dialect) -> sa.Select[Any]:
    start = sa.select(TagRow.id).where(statements.among(TagRow.id, dialect)).cte("down", recursive=True)
    down = start.union(sa.select(TagRow.id).join(start, TagRow.parent_id == start.c.id))
    return sa.select(down.c.id)
