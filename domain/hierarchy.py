"""What a tag named in a filter stands for: itself and everything below it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from domain import identity, reads, taxonomy
from domain.work import BRAND_ORG_ID, Work
from storage import statements
from storage.tables import TagRow

#: Tags named at once that are looked at one by one, which is quick where the viewer sees something of each; where they
#: see nothing it goes through all assets of it.
FEW: Final = 1


def with_descendants(work: Work, tag_ids: Iterable[int]) -> frozenset[int]:
    """The tags themselves and everything below them; a merged tag counts as what it became."""
    wanted = sorted(set(tag_ids))
    if identity.is_snapshot(work):
        few = len(wanted) <= FEW
        key = ("tags and below", few, identity.likeness_of_tags(work))
        found = _run(work, key, wanted, partial(_told, work, few))
        if not any(merged for _, merged in found):
            return frozenset(tag_id for tag_id, _ in found)
    seen = [row.id for row in taxonomy.by_id(work, wanted).values()]
    return frozenset(row[0] for row in _run(work, "tags below", seen, lambda dialect: sa.select(_below(dialect).c.id)))


def _run(work: Work, key: Hashable, wanted: Iterable[int], select: Callable[[sa.Dialect], Any]) -> list[Any]:
    keys = statements.keys(list(wanted), work.session.get_bind().dialect)
    return reads.lasting(work, key, select, keys=keys)


def _told(work: Work, few: bool, dialect: sa.Dialect) -> sa.CompoundSelect[Any]:
    """The tags that `taxonomy.by_id` answers with everything below them, and of those that were merged into what."""
    named = sa.select(TagRow.id, TagRow.merged_into_id).where(TagRow.merged_into_id.is_not(None))
    merged = named.where(statements.among(TagRow.id, dialect), TagRow.org_id == BRAND_ORG_ID)
    seen = TagRow.merged_into_id.is_(None), TagRow.org_id == BRAND_ORG_ID, identity.sees_tag(work, few=few)
    nothing = sa.cast(sa.null(), TagRow.merged_into_id.type)
    return sa.select(_below(dialect, *seen).c.id, nothing.label("merged_into_id")).union_all(merged)


def _below(dialect: sa.Dialect, *start: sa.ColumnElement[bool]) -> sa.CTE:
    """Of the tags for which that holds, with everything below them."""
    top = sa.select(TagRow.id).where(statements.among(TagRow.id, dialect), *start).cte("down", recursive=True)
    return top.union(sa.select(TagRow.id).join(top, TagRow.parent_id == top.c.id))
