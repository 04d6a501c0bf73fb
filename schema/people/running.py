"""Mutations that change who holds what: whatever follows in the same request is answered by what holds afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from domain import authority
from domain.work import Work
from schema import mutating
from schema.context import Context
from schema.mutating import Answer

Payload = TypeVar("Payload")


def run(
    info: strawberry.Info,
    wanted: Any,
    payload: Callable[..., Payload],
    act: Callable[[Work], Answer],
) -> Payload:
    """`mutating.run`, after which the viewer holds what they hold now: a new organisation is below them already, and
    what they took from themselves is gone.
    """
    context: Context = info.context
    before = context.viewer

    def renewing(work: Work) -> Answer:
        answer = act(work)
        work.session.flush()
        context.viewer = authority.renewed(work)
        return answer

    answered: Any = mutating.run(info, wanted, payload, renewing)
    if answered.errors:
        context.viewer = before
    return answered  # type: ignore[no-any-return]  # the payload, seen as something with errors
