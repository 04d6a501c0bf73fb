"""Literals lifted out of ad-hoc documents, so that texts which differ in nothing else share one document and one plan.

A text's skeleton is the text with every number and string replaced by its kind. Texts of one skeleton are read alike,
token by token, so that what was found out about one of them holds for all: which literals may become variables, and
of which type. Those that may not (in directives, in defaults, where fields are merged) are compared as they stand.

Always true here:
- A lifted document is given only for a text that is valid itself, and with the values that its literals say.
- It costs what the text costs, and answers what it answers. Errors are another matter: they point into the text.
- What is kept is bounded, in documents and in characters, and lifted is only what was planned, and met before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isfinite
from typing import Any, Final, TypeAlias

from graphql import (
    SKIP,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
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
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    parse_type,
    validate,
    visit,
)

from schema import bounds
from schema.built import graphql_schema
from schema.plans.kept import Recent
from schema.prepared import MAX_ERRORS, RULES, Latest, Prepared

#: Longer texts, and those with more literals, are prepared like any other.
MOST_CHARACTERS: Final = 20_000
MOST_LITERALS: Final = 200
#: Skeletons remembered, and lifted documents kept with the characters that they are made of.
MOST_SKELETONS: Final = 4_000
MOST_LIFTED: Final = 500
MOST_LIFTED_CHARACTERS: Final = 250_000
#: What lifted variables are called; a text that says so itself is left alone.
PREFIX: Final = "lifted_"
LARGEST: Final = 2**31 - 1
#: What the keys of plans can tell apart.
LARGEST_KEPT: Final = 2**63 - 1

#: Comments, block strings, strings and numbers as graphql-core's lexer reads them; last what can only be a mistake.
#: Nothing that was passed is tried again, so that a text is read in time linear in its length.
_TOKEN: Final = re.compile(
    r'''(["#0-9-](?:
        (?<=\#) [^\n\r]*+
      | (?<=") (?: ""[^"\\]*+ (?: (?: \\(?:""")? | "(?!"") ) [^"\\]*+ )*+ """
                 | (?!"") [^"\\\n\r]*+ (?: \\[^\n\r] [^"\\\n\r]*+ )*+ " )
      | (?<=[0-9-]) (?<![0-9A-Za-z_].)
        (?: (?<=-)(?: 0 | [1-9][0-9]*+ ) | (?<=0) | (?<=[1-9]) [0-9]*+ ) (?: \.[0-9]++ )? (?: [eE][+-]?[0-9]++ )?
        (?![0-9A-Za-z_.])
      | (?<=["-])
      | (?<![0-9A-Za-z_].)
    ))''',
    re.VERBOSE,
)

Reader: TypeAlias = Callable[[str], Any]


@dataclass(frozen=True)
class Lifted:
    """A document whose literals are variables, and what they are given."""

    prepared: Prepared
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Skeleton:
    """A text without its literals, and these in order."""

    key: bytes
    literals: tuple[str, ...]
    text: str
    introspects: bool

    @classmethod
    def of(cls, text: str, *, introspects: bool = True) -> Skeleton | None:
        """None where the text has none, or too much of anything, or cannot be GraphQL."""
        if len(text) > MOST_CHARACTERS or "\0" in text:
            return None
        parts = _TOKEN.split(text)
        if not 1 < len(parts) <= 2 * MOST_LITERALS:
            return None
        literals = []
        for at in range(1, len(parts), 2):
            token = parts[at]
            if token[0] == "#":
                continue
            kind = _kind(token)
            if kind is None:
                return None
            literals.append(token)
            parts[at] = kind
        try:
            digest = blake2b("".join(parts).encode(), digest_size=16).digest()
        except UnicodeEncodeError:
            return None
        return cls(digest + bytes([introspects]), tuple(literals), text, introspects) if literals else None

    def lifted(self) -> Lifted | None:
        """The lifted document for this text; None where none is known, or the text is not valid."""
        liftable = _liftable.get(self.key)
        if not liftable:
            return None
        mould = _moulds.find((self.key, self._kept(liftable)))
        return None if mould is None else mould.filled(self.literals)

    def learn(self, prepared: Prepared) -> None:
        """Makes the lifted document of this text, which was prepared and planned, if its like has been met before."""
        liftable = _liftable.get(self.key)
        if liftable is None:
            _liftable.put(self.key, ())
            return
        found: dict[int, _Literal] | None = None
        if not liftable:
            found = self._found(prepared)
            liftable = _liftable.put(self.key, tuple(at in found for at in range(len(self.literals))))
        kept = self._kept(liftable)
        if not any(liftable) or (kept and _met.get((self.key, kept)) is None):
            _met.put((self.key, kept), value=True)
            return
        if _moulds.find((self.key, kept)) is None:
            mould = _mould(self, prepared, found or self._found(prepared))
            _moulds.keep((self.key, kept), mould, len(self.text) if mould.prepared else 0)
