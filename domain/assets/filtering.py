"""The filter tree in SQL: the same answer that the search index gives, from the rows themselves.

The tree's logic has two values and SQL's has three, so every comparison with a column that may be NULL is coalesced
to false before anything negates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

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
    DeliverablePartRow,
    DeliverableVersionRow,
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
    """What was compiled of the version, as of the asset's present epoch, has a part that the whole use lies in."""
    kept, part = DeliverableVersionRow, DeliverablePartRow
    rows = sa.select(part.number).join(kept, kept.reach_id == part.reach_id)
    rows = rows.where(kept.version_id == shown.version_id, kept.asset_id == AssetRow.id)
    rows = rows.where(kept.epoch == AssetRow.rights_epoch, kept.rules == condition.rules)
    rows = rows.where(part.party.in_((0, condition.party)), part.uses.bitwise_and(condition.use) != 0)
    rows = rows.where(part.first <= condition.first, part.first_to >= condition.first, part.last >= condition.last)
    rows = rows.where(*_has((part.channels_0, part.channels_1), condition.channels))
    rows = rows.where(*_has(_PLACES, condition.countries))
    rows = rows.where(*(_has_subdivision(code, country) for code, country in condition.subdivisions))
    rows = rows.correlate(AssetRow)
    # PostgreSQL makes a join of EXISTS and reads all parts there are; what has a limit it asks row by row.
    return rows.exists() if shown.is_whole else rows.limit(1).scalar_subquery().is_not(None)


_PLACES: Final = tuple(getattr(DeliverablePartRow, f"places_{at}") for at in range(4))


def _has(columns: Sequence[Any], bits: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    return [column.bitwise_and(word) == word for column, word in zip(columns, bits, strict=True) if word]


def _has_subdivision(code: str, country: Sequence[int]) -> sa.ColumnElement[bool]:
    """It is named itself, or with all that are not named of its country, or its country names none at all."""
    named: Any = sa.func.coalesce(DeliverablePartRow.subdivisions, "")
    rest = f"{code[:2]}-*"
    whole = sa.and_(named.not_like(f"% -{rest} %"), *_has(_PLACES, country))
    others = sa.and_(named.not_like(f"% -{code} %"), sa.or_(named.like(f"% +{rest} %"), whole))
    return sa.or_(named.like(f"% +{code} %"), others)


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
