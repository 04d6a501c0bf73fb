"""What a filter over assets can say: one small tree that the search index and SQL both answer alike.

Always true here:
- Logic has two values. A comparison with a missing value is false, and `Not` of it is therefore true. SQL has
  three: whoever translates this tree must coalesce each comparison to false before negating it.
- `Between` is inclusive at both ends for integers and half-open, [low, high), for instants. `None` leaves an
  end open, but a missing value lies in no interval at all.
- `All(())` is true; `AnyOf(())`, `OneOf(field, ())`, `HasTag(())` and `FieldIs(field, ())` are false.
- A field of the brand's own is named by its number; it may say several things, of which one is enough.
- Strings compare exactly, letter case included. Instants carry a time zone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

MAX_DEPTH: Final = 20
MAX_NODES: Final = 200
#: The values of one `OneOf`, `HasTag` or `FieldIs`; more belong into a saved list, not into a filter.
MAX_VALUES: Final = 1_000
#: Numbers of fields lie within this, above and below zero.
LARGEST: Final = 2**60

Text: TypeAlias = Literal["kind", "lifecycle", "media_type"]
Number: TypeAlias = Literal["id", "org_id", "width", "height", "byte_size"]
Instant: TypeAlias = Literal["created_at", "updated_at", "captured_at"]
Field: TypeAlias = Text | Number | Instant
Value: TypeAlias = str | int | datetime

TEXTS: Final[frozenset[str]] = frozenset({"kind", "lifecycle", "media_type"})
NUMBERS: Final[frozenset[str]] = frozenset({"id", "org_id", "width", "height", "byte_size"})
INSTANTS: Final[frozenset[str]] = frozenset({"created_at", "updated_at", "captured_at"})


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


@dataclass(frozen=True, slots=True)
class Is:
    field: Field
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Integers: low ≤ x ≤ high. Instants: low ≤ x < high."""

    field: Number | Instant
    low: int | datetime | None
    high: int | datetime | None


@dataclass(frozen=True, slots=True)
class HasTag:
    """The asset carries at least one of these tags."""

    tag_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The media type begins so: `image/` is every picture."""

    field: Literal["media_type"]
    prefix: str


@dataclass(frozen=True, slots=True)
class FieldIs:
    """The field says at least one of these words, each with its mark (`storage.index.facts`). `restricted` where not
    everybody who sees an asset may read it there.
    """

    key: int
    words: tuple[str, ...]
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class FieldBetween:
    """The number that the field says lies here: low ≤ x ≤ high."""

    key: int
    low: int | None
    high: int | None
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class FieldSays:
    """The field says anything."""

    key: int
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Among:
    """It is one of these, however many they are: what rows told an index that cannot tell it by itself."""

    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Deliverable:
    """The licences of what is shown of the asset let it out for one use. Only rows tell: an index is asked with
    `Among`.

    Sets are numbers of bits, as in `storage.tables.DeliverablePartRow`, and days are ordinals; a subdivision stands
    with the bits of its country.
    """

    party: int
    use: int
    channels: tuple[int, ...]
    countries: tuple[int, ...]
    subdivisions: tuple[tuple[str, tuple[int, ...]], ...]
    first: int
    last: int
    #: By which rules the rows have to be compiled.
    rules: int


#: Conditions on a field of the brand's own.
OwnField: TypeAlias = FieldIs | FieldBetween | FieldSays
#: What no client writes into a filter as it is.
Told: TypeAlias = Among | Deliverable
#: What has no parts.
Leaf: TypeAlias = Is | OneOf | Between | HasTag | StartsWith | OwnField | Told
Condition: TypeAlias = All | AnyOf | Not | Leaf


class ConditionError(ValueError):
    """The filter cannot be answered; the message is a whole sentence for whoever wrote it."""


def ids_of(told: Told) -> frozenset[int]:
    """As an index is asked; `ConditionError` where nobody asked the rows before."""
    if isinstance(told, Deliverable):
        raise ConditionError("Only rows tell what may be delivered.")
    return told.ids


def check(condition: Condition) -> None:
    """Refuse a tree deeper than 20, larger than 200 nodes, or comparing a field with a value of another
    kind.
    """
    nodes = 0
    waiting: list[tuple[Condition, int]] = [(condition, 1)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise ConditionError(f"A filter may be {MAX_DEPTH} levels deep; this one is deeper.")
        if nodes > MAX_NODES:
            raise ConditionError(f"A filter may have {MAX_NODES} parts; this one has more.")
        _check_values(node)
        waiting.extend((part, depth + 1) for part in _parts(node))


def _parts(node: Condition) -> tuple[Condition, ...]:
    if isinstance(node, All | AnyOf):
        return node.parts
    return (node.part,) if isinstance(node, Not) else ()


def _check_values(node: Condition) -> None:
    if isinstance(node, StartsWith):
        if node.field != "media_type":
            raise ConditionError("Only media_type can be asked for by its beginning.")
    elif isinstance(node, Between):
        _check_ends(node)
    elif isinstance(node, FieldIs | FieldBetween):
        _check_own(node)
    elif isinstance(node, Is | OneOf | HasTag):
        many = _many(node)
        if len(many) > MAX_VALUES:
            raise ConditionError(f"A filter may compare with {MAX_VALUES} values at once; this one has {len(many)}.")
        for field, value in many:
            _check_value(field, value)


def _check_own(node: FieldIs | FieldBetween) -> None:
    if isinstance(node, FieldIs):
        if len(node.words) > MAX_VALUES:
            raise ConditionError(f"A filter may compare with {MAX_VALUES} values at once; this one has more.")
    elif any(end is not None and abs(end) > LARGEST for end in (node.low, node.high)):
        raise ConditionError(f"A field's number lies within ±2⁶⁰ ({LARGEST}).")


def _check_ends(node: Between) -> None:
    if node.field in TEXTS:
        raise ConditionError(f"{node.field} is a word; it has no range.")
    for end in (node.low, node.high):
        if end is not None:
            _check_value(node.field, end)


def _many(node: Is | OneOf | HasTag) -> list[tuple[str, Value]]:
    if isinstance(node, HasTag):
        return [("id", tag) for tag in node.tag_ids]
    values = (node.value,) if isinstance(node, Is) else node.values
    return [(node.field, value) for value in values]


def _check_value(field: str, value: object) -> None:
    if field in TEXTS:
        fits = isinstance(value, str)
    elif field in NUMBERS:
        fits = isinstance(value, int) and not isinstance(value, bool) and -(2**62) < value < 2**62
    elif field in INSTANTS:
        fits = isinstance(value, datetime) and value.tzinfo is not None
    else:
        raise ConditionError(f"There is no field {field!r} to filter by.")
    if not fits:
        raise ConditionError(f"{field} cannot be compared with {value!r}.")
