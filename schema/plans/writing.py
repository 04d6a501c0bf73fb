"""Shape to reads and to Python: which columns are read, and the source of the function that makes bytes of their rows.

The source is made of names of our own and of `repr` of the document's keys, which are GraphQL names; values never
become source. Whatever the rows hold that ordinary execution would answer with an error raises, and is then answered
by it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from graphql import GraphQLOutputType, GraphQLScalarType, get_named_type, get_nullable_type

from domain import global_ids
from domain.permissions import Permission
from domain.reads import By
from domain.work import Work
from schema.mapped import Above, Column, Found, GlobalId, Made, One, Source
from schema.plans import spelling
from schema.plans.shape import Constant, Leaf, Link, Pages, Shape, Unplannable, is_required
from storage.statements import Dialect

#: What needs to know nothing of its column.
_PLAIN: Final[dict[Any, str]] = {spelling.text: "text", spelling.whole: "whole"}


@dataclass
class Reading:
    """One statement of a plan: rows of (key, columns…), found for keys that stand in another reading's rows.

    The first, whose rows whoever asks has found already, has no `found`.
    """

    number: int
    type: str
    found: Found | Pages | None
    #: The reading whose rows hold the keys, and where in a row; below 0 (`~i`) in the i-th of what was decided.
    parent: int
    place: int
    columns: list[Source] = field(default_factory=list)
    #: Number of the field's arguments, and by argument the column that it has to equal.
    arguments: int | None = None
    where: tuple[tuple[str, Source], ...] = ()
    #: Permissions that must hold for each of these rows.
    needs: tuple[Permission, ...] = ()
    #: Rows of one parent beyond which they are the resolver's.
    most: int | None = None
    #: Whether the keys are those that the parent's rows were found by themselves.
    is_of_found: bool = False


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
        #: What the function needs beside the columns, by name, and the names of some of it.
        self.known: dict[Hashable, str] = {}
        self.names: dict[str, Any] = {
            "Fragment": orjson.Fragment,
            "join": ",".join,
            "json": spelling.json,
            "null": spelling.NULL,
            "some": spelling.some,
            **{name: spelt for spelt, name in _PLAIN.items()},
        }

    def write(self, shape: Shape) -> Written:
        first = self._reading(shape.type, None, -1, 0)
        body: list[str] = []
        value = self._object(shape, first, body)
        self.lines.append("found = {}")
        self._loop(first, "k", body, f"found[k] = f'{value}'.encode()")
        told = "\n".join(f"    {line}" for line in [*self.lines, "return found"])
        source = f"def write(rows, decided, made, connected):\n{told}\n"
        exec(source, self.names)  # noqa: S102  # nothing of a request stands in it but GraphQL names, as literals
        return Written(self.readings, self.decided, self.made, source, self.names["write"])

    def _reading(
        self, type_: str, found: Found | Pages | None, parent: int, place: int, source: Source = None
    ) -> Reading:
        """`source` is the column of the parent's rows in which the keys stand."""
        above = self.readings[parent].found if parent >= 0 and place >= 0 else None
        is_of_found = isinstance(above, By) and above.key is source
        self.readings.append(Reading(len(self.readings), type_, found, parent, place, is_of_found=is_of_found))
        return self.readings[-1]

    def _loop(self, reading: Reading, key: str, body: list[str], last: str, *, more: str = "") -> None:
        columns = "".join(f" r{reading.number}_{at}," for at in range(len(reading.columns)))
        self.lines.append(f"for {key},{columns}{more} in rows[{reading.number}]:")
        self.lines += [f"    {line}" for line in [*body, last]]

    def _column(self, reading: Reading, source: Source) -> str:
        """What holds this column of a row."""
        if isinstance(source, Above):
            return self._above(reading, source)
        if callable(source) and not hasattr(source, "type"):
            if reading.number != 0:
                raise Unplannable("what a viewer decides is asked of the first reading alone")
            return f"decided[k][{self._decision(source)}]"
        for at, known in enumerate(reading.columns):
            if known is source:
                return f"r{reading.number}_{at}"
        reading.columns.append(source)
        return f"r{reading.number}_{len(reading.columns) - 1}"

    def _above(self, reading: Reading, above: Above) -> str:
        """Of the row that this reading's rows were found by, where it is one of that type."""
        if reading.type == above.type:
            return f"({', '.join(self._column(reading, source) for source in above.sources)},)"
        if reading.parent < 0 or reading.place < 0 or self.readings[reading.parent].type != above.type:
            return f"({', '.join(self._column(reading, source) for source in above.itself)},)"
        parent = self.readings[reading.parent]
        for source in above.sources:
            self._column(parent, source)
        told = ", ".join(f"r[{self._place(parent, source)}]" for source in above.sources)
        line = f" = {{r[{reading.place}]: ({told},) for r in rows[{parent.number}]}}"
        kept = f"u{reading.number}"
        if kept + line not in self.lines:
            self.lines.append(kept + line)
        return f"{kept}[p]"

    def _decision(self, source: Callable[[Work], Any]) -> int:
        if source not in self.decided:
            self.decided.append(source)
        return self.decided.index(source)

    def _name(self, key: Hashable, make: Callable[[], Any]) -> str:
        """The name under which the generated function finds what `make` makes, the same for the same key."""
        if key not in self.known:
            self.known[key] = f"n{len(self.known)}"
            self.names[self.known[key]] = make()
        return self.known[key]

    def _spelling(self, type_: str) -> str:
        name = f"id_of_{type_}"
        self.names.setdefault(name, global_ids.spelling(type_))
        return name

    def _object(self, shape: Shape, reading: Reading, body: list[str]) -> str:
        """An object as the inside of an f-string; what has to be told before it goes to `body`."""
        parts = []
        for each in shape.fields:
            match each:
                case Constant():
                    parts.append(_constant(each))
                    continue
                case Leaf():
                    value = self._leaf(each, reading, body)
                case Link():
                    value = self._link(each, reading)
                case Pages():
                    value = self._pages(each, reading)
            parts.append(f'"{each.key}":{value}')
        return f"{{{{{','.join(parts)}}}}}"

    def _leaf(self, leaf: Leaf, reading: Reading, body: list[str]) -> str:
        match leaf.mapped:
            case GlobalId(type_, source):
                return f'"{{{self._spelling(type_)}({self._column(reading, source)})}}"'
            case Column(source, like):
                kind, column = source if like is None else like, self._column(reading, source)
                said = get_nullable_type(leaf.type)
                spelt = spelling.of_column(said, kind, self.dialect)
                call = f"{_PLAIN.get(spelt) or self._name((str(said), id(kind)), lambda: spelt)}({column})"
                return f"{{{call}}}" if is_required(leaf.type) else f"{{null if {column} is None else {call}}}"
            case Made(sources=sources):
                columns = [self._column(reading, source) for source in sources]
                return f"{{{self._made(leaf, leaf.mapped, columns, body)}}}"

    def _made(self, leaf: Leaf, mapped: Made, columns: list[str], body: list[str]) -> str:
        """The variable that holds the text of what Python makes."""
        self.made.append(mapped)
        number = len(self.made) - 1
        value, said = f"v{number}", f"t{number}"
        call = f"made[{number}]({', '.join(columns)})"
        body.append(f"{value} = {f'some({call})' if is_required(leaf.type) else call}")
        told = f"f'{self._parts(leaf, value)}'" if leaf.parts else self._serialized(leaf.type, value)
        body.append(f"{said} = {told}" if is_required(leaf.type) else f"{said} = null if {value} is None else {told}")
        return said

    def _parts(self, leaf: Leaf, value: str) -> str:
        parts = []
        for part in leaf.parts:
            if isinstance(part, Constant):
                parts.append(_constant(part))
            else:
                key, at, type_ = part
                parts.append(f'"{key}":{{{self._part(type_, f"{value}[{at}]")}}}')
        return f"{{{{{','.join(parts)}}}}}"

    def _part(self, type_: GraphQLOutputType, value: str) -> str:
        said = self._serialized(type_, value)
        return said if is_required(type_) else f"null if {value} is None else {said}"

    def _serialized(self, type_: GraphQLOutputType, value: str) -> str:
        named = get_named_type(type_)
        if not isinstance(named, GraphQLScalarType):
            raise Unplannable(f"{named.name} made by Python")
        name = self._name(("serialized", named.name), lambda: spelling.serialized(named.serialize))
        return f"{name}({value})"

    def _link(self, link: Link, reading: Reading) -> str:
        mapped = link.mapped
        if isinstance(mapped, One):
            return self._one(link, mapped, reading)
        key = self._column(reading, mapped.source)
        below = self._reading(
            link.inside.type, mapped.below, reading.number, self._place(reading, mapped.source), mapped.source
        )
        below.arguments, below.most = link.arguments, mapped.most
        below.where, below.needs = tuple((mapped.where or {}).items()), _needs(link)
        body: list[str] = []
        value = self._object(link.inside, below, body)
        kept, single = f"m{below.number}", mapped.where is not None
        self.lines.append(f"{kept} = {{}}")
        add = f"setdefault(p, f'{value}')" if single else f"setdefault(p, []).append(f'{value}')"
        self._loop(below, "p", body, f"{kept}.{add}")
        if single:
            return f"{{{kept}[{key}]}}" if is_required(link.type) else f"{{{kept}.get({key}, null)}}"
        return f"[{{join({kept}.get({key}, ()))}}]"

    def _one(self, link: Link, mapped: One, reading: Reading) -> str:
        source = mapped.source if mapped.decided is None else mapped.decided
        key = self._column(reading, source)
        other = self._reading(link.inside.type, mapped.by, reading.number, self._place(reading, source), source)
        other.needs = _needs(link)
        body: list[str] = []
        value = self._object(link.inside, other, body)
        kept = f"o{other.number}"
        self.lines.append(f"{kept} = {{}}")
        self._loop(other, "p", body, f"{kept}[p] = f'{value}'")
        return f"{{{kept}[{key}]}}" if is_required(link.type) else f"{{{kept}.get({key}, null)}}"

    def _pages(self, pages: Pages, reading: Reading) -> str:
        """Rows are kept as their position with what was wanted of them, and become a connection when all are known."""
        mapped = pages.mapped
        if mapped.decided and reading.number != 0:
            raise Unplannable("what a viewer decides is asked of the first reading alone")
        for decide in mapped.decided:
            self._decision(decide)
        key = self._column(reading, mapped.source)
        below = self._reading(mapped.type, pages, reading.number, self._place(reading, mapped.source), mapped.source)
        below.arguments = pages.arguments
        body: list[str] = []
        values = "".join(f" Fragment(f'{self._object(shape, below, body)}')," for shape in pages.nodes)
        positions = "".join(f" q{below.number}_{at}," for at in range(len(mapped.ranked.keys)))
        kept = f"g{below.number}"
        self.lines.append(f"{kept} = {{}}")
        self._loop(below, "p", body, f"{kept}.setdefault(p, []).append((({positions}), ({values})))", more=positions)
        return f"{{json(connected[{below.number}]({key}, {kept}.get({key}, [])))}}"

    def _place(self, reading: Reading, source: Source) -> int:
        """Where in a row of the reading the key stands."""
        if callable(source) and not hasattr(source, "type"):
            return ~self._decision(source)
        return 1 + next(at for at, known in enumerate(reading.columns) if known is source)


def _needs(link: Link) -> tuple[Permission, ...]:
    return tuple(link.inside.needs) if link.mapped.own else ()


def _constant(constant: Constant) -> str:
    """As the inside of an f-string; what it holds are names and truth values."""
    return f'"{constant.key}":{spelling.json(constant.value)}'
