"""Documents read and validated as graphql-core does, with nothing left behind that only garbage collection takes away.

Garbage collection stops every thread for as long as it looks, and what a hostile document leaves would be what it looks
at: tokens that know their neighbours on both sides, and rules that remember their own methods and with them everything
they saw of the document.
"""

from __future__ import annotations

from typing import Any, Final

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Lexer,
    SelectionSetNode,
    Source,
    Token,
    ValidationContext,
    ValidationRule,
    specified_rules,
    validate,
)
from graphql.language.parser import Parser
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


def parsed(text: str, most_tokens: int) -> DocumentNode:
    """The document; raises a `GraphQLSyntaxError`. Its tokens do not know their neighbours."""
    source = Source(text)
    lexer = Lexer(source)
    first: Token | None = lexer.token
    try:
        return Parser(source, max_tokens=most_tokens, lexer=lexer).parse_document()
    finally:
        while first is not None:
            first.prev, first.next, first = None, None, first.next


def faults(
    schema: GraphQLSchema, document: DocumentNode, most: int, *, hide_suggestions: bool = False
) -> list[GraphQLError]:
    """What `validate` finds by `RULES`: at most so many, and one behind them that says that there are more.

    A document with faults is emptied: nobody may run it.
    """
    made: list[ValidationRule] = []

    def remembered(kind: Any) -> Any:
        def make(context: ValidationContext) -> ValidationRule:
            made.append(kind(context))
            return made[-1]

        return make

    try:
        found = validate(schema, document, [remembered(kind) for kind in RULES], most, hide_suggestions)
    finally:
        for rule in made:
            _forget(rule)
    if found:
        _empty(document)
    return found


def _forget(rule: ValidationRule) -> None:
    """What it saw, for it holds itself through the methods that it remembers."""
    if vars(rule.context):  # else another rule of the same validation was here
        vars(rule.context._type_info).clear()  # noqa: SLF001  # it keeps every fragment
        vars(rule.context).clear()
    vars(rule).clear()


def _empty(document: DocumentNode) -> None:
    """A validation that gave up remembers where it was, and nothing leads to what remembers that."""
    for definition in document.definitions:
        if isinstance(definition, ExecutableDefinitionNode):
            object.__setattr__(definition, "selection_set", SelectionSetNode(selections=()))  # nodes are frozen
