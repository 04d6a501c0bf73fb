"""How fields are read off rows, said once beside the field: for those who ask for one and for plans that read many.

A field without such a word is answered by its resolver alone, and no plan speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import strawberry

from domain.beside import Beside
from domain.pages import Key, Paging
from domain.permissions import Permission
from domain.reads import Below, By, Ranked
from domain.work import Work

#: Key of a Strawberry field's metadata.
MAPPED: Final = "mapped"

#: A column of the type's own row, or what makes one for a viewer.
Source: TypeAlias = Any
#: How rows are found; what asks for the unit of work depends on the viewer.
Found: TypeAlias = By | Below | Callable[[Work], By | Below]

#: Takes a moment at which something ends by itself.
Note: TypeAlias = Callable[[datetime], None]


@dataclass(frozen=True)
class Column:
    """A leaf that is one column: a text, a number, a moment, a word of an enum. Where the viewer decides which it is,
    `like` is a column of the same kind. What is read without the permission it `needs` is the resolver's to say.
    """

    source: Source
    like: Source = None
    needs: Permission | None = None


@dataclass(frozen=True)
class GlobalId:
    """The opaque id of a row of this type."""

    type: str
    source: Source


@dataclass(frozen=True)
class Above:
    """Columns of a row of this type, as one tuple: of the row itself, or of the one that it belongs to, so that they
    are asked for once for all of them; `itself`, of each of them, where they are read without it.
    """

    type: str
    sources: tuple[Source, ...]
    itself: tuple[Source, ...]


@dataclass(frozen=True)
class Turning:
    """What the passing of time changes without any row changing."""

    #: A column that moves whenever it did.
    last: Source
    #: When it will next; null: it will not.
    next: Source


@dataclass(frozen=True)
class Made:
    """What Python makes of some columns: a scalar, or with `parts` an object as a tuple of these fields; None for null.

    `make` is given the unit of work once, with what is to be told of moments at which something that it makes ends by
    itself, and then the columns of each row. What it makes `for_viewer` is good for them alone and for as long as they
    are given the same addresses; what `turns` moves on earlier.
    """

    sources: tuple[Source, ...]
    make: Callable[[Work, Note], Callable[..., Any]]
    parts: tuple[str, ...] = ()
    for_viewer: bool = False
    turns: Turning | None = None


@dataclass(frozen=True)
class One:
    """Another row, found by the key that stands in this one.

    `decided` is the key where the viewer decides which row it is: `(work) → expression` over the parent's row.
    """

    type: str
    by: Found
    source: Source = None
    decided: Callable[[Work], Any] | None = None
    #: Whether permissions are asked of that row, not of the one that it is found by.
    own: bool = False
    #: Whether the stamps of the type that is asked for move with what is shown here.
    stamped: bool = True


@dataclass(frozen=True)
class Many:
    """Rows that belong to this one. With `where`, by argument the column it has to equal, and of those the first.

    Beyond `most` of one parent they are the resolver's. `own` and `stamped` are as in `One`.
    """

    type: str
    below: Found
    source: Source
    where: Mapping[str, Source] | None = None
    needs: Permission | None = None
    most: int | None = None
    own: bool = False
    stamped: bool = True


@dataclass(frozen=True)
class Paged:
    """A Relay connection of rows that belong to this one. Its cursors are bound to `name` and this row's id; `decided`
    is what the viewer decides that changes which rows there are.
    """

    type: str
    name: str
    ranked: Ranked
    source: Source
    decided: tuple[Callable[[Work], Any], ...] = ()


@dataclass(frozen=True)
class Table:
    """A type of which every value is one row, found by its id."""

    #: Rows that the viewer sees.
    seen: By | Callable[[Work], By]
    key: Source
    #: The condition on a row that the viewer holds a permission for it.
    held: Callable[[Work, Permission], Any] | None = None
    #: Columns that move whenever anything changes that a value shows; none: values are never kept.
    stamps: tuple[Any, ...] = ()
    #: Of ids that found no row those that stand for another one, which the resolver finds.
    redirects: Callable[[Work, Iterable[int]], Mapping[int, int]] | None = None
    #: In a unit of work that reads: equal for those who see the same rows, spelled alike, where what they may see of
    #: assets does not tell it.
    sight: Callable[[Work], Hashable] | None = None


#: Ids that may be asked for at once.
MAX_NODES: Final = 100
#: By GraphQL type name.
TABLES: Final[dict[str, Table]] = {}


def column(source: Source, description: str | None = None) -> Any:
    """A plain field of a Strawberry type that is a column of its row, or mapped otherwise."""
    mapped = source if isinstance(source, Column | GlobalId | Made) else Column(source)
    return strawberry.field(description=description, metadata={MAPPED: mapped})


@dataclass(frozen=True)
class ById:
    """A root field that finds one row of a type by its argument `id`; None: of whichever type the id names."""

    type: str | None


@dataclass(frozen=True)
class AllById:
    """A root field that finds rows of any type by its argument `ids`."""


@dataclass(frozen=True)
class Listing:
    """A list, ready to be read: all its rows, bound by what the viewer sees, with its order; how many they are; and the
    page that is wanted.

    `like` tells it from lists of another filter or order, not from those of other viewers: what is made of `rows` and
    `total` for the one is good for the other.
    """

    rows: Callable[[], tuple[Any, tuple[Key, ...]]]
    total: Callable[[], Any]
    wanted: Paging
    like: Hashable
    #: Whether any page takes reading all of them: then they are counted on the way.
    is_narrow: bool = False
    #: Where a set that all of them must be in keeps what is asked of each.
    beside: Beside | None = None
    #: What the statements made of `rows` and `total` leave to parameters, as of this snapshot.
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """A root field that answers a Relay connection. `prepare` is given the unit of work and the field's arguments;
    None where only the resolver can answer. `constant` are fields of an edge that are the same on every row.
    """

    type: str
    prepare: Callable[..., Listing | None]
    constant: Mapping[str, Any]
