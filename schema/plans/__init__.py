"""Compiled plans: what a document asks of mapped types, read in a few statements and written straight to bytes.

Always true here:
- A plan answers what ordinary execution would, byte for byte, or nothing at all: what is not mapped, refused, denied or
  wrong is left to ordinary execution (`None`).
- Nothing that is read is older than the moment of asking.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final

import orjson
import structlog
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from domain import delivery, identity
from domain.delivery import standing
from domain.hub import Hub
from domain.refusals import Refusal
from domain.work import Viewer
from schema.plans import kept, running
from schema.plans.kept import Memory
from schema.plans.planning import Operation, Plan
from schema.plans.run import Run
from schema.plans.shape import Unplannable
from storage import at_hand as near
from storage import hurry
from storage.recent import Recent, Shelf
from storage.wire import Ended, Mistaken

#: Plans, and what came of variables, of all operations; the latter weigh up to a hundred kilobytes.
_PLANS: Final[Recent[Any]] = Recent(2_000)
_ASKED: Final[Recent[Any]] = Recent(1_000)
#: Operations, with whose viewers, that ask for more when all seems to be read, as for decisions that are to be renewed;
#: and until when that is thought of them.
_ASKING_MORE: Final[Recent[float]] = Recent(1_000)
ASKING_MORE_SECONDS: Final = 60.0
#: Bytes of variables worth remembering.
LONGEST_VARIABLES: Final = 500
#: Bytes of variables, and values written into the document, that are read in a few milliseconds whatever they say: an
#: empty object takes a tenth of one.
HURRIED_VARIABLES: Final = 300
HURRIED_VALUES: Final = 40
#: Seconds of processor time beyond which an operation is slow, and for how long it is not hurried then.
SLOW_SECONDS: Final = 0.015
REST_SECONDS: Final = 30.0
#: The same where something was not at hand: whoever takes their time lays it ready.
UNREADY_SECONDS: Final = 0.5

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
    _rests_until: float = 0.0
    _slow: int = 0

    @property
    def may_be_hurried(self) -> bool:
        return time.monotonic() >= self._rests_until

    def rest(self, seconds: float) -> None:
        """It is not hurried for that long."""
        self._rests_until = max(self._rests_until, time.monotonic() + seconds)

    def note(self, seconds: float) -> None:
        """So much processor time did an answer take for which all was laid ready. The first finds caches cold."""
        self._slow = self._slow + 1 if seconds > SLOW_SECONDS else 0
        if self._slow > 1:
            self.rest(REST_SECONDS)

    @cached_property
    def operation(self) -> Operation:
        hurry.takes_time()
        return Operation.of(self.schema, self.document, self.node)

    def ask(self, language: Language, variables: Mapping[str, Any]) -> tuple[Plan, tuple[Mapping[str, Any], ...]]:
        """The plan for these variables, and its fields' arguments."""
        told = orjson.dumps(variables)
        key = _digest(told)
        found = self.asked.get(key)
        if found is None:
            if len(told) > HURRIED_VARIABLES or self.operation.values > HURRIED_VALUES:
                hurry.takes_time()
            values = self.operation.variables(variables)
            plan = self._plan(values)
            found = plan, plan.given(values, language.config, language.registry)
            if len(told) <= LONGEST_VARIABLES:
                self.asked.put(key, found)
        return found

    def _plan(self, values: VariableValues) -> Plan:
        told = [values.coerced.get(name) for name in self.operation.conditions]
        conditions = tuple(each for each in told if isinstance(each, bool))
        if len(conditions) < len(told):
            raise Unplannable("a condition is null")
        found = self.plans.get(conditions)
        if found is None:
            hurry.takes_time()
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
        return Asking(hub, viewer, known, plan, arguments, variables).data()
    except (Unplannable, Refusal):
        return None
    except Exception:  # noqa: BLE001  # ordinary execution answers, and tells it if it fails as well
        counted.failed += 1
        _log.warning("plan.failed", exc_info=True)
        return None


def at_hand(language: Language, hub: Hub, viewer: Viewer, known: Known, variables: Mapping[str, Any]) -> Asking | None:
    """To be answered on whatever thread this is, for it takes microseconds to know what is asked; None where a plan is
    to be made for it, or none can be.
    """
    try:
        with hurry.hurried():
            plan, arguments = known.ask(language, variables)
    except (hurry.NotAtHand, Unplannable, Refusal):
        return None
    return Asking(hub, viewer, known, plan, arguments, variables)


@lru_cache(maxsize=2_000)
def _number(_likeness: Hashable) -> int:
    """The same for equal ones, and no other's: what is looked up by it is not compared at length each time."""
    return next(_serial)


def _digest(told: bytes) -> bytes:
    return hashlib.blake2b(told, digest_size=16).digest()


class Asking:
    """One viewer's asking of one plan."""

    def __init__(
        self,
        hub: Hub,
        viewer: Viewer,
        known: Known,
        plan: Plan,
        arguments: tuple[Mapping[str, Any], ...],
        variables: Mapping[str, Any],
    ) -> None:
        self.hub, self.viewer, self.known, self.plan, self.arguments = hub, viewer, known, plan, arguments
        reach = viewer.holdings.reach
        self.guards = tuple(sorted((each for each in plan.needs if not reach(each).is_everywhere), key=str))
        #: Addresses are the viewer's own, and the same text since then.
        since = delivery.minted_since(hub.clock())
        self.scope = (viewer.principal_id, viewer.org_id, viewer.token_id, hub.settings.public_url, since)
        #: What they held when they came, which may have been taken from them since: whoever comes later holds less.
        self.key = (known.serial, _digest(orjson.dumps(variables)), self.scope, viewer.holdings.spelt)

    def data(self) -> bytes:
        """Raises where ordinary execution has to answer."""
        memory, begun, before = kept.of(self.hub.database), time.thread_time(), hurry.taken()
        data = self._remembered(memory) if self._lasts() else self._read(memory, self.hub.snapshot)[0]
        if hurry.taken() == before:
            self.known.note(time.thread_time() - begun)
        counted.answered += 1
        return data

    def data_at_hand(self, epoch: Hashable) -> bytes | None:
        """The same on SQLite, read in a few milliseconds; None where that cannot be done, or is not known to be
        possible. `epoch` is a present one, or was present a moment ago.
        """
        if not self.known.may_be_hurried:
            return None
        memory, begun = kept.of(self.hub.database), time.thread_time()
        try:
            data, until, _ = self._read(memory, self.hub.at_hand)
        except hurry.TooLong:  # or somebody else had the processor meanwhile
            self.known.note(near.MOST_SECONDS)
            return None
        except Exception:  # noqa: BLE001  # whoever takes their time is told what it is, and tells it
            self.known.rest(UNREADY_SECONDS)
            return None
        if self._lasts() and self.hub.database.epochs.now() == epoch:
            memory.answers.keep(self.key, epoch, until, data)
        self.known.note(time.thread_time() - begun)
        counted.answered += 1
        return data

    def said(self, epoch: Hashable) -> bytes | None:
        """What `data` would say, where that was said before in this epoch. Reads nothing."""
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
        data, until, epoch = self._read(memory, self.hub.snapshot)
        if epochs.are_at_hand:
            epoch = before if epochs.now() == before else None
        if epoch is not None:
            answers.keep(self.key, epoch, until, data)
        return data

    def _read(self, memory: Memory, opened: Callable[..., Any]) -> tuple[bytes, datetime | None, Hashable]:
        """The answer, when the first thing ends that it hangs on, and the epoch of what was read if that was told."""
        asked = self.known.serial, self.viewer.org_id
        may_end, presumes = (_ASKING_MORE.get(asked) or 0.0) < time.monotonic(), True
        while True:
            try:
                return self._run(memory, opened, may_end=may_end, presumes=presumes)
            except Mistaken:
                if not presumes:
                    raise
                presumes = False
            except Ended as ended:
                if not may_end:
                    raise
                may_end = False
                if ended.is_usual:
                    _ASKING_MORE.put(asked, time.monotonic() + ASKING_MORE_SECONDS)

    def _run(
        self, memory: Memory, opened: Callable[..., Any], *, may_end: bool, presumes: bool
    ) -> tuple[bytes, datetime | None, Hashable]:
        with opened(self.viewer) as (work, snapshot):
            if presumes:
                snapshot.presume()
            given = {"now": work.now, **standing.given(work)}
            run = Run(
                work=work,
                cursor=snapshot.cursor,
                dialect=snapshot.dialect,
                kept=memory.values,
                likeness=_number((identity.likeness(work, self.guards), *(sight(work) for sight in self.plan.sights))),
                guards=self.guards,
                arguments=self.arguments,
                viewer=self.scope,
                given=given,
                is_bound=given["is_bound"],
                snapshot=snapshot,
                may_end=may_end,
            )
            data = running.data(run, self.plan)
            ends = (self.viewer.until, identity.first_end(work), *run.ends)
            until = min((each for each in ends if each is not None), default=None)
            return data, until, snapshot.epoch  # told by a message at the latest: what was presumed is proved by then
