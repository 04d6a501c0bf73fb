"""Relay's `Node`: everything with an id of its own can be fetched by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import strawberry

from domain.work import Work
from schema.context import Context


@strawberry.interface(description="Something with an id that is unique in the whole hub and never changes.")
class Node:
    id: strawberry.ID


@dataclass(frozen=True)
class Kind:
    """How nodes of one type are read (in batches, bound by what the viewer may see) and spoken."""

    read: Callable[[Work, Iterable[int]], Mapping[int, Any]]
    speak: Callable[[Any], Any]


#: By GraphQL type name; each feature's module adds its own. Types that point at each other meet here, so that their
#: modules need not import each other.
KINDS: Final[dict[str, Kind]] = {}


async def fetch(context: Context, type_: str, number: int) -> Any:
    """The node, read together with all others asked for at the same time; None where the viewer sees none."""
    kind = KINDS.get(type_)
    row = None if kind is None else await context.load(kind.read, number)
    return None if kind is None or row is None else kind.speak(row)


def speak(type_: str, row: Any) -> Any:
    """A row that was read already, as the node it is."""
    return KINDS[type_].speak(row)
