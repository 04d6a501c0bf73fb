"""What a webhook's document may be, and the words that it finds for an event.

A document is one query. It is told of the event by variables: `$subject` is the id of what it happened to, `$type` what
happened, `$timestamp` when, and `$cursor` where in the order of everything, as subscriptions understand it.
"""

from __future__ import annotations

from typing import Final

import graphql
from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType

from domain import webhooks
from domain.refusals import Invalid
from schema import bounds, cost

#: By name the types in which the event is told.
VARIABLES: Final = {"subject": "ID", "type": "String", "timestamp": "DateTime", "cursor": "String"}
MAX_TOKENS: Final = 1_000
#: What running it may cost, as `schema.cost` counts: it is run for every event.
MAX_COST: Final = 500
_PATH: Final = ("document",)


def check_document(schema: GraphQLSchema, text: str) -> None:
    """`Invalid` for anything but one query that this schema can answer, within the limits."""
    if len(text) > webhooks.MAX_DOCUMENT:
        raise Invalid(f"A document has at most {webhooks.MAX_DOCUMENT:,} characters.", _PATH, "length")
    try:
        document = graphql.parse(text, max_tokens=MAX_TOKENS)
        bounds.check_document(document)
    except GraphQLError as error:
        raise Invalid(_sentence(error), _PATH, "syntax") from None
    except RecursionError:
        raise Invalid("This document nests too deeply.", _PATH, "depth") from None
    operation = _operation(document)
    if errors := graphql.validate(schema, document, max_errors=1):
        raise Invalid(_sentence(errors[0]), _PATH, "validation")
    price = cost.of(schema, document, operation)({})
    if price > MAX_COST:
        raise Invalid(f"This document costs {price:,}; a webhook's may cost {MAX_COST:,}.", _PATH, "cost")


def _operation(document: DocumentNode) -> OperationDefinitionNode:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        raise Invalid("A webhook's document is one query.", _PATH, "operation")
    for variable in operations[0].variable_definitions or ():
        name, type_ = variable.variable.name.value, graphql.print_ast(variable.type)
        if type_.removesuffix("!") != VARIABLES.get(name):
            known = ", ".join(f"${each}: {of}!" for each, of in VARIABLES.items())
            raise Invalid(f"A webhook's document may declare {known}; not ${name}: {type_}.", _PATH, "variables")
    return operations[0]


def _sentence(error: GraphQLError) -> str:
    message = error.message.strip()
    return message if message.endswith(".") else f"{message}."
