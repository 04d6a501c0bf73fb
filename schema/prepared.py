"""Documents made ready to run: parsed, measured and validated once per text, and refused once where they must be.

A text is prepared by one thread at a time, since a second one could only share the processor with it; what is kept is
found without waiting. What is kept is bounded, and a refusal is kept without the document that earned it.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
)
from graphql.language import Visitor, visit
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from schema import bounds, cost, plans, reading
from schema.built import graphql_schema

Made = TypeVar("Made")

#: Errors of one document that are worth reporting.
MAX_ERRORS: Final = 20
#: Characters of one error's sentence; it may quote the document.
MAX_MESSAGE: Final = 500
#: Documents kept, and characters of all those that can be run: a character of one costs about 200 bytes kept.
MOST_DOCUMENTS: Final = 2_000
MOST_CHARACTERS: Final = 500_000
#: What merging fields that overlap may cost: fields of the same name are compared pair by pair.
MERGING: Final = 20_000
OVERLAPS: Final = bounds.Bound(
    "TOO_MANY_OVERLAPS", MERGING // 2, "The same fields are asked for too often: at most {most} comparisons merge them."
)

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = MERGING


@dataclass(frozen=True)
class Prepared:
    """`document` is None exactly where there are errors."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    _prices: dict[int, cost.Price] = field(default_factory=dict)
    _plans: dict[int, plans.Known] = field(default_factory=dict)

    def price(self, operation: OperationDefinitionNode) -> cost.Price:
        """What the operation of this document costs with given variables."""
        assert self.document is not None, "what is refused has no price"
        if id(operation) not in self._prices:
            self._prices[id(operation)] = cost.of(graphql_schema, self.document, operation)
        return self._prices[id(operation)]

    def known(self, operation: OperationDefinitionNode) -> plans.Known:
        """What is known of plans for the operation of this document."""
        assert self.document is not None, "what is refused has no plan"
        if id(operation) not in self._plans:
            self._plans[id(operation)] = plans.Known(graphql_schema, self.document, operation)
        return self._plans[id(operation)]


def prepared(query: str, *, introspects: bool = True) -> Prepared:
    """The document, or why it is refused; never raises. Without `introspects` the schema is neither told nor hinted."""
    if len(query) > bounds.CHARACTERS.most:
        return Prepared(None, (bounds.CHARACTERS.refusal,))
    key = _key(query, introspects=introspects)
    found = _kept.find(key)
    if found is None:
        with _preparing:
            found = _kept.find(key)
            if found is None:
                found = _prepared(query, introspects=introspects)
                _kept.keep(key, found, len(query) if found.document is not None else 0)
    return found


def is_prepared(query: str, *, introspects: bool = True) -> bool:
    """Whether `prepared` has its answer already."""
    return known(query, introspects=introspects) is not None


def known(query: str, *, introspects: bool = True) -> Prepared | None:
    """What `prepared` has at hand."""
    return _kept.find(_key(query, introspects=introspects)) if len(query) <= bounds.CHARACTERS.most else None


def _key(query: str, *, introspects: bool) -> bytes:
    return hashlib.blake2b(query.encode("utf-8", "surrogatepass"), digest_size=16).digest() + bytes([introspects])


class Latest(Generic[Made]):
    """What was used last of what is made of texts: at most so many, of at most so many characters together."""

    def __init__(self, most: int, most_characters: int) -> None:
        self._most, self._most_characters = most, most_characters
        self._entries: OrderedDict[Hashable, tuple[Made, int]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Made | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def keep(self, key: Hashable, made: Made, characters: int) -> None:
        with self._lock:
            self._characters += characters - self._entries.pop(key, (None, 0))[1]
            self._entries[key] = (made, characters)
            while len(self._entries) > self._most or (
                self._characters > self._most_characters and len(self._entries) > 1
            ):
                self._characters -= self._entries.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._entries)


_kept: Latest[Prepared] = Latest(MOST_DOCUMENTS, MOST_CHARACTERS)
_preparing = threading.Lock()


def _prepared(query: str, *, introspects: bool) -> Prepared:
    try:
        document = reading.parsed(query, bounds.TOKENS.most)
        bounds.check_document(document)
        if not introspects:
            visit(document, _NoIntrospection())
        found = reading.faults(graphql_schema, document, MAX_ERRORS, hide_suggestions=not introspects)
    except GraphQLSyntaxError as error:
        return _refused([_unread(error)])
    except GraphQLError as error:
        return _refused([error])
    except RecursionError:
        return _refused([bounds.DEPTH.refusal])
    return _refused(_told(found)) if found else Prepared(document)


def _told(found: list[GraphQLError]) -> list[GraphQLError]:
    """One sentence where validation gave up, instead of what it found before."""
    if not isinstance(found[-1], ValidationAbortedError):
        return found
    if len(found) <= MAX_ERRORS:
        return [OVERLAPS.refusal]
    first = found[0]
    sentence = f"This document has more than {MAX_ERRORS} mistakes. The first: {first.message}"
    return [GraphQLError(sentence, first.nodes, extensions={"code": "GRAPHQL_VALIDATION_FAILED"})]


class _NoIntrospection(Visitor):
    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value in {"__schema", "__type"}:
            raise GraphQLError("The schema is not told here.", node, extensions={"code": "INTROSPECTION_OFF"})


def _unread(error: GraphQLSyntaxError) -> GraphQLError:
    """graphql-core's own limits, which are told as mistakes in spelling, as what they are."""
    if error.message.endswith("tokens. Parsing aborted."):
        return bounds.TOKENS.refusal
    if error.message.endswith("nested too deeply. Parsing aborted."):
        return bounds.DEPTH.refusal
    return _coded(error, "GRAPHQL_PARSE_FAILED")


def _refused(errors: Sequence[GraphQLError]) -> Prepared:
    return Prepared(None, tuple(_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in errors[:MAX_ERRORS]))


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    """The same without the nodes and the text that it came from, which would keep the whole document."""
    told = GraphQLError(error.message[:MAX_MESSAGE], extensions={"code": code, **(error.extensions or {})})
    told.locations = error.locations
    return told
