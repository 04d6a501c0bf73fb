"""Our own ways to an answer in this process: as Strawberry does it unaided, without plans, and by plans."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from bench.graphql.world import TOKENS, Question
from domain import identity
from domain.hub import Hub
from domain.work import Viewer
from schema import execution, plans
from schema.audit import reason_of
from schema.built import built
from schema.context import Context
from schema.execution import Asked
from schema.plans import kept

Asking: TypeAlias = Callable[[Question, str], bytes]


def forget(hub: Hub) -> None:
    """Nothing is kept any more that was read; plans and compiled statements are."""
    memory = kept.of(hub.database)
    memory.values, memory.answers = kept.Kept(), kept.Answers()


@contextmanager
def ways(hub: Hub) -> Iterator[dict[str, Asking]]:
    """By name."""
    viewers = {name: identity.viewer_of_token(hub, token) for name, token in TOKENS.items()}
    without = dataclasses.replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    planned = dataclasses.replace(hub, settings=hub.settings.model_copy(update={"plans": True}))

    def uncached(question: Question, who: str) -> bytes:
        forget(hub)
        return _planned(planned, viewers[who], question)

    with asyncio.Runner() as runner:
        yield {
            "strawberry": lambda question, who: _unaided(runner, hub, viewers[who], question),
            "ordinary": lambda question, who: _answered(without, viewers[who], question),
            "uncached": uncached,
            "warm": lambda question, who: _planned(planned, viewers[who], question),
        }


def _unaided(runner: asyncio.Runner, hub: Hub, viewer: Viewer, question: Question) -> bytes:
    """Parsed, validated and executed anew, and written by the library that Strawberry writes with."""
    context = Context(hub, viewer, "bench", reason_of(None))
    try:
        result: Any = runner.run(
            built.execute(question.query, variable_values=dict(question.variables), context_value=context)
        )
    finally:
        context.close()
    assert not result.errors, result.errors
    return json.dumps({"data": result.data}).encode()


def _answered(hub: Hub, viewer: Viewer, question: Question) -> bytes:
    return execution.answer(hub, viewer, Asked(question.query, variables=dict(question.variables)), "bench").body


def _planned(hub: Hub, viewer: Viewer, question: Question) -> bytes:
    before = plans.counted.answered
    body = _answered(hub, viewer, question)
    if plans.counted.answered == before:
        raise SystemExit(f"No plan answers {question.name}.")
    return body
