"""The newest assets that may be delivered for a use, read in the order in which what was compiled lies in an index: one
that does not pass costs no more than one entry of it.

Always true here:
- It is the same list that is found when each asset is looked at and filtered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from domain import identity
from domain.assets import filtering
from domain.assets.filtering import Shown
from domain.licensing import compiled
from domain.pages import Key
from domain.work import Work
from storage.index.conditions import All, Condition, Deliverable, Is, Not, OneOf
from storage.tables import AssetRow, DeliverableVersionRow


def leading(work: Work, condition: Condition) -> tuple[Deliverable, Condition] | None:
    """A use that must pass, and all else that the filter asks for; None where its assets are better found another way:
    by the rest of the filter, or because the viewer sees but few.
    """
    parts = list(_all_of(condition))
    use = next((part for part in parts if isinstance(part, Deliverable)), None)
    if use is None or not all(map(_is_wide, parts)) or not identity.sees_many(work):
        return None
    return use, All(tuple(part for part in parts if part != use))


def led(work: Work, use: Deliverable, shown: Shown, bound: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Those for which the use passes, of the assets within these bounds."""
    kept = DeliverableVersionRow
    if work.session.get_bind().dialect.name != "postgresql":
        return sa.select(AssetRow).join(kept, filtering.leads(use, shown)).where(*bound)
    # PostgreSQL takes the bounds for narrower than they are and would join everything to sort it: what has a limit it
    # asks row by row.
    bounded = (
        sa.select(AssetRow.id)
        .where(filtering.is_deliverable(use, shown), *bound)
        .correlate(kept)
        .limit(1)
        .scalar_subquery()
    )
    listed = sa.select(AssetRow).join(kept, kept.asset_id == AssetRow.id)
    return listed.where(compiled.lets_out(shown.verdicts(use), kept.reach_id), bounded.is_not(None))


def order(*, descending: bool) -> tuple[Key, ...]:
    """Of what is `led`: by arrival, and then by id."""
    return tuple(Key(each, descending) for each in (DeliverableVersionRow.listed_at, DeliverableVersionRow.asset_id))


def _all_of(condition: Condition) -> Iterable[Condition]:
    if isinstance(condition, All):
        return (part for each in condition.parts for part in _all_of(each))
    return (condition,)


def _is_wide(part: Condition) -> bool:
    """Whether most assets may be so."""
    return isinstance(part, Not | Deliverable) or (isinstance(part, Is | OneOf) and part.field == "kind")
