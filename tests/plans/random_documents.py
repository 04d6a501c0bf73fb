"""Random operations over the whole schema: with arguments, variables, aliases, fragments, directives, merged fields."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from schema.mapped import MAPPED, TABLES

#: Answered differently at every asking, whoever answers.
CHANGING: Final = frozenset({"indexLagMs", "rateLimit", "auditVerify", "lastUsedAt"})
#: What clients ask most, so that most operations are made of what plans know.
LIKELY: Final = ("assets", "assets", "assets", "asset", "node", "nodes")
#: Lists that are read by a field's `Listed`, beside those of assets.
LISTS: Final = (
    *("licenses", "expiringLicenses", "releases", "parties", "takedowns", "usages", "runningUsagesAfter"),
    *("stockPurchases", "products"),
)
LICENSING: Final = (*LISTS, "licenses", "license", "usages")
#: Of products, as `tests.plans.licensed` writes some.
CODES: Final = ("pen-1", "PEN-3", "nothing")
DEEPEST: Final = 5
HOLDING: Final = frozenset({"PageInfo", "SignedUrl", "RenditionFailure", "Money", "SizeLimit"})
#: What an argument names.
NAMED: Final = {"license": "License", "asset": "Asset", "version": "AssetVersion"}
#: Of lists of assets, what only their resolvers answer: asked for now and then.
RESOLVED: Final = frozenset({"didYouMean", "facets", "fieldFacets"})


PAGING: Final = ((), (), ("first",), ("first", "after"), ("last",), ("last", "before"))


def is_known(type_: Any, name: str) -> bool:
    """Whether its reading is declared, or it only holds what is."""
    definition = type_.fields[name].extensions.get("strawberry-definition")
    if type_.name == "AssetConnection":
        return name not in RESOLVED
    holds = type_.name in HOLDING or type_.name.endswith(("Edge", "Connection"))
    return holds or (definition is not None and MAPPED in definition.metadata)


@dataclass
class Document:
    text: str
    variables: dict[str, Any]


@dataclass
class Chooser:
    """`ids` are global ids by type, `cursors` by root field some that were given out for its lists."""

    schema: GraphQLSchema
    chance: random.Random
    ids: Mapping[str, Sequence[str]]
    cursors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: The root field that is written now.
    root: str = "assets"
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def document(self) -> Document:
        self.variables, self.fragments = {}, []
        query = self.schema.query_type
        assert query is not None
        names = [self._root() for _ in range(self.chance.choice((1, 1, 1, 2, 3)))]
        parts: list[str] = []
        for self.root in names:
            parts.append(f"r{len(parts)}: {self._field(query.fields[self.root], self.root, 1)}")
        body = " ".join(parts)
        declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in self.variables.items())
        head = f"query Q({declared})" if declared else self.chance.choice(("query Q", "query", ""))
        text = " ".join([f"{head} {{ {body} }}", *self.fragments])
        return Document(text, {name: value for name, (_, value) in self.variables.items() if value is not ...})

    def _root(self) -> str:
        kind = self.chance.random()
        if kind < 0.9:
            return self.chance.choice(LIKELY if kind < 0.6 else LICENSING)
        query = self.schema.query_type
        assert query is not None
        return str(self.chance.choice([name for name in query.fields if name not in CHANGING]))

    def _field(self, definition: GraphQLField, name: str, depth: int) -> str:
        arguments = self._arguments(definition)
        inside = get_named_type(definition.type)
        selection = "" if is_leaf_type(inside) else self._selection(inside, depth)
        return f"{name}{arguments}{self._directive()}{selection}"

    def _selection(self, type_: Any, depth: int) -> str:
        parts = [self._part(type_, depth) for _ in range(self.chance.randrange(1, 7))]
        return f" {{ {' '.join(parts)} }}"

    def _part(self, type_: Any, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.06:
            return "__typename"
        if kind < 0.12 and depth < DEEPEST:
            return f"... {self._directive()}{self._selection(type_, depth)}"
        if (kind < 0.2 or is_abstract_type(type_)) and depth < DEEPEST:
            return self._fragment(type_, depth)
        if isinstance(type_, GraphQLUnionType):
            return "__typename"
        return self._own(type_, depth)

    def _own(self, type_: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        names = [
            name
            for name, each in type_.fields.items()
            if name not in CHANGING and (depth < DEEPEST or is_leaf_type(get_named_type(each.type)))
        ]
        if self.chance.random() < 0.93:  # mostly what plans know, or hardly any document would be planned
            names = [name for name in names if is_known(type_, name)] or names
        if not names:
            return "__typename"
        name = self.chance.choice(names)
        # A field with arguments or further levels is always met under another key, so that no two of them disagree.
        definition = type_.fields[name]
        plain = not definition.args and is_leaf_type(get_named_type(definition.type))
        alias = "" if plain and self.chance.random() < 0.85 else f"{name}{self.chance.randrange(10**6)}: "
        if not definition.args and not plain and self.chance.random() < 0.5:
            alias = ""  # merged where it is met twice
        return f"{alias}{self._field(definition, name, depth + 1)}"

    def _fragment(self, type_: Any, depth: int) -> str:
        on = type_
        if is_abstract_type(type_):
            on = self.chance.choice(list(self.schema.get_possible_types(type_)))
            if type_.name == "Node" and self.chance.random() < 0.95:
                on = self.schema.type_map[self.chance.choice((*("Asset", "AssetVersion", "Rendition") * 3, *TABLES))]
        elif self.chance.random() < 0.2 and type_.interfaces:
            on = self.chance.choice(list(type_.interfaces))
        selection = self._selection(on, depth + 1)
        if self.chance.random() < 0.5:
            return f"... on {on.name}{self._directive()}{selection}"
        name = f"F{len(self.fragments)}_{self.chance.randrange(10**6)}"
        self.fragments.append(f"fragment {name} on {on.name}{selection}")
        return f"...{name}{self._directive()}"

    def _directive(self) -> str:
        if self.chance.random() > 0.06:
            return ""
        word, value = self.chance.choice(("skip", "include")), self.chance.random() < 0.5
        if self.chance.random() < 0.5:
            return f" @{word}(if: {json.dumps(value)})"
        return f" @{word}(if: ${self._variable('Boolean!', value)})"

    def _variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        if not type_.endswith("!") and self.chance.random() < 0.1:
            value = ...  # not given
        self.variables[name] = type_, value
        return name

    def _arguments(self, definition: GraphQLField) -> str:
        told = []
        paging = self.chance.choice(PAGING)
        for name, argument in definition.args.items():
            required = isinstance(argument.type, GraphQLNonNull)
            if name in {"first", "after", "last", "before"} and self.chance.random() < 0.95:
                if name not in paging:
                    continue
            elif not required and self.chance.random() < (0.97 if name == "search" else 0.65):
                continue
            value = self._value(name, argument.type)
            if self.chance.random() < 0.4:
                told.append(f"{name}: ${self._variable(str(argument.type), value)}")
            else:
                told.append(f"{name}: {self._spelt(argument.type, value)}")
        return f"({', '.join(told)})" if told else ""

    def _value(self, name: str, type_: GraphQLInputType, depth: int = 0) -> Any:  # a kind each
        if isinstance(type_, GraphQLNonNull):
            return self._value(name, type_.of_type, depth)
        if isinstance(type_, GraphQLList):
            return [self._value(name, type_.of_type, depth + 1) for _ in range(self.chance.randrange(4))]
        if isinstance(type_, GraphQLEnumType):
            return self.chance.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            names = [each for each in type_.fields if depth < 3 or each not in {"and", "or", "not", "AND", "OR", "NOT"}]
            if self.chance.random() < 0.95:  # a world without fields of its own refuses to be asked about them
                names = [each for each in names if each != "fields"] or names
            some = [each for each in names if isinstance(type_.fields[each].type, GraphQLNonNull)]
            some += self.chance.sample(names, min(len(names), self.chance.choice((1, 1, 2))))
            return {each: self._value(each, type_.fields[each].type, depth + 1) for each in dict.fromkeys(some)}
        return self._scalar(name, type_.name)

    def _scalar(self, name: str, type_: str) -> Any:  # noqa: PLR0911  # a kind each
        choose = self.chance.choice
        match type_:
            case "Int" if name in {"first", "last"}:
                return choose((0, 1, 2, 3, 5, 20, 100)) if self.chance.random() < 0.95 else choose((101, -1))
            case "Int" | "BigInt":
                return choose((0, 1, 10, 15, 20, 100, 150, 2000))
            case "ID":
                some = ("Asset", "AssetVersion", "Rendition", "RenditionPreset")
                type_ = choose(("Asset", "Asset", "Asset", *some) if self.chance.random() < 0.8 else [*self.ids])
                type_ = NAMED.get(self.root if name == "id" else name, type_)
                return choose(self.ids[type_]) if self.chance.random() < 0.97 else choose(("", "xyz", "QQ"))
            case "String" if name in {"after", "before"}:
                known = self.cursors.get(self.root) or self.cursors.get("assets")
                return choose(known) if known and self.chance.random() < 0.97 else "nothing"
            case "String" if name == "preset":
                return choose(("web", "thumb", "preview", "nothing"))
            case "String":
                return choose(CODES if name == "codes" else ("image/png", "image/", "asset", "red", ""))
            case "Boolean":
                return self.chance.random() < 0.5
            case "DateTime":
                return choose(("2026-01-01T00:00:00Z", "2026-01-02T12:00:00+02:00", "2023-10-24T00:00:00Z"))
            case "Date":
                return choose(("2026-01-01", "2023-10-24"))
            case "Locale":
                return choose(("de", "en-GB", "und"))
            case "Sha256":
                return "0" * 64
            case _:
                return "1"

    def _spelt(self, type_: GraphQLInputType, value: Any) -> str:
        """The value as a literal."""
        named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(named, GraphQLList):
            return f"[{', '.join(self._spelt(named.of_type, each) for each in value)}]"
        if isinstance(named, GraphQLEnumType):
            return str(value)
        if isinstance(named, GraphQLInputObjectType):
            parts = (f"{name}: {self._spelt(named.fields[name].type, each)}" for name, each in value.items())
            return f"{{{', '.join(parts)}}}"
        return json.dumps(value)
