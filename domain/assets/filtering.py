"""The filter tree in SQL: the same answer that the search index gives, from the rows themselves.

The tree's logic has two values and SQL's has three, so every comparison with a column that may be NULL is coalesced
to false before anything negates it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from domain.beside import Beside
from domain.licensing import compiled
from domain.refusals import Invalid
from storage.index import conditions
from storage.index.conditions import (
    All,
    Among,
    AnyOf,
    Between,
    Condition,
    Deliverable,
    FieldBetween,
    FieldIs,
    FieldSays,
    HasTag,
    Is,
    Leaf,
    Not,
    OneOf,
    OwnField,
    StartsWith,
)
from storage.tables import (
    AssetFieldRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    CustomFieldRow,
    DeliverableVersionRow,
    TagListingRow,
)

COLUMNS: Final[dict[str, Any]] = {
    "id": AssetRow.id,
    "org_id": AssetRow.org_id,
    "kind": AssetRow.kind,
    "lifecycle": AssetRow.lifecycle,
    "created_at": AssetRow.created_at,
    "media_type": AssetVersionRow.media_type,
    "byte_size": AssetVersionRow.byte_size,
    "width": AssetVersionRow.width,
    "height": AssetVersionRow.height,
    "captured_at": AssetVersionRow.captured_at,
}
#: What lists of one tag ask is kept beside it.
TAGGED: Final = Beside(
    key=AssetRow.id,
    link=AssetTagRow.asset_id,
    columns={
        AssetTagRow.tag_id: TagListingRow.tag_id,
        AssetRow.id: TagListingRow.asset_id,
        AssetRow.created_at: TagListingRow.created_at,
        AssetRow.lifecycle: TagListingRow.lifecycle,
        AssetRow.org_id: TagListingRow.org_id,
        AssetRow.approved_version_id: TagListingRow.approved_version_id,
        AssetRow.kind: TagListingRow.kind,
    },
)
OF_VERSION: Final = frozenset({"media_type", "byte_size", "width", "height", "captured_at"})


def checked(condition: Condition) -> Condition:
    """The tree itself; one that is too deep, too large or compares unlike things is refused."""
    try:
        conditions.check(condition)
    except conditions.ConditionError as error:
        raise Invalid(str(error), ("where",), "filter") from None
    return condition


@dataclass(frozen=True)
class Shown:
    """Of an `AssetRow`, what depends on who is shown it."""

    updated_at: Any
    version_id: Any
    #: What `compiled.verdicts` says of a use, or a parameter for it.
    verdicts: Callable[[Deliverable], sa.BindParameter[bytes]]
    #: Whether all of them are read, rather than a page.
    is_whole: bool = False


def sql_of(condition: Condition, shown: Shown) -> sa.ColumnElement[bool]:
    """A condition over `AssetRow` and, where `needs_version` says so, its current `AssetVersionRow`."""
    match condition:
        case All(parts):
            return sa.and_(sa.true(), *(sql_of(part, shown) for part in parts))
        case AnyOf(parts):
            return sa.or_(sa.false(), *(sql_of(part, shown) for part in parts))
        case Not(part):
            return sa.not_(sql_of(part, shown))
        case _:
            return _leaf(condition, shown)


def needs_version(condition: Condition) -> bool:
    """Whether any part of the tree speaks of the current version."""
    match condition:
        case All(parts) | AnyOf(parts):
            return any(map(needs_version, parts))
        case Not(part):
            return needs_version(part)
        case HasTag() | FieldIs() | FieldBetween() | FieldSays() | Among() | Deliverable():
            return False
        case _:
            return condition.field in OF_VERSION


def mentions(condition: Condition, field: str) -> bool:
    match condition:
        case All(parts) | AnyOf(parts):
            return any(mentions(part, field) for part in parts)
        case Not(part):
            return mentions(part, field)
        case HasTag() | FieldIs() | FieldBetween() | FieldSays() | Among() | Deliverable():
            return False
        case _:
            return condition.field == field


def is_narrow(condition: Condition) -> bool:
    """Whether a tag must be there: then the list is read by its tag, and whole, for any page of it."""
    match condition:
        case All(parts):
            return any(map(is_narrow, parts))
        case _:
            return isinstance(condition, HasTag)


def is_restricted(condition: Condition) -> bool:
    """Whether any part of the tree speaks of a field that not everybody may read."""
    match condition:
        case All(parts) | AnyOf(parts):
            return any(map(is_restricted, parts))
        case Not(part):
            return is_restricted(part)
        case FieldIs() | FieldBetween() | FieldSays():
            return condition.restricted
        case _:
            return False


def told(condition: Condition, tell: Callable[[Deliverable], Among]) -> Condition:
    """The tree as an index can be asked with it: `tell` answers what only rows know."""
    match condition:
        case All(parts):
            return All(tuple(told(part, tell) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(told(part, tell) for part in parts))
        case Not(part):
            return Not(told(part, tell))
        case Deliverable():
            return tell(condition)
        case _:
            return condition


def uses_of(condition: Condition) -> list[Deliverable]:
    """Each that the tree speaks of once, always in the same order."""
    match condition:
        case All(parts) | AnyOf(parts):
            return list(dict.fromkeys(use for part in parts for use in uses_of(part)))
        case Not(part):
            return uses_of(part)
        case Deliverable():
            return [condition]
        case _:
            return []


def is_deliverable(condition: Deliverable, shown: Shown) -> sa.ColumnElement[bool]:
    """The condition on `DeliverableVersionRow` that it is what was compiled of the version that is shown of `AssetRow`,
    as of the asset's present epoch, and lets the use out.
    """
    kept = DeliverableVersionRow
    return sa.and_(
        compiled.lets_out(shown.verdicts(condition), kept.reach_id),
        kept.version_id == shown.version_id,
        kept.asset_id == AssetRow.id,
        kept.epoch == AssetRow.rights_epoch,
        kept.rules == condition.rules,
    )


def leads(condition: Deliverable, shown: Shown) -> sa.ColumnElement[bool]:
    """The same, spelled so that SQLite finds the asset of the row and never the row of the asset."""
    kept = DeliverableVersionRow
    return sa.and_(
        compiled.lets_out(shown.verdicts(condition), kept.reach_id),
        AssetRow.id == kept.asset_id + 0,
        kept.version_id + 0 == shown.version_id,
        kept.epoch == AssetRow.rights_epoch,
        kept.rules + 0 == condition.rules,
    )


def _leaf(condition: Leaf, shown: Shown) -> sa.ColumnElement[bool]:
    match condition:
        case HasTag(tag_ids):
            return AssetRow.id.in_(sa.select(AssetTagRow.asset_id).where(AssetTagRow.tag_id.in_(tag_ids)))
        case FieldIs() | FieldBetween() | FieldSays():
            return AssetRow.id.in_(_saying(condition))
        case Among(ids):
            return AssetRow.id.in_(ids)
        case Deliverable():
            return _deliverable(condition, shown)
        case _:
            return _comparison(
                condition, shown.updated_at if condition.field == "updated_at" else COLUMNS[condition.field]
            )


def _deliverable(condition: Deliverable, shown: Shown) -> sa.ColumnElement[bool]:
    rows = sa.select(DeliverableVersionRow.version_id).where(is_deliverable(condition, shown)).correlate(AssetRow)
    # PostgreSQL makes a join of EXISTS and reads all rows there are; what has a limit it asks row by row.
    return rows.exists() if shown.is_whole else rows.limit(1).scalar_subquery().is_not(None)


def _saying(condition: OwnField) -> sa.Select[int]:
    """Assets of which the field, unless it is archived, says so."""
    living = sa.select(CustomFieldRow.id).where(
        CustomFieldRow.id == condition.key, CustomFieldRow.archived_at.is_(None)
    )
    rows = sa.select(AssetFieldRow.asset_id).where(AssetFieldRow.field_id == condition.key, living.exists())
    match condition:
        case FieldIs(_, words):
            return rows.where(AssetFieldRow.word.in_(words))
        case FieldBetween(_, low, high):
            return rows.where(_between(AssetFieldRow.number, low, high, half_open=False))
        case _:
            return rows


def _comparison(condition: Is | OneOf | Between | StartsWith, column: Any) -> sa.ColumnElement[bool]:
    match condition:
        case Is(_, value):
            said = column == value
        case OneOf(_, values):
            said = column.in_(values)
        case StartsWith(_, prefix):
            said = sa.func.substr(column, 1, len(prefix)) == prefix  # SQLite's LIKE takes A for a
        case Between(_, low, high):
            said = _between(column, low, high, half_open=condition.field in conditions.INSTANTS)
    # Missing only where the column may be NULL or the asset has no current version to ask.
    return sa.func.coalesce(said, sa.false()) if condition.field in OF_VERSION else said


def _between(column: Any, low: Any, high: Any, *, half_open: bool) -> sa.ColumnElement[bool]:
    ends: list[sa.ColumnElement[bool]] = [column.is_not(None)]
    if low is not None:
        ends.append(column >= low)
    if high is not None:
        ends.append(column < high if half_open else column <= high)
    return sa.and_(*ends)
