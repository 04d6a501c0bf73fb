"""Compiled plans: what a document asks of mapped types, read in a few statements and written straight to bytes.

Always true here:
- A plan answers what ordinary execution would, byte for byte, or nothing at all: what is not mapped, refused, denied or
  wrong is left to ordinary execution (`None`).
- Nothing that is read is older than the moment of asking.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import orjson
import structlog
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from domain import identity
from domain.delivery import standing
from domain.hub import Hub
from domain.refusals import Refusal
from domain.work import Viewer
from schema.plans import kept, running
from schema.plans.kept import Memory
from schema.plans.planning import Operation, Plan
from schema.plans.run import Run
from schema.plans.shape import Unplannable
from storage.recent import Recent, Shelf

#: Plans, and what came of variables, of all operations; the latter weigh up to a hundred kilobytes.
_PLANS: Final[Recent[Any]] = Recent(2_000)
_ASKED: Final[Recent[Any]] = Recent(1_000)
#: Bytes of variables worth remembering.
LONGEST_VARIABLES: Final = 500

_log = structlog.get_logger("plans")


@dataclass(frozen=True)
class Language:
    """How arguments of GraphQL become Python's."""

    config: Any
    registry: Any


@dataclass
class Counted:
    """How many answers plans gave, and how often they failed where they should not have."""

    answered: int = 0
    failed: int = 0


counted = Counted()


_serial = itertools.count()


@dataclass(eq=False)
class Known:
    """An operation of a valid document with the plans made of it: per set of conditions one, or why there is none."""

    schema: GraphQLSchema
    document: DocumentNode
    node: OperationDefinitionNode
    serial: int = field(default_factory=lambda: next(_serial))
    plans: Shelf[Plan | str] = field(default_factory=lambda: Shelf(_PLANS))
    asked: Shelf[tuple[Plan, tuple[Mapping[str, Any], ...]]] = field(default_factory=lambda: Shelf(_ASKED))

    @cached_property
    def operation(self) -> Operation:
        return Operation.of(self.schema, self.document, self.node)

    def ask(self, language: Language, variables: Mapping[str, Any]) -> tuple[Plan, tuple[Mapping[str, Any], ...]]:
        """The plan for these variables, and its fields' arguments."""
        key = _digest(variables)
        found = self.asked.get(key)
        if found is None:
            values = self.operation.variables(variables)
            plan = self._plan(values)
            found = plan, plan.given(values, language.config, language.registry)
            if len(orjson.dumps(variables)) <= LONGEST_VARIABLES:
                self.asked.put(key, found)
        return found

    def _plan(self, values: VariableValues) -> Plan:
        told = [values.coerced.get(name) for name in self.operation.conditions]
        conditions = tuple(each for each in told if isinstance(each, bool))
        if len(conditions) < len(told):
            raise Unplannable("a condition is null")
        found = self.plans.get(conditions)
        if found is None:
            try:
                found = self.plans.put(conditions, self.operation.plan(conditions))
            except Unplannable as reason:
                # An exception that is kept keeps all that was at work when it was raised, and more each time.
                found = self.plans.put(conditions, str(reason))
        if isinstance(found, str):
            raise Unplannable(found)
        return found


def answer(
    language: Language,
    hub: Hub,
    viewer: Viewer,
    known: Known,
    variables: Mapping[str, Any],
) -> bytes | None:
    """The answer's `data` as JSON; None where ordinary execution has to answer."""
    try:
        plan, arguments = known.ask(language, variables)
        return _Asking(hub, viewer, plan, arguments, (known.serial, _digest(variables))).data()
    except (Unplannable, Refusal):
        return None
    except Exception:  # noqa: BLE001  # ordinary execution answers, and tells it if it fails as well
        counted.failed += 1
        _log.warning("plan.failed", exc_info=True)
        return None


def remembered(hub: Hub, viewer: Viewer, known: Known, variables: Mapping[str, Any], epoch: Hashable) -> bytes | None:
    """What `answer` would say, where that was said before in this epoch. Reads nothing, and makes no plan."""
    asked = known.asked.get(_digest(variables))
    if asked is None:
        return None
    return _Asking(hub, viewer, *asked, (known.serial, _digest(variables))).said(epoch)


def _digest(variables: Mapping[str, Any]) -> bytes:
    return hashlib.blake2b(orjson.dumps(variables), digest_size=16).digest()


class _Asking:
    """One viewer's asking of one plan."""

    def __init__(
        self, hub: Hub, viewer: Viewer, plan: Plan, arguments: tuple[Mapping[str, Any], ...], key: Hashable
    ) -> None:
        self.hub, self.viewer, self.plan, self.arguments = hub, viewer, plan, arguments
        reach = viewer.holdings.reach
        self.guards = tuple(sorted((each for each in plan.needs if not reach(each).is_everywhere), key=str))
        #: Addresses are the viewer's own, and the same text for an hour.
        hour = hub.clock().replace(minute=0, second=0, microsecond=0)
        self.scope = (viewer.principal_id, viewer.org_id, viewer.token_id, hub.settings.public_url, hour)
        #: What they held when they came, which may have been taken from them since: whoever comes later holds less.
        self.key = (key, self.scope, viewer.holdings.spelt)

    def data(self) -> bytes:
        memory = kept.of(self.hub.database)
        data = self._remembered(memory) if self._lasts() else self._read(memory)[0]
        counted.answered += 1
        return data

    def said(self, epoch: Hashable) -> bytes | None:
        if not self._lasts():
            return None
        data = kept.of(self.hub.database).answers.find(self.key, epoch, self.hub.clock())
        counted.answered += data is not None
        return data

    def _lasts(self) -> bool:
        """Whether it is known when what they see ends: a guest hangs on what their host may do."""
        viewer = self.viewer
        if identity.sees_everything(viewer) and not self.guards:
            return True
        return viewer.token_id is not None and viewer.on_behalf_of is None

    def _remembered(self, memory: Memory) -> bytes:
        """What was right is right until something is committed, or ends."""
        epochs, answers = self.hub.database.epochs, memory.answers
        before = epochs.now() if epochs.are_at_hand or answers.has(self.key) else None
        found = None if before is None else answers.find(self.key, before, self.hub.clock())
        if found is not None:
            return found
        data, until, epoch = self._read(memory)
        if epochs.are_at_hand:
            epoch = before if epochs.now() == before else None
        if epoch is not None:
            answers.keep(self.key, epoch, until, data)
        return data

    def _read(self, memory: Memory) -> tuple[bytes, datetime | None, Hashable]:
        """The answer, when the first thing ends that it hangs on, and the epoch of what was read if that was told."""
        with self.hub.snapshot(self.viewer, for_any_values=self.plan.is_of_keys) as (work, snapshot):
            given = {"now": work.now, **standing.given(work)}
            run = Run(
                work=work,
                cursor=snapshot.cursor,
                dialect=snapshot.dialect,
                kept=memory.values,
                likeness=(identity.likeness(work, self.guards), *(sight(work) for sight in self.plan.sights)),
                guards=self.guards,
                arguments=self.arguments,
                viewer=self.scope,
                given=given,
                is_bound=given["is_bound"],
                snapshot=snapshot,
            )
            data = running.data(run, self.plan)
            ends = (self.viewer.until, identity.first_end(work), *run.ends)
            return data, min((each for each in ends if each is not None), default=None), snapshot.epoch
