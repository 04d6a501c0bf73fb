"""Asking for work that happens later: a typed message becomes a job in the same transaction.

A message is a frozen dataclass with an imperative name, declared by its feature:

    @dataclass(frozen=True)
    class RenderVersion:
        kind: ClassVar[str] = "render_version"
        queue: ClassVar[str] = "media"
        priority: ClassVar[int] = 0
        max_attempts: ClassVar[int] = 5

        version_id: int

        def unique_key(self) -> str | None:
            return f"render_version:{self.version_id}"

Its fields are int, str or bool, perhaps None, or tuples of one of these: what JSON keeps unharmed.
A field added later needs a default, for jobs asked before the change are still read.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa

from domain import identity
from domain.permissions import Permission
from domain.refusals import Conflict, NotFound
from domain.work import Work
from storage import jobs
from storage.tables import JobRow

#: Runners empty them in this order: short work first, then pictures, then what can wait.
INSIDE: Final = ("default", "media", "upkeep")
#: Work that waits for others' servers, done by senders: nobody's slow server keeps a runner waiting.
OUTSIDE: Final = ("outside",)
QUEUES: Final = INSIDE + OUTSIDE
#: Most jobs looked up at once.
MAX_JOBS = 100


class Message(Protocol):
    """What a job is to do. `unique_key` names the work: while one job holds a key, no second is made."""

    @property
    def kind(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def max_attempts(self) -> int: ...

    def unique_key(self) -> str | None: ...


Declared = TypeVar("Declared", bound=Message)


def ask(work: Work, wanted: Message, *, run_at: datetime | None = None, org_id: int | None = None) -> int | None:
    """The id of the new job, due at once or at `run_at`; it belongs to whose work it is, the viewer's if not said.

    None when a job with the same unique key is there already: it will see this change, for it has either not
    begun or will run once more.
    """
    assert wanted.queue in QUEUES, wanted.queue
    return jobs.ask(
        work.session,
        wanted.kind,
        payload_of(wanted),
        org_id=org_id or work.viewer.org_id,
        now=work.now,
        queue=wanted.queue,
        priority=wanted.priority,
        run_at=run_at,
        max_attempts=wanted.max_attempts,
        unique_key=wanted.unique_key(),
    )


def payload_of(wanted: Message) -> dict[str, Any]:
    """The message as JSON; a message with a field that JSON would not keep is a TypeError."""
    return {name: getattr(wanted, name) for name in _fields(type(wanted))}


def message_of(declared: type[Declared], payload: Mapping[str, Any]) -> Declared:
    """The message that a job was asked with; a payload that does not fit it is a ValueError."""
    if unknown := payload.keys() - set(_fields(declared)):
        raise ValueError(f"{declared.__name__} has no field {', '.join(sorted(unknown))}.")
    try:
        return declared(**{name: _restored(value) for name, value in payload.items()})
    except TypeError:
        raise ValueError(f"The payload lacks fields of {declared.__name__}.") from None


def jobs_by_id(work: Work, ids: Iterable[int]) -> dict[int, JobRow]:
    """Jobs the viewer may know of."""
    wanted = sorted(set(ids))
    assert len(wanted) <= MAX_JOBS, f"at most {MAX_JOBS} jobs at once"
    found = sa.select(JobRow).where(JobRow.id.in_(wanted), identity.in_orgs(work, Permission.JOB_VIEW, JobRow.org_id))
    return {row.id: row for row in work.session.scalars(found)}


def retry_job(work: Work, job_id: int) -> JobRow:
    """Gives a dead job all its attempts again. Refused: NotFound, and Conflict unless it is DEAD."""
    job = jobs_by_id(work, [job_id]).get(job_id)
    if job is None:
        raise NotFound("There is no such job.", ("job",))
    identity.require_in_org(work, Permission.JOB_RETRY, job.org_id)
    try:
        retried = jobs.retry(work.session, job_id)
    except jobs.KeyTaken:
        raise Conflict("The same work was asked for again and has not ended yet.", ("job",)) from None
    if not retried:
        raise Conflict(f"Only a dead job can be tried again, and this one is {job.state}.", ("job",))
    return job


@functools.cache
def _fields(declared: type[Message]) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(declared):
        raise TypeError(f"{declared.__name__} must be a frozen dataclass.")
    names = tuple(field.name for field in dataclasses.fields(declared))
    hints = typing.get_type_hints(declared)
    for name in names:
        if not _is_plain(hints[name]):
            raise TypeError(f"{declared.__name__}.{name} cannot be kept as JSON.")
    return names


def _is_plain(hint: Any) -> bool:
    """True for int, str, bool, a union of these with None, and tuple[one of them, ...]."""
    if typing.get_origin(hint) is tuple:
        item, *rest = typing.get_args(hint)
        return rest == [...] and _is_plain(item) and typing.get_origin(item) is not tuple
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return all(_is_plain(part) for part in typing.get_args(hint))
    return hint in (int, str, bool, types.NoneType)


def _restored(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
