"""Relay's `Node`: everything with an id of its own can be fetched by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import strawberry

from domain.work import Work


@strawberry.interface(description="Something with an id that is unique in the whole hub and never changes.")
class Node:
    id: strawberry.ID


@dataclass(frozen=True)
class Kind:
    """How nodes of one type are read (in batches, bound by what the viewer may see) and spoken."""

    read: Callable[[Work, Iterable[int]], Mapping[int, Any]]
    speak: Callable[[Any], Any]


#: By GraphQL type name; each feature's module adds its own.
KINDS: Final[dict[str, Kind]] = {}
