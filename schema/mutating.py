"""How every mutation runs: one unit of work, an answer whose entity is null exactly when errors are not empty.

Whatever the domain refuses rolls everything back and becomes a typed error. With an `idempotencyKey`, a repeated
request hears the first answer as it stands now. A unit of work that lost a deadlock is done once more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import strawberry
import structlog

from domain import idempotency
from domain.refusals import Conflict, Refusal, StorageFull, StorageUnavailable
from domain.work import Work
from schema import errors
from schema.context import Context
from schema.node import KINDS
from storage import database

Payload = TypeVar("Payload")
#: Per payload field the type and the row's id, or None.
Answer = Mapping[str, tuple[str, int] | None]

UNREPEATED = ("client_mutation_id", "idempotency_key")

_log = structlog.get_logger("graphql")


def run(
    info: strawberry.Info,
    wanted: Any,
    payload: Callable[..., Payload],
    act: Callable[[Work], Answer],
) -> Payload:
    """Runs `act` in a unit of work and answers with the entities it names, read afresh after the commit."""
    context: Context = info.context
    echo = getattr(wanted, "client_mutation_id", None)
    names = [field.name for field in dataclasses.fields(payload) if field.name not in {"errors", "client_mutation_id"}]  # type: ignore[arg-type]
    try:
        answer = _committed(context, lambda work: _once(work, info.field_name, wanted, act))
    except Refusal as refusal:
        if isinstance(refusal, StorageFull | StorageUnavailable):
            _log.error("graphql.storage", request_id=context.request_id, exc_info=refusal)
        return payload(**dict.fromkeys(names), errors=[errors.typed(refusal)], client_mutation_id=echo)
    return payload(
        **{name: _spoken(context, answer.get(name)) for name in names},
        errors=[],
        client_mutation_id=echo,
    )


def plain(wanted: Any) -> Any:
    """An input as JSON could hold it, for comparing two requests."""
    if dataclasses.is_dataclass(wanted) and not isinstance(wanted, type):
        return {
            field.name: plain(getattr(wanted, field.name))
            for field in dataclasses.fields(wanted)
            if field.name not in UNREPEATED and getattr(wanted, field.name) is not strawberry.UNSET
        }
    return [plain(item) for item in wanted] if isinstance(wanted, list) else wanted


def _committed(context: Context, act: Callable[[Work], Answer]) -> Answer:
    for repeated in (False, True):
        try:
            with context.writing() as work:
                return act(work)
        except database.Contended as contended:
            if repeated or not contended.may_repeat:
                raise Conflict(str(contended)) from contended
    raise AssertionError


def _once(work: Work, mutation: str, wanted: Any, act: Callable[[Work], Answer]) -> Answer:
    key = getattr(wanted, "idempotency_key", None)
    if key is None:
        return act(work)
    earlier = idempotency.claim(work, key, mutation, plain(wanted))
    if earlier is not None:
        return {name: None if named is None else (named[0], named[1]) for name, named in earlier.items()}
    answer = act(work)
    idempotency.keep(work, key, {name: None if named is None else list(named) for name, named in answer.items()})
    return answer


def _spoken(context: Context, named: tuple[str, int] | None) -> Any:
    if named is None:
        return None
    type_, number = named
    row = KINDS[type_].read(context.work, [number]).get(number)
    return None if row is None else KINDS[type_].speak(row)
