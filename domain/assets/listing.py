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
from domain.assets import filtering, newest
from domain.licensing import compiled
from domain.pages import Key, Paging, Slice, read_slice
from domain.refusals import Invalid
from domain.work import Work
from storage.index.conditions import All, Among, Condition, Deliverable, Is, Not
from storage.index.contract import FACET_VALUES, FacetField, FacetValue
from storage.tables import AssetFieldRow, AssetRow, AssetTagRow, AssetVersionRow, VocabularyTermRow
from storage.types import EPOCH

MAX_ORDERS = 3
#: Less than any number that a field says.
UNSAID = -(1 << 62)


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
class OwnOrder:
    """By what a field of the brand's own says; of a localised text what it says in that language."""

    field_id: int
    type: str
    locale: str = ""


@dataclass(frozen=True)
class Order:
    field: OrderField | OwnOrder
    descending: bool


NEWEST_FIRST = (Order(OrderField.CREATED_AT, descending=True),)


def effective(condition: Condition | None) -> Condition:
    """The filter that is really asked: without a word about the lifecycle, archived assets are left out."""
    given = All(()) if condition is None else filtering.checked(condition)
    if filtering.mentions(given, "lifecycle"):
        return given
    return All((given, Not(Is("lifecycle", "ARCHIVED"))))


def statement(
    work: Work,
    condition: Condition | None,
    order: Sequence[Order],
    stage: Stage = Stage.DRAFT,
    *,
    is_open: bool = False,
) -> tuple[sa.Select[Any], tuple[Key, ...]]:
    """All that the list holds, and its order. An open one leaves to the parameters of `given` what time changes."""
    chosen, asked = checked_order(order) or NEWEST_FIRST, effective(condition)
    told = shown(work, condition, is_open=is_open)
    led = newest.leading(work, asked) if [each.field for each in chosen] == [OrderField.CREATED_AT] else None
    if led is not None:
        use, others = led
        rows = newest.led(work, use, told, _bound(work, others, stage, told))
        return rows, newest.order(descending=chosen[0].descending)
    keys = [Key(_column(work, each.field), each.descending) for each in chosen]
    keys.append(Key(AssetRow.id, chosen[-1].descending))
    by_version = any(each.field in {OrderField.CAPTURED_AT, OrderField.BYTE_SIZE} for each in chosen)
    return _filtered(sa.select(AssetRow), work, asked, stage, told, by_version=by_version), tuple(keys)


def shape(condition: Condition | None) -> Condition | None:
    """Equal for filters of which the open statements are the same, since only the uses in them differ."""
    if condition is None:
        return None
    uses = filtering.uses_of(condition)
    return filtering.told(condition, lambda use: Among(frozenset([uses.index(use)]))) if uses else condition


def given(work: Work, condition: Condition | None) -> dict[str, Any]:
    """The parameters of open statements with this filter."""
    uses = [] if condition is None else filtering.uses_of(condition)
    return {_parameter(at): compiled.verdicts_of(work, use) for at, use in enumerate(uses)}


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


def counting(
    work: Work, condition: Condition | None, stage: Stage = Stage.DRAFT, *, is_open: bool = False
) -> sa.Select[int]:
    """What counts all that the list holds; open as a `statement` is."""
    rows = sa.select(sa.func.count()).select_from(AssetRow)
    told = shown(work, condition, is_whole=True, is_open=is_open)
    return _filtered(rows, work, effective(condition), stage, told)


def among(work: Work, ids: Iterable[int], condition: Condition | None, stage: Stage) -> dict[int, AssetRow]:
    """Those of `ids` that the list would show at this moment."""
    rows = sa.select(AssetRow).where(AssetRow.id.in_(set(ids)))
    return {row.id: row for row in work.session.scalars(_filtered(rows, work, effective(condition), stage))}


def ids_of(work: Work, condition: Condition) -> list[int]:
    """All assets that the viewer sees and that are so, archived ones among them."""
    told = shown(work, condition, is_whole=True)
    return list(work.session.scalars(_filtered(sa.select(AssetRow.id), work, condition, Stage.DRAFT, told)))


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


def shown(
    work: Work, condition: Condition | None = None, *, is_whole: bool = False, is_open: bool = False
) -> filtering.Shown:
    """What filters ask of assets as the viewer is shown them."""
    uses = [] if condition is None else filtering.uses_of(condition)

    def verdicts(use: Deliverable) -> sa.BindParameter[bytes]:
        if is_open:
            return sa.bindparam(_parameter(uses.index(use)), type_=sa.LargeBinary)
        return sa.literal(compiled.verdicts_of(work, use), sa.LargeBinary)

    return filtering.Shown(identity.shown_updated_at(work), identity.shown_version_id(work), verdicts, is_whole)


def checked_order(order: Sequence[Order]) -> tuple[Order, ...]:
    if len(order) > MAX_ORDERS:
        raise Invalid(f"Order by at most {MAX_ORDERS} fields.", ("orderBy",), "length")
    if len({each.field for each in order}) != len(order):
        raise Invalid("Name each field of the order once.", ("orderBy",), "unique")
    return tuple(order)


def _column(work: Work, field: OrderField | OwnOrder) -> Any:
    match field:
        case OwnOrder():
            return _said(field)
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


def _said(own: OwnOrder) -> sa.ColumnElement[Any]:
    """Unsaid sorts as the least, as an empty text does; a choice by its place in its vocabulary."""
    by_type: dict[str, Any] = {"TEXT": AssetFieldRow.folded, "CHOICE": VocabularyTermRow.place}
    value = by_type.get(own.type, AssetFieldRow.number)
    rows = sa.select(value).where(
        AssetFieldRow.asset_id == AssetRow.id,
        AssetFieldRow.field_id == own.field_id,
        AssetFieldRow.locale == own.locale,
        AssetFieldRow.place == 0,
    )
    if own.type == "CHOICE":
        by_term = VocabularyTermRow.id == AssetFieldRow.term_id
        rows = rows.select_from(AssetFieldRow).join(VocabularyTermRow, by_term)
    unsaid = sa.literal("" if own.type == "TEXT" else UNSAID, value.type)
    return sa.func.coalesce(rows.correlate(AssetRow).scalar_subquery(), unsaid)


def _filtered(
    statement: sa.Select[Any],
    work: Work,
    condition: Condition,
    stage: Stage,
    told: filtering.Shown | None = None,
    *,
    by_version: bool = False,
) -> sa.Select[Any]:
    if by_version or filtering.needs_version(condition):
        statement = statement.outerjoin(AssetVersionRow, AssetVersionRow.id == identity.shown_version_id(work))
    return statement.where(*_bound(work, condition, stage, told or shown(work, condition)))


def _bound(work: Work, condition: Condition, stage: Stage, told: filtering.Shown) -> list[sa.ColumnElement[bool]]:
    """What the viewer sees, and what was asked for."""
    approved = [] if stage is Stage.DRAFT else [AssetRow.approved_version_id.is_not(None)]
    return [identity.sees_asset(work), filtering.sql_of(condition, told), *approved]


def _parameter(number: int) -> str:
    return f"verdicts_{number}"


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
