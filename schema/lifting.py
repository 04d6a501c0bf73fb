"""Literals lifted out of ad-hoc documents, so that texts which differ in nothing else share one document and one plan.

A text's skeleton is the text with every number and string replaced by its kind. Texts of one skeleton are read alike,
token by token, so that what was found out about one of them holds for all: which literals may become variables, and
of which type. Those that may not (in directives, in defaults, where fields are merged) are compared as they stand.

Always true here:
- A lifted document is given only for a text that is valid itself, with the values that the text's literals say.
- It costs what the text costs, and answers what it answers. Errors are another matter: they point into the text.
- What is kept is bounded, in documents and in characters; made is only what was planned, and of which a like was met.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import isfinite
from typing import Any, Final, TypeAlias, cast

from graphql import (
    SKIP,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLScalarType,
    IntValueNode,
    Lexer,
    ListValueNode,
    NameNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Source,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    parse_type,
    visit,
)

from schema import bounds, reading
from schema.built import graphql_schema
from schema.prepared import MAX_ERRORS, Latest, Prepared
from storage.recent import Recent

#: Longer texts, and those with more literals, are prepared like any other.
MOST_CHARACTERS: Final = 20_000
MOST_LITERALS: Final = 200
#: Skeletons remembered; lifted documents kept, and the characters that they are made of.
MOST_SKELETONS: Final = 4_000
MOST_LIFTED: Final = 500
MOST_LIFTED_CHARACTERS: Final = 250_000
#: What lifted variables are called; a text that says so itself is left alone.
PREFIX: Final = "lifted_"
LARGEST_INT: Final = 2**31 - 1
#: The largest number that can be part of a plan's key.
LARGEST: Final = 2**63 - 1

#: Comments, block strings, strings and numbers as graphql-core's lexer reads them. What can only be a mistake is left
#: out of the group and ends the text, and nothing that was passed is tried again: the time is linear in the length.
_TOKEN: Final = re.compile(
    r'''(?=["\#0-9-])(?:(
        \#[^\n\r]*+
      | """[^"\\]*+(?:(?:\\(?:""")?|"(?!""))[^"\\]*+)*+"""
      | "(?!"")[^"\\\n\r]*+(?:\\[^\n\r][^"\\\n\r]*+)*+"
      | (?<![0-9A-Za-z_])-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9A-Za-z_.])
    )|(?:["-]|(?<![0-9A-Za-z_])[0-9])(?s:.*+))''',
    re.VERBOSE,
)

#: What a literal says, as a variable would be given it; raises where that is nothing for its place.
Reader: TypeAlias = Callable[[str], Any]
#: Of a literal, where it stands, a variable's type there, and its reader.
Place: TypeAlias = tuple[int, str, Reader]


@dataclass(frozen=True)
class Lifted:
    """A document whose literals are variables, and what they are given."""

    prepared: Prepared
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Skeleton:
    """A text that has literals, its key without them, and these in their order."""

    text: str
    key: bytes
    literals: tuple[str, ...]

    @classmethod
    def of(cls, text: str, *, introspects: bool = True) -> Skeleton | None:
        """None where there are no literals, or too many, or what cannot be GraphQL."""
        if len(text) > MOST_CHARACTERS or "\0" in text:
            return None
        parts = _TOKEN.split(text, maxsplit=MOST_LITERALS)
        if None in parts or not 1 < len(parts) <= 2 * MOST_LITERALS:
            return None
        literals = tuple(token for token in parts[1::2] if token[0] != "#")
        parts[1::2] = [_kind(token) for token in parts[1::2]]
        try:
            text.encode()
        except UnicodeEncodeError:
            return None
        digest = blake2b("".join(parts).encode(), digest_size=16).digest()
        return cls(text, digest + bytes([introspects]), literals) if literals else None

    def lifted(self) -> Lifted | None:
        """The lifted document for this text; None where there is none yet, or the text is not valid."""
        form = _forms.get(self.key)
        mould = None if form is None else _moulds.find((self.key, _digest(self._kept(form))))
        return None if mould is None else mould.filled(self.literals)

    def learn(self, prepared: Prepared) -> None:
        """Makes the lifted document, as soon as a like of this text has been met; the text was prepared and planned."""
        if not _was_met(self.key):
            return
        form, places = _forms.get(self.key), None
        if form is None:
            places = _places(prepared)
            form = _forms.put(self.key, self._form(places))
        kept = self._kept(form)
        if not any(form) or (kept and not _was_met((self.key, _digest(kept)))):
            return
        if _moulds.find((self.key, _digest(kept))) is None:
            _moulds.keep((self.key, _digest(kept)), self._mould(prepared, places or _places(prepared)), len(self.text))

    def _kept(self, form: Sequence[bool]) -> tuple[str, ...]:
        return tuple(token for token, liftable in zip(self.literals, form, strict=True) if not liftable)

    def _form(self, places: Sequence[Place]) -> tuple[bool, ...]:
        """Of each literal whether it may be lifted."""
        liftable = {start for start, *_ in places}
        return tuple(start in liftable for start in self._starts())

    def _starts(self) -> list[int]:
        return [found.start() for found in _TOKEN.finditer(self.text) if found[0][0] != "#"]

    def _mould(self, prepared: Prepared, places: Sequence[Place]) -> _Mould:
        document = cast("DocumentNode", prepared.document)
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        if PREFIX in self.text or len(operations) > 1:
            return _Mould(None, ())
        numbers = {start: number for number, start in enumerate(self._starts())}
        names = {start: f"{PREFIX}{numbers[start]}" for start, *_ in places}
        types = {names[start]: type_ for start, type_, _ in places}
        lifted = visit(document, _Lifting(names, types))
        if reading.faults(graphql_schema, lifted, MAX_ERRORS):
            return _Mould(None, ())
        return _Mould(Prepared(lifted), tuple((numbers[start], names[start], reader) for start, _, reader in places))


@dataclass(frozen=True)
class _Mould:
    """A lifted document, or none where there cannot be one; and of its variables the literal's number and reader."""

    prepared: Prepared | None
    slots: tuple[tuple[int, str, Reader], ...]

    def filled(self, literals: Sequence[str]) -> Lifted | None:
        if self.prepared is None:
            return None
        try:
            values = {name: reader(literals[number]) for number, name, reader in self.slots}
        except Exception:  # noqa: BLE001  # a scalar may refuse with anything: then the text is not valid
            return None
        return Lifted(self.prepared, values)


_met: Recent[bool] = Recent(MOST_SKELETONS)
_forms: Recent[tuple[bool, ...]] = Recent(MOST_SKELETONS)
_moulds: Latest[_Mould] = Latest(MOST_LIFTED, MOST_LIFTED_CHARACTERS)


def _digest(kept: Any) -> bytes:
    """Literals that stay part of a key, however long, as sixteen bytes."""
    return hashlib.blake2b(repr(kept).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _was_met(key: Hashable) -> bool:
    """Whether this was met before; from now on it was."""
    if _met.get(key):
        return True
    _met.put(key, thing=True)
    return False


def _kind(token: str) -> str:
    if token[0] == "#":
        return token
    if token[0] == '"':
        return "\0s"
    return "\0f" if "." in token or "e" in token or "E" in token else "\0i"


def _places(prepared: Prepared) -> list[Place]:
    """The literals of a valid document that may be lifted."""
    found = _Finding()
    visit(cast("DocumentNode", prepared.document), TypeInfoVisitor(found.info, found))
    return [place for key, places in found.places for place in places if found.keys[key] == 1]


class _Finding(Visitor):
    """By fields their literals; fields that share their key may be merged, for which their arguments have to agree."""

    def __init__(self) -> None:
        super().__init__()
        self.info = TypeInfo(graphql_schema)
        self.keys: Counter[str] = Counter()
        self.places: list[tuple[str, list[Place]]] = []

    def enter_variable_definition(self, *_: object) -> Any:
        return SKIP

    def enter_directive(self, *_: object) -> Any:
        return SKIP

    def enter_field(self, node: FieldNode, *_: object) -> None:
        key = (node.alias or node.name).value
        self.keys[key] += 1
        definition = self.info.get_field_def()
        # A page's length in a literal sets its price whatever a variable says beside it.
        pages = [each for each in node.arguments or () if each.name.value in {"first", "last"}]
        are_mixed = len(pages) > 1 and any(isinstance(each.value, VariableNode) for each in pages)
        for argument in node.arguments or ():
            if definition is not None and not (are_mixed and argument in pages):
                type_ = definition.args[argument.name.value].type
                self.places.append((key, list(_literals(type_, argument.value))))


def _literals(type_: GraphQLInputType, node: ValueNode) -> Iterator[Place]:
    nullable, named = get_nullable_type(type_), get_named_type(type_)
    if isinstance(node, ListValueNode):
        if isinstance(nullable, GraphQLList):
            for each in node.values:
                yield from _literals(nullable.of_type, each)
    elif isinstance(node, ObjectValueNode):
        if isinstance(named, GraphQLInputObjectType) and not named.is_one_of:
            for member in node.fields:
                yield from _literals(named.fields[member.name.value].type, member.value)
    elif isinstance(node, IntValueNode | FloatValueNode | StringValueNode) and node.loc is not None:
        reader = _reader(named, node)
        if reader is not None:
            yield node.loc.start, f"{nullable}!", reader


def _reader(named: GraphQLNamedType, node: ValueNode) -> Reader | None:
    match named.name, node:
        case "Int", IntValueNode():
            return _int
        case "ID", IntValueNode():
            return _digits
        case "ID" | "String", StringValueNode():
            return _string
    if isinstance(named, GraphQLScalarType) and named.coerce_input_literal is None:
        return _accepted_by(named)
    return None


def _int(token: str) -> int:
    value = int(_digits(token))
    if not -LARGEST_INT - 1 <= value <= LARGEST_INT:
        raise ValueError
    return value


def _digits(token: str) -> str:
    if len(token) > bounds.NAME.most:
        raise ValueError
    return token


def _string(token: str) -> str:
    if "\\" not in token and not token.startswith('"""'):
        return token[1:-1]
    return str(Lexer(Source(token)).advance().value)


def _accepted_by(scalar: GraphQLScalarType) -> Reader:
    def read(token: str) -> Any:
        value = _plain(token)
        if scalar.coerce_input_value(value) is Undefined:
            raise ValueError
        return value

    return read


def _plain(token: str) -> Any:
    match _kind(token):
        case "\0s":
            return _string(token)
        case "\0i":
            value: float = int(_digits(token))
        case _:
            value = float(_digits(token))
    if not isfinite(value) or abs(value) > LARGEST:
        raise ValueError
    return value


class _Lifting(Visitor):
    """Variables instead of the literals that start where `names` says, declared with their types."""

    def __init__(self, names: Mapping[int, str], types: Mapping[str, str]) -> None:
        super().__init__()
        self._names, self._types = names, types

    def enter_int_value(self, node: IntValueNode, *_: object) -> VariableNode | None:
        return self._variable(node)

    def enter_float_value(self, node: FloatValueNode, *_: object) -> VariableNode | None:
        return self._variable(node)

    def enter_string_value(self, node: StringValueNode, *_: object) -> VariableNode | None:
        return self._variable(node)

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: object) -> OperationDefinitionNode:
        lifted = tuple(
            VariableDefinitionNode(variable=_variable(name), type=parse_type(type_))
            for name, type_ in self._types.items()
        )
        return replace(node, variable_definitions=(*(node.variable_definitions or ()), *lifted))

    def _variable(self, node: ValueNode) -> VariableNode | None:
        name = None if node.loc is None else self._names.get(node.loc.start)
        return None if name is None else _variable(name)


def _variable(name: str) -> VariableNode:
    return VariableNode(name=NameNode(value=name))
