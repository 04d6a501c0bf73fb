"""What an operation may cost at most, known before it runs: the sum over its fields of weight × Π of the list sizes.

A field that answers an object weighs 1 and any other nothing, unless it declares a weight (`schema.fields.field`). What
stands in a list counts as often as the list is long: a connection's page as its `first` or `last` says, 20 if neither
does, and any other list 10 unless it declares a size. What is asked for twice counts twice, and a field of an interface
for every type that could answer it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    value_from_ast_untyped,
)

from domain.pages import DEFAULT_PAGE, MAX_PAGE

#: What a request costs before it asks for anything: its sign-in, its thread, its document.
REQUEST: Final = 10
#: What a document costs beyond it that cannot be run: it may have been long to read.
REFUSAL: Final = 90
#: Whole thousands of characters of a text that is new to the process, each: as much as a request.
THOUSAND: Final = REQUEST
OBJECT: Final = 1
MUTATION: Final = 20
INTROSPECTION: Final = 500
#: Entries of a list that is no page and declares no size.
LIST: Final = 10
#: Types that only say where a page's rows stand.
WEIGHTLESS: Final = ("Edge", "PageInfo")
#: Fields of a connection that are as long as its page.
PAGED: Final = frozenset({"edges", "nodes"})


def of_reading(text: str) -> int:
    """What a text costs that was not read before, beside what it asks for."""
    return len(text) // 1_000 * THOUSAND


@dataclass(frozen=True)
class Allowance:
    """What is left to somebody after they paid: of how much, and when all of it is there again."""

    limit: int
    remaining: int
    reset_at: datetime


#: Pays for a request: raises a refusal of whoever gave it where too much was spent; None where nothing limits it.
Spend = Callable[[int], Allowance | None]
Variables = Mapping[str, Any]
#: A number that only the variables tell.
Factor = Callable[[Variables], int]
Price = Callable[[Variables], int]


def of(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Price:
    """What the operation costs with given variables; the document is valid and within `schema.bounds`.

    Worked out once per document: a price is a sum of few terms.
    """
    bill = _Bill(schema, _fragments(document), _defaults(operation))
    bill.add(operation)
    return bill.price()


def most(limit: int, rate: int) -> int:
    """What one operation may cost: as much as the operator allows, and never more than a token may spend at once."""
    return min(limit, rate) if rate else limit


def too_high(cost: int, maximum: int) -> GraphQLError | None:
    """The refusal of an operation that may cost more than one operation may; None where it may not."""
    if cost <= maximum:
        return None
    sentence = f"This may cost {cost:,}, and one operation may cost {maximum:,}: ask for smaller pages, or for less."
    return GraphQLError(sentence, extensions={"code": "COST_TOO_HIGH", "cost": cost, "maximum": maximum})


@dataclass(frozen=True)
class _Place:
    """Where a selection stands: below which type, in lists how long, and on which connection's page."""

    type: GraphQLNamedType
    times: int = 1
    factors: tuple[Factor, ...] = ()
    page: int | Factor = DEFAULT_PAGE

    def longer(self, size: int | Factor) -> _Place:
        if isinstance(size, int):
            return _Place(self.type, self.times * size, self.factors, self.page)
        return _Place(self.type, self.times, (*self.factors, size), self.page)

    def below(self, type_: GraphQLNamedType, page: int | Factor) -> _Place:
        return _Place(type_, self.times, self.factors, page)


@dataclass
class _Bill:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    defaults: Variables
    terms: Counter[tuple[Factor, ...]] = field(default_factory=Counter)

    def add(self, operation: OperationDefinitionNode) -> None:
        root = self.schema.get_root_type(operation.operation)
        assert root is not None, "a valid operation has a root"
        weight = MUTATION if operation.operation is OperationType.MUTATION else None
        waiting = self._below(operation.selection_set, _Place(root), weight)
        while waiting:
            waiting += self._below(*waiting.pop(), None)

    def price(self) -> Price:
        fixed = REQUEST + self.terms.pop((), 0)
        terms = tuple(self.terms.items())
        defaults = self.defaults

        def of_variables(given: Variables) -> int:
            if not terms:
                return fixed
            told = {**defaults, **given}
            return fixed + sum(times * math.prod(each(told) for each in factors) for factors, times in terms)

        return of_variables

    def _below(
        self, selected: SelectionSetNode, place: _Place, weight: int | None
    ) -> list[tuple[SelectionSetNode, _Place]]:
        """Bills the fields of one selection, fragments opened; what remains to be billed is answered."""
        found: list[tuple[SelectionSetNode, _Place]] = []
        opened: list[tuple[SelectionSetNode, _Place]] = [(selected, place)]
        while opened:
            selection, at = opened.pop()
            for node in selection.selections:
                shown = _shown(node, at)
                if shown is None:
                    continue
                if isinstance(node, FieldNode):
                    found += self._field(node, shown, weight)
                elif isinstance(node, InlineFragmentNode):
                    named = node.type_condition
                    opened.append((node.selection_set, self._narrowed(shown, named.name.value if named else None)))
                elif isinstance(node, FragmentSpreadNode):
                    fragment = self.fragments[node.name.value]
                    narrowed = self._narrowed(shown, fragment.type_condition.name.value)
                    opened.append((fragment.selection_set, narrowed))
        return found

    def _field(self, node: FieldNode, at: _Place, weight: int | None) -> list[tuple[SelectionSetNode, _Place]]:
        name = node.name.value
        if name.startswith("__"):
            self.terms[at.factors] += at.times * INTROSPECTION * (name != "__typename")
            return []
        assert isinstance(at.type, GraphQLObjectType | GraphQLInterfaceType), "only they have fields"
        told = at.type.fields[name]
        type_ = get_named_type(told.type)
        within = at.longer(_size(told, node, at)) if is_list_type(get_nullable_type(told.type)) else at
        self.terms[within.factors] += within.times * _weight(told, type_, weight)
        self.terms[at.factors] += at.times * _extra(told, node)
        if node.selection_set is None:
            return []
        return [(node.selection_set, within.below(type_, _page(node) if _is_connection(type_) else DEFAULT_PAGE))]

    def _narrowed(self, place: _Place, name: str | None) -> _Place:
        return place if name is None else place.below(self.schema.type_map[name], place.page)


def _shown(node: Any, at: _Place) -> _Place | None:
    """The place with what @skip and @include make of it; None where they leave nothing."""
    for directive in node.directives or ():
        name = directive.name.value
        if name not in {"skip", "include"}:
            continue
        wanted = name == "include"
        value = directive.arguments[0].value
        if isinstance(value, BooleanValueNode) and value.value is not wanted:
            return None
        if isinstance(value, VariableNode):
            at = at.longer(_whether(value.name.value, wanted=wanted))
    return at


def _weight(told: GraphQLField, type_: GraphQLNamedType, otherwise: int | None) -> int:
    declared = _declared(told, "weight")
    if declared is not None:
        return int(declared)
    if otherwise is not None:
        return otherwise
    return OBJECT if is_composite_type(type_) and not type_.name.endswith(WEIGHTLESS) else 0


def _extra(told: GraphQLField, node: FieldNode) -> int:
    """What arguments that were given add."""
    extra = _declared(told, "extra") or {}
    given = {each.name.value for each in node.arguments or () if not isinstance(each.value, NullValueNode)}
    return sum(weight for name, weight in extra.items() if name in given)


def _size(told: GraphQLField, node: FieldNode, at: _Place) -> int | Factor:
    """How long a list may be."""
    declared = _declared(told, "size")
    if isinstance(declared, str):
        given = _argument(node, declared)
        return _length(given) if given is not None else LIST
    if declared is not None:
        return int(declared)
    return at.page if _is_connection(at.type) and node.name.value in PAGED else LIST


def _page(node: FieldNode) -> int | Factor:
    """How long the page is that a connection's field asks for."""
    told = [each for each in (_argument(node, "first"), _argument(node, "last")) if each is not None]
    names = [each.name.value for each in told if isinstance(each, VariableNode)]
    sizes = [int(each.value) for each in told if isinstance(each, IntValueNode)]
    if sizes or not names:
        return _clamped(max(sizes, default=DEFAULT_PAGE))
    return _longest(tuple(names))


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((each.value for each in node.arguments or () if each.name.value == name), None)


def _longest(names: tuple[str, ...]) -> Factor:
    def size(variables: Variables) -> int:
        told = [size for name in names if (size := _whole(variables.get(name))) is not None]
        return _clamped(max(told, default=DEFAULT_PAGE))

    return size


def _whole(told: object) -> int | None:
    """As Int reads it, to which 100.0 is 100."""
    if isinstance(told, float) and told.is_integer():
        return int(told)
    return told if isinstance(told, int) else None


def _length(value: ValueNode) -> int | Factor:
    if isinstance(value, ListValueNode):
        return len(value.values)
    if not isinstance(value, VariableNode):
        return 1
    name = value.name.value

    def size(variables: Variables) -> int:
        told = variables.get(name)
        return len(told) if isinstance(told, list) else 1

    return size


def _whether(name: str, *, wanted: bool) -> Factor:
    def times(variables: Variables) -> int:
        return int(variables.get(name) is wanted)

    return times


def _clamped(size: int) -> int:
    """A page that is too large is refused by the list itself, in its own words."""
    return max(0, min(size, MAX_PAGE))


def _is_connection(type_: GraphQLNamedType) -> bool:
    return not isinstance(type_, GraphQLUnionType) and "pageInfo" in getattr(type_, "fields", ())


def _declared(told: GraphQLField, name: str) -> Any:
    definition = (told.extensions or {}).get("strawberry-definition")
    return None if definition is None else definition.metadata.get(name)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    told = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    return {name: value_from_ast_untyped(value) for name, value in told.items() if value is not None}
