"""The parts that all Relay connections share."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import strawberry

from domain import pages
from domain.work import Work
from schema.fields import Resolver, field

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many from the start: 20 if not said, at most 100.")
]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="Only what stands after this cursor.")]
Last: TypeAlias = Annotated[int | None, strawberry.argument(description="How many from the end, at most 100.")]
Before: TypeAlias = Annotated[str | None, strawberry.argument(description="Only what stands before this cursor.")]


def total(resolver: Resolver) -> Resolver:
    """Decorates every connection's `total_count`."""
    return field("How many there are on all pages together.", weight=10)(resolver)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def page_info(work: Work, slice_: pages.Slice[Any]) -> PageInfo:
    ends = slice_.ends or ((slice_.positions[0], slice_.positions[-1]) if slice_.positions else None)
    start, end = (pages.cursor(work, slice_.scope, position) for position in ends) if ends else (None, None)
    return PageInfo(
        has_next_page=slice_.has_next,
        has_previous_page=slice_.has_previous,
        start_cursor=start,
        end_cursor=end,
    )


def cursors(work: Work, slice_: pages.Slice[Any]) -> list[str]:
    return [pages.cursor(work, slice_.scope, position) for position in slice_.positions]
