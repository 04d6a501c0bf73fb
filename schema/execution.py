"""Answering one GraphQL request, synchronously, in a thread of its own.

Resolvers are asynchronous only so that reads which are due together become one batched read; nothing in them waits
for anything else, and the unit of work never leaves its thread. What went wrong inside is masked: the client gets a
reference, the log the rest.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
import warnings
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
)
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.hub import Hub, refusal_of
from domain.refusals import NotAllowed, NotSignedIn, Refusal
from domain.work import Viewer
from schema import bounds, changes, cost, plans
from schema.audit import reason_of
from schema.built import built, graphql_schema
from schema.context import Context
from schema.lifting import Skeleton
from schema.prepared import MAX_ERRORS, MAX_MESSAGE, Prepared, is_prepared, known, prepared

#: Event loops between two requests: as many as ever were answered at once. Threads come and go, these stay.
_idle: list[asyncio.AbstractEventLoop] = []
#: The price beyond which nobody is kept waiting for an answer: its bytes alone would take too long to write.
HURRIED: Final = 3_000
#: How plans read the schema and its arguments.
LANGUAGE: Final = plans.Language(built.config, built.schema_converter.scalar_registry)
_log = structlog.get_logger("graphql")
# graphql-core gives up what an error beside it made useless, also what had not begun yet.
warnings.filterwarnings(
    "ignore", r"coroutine '(Executor|GraphQLCoreConverter|_Needing)\..*' was never awaited", RuntimeWarning
)
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
    #: In which texts are wanted, the most wanted first, where the document does not say.
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answered:
    """`executed` is false where the document never ran: it cannot be parsed, is not valid, or may not run here."""

    body: bytes
    executed: bool
    #: A mutation was asked for where only queries may run.
    wrong_method: bool = False


@dataclass(frozen=True)
class Ready:
    """A request that may run: what it says was read and measured, and its price was paid."""

    prepared: Prepared
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]
    price: int
    most: int
    allowance: cost.Allowance | None
    reason: str | None
    languages: tuple[str, ...]


def answer(
    hub: Hub, viewer: Viewer | None, request: Asked, request_id: str, spend: cost.Spend | None = None
) -> Answered:
    """The response to one request, as JSON. Raises nothing but what `spend` raises, before anything was run."""
    if viewer is None:
        return refused(GraphQLError("Sign in first.", extensions={"code": NotSignedIn.code}))
    skeleton = _skeleton(hub, request)
    try:
        lifted = None if skeleton is None else _lifted(hub, request, skeleton, spend)
        if lifted is not None:
            data = _planned(hub, viewer, lifted)
            if data is not None:
                return _told(lifted, orjson.Fragment(data))
            spend = _paid(lifted)
        ready = made_ready(hub, request, spend)
    except Unfit as unfit:
        return unfit.answered
    if ready.operation.operation is OperationType.SUBSCRIPTION:
        return refused(_uncoded("There are no subscriptions at this address."))
    data = _planned(hub, viewer, ready) if hub.settings.plans else None
    if data is None:
        return _ordinarily(hub, viewer, ready, request_id)
    if skeleton is not None and lifted is None:
        skeleton.learn(ready.prepared)
    return _told(ready, orjson.Fragment(data))


@dataclass(frozen=True)
class AtHand:
    """A query that may be answered without a thread being asked for it."""

    ready: Ready
    asking: plans.Asking

    @property
    def is_short(self) -> bool:
        """Whether reading it may take a few milliseconds alone."""
        return self.ready.price <= HURRIED and self.asking.known.may_be_hurried

    def said(self, epoch: Hashable) -> Answered | None:
        """What was answered in this epoch before: microseconds."""
        data = self.asking.said(epoch)
        return None if data is None else _told(self.ready, orjson.Fragment(data))

    def read(self, epoch: Hashable) -> Answered | None:
        """What is read in a few milliseconds; None where it takes longer. `epoch` is that of this moment."""
        data = self.asking.data_at_hand(epoch)
        return None if data is None else _told(self.ready, orjson.Fragment(data))


def at_hand(hub: Hub, viewer: Viewer, request: Asked) -> AtHand | None:
    """None where anything is to be prepared or refused first. Nothing is paid."""
    made = known(request.query, introspects=_introspects(hub)) if hub.settings.plans else None
    try:
        if made is None or made.document is None:
            return None
        ready = _measured(hub, request, made, made.document, {}, _reason(request), None)
    except Unfit:
        return None
    asking = plans.at_hand(LANGUAGE, hub, viewer, made.known(ready.operation), ready.variables)
    return None if asking is None else AtHand(ready, asking)


def made_ready(hub: Hub, request: Asked, spend: cost.Spend | None = None) -> Ready:
    """Everything that is decided before anything runs; raises `Unfit`, and what `spend` raises.

    `spend` is told what the request costs beyond `cost.REQUEST`, which whoever signed it in has taken already.
    """
    reason = _reason(request)
    if not is_prepared(request.query, introspects=_introspects(hub)):
        spend = _reading(request, spend)
    made = prepared(request.query, introspects=_introspects(hub))
    if made.document is None:
        if spend is not None:
            spend(cost.REFUSAL)
        raise Unfit(*made.errors)
    return _measured(hub, request, made, made.document, {}, reason, spend)


def _measured(
    hub: Hub,
    request: Asked,
    made: Prepared,
    document: DocumentNode,
    lifted: Mapping[str, Any],
    reason: str | None,
    spend: cost.Spend | None,
) -> Ready:
    """Chooses, bounds, prices and pays what was prepared; `lifted` are values that the client wrote into its text."""
    operation = _chosen(document, request)
    variables = request.variables or {}
    try:
        bounds.check_variables(variables)
    except GraphQLError as error:
        raise Unfit(error) from None
    if lifted:
        variables = {**variables, **lifted}
    price = made.price(operation)(variables)
    most = cost.most(hub.settings.cost_limit, hub.settings.token_budget)
    if (refusal := cost.too_high(price, most)) is not None:
        raise Unfit(refusal)
    allowance = None if spend is None else spend(price - cost.REQUEST)
    return Ready(made, document, operation, variables, price, most, allowance, reason, request.languages)


class Unfit(Exception):
    """A request that cannot be run, or not here; `answered` is what it is told."""

    def __init__(self, *errors: GraphQLError, wrong_method: bool = False) -> None:
        super().__init__(errors[0].message)
        self.answered = refused(*errors, wrong_method=wrong_method)


def _chosen(document: DocumentNode, request: Asked) -> OperationDefinitionNode:
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        raise Unfit(_uncoded("Name in `operationName` which of the document's operations is to run."))
    if operation.operation is OperationType.MUTATION and request.read_only:
        raise Unfit(
            GraphQLError("A mutation needs POST.", extensions={"code": "METHOD_NOT_ALLOWED"}), wrong_method=True
        )
    return operation


def _reason(request: Asked) -> str | None:
    try:
        return reason_of(request.extensions)
    except Refusal as unfit:
        raise Unfit(GraphQLError(unfit.message, extensions={"code": unfit.code})) from None


def _introspects(hub: Hub) -> bool:
    return bool(hub.settings.introspection == "on")


def _skeleton(hub: Hub, request: Asked) -> Skeleton | None:
    """Of a text that is new here; what is prepared needs none."""
    introspects = _introspects(hub)
    if not hub.settings.plans or is_prepared(request.query, introspects=introspects):
        return None
    return Skeleton.of(request.query, introspects=introspects)


def _lifted(hub: Hub, request: Asked, skeleton: Skeleton, spend: cost.Spend | None) -> Ready | None:
    """The request with its literals as variables, paid; None where that is not known yet."""
    found = skeleton.lifted()
    if found is None or found.prepared.document is None:
        return None
    paying = _reading(request, spend)
    return _measured(hub, request, found.prepared, found.prepared.document, found.values, _reason(request), paying)


def _reading(request: Asked, spend: cost.Spend | None) -> cost.Spend | None:
    """Paying for a text that is new here, too; what an operation is said to cost is the same each time."""
    return None if spend is None else lambda price: spend(price + cost.of_reading(request.query))


def _paid(ready: Ready) -> cost.Spend | None:
    """What stands for paying where that was done."""
    return None if ready.allowance is None else lambda _: ready.allowance


def _planned(hub: Hub, viewer: Viewer, ready: Ready) -> bytes | None:
    """What a compiled plan answers, as ordinary execution would; None where it has to be asked."""
    return plans.answer(LANGUAGE, hub, viewer, ready.prepared.known(ready.operation), ready.variables)


def _told(ready: Ready, data: Any) -> Answered:
    """An answer without errors."""
    told = {"cost": {"requested": ready.price, "maximum": ready.most}}
    return Answered(_body(data, [], extensions=told), executed=True)


def _ordinarily(hub: Hub, viewer: Viewer, ready: Ready, request_id: str) -> Answered:
    context = Context(hub, viewer, request_id, ready.reason, ready.languages)
    context.cost, context.allowance = ready.price, ready.allowance
    told = {"cost": {"requested": ready.price, "maximum": ready.most}}
    try:
        context.before_reading = changes.before_reading(hub, ready.document, ready.operation)
        with _loop() as loop:
            result = loop.run_until_complete(_execute(context, ready))
    except Exception:  # noqa: BLE001  # whatever it is, the client must get an answer and must not see it
        return Answered(_body(None, [_masked([], request_id)]), executed=True)
    finally:
        context.close()
    spoken = [_spoken(error, request_id) for error in (result.errors or [])[:MAX_ERRORS]]
    if _never_ran(result):
        return Answered(_body(None, spoken, with_data=False), executed=False)
    body = _body(result.data, spoken, extensions={**told, **({"denied": context.denied} if context.denied else {})})
    return Answered(body, executed=True)


async def _execute(context: Context, ready: Ready) -> ExecutionResult:
    """As Strawberry itself runs a document that it has parsed and validated."""
    name = ready.operation.name
    result: Any = execute(
        graphql_schema,
        ready.document,
        variable_values=ready.variables,
        operation_name=None if name is None else name.value,
        context_value=context,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # Strawberry's, which only answers a bool
        executor_class=StrawberryGraphQLCoreExecutionContext,
        hide_suggestions=context.hub.settings.introspection != "on",
    )
    found: ExecutionResult = await result if optimized_is_awaitable(result) else result
    return found


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


def refused(*errors: GraphQLError, wrong_method: bool = False) -> Answered:
    body = _body(None, [_spoken(error, "") for error in errors], with_data=False)
    return Answered(body, executed=False, wrong_method=wrong_method)


def _uncoded(sentence: str) -> GraphQLError:
    return GraphQLError(sentence, extensions={"code": "GRAPHQL_VALIDATION_FAILED"})


def _body(
    data: Any,
    errors: list[dict[str, Any]],
    *,
    with_data: bool = True,
    extensions: dict[str, Any] | None = None,
) -> bytes:
    body: dict[str, Any] = {"data": data} if with_data else {}
    body |= {"errors": errors} if errors else {}
    body |= {"extensions": extensions} if extensions else {}
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
    formatted: dict[str, Any] = {"message": message[:MAX_MESSAGE], "extensions": extensions}
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
