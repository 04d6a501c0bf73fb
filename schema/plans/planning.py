"""A document becomes a plan: its root fields, each with what is wanted of the types below it.

A plan holds for one operation of one document and one set of @skip and @include; it knows nothing of databases and
viewers, for which `schema.plans.entities` keeps what it compiles.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from strawberry.types.arguments import convert_arguments

from domain.permissions import Permission
from domain.work import Work
from schema.mapped import MAPPED, TABLES, AllById, ById, Listed
from schema.plans.entities import STATEMENTS, Entity
from schema.plans.shape import Constant, Parts, Unplannable, Wanted, is_required
from storage.recent import Shelf
from storage.statements import Reader, Statement

#: Things that a client may want of one type in one operation; beyond it ordinary execution is as good.
MOST_ROOTS: Final = 20

#: A page's statement, and per field of its order what reads a raw value.
Compiled: TypeAlias = tuple[Statement, list[Reader | None]]


@dataclass(frozen=True)
class Found:
    """A root field that finds rows by their ids: one, or with `many` a list of them."""

    key: str
    arguments: int
    #: By type name; what the id names has to be one of them.
    entities: Mapping[str, Entity]
    is_required: bool
    many: bool


@dataclass(frozen=True, eq=False)
class Connection:
    """A root field that answers a page of a list."""

    key: str
    arguments: int
    mapped: Listed
    entities: tuple[Entity, ...]
    parts: Parts
    #: Compiled pages and totals, for each of the viewers and filters that ask for them.
    pages: Shelf[Compiled] = field(default_factory=lambda: Shelf(STATEMENTS))
    totals: Shelf[Statement] = field(default_factory=lambda: Shelf(STATEMENTS))


Root: TypeAlias = Constant | Found | Connection


@dataclass(frozen=True)
class Plan:
    roots: tuple[Root, ...]
    needs: frozenset[Permission]
    #: What tells apart who sees which rows, beside what they may see of assets.
    sights: tuple[Callable[[Work], Hashable], ...]
    arguments: tuple[tuple[GraphQLField, FieldNode], ...]

    def given(self, variables: VariableValues, config: Any, registry: Any) -> tuple[Mapping[str, Any], ...]:
        """Per field with arguments their values, as its resolver would be given them."""
        return tuple(_given(definition, node, variables, config, registry) for definition, node in self.arguments)


@dataclass(frozen=True)
class Operation:
    """One operation of a valid document, from which a plan is made for each set of conditions."""

    schema: GraphQLSchema
    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    #: Variables that @skip and @include speak of.
    conditions: tuple[str, ...]
    #: Values written into the document, each of which is read again for every other set of variables.
    values: int

    @classmethod
    def of(cls, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> Operation:
        parts = document.definitions
        fragments = {each.name.value: each for each in parts if isinstance(each, FragmentDefinitionNode)}
        declared = {each.variable.name.value for each in node.variable_definitions or ()}
        return cls(schema, node, fragments, tuple(sorted(declared & set(_conditions(document)))), _values(document))

    def variables(self, given: Mapping[str, Any] | None) -> VariableValues:
        """Coerced; `Unplannable` where ordinary execution would refuse them."""
        found = get_variable_values(self.schema, self.node.variable_definitions or (), dict(given or {}))
        if isinstance(found, list):
            raise Unplannable("variables do not fit")
        return found

    def plan(self, conditions: Sequence[bool]) -> Plan:
        if self.node.operation is not OperationType.QUERY:
            raise Unplannable("only queries are planned")
        wanted = Wanted(self.schema, self.fragments, dict(zip(self.conditions, conditions, strict=True)))
        query = cast("GraphQLObjectType", self.schema.query_type)
        groups = wanted.fields(query, [self.node])
        if len(groups) > MOST_ROOTS:
            raise Unplannable("too many root fields")
        roots = tuple(_root(wanted, query, key, nodes) for key, nodes in groups.items())
        return Plan(roots, frozenset(wanted.needs), tuple(wanted.sights), tuple(wanted.arguments))


def _root(wanted: Wanted, query: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Root:
    name = nodes[0].name.value
    if name == "__typename":
        return Constant(key, query.name)
    definition = query.fields.get(name)
    mapped = None if definition is None else definition.extensions["strawberry-definition"].metadata.get(MAPPED)
    if definition is None or mapped is None:
        raise Unplannable(f"Query.{name} is not mapped")
    arguments = wanted.argument(definition, nodes)
    assert arguments is not None, "what is found has arguments"
    match mapped:
        case ById(type_):
            entities = _entities(wanted, [type_] if type_ else list(TABLES), nodes)
            return Found(key, arguments, entities, is_required(definition.type), many=False)
        case AllById():
            return Found(key, arguments, _entities(wanted, list(TABLES), nodes), is_required=False, many=True)
        case Listed():
            return _connection(wanted, key, arguments, mapped, definition, nodes)
    raise Unplannable(f"Query.{name} is mapped otherwise")


def _entities(wanted: Wanted, names: Sequence[str], nodes: Sequence[FieldNode]) -> dict[str, Entity]:
    """Of each type what is wanted of it; a type of which something unmapped is wanted is left out."""
    found = {}
    for name in names:
        try:
            shape = wanted.shape(cast("GraphQLObjectType", wanted.schema.type_map[name]), nodes)
        except Unplannable:
            if len(names) == 1:
                raise
        else:
            found[name] = Entity(shape)
    return found


def _connection(
    wanted: Wanted, key: str, arguments: int, mapped: Listed, definition: GraphQLField, nodes: Sequence[FieldNode]
) -> Connection:
    type_ = cast("GraphQLObjectType", get_named_type(definition.type))
    entities: list[Entity] = []

    def add(found: Sequence[FieldNode]) -> int:
        entities.append(Entity(wanted.shape(cast("GraphQLObjectType", wanted.schema.type_map[mapped.type]), found)))
        return len(entities) - 1

    parts = wanted.connection(type_, nodes, mapped.constant, add)
    return Connection(key, arguments, mapped, tuple(entities), parts)


def _values(node: Any) -> int:
    found = 0
    waiting: list[Any] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, Node):
            found += isinstance(each, ValueNode)
            waiting += [getattr(each, key) for key in each.keys if key != "loc"]
    return found


def _conditions(node: Any) -> list[str]:
    """Names of the variables in @skip and @include anywhere in the document."""
    found: list[str] = []
    waiting: list[Any] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list | tuple):
            waiting += each
            continue
        for directive in getattr(each, "directives", None) or ():
            if directive.name.value in {"skip", "include"}:
                found += [a.value.name.value for a in directive.arguments or () if isinstance(a.value, VariableNode)]
        waiting += [getattr(each, part, None) or () for part in ("definitions", "selections")]
        if getattr(each, "selection_set", None) is not None:
            waiting.append(each.selection_set)
    return found


def _given(
    definition: GraphQLField, node: FieldNode, variables: VariableValues, config: Any, registry: Any
) -> Mapping[str, Any]:
    try:
        coerced = get_argument_values(definition, node, variables)
    except GraphQLError:
        raise Unplannable("arguments do not fit") from None
    arguments = definition.extensions["strawberry-definition"].arguments
    return convert_arguments(coerced, arguments, scalar_registry=registry, config=config)
