"""Filters and orders of asset lists, and how they become the domain's filter tree."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import strawberry

from domain import custom_fields, hierarchy, taxonomy
from domain.assets import Order, OrderField, OwnOrder
from domain.global_ids import number_of
from domain.licensing import compiled
from domain.licensing.codes import Action, Purpose
from domain.licensing.terms import Request, Window
from domain.refusals import Invalid
from domain.work import Work
from schema.custom_fields import inputs
from schema.custom_fields.inputs import AssetFieldFilter
from schema.enums import AssetKind, AssetLifecycle, Direction
from schema.licensing import words
from schema.scalars import BigInt, Instant
from storage.index.conditions import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_VALUES,
    All,
    AnyOf,
    Between,
    Condition,
    Field,
    HasTag,
    Is,
    Not,
    Number,
    OneOf,
    StartsWith,
)
from storage.index.conditions import Instant as Moment

assert words  # the closed lists have to have names before they are spoken of here


@strawberry.input(description="A text equals, is one of, or begins with.")
class TextFilter:
    eq: str | None = None
    one_of: list[str] | None = None
    starts_with: str | None = None


@strawberry.input(description="An asset's kind.")
class AssetKindFilter:
    eq: AssetKind | None = None
    one_of: list[AssetKind] | None = None


@strawberry.input(description="An asset's place in its life. Naming it brings archived assets back into view.")
class AssetLifecycleFilter:
    eq: AssetLifecycle | None = None
    one_of: list[AssetLifecycle] | None = None


@strawberry.input(description="A whole number equals, or lies between (both ends included).")
class IntFilter:
    eq: int | None = None
    from_: int | None = strawberry.field(name="from", default=None)
    to: int | None = None


@strawberry.input(description="A large whole number equals, or lies between (both ends included).")
class BigIntFilter:
    eq: BigInt | None = None
    from_: BigInt | None = strawberry.field(name="from", default=None)
    to: BigInt | None = None


@strawberry.input(description="A moment lies between: from included, to excluded.")
class DateTimeFilter:
    from_: Instant | None = strawberry.field(name="from", default=None)
    to: Instant | None = None


@strawberry.input(description="Tags that an asset carries.")
class TagFilter:
    any_of: list[strawberry.ID] | None = strawberry.field(default=None, description="At least one of these.")
    all_of: list[strawberry.ID] | None = strawberry.field(default=None, description="Every one of these.")
    none_of: list[strawberry.ID] | None = strawberry.field(default=None, description="None of these.")
    include_descendants: bool = strawberry.field(default=True, description="A tag stands for all below it, too.")


@strawberry.input(description="All days of a use, the first and the last included, as each licence counts them.")
class DeliveryDaysInput:
    from_: date = strawberry.field(name="from", description="The first day.")
    to: date = strawberry.field(description="The last day; the same as the first for a single one.")


@strawberry.input(
    description="One use that has to be licensed, with or without duties; what it leaves open may be anything, as in "
    "`rightsDecision`. An asset whose rights changed is found again as soon as it was looked through."
)
class DeliverableFilter:
    channel: str = strawberry.field(description="Where it will be seen: a leaf of the channels, such as `print.flyer`.")
    territories: list[str] = strawberry.field(
        description="Countries (ISO 3166-1), their parts (3166-2), groups as of the first day, or `WORLDWIDE`: all."
    )
    window: DeliveryDaysInput = strawberry.field(description="The whole time that it will be out.")
    purpose: Purpose | None = strawberry.field(default=None, description="What for.")
    party: strawberry.ID | None = strawberry.field(
        default=None, description="The organisation that will use it; the viewer's own if not said."
    )
    action: Action = strawberry.field(default=Action.DOWNLOAD, description="What is done with it.")


@strawberry.input(description="What an asset must be like; everything given must hold.")
class AssetWhere:
    and_: list[AssetWhere] | None = strawberry.field(name="AND", default=None)
    or_: list[AssetWhere] | None = strawberry.field(name="OR", default=None)
    not_: AssetWhere | None = strawberry.field(name="NOT", default=None)
    kind: AssetKindFilter | None = None
    lifecycle: AssetLifecycleFilter | None = None
    tags: TagFilter | None = None
    media_type: TextFilter | None = None
    width: IntFilter | None = strawberry.field(default=None, description="Of the current version, in pixels.")
    height: IntFilter | None = strawberry.field(default=None, description="Of the current version, in pixels.")
    byte_size: BigIntFilter | None = strawberry.field(default=None, description="Of the current version.")
    created_at: DateTimeFilter | None = None
    updated_at: DateTimeFilter | None = None
    captured_at: DateTimeFilter | None = None
    fields: list[AssetFieldFilter] | None = strawberry.field(
        default=None, description="What fields of the brand's own say: all of these."
    )
    deliverable_for: DeliverableFilter | None = strawberry.field(
        default=None, description="What the viewer is shown of it is licensed for this use, by today's rights."
    )


@strawberry.input(description="What to order by, a property or a field of the brand's own, and the way to run.")
class AssetOrder:
    field: OrderField | None = strawberry.field(default=None, description="A property that every asset has.")
    custom: str | None = strawberry.field(
        default=None,
        description="The key of a field of the brand's own that says one thing; assets of which it says nothing stand "
        "together. Only without words to search for.",
    )
    locale: str | None = strawberry.field(
        default=None, description="The language that `custom` is read in, if it is a text that is said in several."
    )
    direction: Direction = Direction.ASC


#: Tags named in one filter; each may stand for many below it.
MAX_TAGS: Final = 200
#: Uses that one filter speaks of: each is looked up for every asset.
MAX_USES: Final = 5
MEASURES: Final[tuple[Number, ...]] = ("width", "height", "byte_size")
MOMENTS: Final[tuple[Moment, ...]] = ("created_at", "updated_at", "captured_at")


def condition(work: Work, where: AssetWhere | None, depth: int = 0) -> Condition | None:
    """The filter tree of `where`; None where nothing was asked."""
    if where is None:
        return None
    if depth > MAX_DEPTH:
        raise Invalid(f"A filter may be {MAX_DEPTH} levels deep.", ("where",), "filter")
    parts = [*_plain(where), *_tags(work, where.tags)]
    if where.fields:
        parts.append(inputs.condition(work, where.fields))
    if where.deliverable_for is not None:
        parts.append(_deliverable(work, where.deliverable_for))
    parts += [inner for each in where.and_ or () if (inner := condition(work, each, depth + 1)) is not None]
    if where.or_ is not None:
        parts.append(AnyOf(tuple(condition(work, each, depth + 1) or All(()) for each in where.or_)))
    if where.not_ is not None:
        parts.append(Not(condition(work, where.not_, depth + 1) or All(())))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def check_size(where: AssetWhere | None) -> None:
    """Refuses a filter of more than MAX_NODES parts before anything of it is looked up."""
    waiting, seen, uses = ([] if where is None else [where]), 0, 0
    while waiting:
        each = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            raise Invalid(f"A filter may have {MAX_NODES} parts; this one has more.", ("where",), "filter")
        uses += each.deliverable_for is not None
        if uses > MAX_USES:
            raise Invalid(f"A filter may speak of {MAX_USES} uses; this one has more.", ("where",), "filter")
        waiting += [*(each.and_ or ()), *(each.or_ or ()), *([] if each.not_ is None else [each.not_])]


def orders(work: Work, order_by: Iterable[AssetOrder] | None) -> tuple[Order, ...]:
    return tuple(Order(_ordered(work, each), each.direction is Direction.DESC) for each in order_by or ())


def _ordered(work: Work, order: AssetOrder) -> OrderField | OwnOrder:
    if (order.field is None) == (order.custom is None):
        raise Invalid("Order by a property or by a field: name one of both.", ("orderBy",), "one_of")
    if order.field is not None:
        if order.locale is not None:
            raise Invalid("Only a field of the brand's own has a language.", ("orderBy", "locale"), "locale")
        return order.field
    row, locale = custom_fields.ordering(work, order.custom or "", order.locale)
    return OwnOrder(row.id, row.type, locale)


def _plain(where: AssetWhere) -> list[Condition]:
    parts: list[Condition] = []
    if where.kind is not None:
        parts += _words("kind", where.kind)
    if where.lifecycle is not None:
        parts += _words("lifecycle", where.lifecycle)
    if where.media_type is not None:
        parts += _text(where.media_type)
    for measure in MEASURES:
        parts += _number(measure, getattr(where, measure))
    for name in MOMENTS:
        given: DateTimeFilter | None = getattr(where, name)
        if given is not None and (given.from_ is not None or given.to is not None):
            parts.append(Between(name, given.from_, given.to))
    return parts


def _words(field: Field, given: AssetKindFilter | AssetLifecycleFilter) -> list[Condition]:
    parts: list[Condition] = [] if given.eq is None else [Is(field, given.eq.value)]
    if given.one_of is not None:
        parts.append(OneOf(field, tuple(word.value for word in given.one_of)))
    return parts


def _text(given: TextFilter) -> list[Condition]:
    for text in (given.eq, given.starts_with, *(given.one_of or ())):
        if text is not None and not text.isprintable():  # PostgreSQL takes no U+0000, and no media type holds one
            raise Invalid("A media type is printable text.", ("where", "mediaType"), "filter")
    parts: list[Condition] = [] if given.eq is None else [Is("media_type", given.eq)]
    if given.one_of is not None:
        parts.append(OneOf("media_type", tuple(given.one_of)))
    if given.starts_with is not None:
        parts.append(StartsWith("media_type", given.starts_with))
    return parts


def _number(name: Number, given: IntFilter | BigIntFilter | None) -> list[Condition]:
    if given is None:
        return []
    parts: list[Condition] = [] if given.eq is None else [Is(name, given.eq)]
    if given.from_ is not None or given.to is not None:
        parts.append(Between(name, given.from_, given.to))
    return parts


def _deliverable(work: Work, given: DeliverableFilter) -> Condition:
    request = Request(
        given.action,
        given.channel,
        tuple(given.territories),
        Window(given.window.from_, given.window.to),
        work.viewer.org_id if given.party is None else number_of("Organisation", given.party, ("party",)),
        work.now,
        purpose=given.purpose,
    )
    return compiled.wanted(work, request)


def _tags(work: Work, given: TagFilter | None) -> list[Condition]:
    if given is None:
        return []

    if sum(len(ids or ()) for ids in (given.any_of, given.all_of, given.none_of)) > MAX_TAGS:
        raise Invalid(f"Name at most {MAX_TAGS} tags in one filter.", ("where", "tags"), "length")

    def carries(ids: Iterable[strawberry.ID]) -> Condition:
        numbers = [number_of("Tag", each, ("where", "tags")) for each in ids]
        if given.include_descendants:
            return _any_of(hierarchy.with_descendants(work, numbers))
        return _any_of(tag.id for tag in taxonomy.by_id(work, numbers).values())

    parts: list[Condition] = [] if given.any_of is None else [carries(given.any_of)]
    parts += [carries([each]) for each in given.all_of or ()]
    if given.none_of:
        parts.append(Not(carries(given.none_of)))
    return parts


def _any_of(tag_ids: Iterable[int]) -> Condition:
    """However many tags stand below the ones named."""
    ids = sorted(set(tag_ids))
    shares = [HasTag(tuple(ids[start : start + MAX_VALUES])) for start in range(0, len(ids), MAX_VALUES)]
    return shares[0] if len(shares) == 1 else AnyOf(tuple(shares))
