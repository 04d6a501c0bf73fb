"""Document to shape: what one operation wants of each mapped type, with fragments merged as GraphQL merges them.

Always true here:
- A shape holds only fields whose reading is declared (`schema.mapped`); anything else is `Unplannable`.
- Keys stand in the order in which ordinary execution answers them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from domain.permissions import Permission
from domain.work import Work
from schema.fields import needed
from schema.mapped import MAPPED, TABLES, Column, GlobalId, Made, Many, One, Paged

Groups: TypeAlias = dict[str, list[FieldNode]]


class Unplannable(Exception):
    """No plan can answer this as ordinary execution would: the reason."""


@dataclass(frozen=True)
class Constant:
    key: str
    value: Any


@dataclass(frozen=True)
class Leaf:
    key: str
    type: GraphQLOutputType
    mapped: Column | GlobalId | Made
    #: Of an object that Python makes: key, number of the part, type; or a constant.
    parts: tuple[tuple[str, int, GraphQLOutputType] | Constant, ...] = ()


@dataclass(frozen=True)
class Link:
    key: str
    type: GraphQLOutputType
    mapped: One | Many
    inside: Shape
    #: Number of the field's arguments among those of the plan.
    arguments: int | None


@dataclass(frozen=True)
class Edges:
    key: str
    #: A constant; else key and number of what is wanted of the node, or None for the cursor.
    parts: tuple[Constant | tuple[str, int | None], ...]


@dataclass(frozen=True)
class Nodes:
    key: str
    node: int


@dataclass(frozen=True)
class Info:
    key: str
    #: A constant; else key and the field of `PageInfo`.
    parts: tuple[Constant | tuple[str, str], ...]


@dataclass(frozen=True)
class Total:
    key: str


#: What is wanted of a connection.
Parts: TypeAlias = tuple[Constant | Edges | Nodes | Info | Total, ...]


@dataclass(frozen=True)
class Pages:
    key: str
    mapped: Paged
    #: What is wanted of its nodes, by number.
    nodes: tuple[Shape, ...]
    parts: Parts
    arguments: int


@dataclass(frozen=True)
class Shape:
    type: str
    fields: tuple[Constant | Leaf | Link | Pages, ...]
    #: Permissions that must hold for a value: for its own fields, and for what below it has no permissions of its own.
    needs: frozenset[Permission]


@dataclass
class Wanted:
    """What an operation says, read for one set of @skip and @include."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Mapping[str, bool]
    #: Fields with arguments, in the order in which they were met.
    arguments: list[tuple[GraphQLField, FieldNode]] = field(default_factory=list)
    #: Permissions that must hold wherever the answer speaks of.
    needs: set[Permission] = field(default_factory=set)
    #: What tells apart who sees which rows of the types that it speaks of.
    sights: dict[Callable[[Work], Hashable], None] = field(default_factory=dict)

    def fields(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode | OperationDefinitionNode]) -> Groups:
        """By response key the nodes that are merged under it."""
        groups: Groups = {}
        seen: set[str] = set()
        for node in nodes:
            if node.selection_set is not None:
                self._collect(type_, node.selection_set, groups, seen)
        return groups

    def shape(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Shape:
        groups = self.fields(type_, nodes)
        table = TABLES.get(type_.name)
        if table is not None and table.sight is not None:
            self.sights[table.sight] = None
        needs: set[Permission] = set()
        fields = tuple(self._field(type_, key, found, needs) for key, found in groups.items())
        self.needs |= needs
        return Shape(type_.name, fields, frozenset(needs))

    def argument(self, definition: GraphQLField, nodes: Sequence[FieldNode]) -> int | None:
        """The number of this field's arguments; None where it takes none."""
        if not definition.args:
            return None
        self.arguments.append((definition, nodes[0]))
        return len(self.arguments) - 1

    def connection(
        self,
        type_: GraphQLObjectType,
        nodes: Sequence[FieldNode],
        constant: Mapping[str, Any],
        add: Callable[[Sequence[FieldNode]], int],
    ) -> Parts:
        """What is wanted of a connection; `add` takes what is wanted of a node, and numbers it."""
        parts: list[Constant | Edges | Nodes | Info | Total] = []
        for name, found in self.fields(type_, nodes).items():
            match found[0].name.value:
                case "__typename":
                    parts.append(Constant(name, type_.name))
                case "edges":
                    parts.append(Edges(name, tuple(self._edges(_inside(type_, found), found, constant, add))))
                case "nodes":
                    parts.append(Nodes(name, add(found)))
                case "pageInfo":
                    parts.append(Info(name, tuple(self._info(_inside(type_, found), found))))
                case "totalCount":
                    parts.append(Total(name))
                case other:
                    raise Unplannable(f"{type_.name}.{other} is not mapped")
        return tuple(parts)

    def _edges(
        self,
        type_: GraphQLObjectType,
        nodes: Sequence[FieldNode],
        constant: Mapping[str, Any],
        add: Callable[[Sequence[FieldNode]], int],
    ) -> Iterator[Constant | tuple[str, int | None]]:
        for name, found in self.fields(type_, nodes).items():
            word = found[0].name.value
            if word == "__typename":
                yield Constant(name, type_.name)
            elif word in {"node", "cursor"}:
                yield name, add(found) if word == "node" else None
            elif word in constant:
                yield Constant(name, constant[word])
            else:
                raise Unplannable(f"{type_.name}.{word} is not mapped")

    def _info(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Iterator[Constant | tuple[str, str]]:
        for name, found in self.fields(type_, nodes).items():
            word = found[0].name.value
            yield Constant(name, type_.name) if word == "__typename" else (name, word)

    def _field(
        self, type_: GraphQLObjectType, key: str, nodes: Sequence[FieldNode], needs: set[Permission]
    ) -> Constant | Leaf | Link | Pages:
        """`needs` takes what must hold for the value that the field is of."""
        name = nodes[0].name.value
        if name == "__typename":
            return Constant(key, type_.name)
        definition = type_.fields[name]
        strawberry_field = definition.extensions["strawberry-definition"]
        mapped = strawberry_field.metadata.get(MAPPED)
        if mapped is None:
            raise Unplannable(f"{type_.name}.{name} is not mapped")
        needs |= needed(strawberry_field)
        if isinstance(mapped, Column | Many) and mapped.needs is not None:
            needs.add(mapped.needs)
        if isinstance(mapped, Paged):
            pages = self._pages(definition, key, nodes, mapped)
            needs.update(*(each.needs for each in pages.nodes))
            return pages
        if isinstance(mapped, One | Many):
            link = self._link(definition, key, nodes, mapped)
            needs |= frozenset() if mapped.own else link.inside.needs
            return link
        if nodes[0].arguments:
            raise Unplannable(f"{type_.name}.{name} takes arguments")
        parts = tuple(self._parts(definition, nodes, mapped)) if isinstance(mapped, Made) and mapped.parts else ()
        return Leaf(key, definition.type, mapped, parts)

    def _link(self, definition: GraphQLField, key: str, nodes: Sequence[FieldNode], mapped: One | Many) -> Link:
        arguments = self.argument(definition, nodes)
        inside = self.shape(cast("GraphQLObjectType", get_named_type(definition.type)), nodes)
        return Link(key, definition.type, mapped, inside, arguments)

    def _pages(self, definition: GraphQLField, key: str, nodes: Sequence[FieldNode], mapped: Paged) -> Pages:
        shapes: list[Shape] = []

        def add(found: Sequence[FieldNode]) -> int:
            shapes.append(self.shape(cast("GraphQLObjectType", self.schema.type_map[mapped.type]), found))
            return len(shapes) - 1

        arguments = self.argument(definition, nodes)
        assert arguments is not None, "a connection takes arguments"
        type_ = cast("GraphQLObjectType", get_named_type(definition.type))
        parts = self.connection(type_, nodes, {}, add)
        return Pages(key, mapped, tuple(shapes), parts, arguments)

    def _parts(
        self, definition: GraphQLField, nodes: Sequence[FieldNode], mapped: Made
    ) -> Iterator[tuple[str, int, GraphQLOutputType] | Constant]:
        type_ = cast("GraphQLObjectType", get_named_type(definition.type))
        for key, found in self.fields(type_, nodes).items():
            name = found[0].name.value
            if name == "__typename":
                yield Constant(key, type_.name)
            else:
                yield key, mapped.parts.index(name), type_.fields[name].type

    def _collect(self, type_: GraphQLObjectType, selections: SelectionSetNode, groups: Groups, seen: set[str]) -> None:
        for each in selections.selections:
            if not self._is_included(each):
                continue
            match each:
                case FieldNode():
                    groups.setdefault((each.alias or each.name).value, []).append(each)
                case FragmentSpreadNode():
                    if each.name.value in seen:
                        continue
                    seen.add(each.name.value)
                    fragment = self.fragments[each.name.value]
                    if self._applies(type_, fragment.type_condition.name.value):
                        self._collect(type_, fragment.selection_set, groups, seen)
                case InlineFragmentNode():
                    condition = each.type_condition
                    if condition is None or self._applies(type_, condition.name.value):
                        self._collect(type_, each.selection_set, groups, seen)

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name not in {"skip", "include"}:
                raise Unplannable(f"@{name}")
            value = directive.arguments[0].value
            said = self.conditions[value.name.value] if isinstance(value, VariableNode) else value.value
            if said is (name == "skip"):
                return False
        return True

    def _applies(self, type_: GraphQLObjectType, name: str) -> bool:
        condition = self.schema.type_map[name]
        if isinstance(condition, GraphQLInterfaceType | GraphQLUnionType):
            return self.schema.is_sub_type(condition, type_)
        return condition is type_


def is_required(type_: GraphQLOutputType) -> bool:
    return isinstance(type_, GraphQLNonNull)


def walk(shape: Shape, found: Callable[[Leaf | Link | Pages], None]) -> None:
    """Calls `found` with every field of the shape, however deep."""
    for each in shape.fields:
        if not isinstance(each, Constant):
            found(each)
        if isinstance(each, Link | Pages):
            for inside in (each.inside,) if isinstance(each, Link) else each.nodes:
                walk(inside, found)


def _inside(type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> GraphQLObjectType:
    return cast("GraphQLObjectType", get_named_type(type_.fields[nodes[0].name.value].type))
