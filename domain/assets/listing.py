"""Lists of assets straight from the rows: filtered, ordered, counted and broken down into facets.

With words to search for, the same questions go through `domain.search`. Archived assets are left out unless the
filter speaks of the lifecycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from domain import identity
from domain.assets import filtering
from domain.pages import Key, Paging, Slice, read_slice
from domain.refusals import Invalid
from domain.work import Work
from storage.index.conditions import All, Condition, Is, Not
from storage.index.contract import FACET_VALUES, FacetField, FacetValue
from storage.tables import AssetFieldRow, AssetRow, AssetTagRow, AssetVersionRow
from storage.types import EPOCH

MAX_ORDERS = 3


class OrderField(Enum):
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    CAPTURED_AT = "captured_at"
    TITLE = "title"
    BYTE_SIZE = "byte_size"
    RELEVANCE = "relevance"


class Stage(Enum):
    """DRAFT: whatever the viewer may see. APPROVED: assets of which some version is approved."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"


@dataclass(frozen=True)
class Order:
    field: OrderField
    descending: bool


NEWEST_FIRST = (Order(OrderField.CREATED_AT, descending=True),)


def effective(condition: Condition | None) -> Condition:
    """The filter that is really asked: without a word about the lifecycle, archived assets are left out."""
    given = All(()) if condition is None else filtering.checked(condition)
    if filtering.mentions(given, "lifecycle"):
        return given
    return All((given, Not(Is("lifecycle", "ARCHIVED"))))


def statement(
    work: Work, condition: Condition | None, order: Sequence[Order], stage: Stage = Stage.DRAFT
) -> tuple[sa.Select[Any], tuple[Key, ...]]:
    """All that the list holds, and its order."""
    chosen = checked_order(order) or NEWEST_FIRST
    keys = [Key(_column(work, each.field), each.descending) for each in chosen]
    keys.append(Key(AssetRow.id, chosen[-1].descending))
    by_version = any(each.field in {OrderField.CAPTURED_AT, OrderField.BYTE_SIZE} for each in chosen)
    found = _filtered(sa.select(AssetRow), work, effective(condition), stage, by_version=by_version)
    return found, tuple(keys)


def page(
    work: Work,
    condition: Condition | None,
    order: Sequence[Order],
    wanted: Paging,
    stage: Stage = Stage.DRAFT,
) -> Slice[AssetRow]:
    return read_slice(work, *statement(work, condition, order, stage), wanted)


def count(work: Work, condition: Condition | None, stage: Stage = Stage.DRAFT) -> int:
    return work.session.scalar(counting(work, condition, stage)) or 0


def counting(work: Work, condition: Condition | None, stage: Stage = Stage.DRAFT) -> sa.Select[int]:
    """What counts all that the list holds."""
    rows = sa.select(sa.func.count()).select_from(AssetRow)
    return _filtered(rows, work, effective(condition), stage, is_whole=True)


def among(work: Work, ids: Iterable[int], condition: Condition | None, stage: Stage) -> dict[int, AssetRow]:
    """Those of `ids` that the list would show at this moment."""
    rows = sa.select(AssetRow).where(AssetRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(_filtered(rows, work, effective(condition), stage))}


def ids_of(work: Work, condition: Condition) -> list[int]:
    """All assets that the viewer sees and that are so, archived ones among them."""
    return list(work.session.scalars(_filtered(sa.select(AssetRow.id), work, condition, Stage.DRAFT)))


def facets(
    work: Work,
    condition: Condition | None,
    fields: Sequence[FacetField],
    stage: Stage = Stage.DRAFT,
) -> dict[str, tuple[FacetValue, ...]]:
    """Per field its most frequent values with their counts; a year is the capture's, else the arrival's, in UTC."""
    asked = effective(condition)
    return {field: _facet(work, asked, field, stage) for field in dict.fromkeys(fields)}


def counts_of_field(
    work: Work, condition: Condition | None, field_id: int, stage: Stage = Stage.DRAFT
) -> dict[str, int]:
    """How many of the listed assets say each word of the field."""
    word: Any = AssetFieldRow.word
    rows = sa.select(word, sa.func.count()).select_from(AssetRow)
    rows = rows.join(AssetFieldRow, AssetFieldRow.asset_id == AssetRow.id).where(AssetFieldRow.field_id == field_id)
    counted = _filtered(rows, work, effective(condition), stage).group_by(word)
    return dict(work.session.execute(counted).all())


def checked_order(order: Sequence[Order]) -> tuple[Order, ...]:
    if len(order) > MAX_ORDERS:
        raise Invalid(f"Order by at most {MAX_ORDERS} fields.", ("orderBy",), "length")
    if len({each.field for each in order}) != len(order):
        raise Invalid("Name each field of the order once.", ("orderBy",), "unique")
    return tuple(order)


def _column(work: Work, field: OrderField) -> Any:
    match field:
        case OrderField.TITLE:
            return AssetRow.title_folded
        case OrderField.UPDATED_AT:
            return identity.shown_updated_at(work)
        case OrderField.CAPTURED_AT:  # unknown sorts as the earliest, on both databases alike
            return sa.func.coalesce(
                AssetVersionRow.captured_at,
                sa.literal(EPOCH.replace(year=2), AssetVersionRow.captured_at.type),  # year 1 is BC west of Greenwich
            )
        case OrderField.BYTE_SIZE:
            return sa.func.coalesce(AssetVersionRow.byte_size, 0)
        case OrderField.RELEVANCE:
            raise Invalid("Relevance orders only what was searched for.", ("orderBy",), "search")
        case _:
            return getattr(AssetRow, field.value)


def _filtered(
    statement: sa.Select[Any],
    work: Work,
    condition: Condition,
    stage: Stage,
    *,
    by_version: bool = False,
    is_whole: bool = False,
) -> sa.Select[Any]:
    if by_version or filtering.needs_version(condition):
        statement = statement.outerjoin(AssetVersionRow, AssetVersionRow.id == identity.shown_version_id(work))
    shown = filtering.Shown(identity.shown_updated_at(work), identity.shown_version_id(work), is_whole)
    statement = statement.where(identity.sees_asset(work), filtering.sql_of(condition, shown))
    return statement if stage is Stage.DRAFT else statement.where(AssetRow.approved_version_id.is_not(None))


def _facet(work: Work, condition: Condition, field: FacetField, stage: Stage) -> tuple[FacetValue, ...]:
    match field:
        case "kind":
            value: Any = AssetRow.kind
        case "media_type":
            value = AssetVersionRow.media_type
        case "year":
            value = _year(work, sa.func.coalesce(AssetVersionRow.captured_at, AssetRow.created_at))
        case "tag":
            value = AssetTagRow.tag_id
    total = sa.func.count()
    statement = sa.select(value, total).select_from(AssetRow)
    if field == "tag":
        statement = statement.join(AssetTagRow, AssetTagRow.asset_id == AssetRow.id)
    statement = _filtered(statement, work, condition, stage, by_version=field in {"media_type", "year"})
    statement = statement.where(value.is_not(None)).group_by(value).order_by(total.desc(), value).limit(FACET_VALUES)
    return tuple(FacetValue(found, count) for found, count in work.session.execute(statement))


def _year(work: Work, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    if work.session.get_bind().dialect.name == "postgresql":
        return sa.cast(sa.extract("year", sa.func.timezone("UTC", moment)), sa.Integer)
    seconds = sa.cast(sa.type_coerce(moment, sa.BigInteger), sa.BigInteger) / 1_000_000
    return sa.cast(sa.func.strftime("%Y", seconds, "unixepoch"), sa.Integer)
