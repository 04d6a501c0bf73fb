"""What a document and its variables may hold before anything of them is run: counted in time linear in both.

Fragments are counted as often as they are spread, and measured once each: what a fragment holds is kept under its name,
so that fragments nested in fragments cost no more to measure than to write. Every limit has a code and a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    NameNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS


@dataclass(frozen=True)
class Bound:
    """`sentence` says `{most}` where the number stands."""

    code: str
    most: int
    sentence: str

    @property
    def refusal(self) -> GraphQLError:
        return GraphQLError(self.sentence.format(most=f"{self.most:,}"), extensions={"code": self.code})


CHARACTERS: Final = Bound("DOCUMENT_TOO_LONG", 100_000, "A document has at most {most} characters.")
#: A hand-written query has a few hundred.
TOKENS: Final = Bound("TOO_MANY_TOKENS", 5_000, "A document has at most {most} tokens, comments included.")
OPERATIONS: Final = Bound("TOO_MANY_OPERATIONS", 50, "A document has at most {most} operations.")
VARIABLES: Final = Bound("TOO_MANY_VARIABLES", 200, "An operation declares at most {most} variables.")
ROOT_FIELDS: Final = Bound("TOO_MANY_ROOT_FIELDS", 100, "An operation asks for at most {most} fields at its root.")
FIELDS: Final = Bound(
    "TOO_MANY_FIELDS", 2_000, "An operation asks for at most {most} fields, a fragment's as often as it is spread."
)
#: Spreads are counted too: a fragment may hold nothing but spreads.
SPREADS: Final = Bound(
    "TOO_MANY_FRAGMENTS", 1_000, "An operation spreads at most {most} fragments, those within fragments included."
)
ALIASES: Final = Bound("TOO_MANY_ALIASES", 200, "An operation renames at most {most} fields.")
DIRECTIVES: Final = Bound("TOO_MANY_DIRECTIVES", 200, "An operation carries at most {most} directives.")
DEPTH: Final = Bound("TOO_DEEP", 50, "Selections and values nest at most {most} deep, fragments included.")
NAME: Final = Bound("NAME_TOO_LONG", 200, "A name, or a number, is written with at most {most} characters.")
ITEMS: Final = Bound("LIST_TOO_LONG", 1_000, "A list that is given has at most {most} entries.")
MEMBERS: Final = Bound(
    "OBJECT_TOO_LARGE", 100, "An object that is given, or a field, has at most {most} values by name."
)
TEXT: Final = Bound(
    "TEXT_TOO_LONG", 200_000, "A text that is given, or the name of a value, has at most {most} characters."
)
VALUES: Final = Bound("TOO_MANY_VALUES", 20_000, "The variables hold at most {most} values, however deep.")

#: In the order in which they are told.
BOUNDS: Final = (
    CHARACTERS,
    TOKENS,
    OPERATIONS,
    VARIABLES,
    ROOT_FIELDS,
    FIELDS,
    SPREADS,
    ALIASES,
    DIRECTIVES,
    DEPTH,
    NAME,
    ITEMS,
    MEMBERS,
    TEXT,
    VALUES,
)

CYCLE: Final = "FRAGMENT_CYCLE"
#: Counts beyond this are not told apart, so that they stay numbers of an ordinary size.
ENDLESS: Final = 1_000_000


def check_document(document: DocumentNode) -> None:
    """Raises a `GraphQLError` with one sentence and a code where the document is beyond a limit."""
    fragments: dict[str, _Measure] = {}
    operations: list[_Measure] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments.setdefault(definition.name.value, _Measure.of(definition))
        elif isinstance(definition, OperationDefinitionNode):
            operations.append(_Measure.of(definition))
            _hold(VARIABLES, len(definition.variable_definitions or ()))
        else:
            _Measure.of(definition)
    _hold(OPERATIONS, len(operations))
    _add_up(fragments)
    for measure in fragments.values():
        measure.check()
    for measure in operations:
        whole = measure.with_spread(fragments)
        _hold(ROOT_FIELDS, whole.roots)
        whole.check()


def check_variables(variables: Mapping[str, Any] | None) -> None:
    """Raises a `GraphQLError` where the values given to an operation are too many or too deep."""
    given = variables or {}
    _hold(VARIABLES, len(given))
    waiting: list[tuple[Any, int]] = [(each, 0) for each in given.values()]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, Mapping):
            _hold(MEMBERS, len(value))
            _hold(TEXT, max(map(len, value), default=0))
            waiting += [(each, depth + 1) for each in value.values()]
            seen += len(value)
        elif isinstance(value, list | tuple):
            _hold(ITEMS, len(value))
            waiting += [(each, depth + 1) for each in value]
            seen += len(value)
        elif isinstance(value, str):
            _hold(TEXT, len(value))
        _hold(DEPTH, depth)
        _hold(VALUES, seen)


def _hold(bound: Bound, found: int) -> None:
    if found > bound.most:
        raise bound.refusal


@dataclass
class _Measure:
    """What one definition holds; whole when what its fragments hold was added."""

    depth: int = 0
    fields: int = 0
    roots: int = 0
    aliases: int = 0
    directives: int = 0
    spread: int = 0
    is_whole: bool = False
    #: Fragments spread here: their names, how deep, and whether at the root.
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)

    @classmethod
    def of(cls, definition: Node) -> _Measure:
        found = cls()
        waiting: list[tuple[Node, int, int]] = [(definition, 0, 0)]
        while waiting:
            node, depth, fields_above = waiting.pop()
            found.count(node, depth, fields_above)
            below = depth + isinstance(node, SelectionSetNode | ListValueNode | ObjectValueNode)
            above = fields_above + isinstance(node, FieldNode)
            waiting += [(child, below, above) for child in _children(node)]
        return found

    def with_spread(self, fragments: Mapping[str, _Measure]) -> _Measure:
        """The measure with its fragments added, which must be whole themselves."""
        whole = replace(self, is_whole=True)
        for name, depth, at_root in self.spreads:
            if name in fragments:
                whole.add(fragments[name], depth, at_root=at_root)
        return whole

    def check(self) -> None:
        _hold(FIELDS, self.fields)
        _hold(SPREADS, self.spread)
        _hold(ALIASES, self.aliases)
        _hold(DIRECTIVES, self.directives)
        _hold(DEPTH, self.depth)

    def count(self, node: Node, depth: int, fields_above: int) -> None:
        self.depth = max(self.depth, depth)
        if isinstance(node, FieldNode):
            self.fields += 1
            self.roots += not fields_above
            self.aliases += node.alias is not None
            _hold(MEMBERS, len(node.arguments or ()))
        elif isinstance(node, FragmentSpreadNode):
            self.spread += 1
            self.spreads.append((node.name.value, depth, not fields_above))
        elif isinstance(node, ListValueNode):
            _hold(ITEMS, len(node.values))
        elif isinstance(node, ObjectValueNode):
            _hold(MEMBERS, len(node.fields))
        elif isinstance(node, NameNode | IntValueNode | FloatValueNode):
            _hold(NAME, len(node.value))
        self.directives += len(getattr(node, "directives", None) or ())

    def add(self, other: _Measure, depth: int, *, at_root: bool) -> None:
        self.depth = min(ENDLESS, max(self.depth, depth + other.depth))
        self.fields = min(ENDLESS, self.fields + other.fields)
        self.roots = min(ENDLESS, self.roots + other.roots * at_root)
        self.aliases = min(ENDLESS, self.aliases + other.aliases)
        self.directives = min(ENDLESS, self.directives + other.directives)
        self.spread = min(ENDLESS, self.spread + other.spread)


def _children(node: Node) -> Iterator[Node]:
    for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
        value = getattr(node, key, None)
        if isinstance(value, Node):
            yield value
        elif value:
            yield from value


def _add_up(fragments: dict[str, _Measure]) -> None:
    """Makes the fragments' measures whole, each once, those that are spread in others first."""
    for root in tuple(fragments):
        path = [] if fragments[root].is_whole else [root]
        under_way: dict[str, Iterator[tuple[str, int, bool]]] = {}
        while path:
            name = path[-1]
            spreads = under_way.setdefault(name, iter(fragments[name].spreads))
            below = next((each for each, *_ in spreads if each in fragments and not fragments[each].is_whole), None)
            if below is None:
                fragments[name] = fragments[name].with_spread(fragments)
                path.pop()
            elif below in under_way:
                sentence = f"The fragment {below} holds itself, through what it spreads."
                raise GraphQLError(sentence, extensions={"code": CYCLE})
            else:
                path.append(below)
