"""Shape to reads and to Python: which columns are read, and the source of the function that makes bytes of their rows.

The source is made of names of our own and of `repr` of the document's keys, which are GraphQL names; values never
become source. Whatever the rows hold that ordinary execution would answer with an error raises, and is then answered
by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLOutputType, GraphQLScalarType, get_named_type

from domain.global_ids import spelling
from domain.work import Work
from schema.mapped import Column, Found, GlobalId, Made, One, Source
from schema.plans.shape import Constant, Leaf, Link, Pages, Shape, Unplannable, is_required
from storage import statements
from storage.statements import Dialect

#: GraphQL's Int.
MOST_INT = 2**31 - 1


@dataclass
class Reading:
    """One statement of a plan: rows of (key, columns…), found for keys that stand in another reading's rows.

    The first, whose rows whoever asks has found already, has no `found`.
    """

    number: int
    found: Found | Pages | None
    #: The reading whose rows hold the keys, and where in a row; below 0 (`~i`) in the i-th of what was decided.
    parent: int
    place: int
    columns: list[Source] = field(default_factory=list)
    #: Number of the field's arguments, and by argument the column that it has to equal.
    arguments: int | None = None
    where: tuple[tuple[str, Source], ...] = ()


@dataclass
class Written:
    """What came of a shape: its reads, what the viewer decides, and the function.

    `write(rows, decided, made, connected)`: per reading its rows, per key of the first what was decided, per `Made` its
    function, and per reading of a connection what makes it of a parent's key and rows; gives the finished bytes by key.
    """

    readings: list[Reading]
    decided: list[Callable[[Work], Any]]
    made: list[Made]
    source: str
    write: Callable[..., dict[int, bytes]]

    @property
    def is_for_viewer(self) -> bool:
        return any(each.for_viewer for each in self.made)


def written(shape: Shape, dialect: Dialect) -> Written:
    return _Writer(dialect).write(shape)


class _Writer:
    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.readings: list[Reading] = []
        self.decided: list[Callable[[Work], Any]] = []
        self.made: list[Made] = []
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"dumps": orjson.dumps, "limited": _limited, "some": _some}

    def write(self, shape: Shape) -> Written:
        first = self._reading(None, -1, 0)
        value = self._object(shape, first)
        body = "\n".join(f"    {line}" for line in self.lines)
        head = f"for {self._row(first, 'k')} in rows[0]"
        source = f"def write(rows, decided, made, connected):\n{body}\n    return {{k: dumps({value}) {head}}}\n"
        exec(source, self.names)  # noqa: S102  # nothing of a request stands in it but GraphQL names, as literals
        return Written(self.readings, self.decided, self.made, source, self.names["write"])

    def _reading(self, found: Found | Pages | None, parent: int, place: int) -> Reading:
        self.readings.append(Reading(len(self.readings), found, parent, place))
        return self.readings[-1]

    def _row(self, reading: Reading, key: str) -> str:
        return ", ".join([key, *(f"r{reading.number}_{at}" for at in range(len(reading.columns)))]) + ","

    def _column(self, reading: Reading, source: Source) -> str:
        """The variable that holds this column of a row."""
        if callable(source) and not hasattr(source, "type"):
            if reading.number != 0:
                raise Unplannable("what a viewer decides is asked of the first reading alone")
            return f"decided[k][{self._decision(source)}]"
        for at, known in enumerate(reading.columns):
            if known is source:
                return f"r{reading.number}_{at}"
        reading.columns.append(source)
        return f"r{reading.number}_{len(reading.columns) - 1}"

    def _decision(self, source: Callable[[Work], Any]) -> int:
        if source not in self.decided:
            self.decided.append(source)
        return self.decided.index(source)

    def _name(self, value: Any) -> str:
        for name, known in self.names.items():
            if known is value:
                return name
        name = f"n{len(self.names)}"
        self.names[name] = value
        return name

    def _spelling(self, type_: str) -> str:
        name = f"id_of_{type_}"
        self.names.setdefault(name, spelling(type_))
        return name

    def _object(self, shape: Shape, reading: Reading) -> str:
        parts = []
        for each in shape.fields:
            match each:
                case Constant(key, value):
                    parts.append(f"{key!r}: {value!r}")
                case Leaf():
                    parts.append(f"{each.key!r}: {self._leaf(each, reading)}")
                case Link():
                    parts.append(f"{each.key!r}: {self._link(each, reading)}")
                case Pages():
                    parts.append(f"{each.key!r}: {self._pages(each, reading)}")
        return f"{{{', '.join(parts)}}}"

    def _leaf(self, leaf: Leaf, reading: Reading) -> str:
        match leaf.mapped:
            case GlobalId(type_, source):
                return f"{self._spelling(type_)}({self._column(reading, source)})"
            case Column(source, like):
                kind = source if like is None else like
                return self._value(leaf.type, kind, self._column(reading, source))
            case Made(sources=sources):
                return self._made(leaf, leaf.mapped, [self._column(reading, source) for source in sources])

    def _value(self, type_: GraphQLOutputType, source: Source, name: str) -> str:
        if is_required(type_):
            return self._not_null(get_named_type(type_), source, f"some({name})")
        said = self._not_null(get_named_type(type_), source, name)
        return said if said == name else f"None if {name} is None else {said}"

    def _not_null(self, type_: Any, column: Source, name: str) -> str:  # noqa: PLR0911  # a kind each
        if isinstance(type_, GraphQLEnumType):
            values = {word: getattr(value.value, "value", value.value) for word, value in type_.values.items()}
            is_plain = all(isinstance(value, str) for value in values.values())  # else rows hold the member's name
            words = {value if is_plain else word: word for word, value in values.items()}
            return f"{self._name(words)}[{name}]"
        instant = statements.instant_reader(column, self.dialect)
        reader = statements.reader(column, self.dialect)
        match type_.name:
            case "DateTime" if instant is not None:
                return f"{self._name(instant)}({name})"
            case "Int" if reader is None and statements.is_number(column):
                return f"limited({name})"
            case "BigInt" if reader is None and statements.is_number(column):
                return f"str({name})"
            case "String" | "Sha256" if reader is None and statements.is_text(column):
                return name
            case "Boolean" if statements.is_truth(column):
                return f"bool({name})"
            case "JSON":
                return name if reader is None else f"{self._name(reader)}({name})"
        raise Unplannable(f"{type_.name} out of {column}")

    def _made(self, leaf: Leaf, mapped: Made, names: list[str]) -> str:
        self.made.append(mapped)
        call = f"made[{len(self.made) - 1}]({', '.join(names)})"
        value = f"v{len(self.made)}"
        if not leaf.parts:
            said = self._serialized(leaf.type, value)
        else:
            parts = []
            for part in leaf.parts:
                if isinstance(part, Constant):
                    parts.append(f"{part.key!r}: {part.value!r}")
                else:
                    key, at, type_ = part
                    parts.append(f"{key!r}: {self._serialized(type_, f'{value}[{at}]')}")
            said = f"{{{', '.join(parts)}}}"
        if is_required(leaf.type):
            return f"({value} := some({call}), {said})[1]"
        return f"({said} if ({value} := {call}) is not None else None)"

    def _serialized(self, type_: GraphQLOutputType, value: str) -> str:
        named = get_named_type(type_)
        if not isinstance(named, GraphQLScalarType):
            raise Unplannable(f"{named.name} made by Python")
        said = f"{self._name(_repeating(named.serialize))}({value})"
        return said if is_required(type_) else f"None if {value} is None else {said}"

    def _link(self, link: Link, reading: Reading) -> str:
        mapped = link.mapped
        if isinstance(mapped, One):
            return self._one(link, mapped, reading)
        key = self._column(reading, mapped.source)
        below = self._reading(mapped.below, reading.number, self._place(reading, mapped.source))
        below.arguments = link.arguments
        below.where = tuple((mapped.where or {}).items())
        value = self._object(link.inside, below)
        kept, single = f"m{below.number}", mapped.where is not None
        self.lines += [
            f"{kept} = {{}}",
            f"for {self._row(below, 'p')} in rows[{below.number}]:",
            f"    {kept}.setdefault(p, {value})" if single else f"    {kept}.setdefault(p, []).append({value})",
        ]
        if single:
            return f"some({kept}.get({key}))" if is_required(link.type) else f"{kept}.get({key})"
        return f"{kept}.get({key}, ())"

    def _one(self, link: Link, mapped: One, reading: Reading) -> str:
        source = mapped.source if mapped.decided is None else mapped.decided
        key = self._column(reading, source)
        other = self._reading(mapped.by, reading.number, self._place(reading, source))
        value = self._object(link.inside, other)
        kept = f"o{other.number}"
        self.lines.append(f"{kept} = {{p: {value} for {self._row(other, 'p')} in rows[{other.number}]}}")
        return f"{kept}[{key}]" if is_required(link.type) else f"{kept}.get({key})"

    def _pages(self, pages: Pages, reading: Reading) -> str:
        """Rows are kept as their position with what was wanted of them, and become a connection when all are known."""
        mapped = pages.mapped
        if mapped.decided and reading.number != 0:
            raise Unplannable("what a viewer decides is asked of the first reading alone")
        for decide in mapped.decided:
            self._decision(decide)
        key = self._column(reading, mapped.source)
        below = self._reading(pages, reading.number, self._place(reading, mapped.source))
        below.arguments = pages.arguments
        values = ", ".join(self._object(shape, below) for shape in pages.nodes)
        positions = ", ".join(f"q{below.number}_{at}" for at in range(len(mapped.ranked.keys)))
        kept = f"g{below.number}"
        self.lines += [
            f"{kept} = {{}}",
            f"for {self._row(below, 'p')} {positions}, in rows[{below.number}]:",
            f"    {kept}.setdefault(p, []).append((({positions},), ({values}{',' if values else ''})))",
        ]
        return f"connected[{below.number}]({key}, {kept}.get({key}, []))"

    def _place(self, reading: Reading, source: Source) -> int:
        """Where in a row of the reading the key stands."""
        if callable(source) and not hasattr(source, "type"):
            return ~self._decision(source)
        return 1 + next(at for at, known in enumerate(reading.columns) if known is source)


def _repeating(serialize: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What serializes a value that is mostly the very same object as the one before: until when addresses are valid."""
    last: tuple[Any, Any] = (None, None)

    def serialized(value: Any) -> Any:
        nonlocal last
        known, said = last
        if value is not known:
            said = serialize(value)
            last = value, said
        return said

    return serialized


def _limited(value: int) -> int:
    if not -MOST_INT - 1 <= value <= MOST_INT:
        raise ValueError("beyond GraphQL's Int")
    return value


def _some(value: Any) -> Any:
    if value is None:
        raise ValueError("null where there is always a value")
    return value
