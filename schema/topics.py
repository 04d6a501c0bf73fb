"""What a subscription follows: the answer of its resolver, which says where news comes from and how it is spoken.

A subscription is declared in one piece: the types of events, which of them a viewer may be told and about what (a
batched read of the domain), and how that is said in GraphQL:

    return Following(telling.ASSET_TYPES, partial(telling.of_assets, ids=numbers), AssetEvent.of, place)

When it is told, and in whose rights, is the business of `schema.subscribing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

from domain.feed import Happened
from domain.work import Work

Spoken = TypeVar("Spoken", covariant=True)  # noqa: PLC0105  # as the protocols of the standard library name theirs


@dataclass(frozen=True)
class Following(Generic[Spoken]):
    """Events of these types, each once and in order, behind the place `after`, or from now on."""

    types: frozenset[str]
    #: By event number what the viewer may be told of; what is missing is not told.
    read: Callable[[Work, Sequence[Happened]], Mapping[int, Any]]
    #: From the event, what was read and the cursor behind it.
    speak: Callable[[Happened, Any, str], Spoken]
    after: int | None

    def __aiter__(self) -> AsyncIterator[Spoken]:
        _not_here()


@dataclass(frozen=True)
class Watching(Generic[Spoken]):
    """A job, told at once and whenever it has moved, until it has ended."""

    job_id: int
    speak: Callable[[Any], Spoken]

    def __aiter__(self) -> AsyncIterator[Spoken]:
        _not_here()


def _not_here() -> NoReturn:
    """GraphQL's executor wants something to iterate over; ours is stepped from outside, one delivery at a time."""
    raise TypeError("A source is told by `schema.subscribing`.")
