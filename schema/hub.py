"""What is asked of the hub itself: who am I, what is this id, how far is that job, how may this word go on."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import strawberry

from domain import asking, jobs, people, search
from domain.global_ids import decode, encode, number_of
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.work import Work
from schema.context import Context
from schema.enums import JobState
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.mapped import MAX_NODES, AllById, ById
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node, fetch
from schema.organisations import Organisation
from schema.people.actors import Actor
from schema.scalars import Instant
from storage.tables import JobRow

DEFAULT_SUGGESTIONS = 10


@strawberry.type(description="Who is asking.")
class Viewer:
    name: str
    is_administrator: bool = strawberry.field(description="Whether they hold everything, everywhere.")

    @field("Where they belong; null for a guest.")
    async def organisation(self, info: strawberry.Info[Context]) -> Organisation | None:
        found: Organisation | None = await fetch(info.context, "Organisation", info.context.viewer.org_id)
        return found

    @field("What they hold somewhere, by the token they came with; where, each thing says in its `viewerCan`.")
    def permissions(self, info: strawberry.Info[Context]) -> list[Permission]:
        return [each for each in Permission if info.context.viewer.holdings.anywhere(each)]

    @field("Themselves, as others see them; null for a guest.")
    async def person(self, info: strawberry.Info[Context]) -> Actor | None:
        number = info.context.viewer.principal_id
        row = None if number is None else await info.context.load(people.by_id, number)
        return None if row is None else Actor.of(row)


@strawberry.type(description="Why a job did not do its work; a dead one can be given all its attempts again.")
class JobFailure:
    code: str = strawberry.field(description="A stable word.")
    message: str = strawberry.field(description="A whole sentence for people.")

    @classmethod
    def of(cls, code: str | None, message: str | None) -> JobFailure | None:
        return None if code is None else cls(code=code, message=message or "")


@strawberry.type(description="Work that happens later.")
class Job(Node):
    kind: str
    state: JobState
    attempt: int
    done: int = strawberry.field(description="How many of its steps are done.")
    total: int | None = strawberry.field(description="How many steps it has, once that is known.")
    failure: JobFailure | None
    created_at: Instant
    finished_at: Instant | None

    @classmethod
    def of(cls, row: JobRow) -> Job:
        return cls(
            id=strawberry.ID(encode("Job", row.id)),
            kind=row.kind,
            state=JobState(row.state),
            attempt=row.attempt,
            done=row.progress_done,
            total=row.progress_total,
            failure=JobFailure.of(row.failure_code, row.failure_message),
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


@strawberry.enum(description="What a suggestion is.")
class SuggestionKind(Enum):
    TITLE = "title"
    TAG = "tag"
    WORD = "word"


@strawberry.type(description="How what is being typed may go on.")
class Suggestion:
    text: str
    kind: SuggestionKind
    count: int = strawberry.field(description="How many assets the viewer sees with it.")


@strawberry.input(description="The dead job to try again.")
class JobRetryInput:
    job: strawberry.ID
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`job` is null exactly when `errors` is not empty.")
class JobRetryPayload:
    job: Job | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class HubQueries:
    @field("The viewer.")
    def me(self, info: strawberry.Info[Context]) -> Viewer:
        viewer = info.context.viewer
        return Viewer(name=viewer.name, is_administrator=viewer.is_administrator)

    @field("Whatever has this id; null where there is nothing or the viewer may not know of it.", mapped=ById(None))
    async def node(self, info: strawberry.Info[Context], id: strawberry.ID) -> Node | None:
        found: Node | None = await _node(info.context, id)
        return found

    @field("The same for up to 100 ids at once, in their order.", size="ids", mapped=AllById())
    async def nodes(self, info: strawberry.Info[Context], ids: list[strawberry.ID]) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise Invalid(f"Ask for at most {MAX_NODES} nodes at once.", ("ids",), "length")
        return list(await asyncio.gather(*(_node(info.context, each) for each in ids)))

    @field("How what is being typed into a search box may go on.", weight=5)
    def suggest(
        self,
        info: strawberry.Info[Context],
        prefix: str,
        first: int = DEFAULT_SUGGESTIONS,
    ) -> list[Suggestion]:
        found = search.suggest(info.context.work, prefix, first)
        return [Suggestion(text=each.text, kind=SuggestionKind(each.kind), count=each.count) for each in found]


@strawberry.type
class HubMutations:
    @mutation("Gives a dead job all its attempts again.")
    def job_retry(self, info: strawberry.Info[Context], input: JobRetryInput) -> JobRetryPayload:
        def act(work: Work) -> Answer:
            return {"job": ("Job", jobs.retry(work, number_of("Job", input.job, ("job",))).id)}

        return run(info, input, JobRetryPayload, act)


async def _node(context: Context, global_id: str) -> Any:
    try:
        type_, number = decode(global_id)
    except NotFound:
        return None
    return await fetch(context, type_, number)


KINDS["Job"] = Kind(asking.jobs_by_id, Job.of)
