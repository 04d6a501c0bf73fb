"""Answering one GraphQL request, synchronously, in a thread of its own.

Resolvers are asynchronous only so that reads which are due together become one batched read; nothing in them waits
for anything else, and the unit of work never leaves its thread. What went wrong inside is masked: the client gets a
reference, the log the rest.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationType,
    get_operation_ast,
    parse,
)

from domain.hub import Hub, refusal_of
from domain.refusals import NotAllowed, NotSignedIn, Refusal
from domain.work import Viewer
from schema import plans
from schema.audit import reason_of
from schema.built import built
from schema.context import Context

#: Lexical tokens in a document; a hand-written query has a few hundred, and merging its fields takes quadratic time.
MAX_TOKENS = 5_000
#: Errors of one document that are worth reporting.
MAX_ERRORS = 20

#: Event loops between two requests: as many as ever were answered at once. Threads come and go, these stay.
_idle: list[asyncio.AbstractEventLoop] = []
_log = structlog.get_logger("graphql")
# It writes every refusal as an error with a traceback; what is a bug is logged here, once.
logging.getLogger("strawberry.execution").disabled = True


@dataclass(frozen=True)
class Asked:
    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    #: True for GET: a mutation is refused.
    read_only: bool = False


@dataclass(frozen=True)
class Answered:
    """`executed` is false where the document never ran: it cannot be parsed, is not valid, or may not run here."""

    body: bytes
    executed: bool
    #: A mutation was asked for where only queries may run.
    wrong_method: bool = False


def answer(hub: Hub, viewer: Viewer | None, request: Asked, request_id: str) -> Answered:
    """The response to one request, as JSON; never raises."""
    if viewer is None:
        return _refused(GraphQLError("Sign in first.", extensions={"code": NotSignedIn.code}))
    planned = _planned(hub, viewer, request) if hub.settings.plans else None
    if planned is not None:
        return Answered(_body(orjson.Fragment(planned), []), executed=True)
    refusal = _unfit(request)
    if refusal is not None:
        return refusal
    context = Context(hub, viewer, request_id, reason_of(request.extensions))
    try:
        with _loop() as loop:
            result = loop.run_until_complete(_execute(context, request))
    except Exception:  # noqa: BLE001  # whatever it is, the client must get an answer and must not see it
        return Answered(_body(None, [_masked([], request_id)]), executed=True)
    finally:
        context.close()
    spoken = [_spoken(error, request_id) for error in (result.errors or [])[:MAX_ERRORS]]
    return Answered(_body(result.data, spoken, denied=context.denied), executed=not _never_ran(result))


def _unfit(request: Asked) -> Answered | None:
    """The refusal of a request that cannot be run here; None where it can."""
    try:
        document = parse(request.query, max_tokens=MAX_TOKENS)
        reason_of(request.extensions)
    except GraphQLSyntaxError as error:
        return _refused(error)
    except RecursionError:
        return _refused(GraphQLError("This document nests too deeply.", extensions={"code": "TOO_DEEP"}))
    except Refusal as unfit:
        return _refused(GraphQLError(unfit.message, extensions={"code": unfit.code}))
    return _misplaced(document, request)


def _misplaced(document: DocumentNode, request: Asked) -> Answered | None:
    """The refusal of a document of which no operation can be run here; None where one can."""
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        return _refused(GraphQLError("Name in `operationName` which of the document's operations is to run."))
    if operation.operation is OperationType.SUBSCRIPTION:
        return _refused(GraphQLError("There are no subscriptions at this address."))
    if operation.operation is OperationType.MUTATION and request.read_only:
        refusal = GraphQLError("A mutation needs POST.", extensions={"code": "METHOD_NOT_ALLOWED"})
        return Answered(_refused(refusal).body, executed=False, wrong_method=True)
    return None


_LANGUAGE = plans.Language(built._schema, built.config, built.schema_converter.scalar_registry)
_VALID = {}
PLANS = True
def _planned(hub, viewer, request):
    if not PLANS: return None
    if (request.query, request.operation_name) not in _VALID:
        document = parse(request.query)
        from graphql import validate
        if validate(built._schema, document): document=None
        _VALID[request.query, request.operation_name] = document, document and get_operation_ast(document, request.operation_name)
    document, op = _VALID[request.query, request.operation_name]
    if document is None: return None
    return plans.answer(_LANGUAGE, hub, viewer, request.query, document, op, request.variables)


async def _execute(context: Context, request: Asked) -> ExecutionResult:
    result: Any = await built.execute(
        request.query,
        variable_values=request.variables,
        context_value=context,
        operation_name=request.operation_name,
    )
    return result  # type: ignore[no-any-return]  # Strawberry's result is graphql-core's with extensions


def _never_ran(result: ExecutionResult) -> bool:
    return result.data is None and any(error.path is None for error in result.errors or ())


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    try:
        loop = _idle.pop()
    except IndexError:
        loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        _finish(loop)
        _idle.append(loop)


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Lets resolvers come to their end that an error left behind: with the next request's loop they would go on, read
    behind its back, and hold a connection for ever. Cancelled ones would leave others that were never awaited.
    """
    while left := asyncio.all_tasks(loop):
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _refused(error: GraphQLError) -> Answered:
    return Answered(_body(None, [_spoken(error, "")], with_data=False), executed=False)


def _body(
    data: Any,
    errors: list[dict[str, Any]],
    *,
    with_data: bool = True,
    denied: list[dict[str, Any]] | None = None,
) -> bytes:
    body: dict[str, Any] = {"data": data} if with_data else {}
    if errors:
        body["errors"] = errors
    if denied:
        body["extensions"] = {"denied": denied}
    return orjson.dumps(body)


def _spoken(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    if (isinstance(cause, GraphQLError) or cause is None) and not _is_ours(error):
        code = (error.extensions or {}).get("code") or _code_of(error)
        return _formatted(error, error.message, {**(error.extensions or {}), "code": code})
    if (told := refusal_of(cause)) is not None:
        _log.error("graphql.storage", path=error.path, request_id=request_id, exc_info=cause)
        cause = told
    if isinstance(cause, Refusal):
        extensions: dict[str, Any] = {"code": cause.code}
        if cause.path:
            extensions["argument"] = ".".join(cause.path)
        if isinstance(cause, NotAllowed):
            extensions["permission"] = cause.permission
        if getattr(cause, "position", None) is not None:
            extensions["position"] = cause.position  # type: ignore[attr-defined]  # only BadSearch has one
        return _formatted(error, cause.message, extensions)
    return _formatted(error, **_masked(error.path, request_id, cause))


def _is_ours(error: GraphQLError) -> bool:
    """A value that GraphQL could not speak; an argument that it could not understand points at the argument."""
    return error.path is not None and all(isinstance(node, FieldNode) for node in error.nodes or ())


def _code_of(error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    return "GRAPHQL_VALIDATION_FAILED" if error.path is None else "BAD_USER_INPUT"


def _formatted(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message, "extensions": extensions}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    return formatted


def _masked(path: Any, request_id: str, cause: BaseException | None = None) -> dict[str, Any]:
    reference = uuid.uuid4().hex[:12]
    _log.error("graphql.bug", reference=reference, path=path, request_id=request_id, exc_info=cause or True)
    return {
        "message": f"Something went wrong on our side; quote the reference {reference}.",
        "extensions": {"code": "INTERNAL", "reference": reference},
    }
