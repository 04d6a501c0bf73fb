"""Relay connections of any node: a page that was read, its cursors, and a total that is counted when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

import strawberry

from domain import pages, reads
from domain.reads import Ordered
from domain.work import Work
from schema.context import Context
from schema.mapped import Listed, Listing
from schema.paging import PageInfo, cursors, page_info, total

T = TypeVar("T")

#: The like page of many parents' lists at once.
Pages: TypeAlias = Callable[[Work, Collection[int], pages.Paging], Mapping[int, pages.Slice[Any]]]
Counts: TypeAlias = Callable[[Work, Collection[int]], Mapping[int, int]]


@strawberry.type
class Edge(Generic[T]):
    node: T
    cursor: str


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    slice: strawberry.Private[pages.Slice[Any]]
    speak: strawberry.Private[Callable[[Any], Any]]
    count: strawberry.Private[Callable[[strawberry.Info[Context]], Any]]

    @strawberry.field
    def edges(self, info: strawberry.Info[Context]) -> list[Edge[T]]:
        marks = cursors(info.context.work, self.slice)
        return [Edge(node=self.speak(row), cursor=mark) for row, mark in zip(self.slice.rows, marks, strict=True)]

    @strawberry.field
    def nodes(self) -> list[T]:
        return [self.speak(row) for row in self.slice.rows]

    @strawberry.field
    def page_info(self, info: strawberry.Info[Context]) -> PageInfo:
        return page_info(info.context.work, self.slice)

    @total
    async def total_count(self, info: strawberry.Info[Context]) -> int:
        counted = self.count(info)
        return int(counted if isinstance(counted, int) else await counted or 0)


@dataclass(frozen=True)
class Asked:
    """A list as it was asked for: a name that no other filter or order has, and what reads it."""

    scope: str
    rows: Callable[[], Ordered]


def listed(type_: str, asked: Callable[..., Asked]) -> Listed:
    """How a root field is read that answers this list; `asked` takes the unit of work and what it is filtered by."""

    def prepare(
        work: Work,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **given: Any,
    ) -> Listing:
        found = asked(work, **given)
        return Listing(
            rows=lambda: (found.rows().rows, found.rows().keys),
            total=lambda: reads.counting(found.rows()),
            wanted=pages.paging(work, found.scope, first=first, after=after, last=last, before=before),
            like=found.scope,
        )

    return Listed(type_, prepare, {})


def page_of(
    info: strawberry.Info[Context],
    asked: Asked,
    speak: Callable[[Any], Any],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[Any]:
    """What a resolver answers of the list."""
    work = info.context.work
    wanted = pages.paging(work, asked.scope, first=first, after=after, last=last, before=before)
    return Connection(
        slice=reads.page(work, asked.rows(), wanted),
        speak=speak,
        count=lambda later: reads.count(later.context.work, asked.rows()),
    )


async def below(
    info: strawberry.Info[Context],
    parent_id: int,
    name: str,
    read: Pages,
    counted: Counts,
    speak: Callable[[Any], Any],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[Any]:
    """One page of what stands below a parent, read together with the like pages of its siblings."""
    scope = pages.scope_of(name, parent_id)
    wanted = pages.paging(info.context.work, scope, first=first, after=after, last=last, before=before)
    found = await info.context.load(read, parent_id, wanted.shared())
    assert found is not None
    return Connection(
        slice=replace(found, scope=scope),
        speak=speak,
        count=lambda asked: asked.context.load(counted, parent_id),
    )
