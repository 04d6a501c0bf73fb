"""Running a subscription: beginning it, and telling one delivery after another as its viewer may hear it then.

Always true here:
- A delivery is ordinary execution with a snapshot of its own, in the rights that are handed in with it; between two
  of them nothing is held open. What the viewer may not see leaves nothing behind, not even an empty message.
- It costs what a query of the same selection costs, each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    OperationType,
    create_source_event_stream,
    get_operation_ast,
)
from graphql.execution import execute_subscription_event
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain import asking, feed
from domain.feed import Happened, Steps
from domain.hub import Hub
from domain.work import Viewer
from schema import cost, execution
from schema.built import graphql_schema
from schema.context import Context
from schema.execution import Answered, Asked, Ready, Unfit, _body, _loop, _spoken
from schema.prepared import MAX_ERRORS, prepared
from schema.topics import Following, Watching

Result = TypeVar("Result")

#: States in which a job is over.
OVER = frozenset({"DONE", "DEAD"})


@dataclass(frozen=True)
class Begun:
    """A subscription that runs."""

    ready: Ready
    source: Following[Any] | Watching[Any]

    @property
    def price(self) -> int:
        """Of one delivery."""
        return self.ready.price


@dataclass(frozen=True)
class JobTold:
    """`body` is None where the viewer is not told; `steps` is how far the job is, None once there is no such job."""

    body: bytes | None
    steps: Steps | None

    @property
    def is_over(self) -> bool:
        return self.steps is None or self.steps.state in OVER


def begin(
    hub: Hub, viewer: Viewer, request: Asked, request_id: str, spend: cost.Spend | None = None
) -> Begun | Answered:
    """The subscription that was asked for; the whole answer where it was a query or a mutation, or refused.

    Raises nothing but what `spend` raises.
    """
    document = prepared(request.query, introspects=hub.settings.introspection == "on").document
    operation = None if document is None else get_operation_ast(document, request.operation_name)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        return execution.answer(hub, viewer, request, request_id, spend)
    try:
        ready = execution.made_ready(hub, request, spend)
    except Unfit as unfit:
        return unfit.answered
    return _in_context(hub, viewer, ready, request_id, lambda at: _source(at, ready))


def tell(hub: Hub, viewer: Viewer, begun: Begun, happened: Sequence[Happened], request_id: str) -> list[bytes]:
    """Of these events, in order, those that the viewer may be told: a response each, as JSON."""
    source = begun.source
    assert isinstance(source, Following)

    def told(at: _Place) -> list[bytes]:
        found = source.read(at.context.work, happened)
        return [
            _response(at, begun.ready, source.speak(event, found[event.seq], feed.cursor(hub.secret, event.seq)))
            for event in happened
            if event.seq in found
        ]

    answered = _in_context(hub, viewer, begun.ready, request_id, told)
    return [answered.body] if isinstance(answered, Answered) else answered


def tell_job(hub: Hub, viewer: Viewer, begun: Begun, known: Steps | None, request_id: str) -> JobTold:
    """How far the watched job is, unless that is `known` already."""
    source = begun.source
    assert isinstance(source, Watching)

    def told(at: _Place) -> JobTold:
        steps = feed.steps_now(at.context.work, source.job_id)
        row = asking.jobs_by_id(at.context.work, [source.job_id]).get(source.job_id)
        if row is None or steps == known:
            return JobTold(None, steps)
        return JobTold(_response(at, begun.ready, source.speak(row)), steps)

    answered = _in_context(hub, viewer, begun.ready, request_id, told)
    return JobTold(answered.body, known) if isinstance(answered, Answered) else answered


def refused(sentence: str, code: str) -> Answered:
    """The answer to a request that names what cannot be run."""
    return execution.refused(GraphQLError(sentence, extensions={"code": code}))


@dataclass(frozen=True)
class _Place:
    """One snapshot and one event loop: batched reads belong to both."""

    context: Context
    loop: asyncio.AbstractEventLoop

    def done(self, result: Any) -> Any:
        return self.loop.run_until_complete(result) if optimized_is_awaitable(result) else result


def _in_context(
    hub: Hub, viewer: Viewer, ready: Ready, request_id: str, do: Callable[[_Place], Result]
) -> Result | Answered:
    """What it answers; a masked error where it fails in a way that nobody foresaw."""
    context = Context(hub, viewer, request_id, ready.reason, ready.languages)
    context.cost, context.allowance = ready.price, ready.allowance
    try:
        with _loop() as loop:
            return do(_Place(context, loop))
    except Exception as bug:  # noqa: BLE001  # as for any request: the client must get an answer and must not see it
        located = GraphQLError(str(bug), path=[], original_error=bug)
        return Answered(_body(None, [_spoken(located, request_id)]), executed=True)
    finally:
        context.close()


def _source(at: _Place, ready: Ready) -> Begun | Answered:
    executor = _executor(at, ready)
    if isinstance(executor, list):
        return execution.refused(*executor)
    found: Any = at.done(create_source_event_stream(executor))
    if isinstance(found, Following | Watching):
        return Begun(ready, found)
    assert isinstance(found, ExecutionResult), "our sources are these two"
    return Answered(_body(None, _errors(at, found), with_data=False), executed=False)


def _response(at: _Place, ready: Ready, event: Any) -> bytes:
    """Like the answer to a query whose only field is this event."""
    at.context.denied = []
    executor = _executor(at, ready)
    assert not isinstance(executor, list), "its variables were good when it began"
    told: ExecutionResult = at.done(execute_subscription_event(executor.build_per_event_executor(event)))
    extensions: dict[str, Any] = {"cost": {"requested": ready.price, "maximum": ready.most}}
    if at.context.denied:
        extensions["denied"] = at.context.denied
    return _body(told.data, _errors(at, told), extensions=extensions)


def _errors(at: _Place, result: ExecutionResult) -> list[dict[str, Any]]:
    return [_spoken(error, at.context.request_id) for error in (result.errors or ())[:MAX_ERRORS]]


def _executor(at: _Place, ready: Ready) -> Executor[Any] | list[GraphQLError]:
    name = ready.operation.name
    return StrawberryGraphQLCoreExecutionContext.build(
        graphql_schema,
        ready.document,
        context_value=at.context,
        raw_variable_values=ready.variables,
        operation_name=None if name is None else name.value,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # Strawberry's, which only answers a bool
        hide_suggestions=at.context.hub.settings.introspection != "on",
    )
