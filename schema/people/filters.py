"""Filters and orders of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TypeVar

import strawberry

from domain.global_ids import number_of
from domain.people import Order, OrderField, State, Text, Where
from domain.permissions import Permission
from domain.refusals import Invalid
from schema.enums import Direction
from schema.fields import restricted_filter
from schema.filters import TextFilter

Word = TypeVar("Word", bound=Enum)

#: Levels that a filter is unpacked to; the domain says how many are taken.
MAX_DEPTH = 20
MAX_IDS = 100


@strawberry.enum(description="A person, or an account that is none.")
class ActorKind(Enum):
    PERSON = "PERSON"
    SERVICE_ACCOUNT = "SERVICE"


strawberry.enum(State, name="ActorState", description="Whether somebody comes in; INVITED have never come.")
strawberry.enum(OrderField, name="ActorOrderField", description="By what people can be ordered.")


@strawberry.input(description="Where somebody belongs.")
class ActorOrganisationFilter:
    eq: strawberry.ID | None = None
    one_of: list[strawberry.ID] | None = None
    include_descendants: bool = strawberry.field(default=False, description="Also those below the ones named.")


@strawberry.input(description="A person or not.")
class ActorKindFilter:
    eq: ActorKind | None = None
    one_of: list[ActorKind] | None = None


@strawberry.input(description="Whether somebody comes in.")
class ActorStateFilter:
    eq: State | None = None
    one_of: list[State] | None = None


@strawberry.input(description="What somebody must be like; everything given must hold.")
class ActorWhere:
    and_: list[ActorWhere] | None = strawberry.field(name="AND", default=None)
    or_: list[ActorWhere] | None = strawberry.field(name="OR", default=None)
    not_: ActorWhere | None = strawberry.field(name="NOT", default=None)
    name: TextFilter | None = strawberry.field(default=None, description="As it is written.")
    email: TextFilter | None = restricted_filter(
        "However it is capitalised; those whose address the viewer may not see count as having none.",
        needs=Permission.FIELD_PERSONAL,
    )
    organisation: ActorOrganisationFilter | None = None
    kind: ActorKindFilter | None = None
    state: ActorStateFilter | None = None


@strawberry.input(description="A field to order by and the way to run.")
class ActorOrder:
    field: OrderField
    direction: Direction = Direction.ASC


def orders(order_by: Iterable[ActorOrder] | None) -> tuple[Order, ...]:
    return tuple(Order(each.field, each.direction is Direction.DESC) for each in order_by or ())


def condition(where: ActorWhere | None, depth: int = 0) -> Where | None:
    """None where nothing was asked."""
    if where is None:
        return None
    if depth > MAX_DEPTH:
        raise Invalid("A filter nests less deeply.", ("where",), "filter")
    return Where(
        name=_text(where.name),
        email=_text(where.email),
        org_ids=_organisations(where.organisation),
        below=where.organisation is not None and where.organisation.include_descendants,
        kinds=None if where.kind is None else _kinds(where.kind),
        states=None if where.state is None else _one_of(State, where.state.eq, where.state.one_of),
        all_of=tuple(inner for each in where.and_ or () if (inner := condition(each, depth + 1)) is not None),
        any_of=None if where.or_ is None else tuple(condition(each, depth + 1) or Where() for each in where.or_),
        none_of=None if where.not_ is None else condition(where.not_, depth + 1),
    )


def _text(given: TextFilter | None) -> Text | None:
    return None if given is None else Text(given.eq, given.one_of, given.starts_with)


def _organisations(given: ActorOrganisationFilter | None) -> list[int] | None:
    if given is None or (given.eq is None and given.one_of is None):
        return None
    path = ("where", "organisation")
    if len(given.one_of or ()) > MAX_IDS:
        raise Invalid(f"Name at most {MAX_IDS} organisations in one filter.", path, "length")
    return [number_of("Organisation", each, path) for each in _ids(given)]


def _ids(given: ActorOrganisationFilter) -> list[strawberry.ID]:
    if given.eq is None:
        return list(given.one_of or ())
    return [given.eq] if given.one_of is None or given.eq in given.one_of else []


def _kinds(given: ActorKindFilter) -> list[str]:
    return [each.value for each in _one_of(ActorKind, given.eq, given.one_of)]


def _one_of(every: Iterable[Word], eq: Word | None, one_of: Sequence[Word] | None) -> list[Word]:
    return [each for each in every if eq in {None, each} and (one_of is None or each in one_of)]
