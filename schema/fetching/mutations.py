"""Queries and mutations of upload sessions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import fetching, pages
from domain.global_ids import number_of
from domain.work import Work
from schema.connections import Connection
from schema.context import Context
from schema.errors import MutationError
from schema.fetching.inputs import (
    ImportFromBucketInput,
    ImportFromUrlsInput,
    ImportFromZipInput,
    UploadBroughtInput,
    UploadSessionAddInput,
    UploadSessionCancelInput,
    UploadSessionCloseInput,
    UploadSessionOpenInput,
    UploadTermsInput,
    brought_of,
    terms_of,
)
from schema.fetching.types import UploadForeseen, UploadSession
from schema.fields import field, mutation
from schema.mutating import Answer, run
from schema.paging import After, Before, First, Last
from storage.tables import UploadSessionRow


@strawberry.type(description="`session` is null exactly when `errors` is not empty.")
class UploadSessionPayload:
    session: UploadSession | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class FetchingQueries:
    @field("The viewer's own upload sessions, newest first.")
    def upload_sessions(
        self,
        info: strawberry.Info[Context],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UploadSession]:
        work = info.context.work
        scope = pages.scope_of("uploadSessions", work.viewer.principal_id)
        wanted = pages.paging(work, scope, first=first, after=after, last=last, before=before)
        return Connection(
            slice=fetching.page(work, wanted),
            speak=UploadSession.of,
            count=lambda asked: fetching.count(asked.context.work),
        )

    @field(
        "What would become of uploads if they were added now to a session of these terms; nothing of it is done.",
        weight=100,
        size="uploads",
    )
    def upload_session_preview(
        self,
        info: strawberry.Info[Context],
        terms: Annotated[UploadTermsInput, strawberry.argument(description="Of the session.")],
        uploads: Annotated[list[UploadBroughtInput], strawberry.argument(description="At most 100.")],
    ) -> list[UploadForeseen]:
        found = fetching.foresee(info.context.work, terms_of(terms), [brought_of(each) for each in uploads])
        return [UploadForeseen.of(each) for each in found]


@strawberry.type
class FetchingMutations:
    @mutation("Opens a session that takes many uploads.")
    def upload_session_open(
        self, info: strawberry.Info[Context], input: UploadSessionOpenInput
    ) -> UploadSessionPayload:
        return run(
            info, input, UploadSessionPayload, lambda work: _session(fetching.open_(work, terms_of(input.terms)))
        )

    @mutation("Makes assets of finished uploads, each with an outcome of its own.", weight=100)
    def upload_session_add(self, info: strawberry.Info[Context], input: UploadSessionAddInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            brought = [brought_of(each) for each in input.uploads]
            return _session(fetching.add(work, _number(input.session), brought))

        return run(info, input, UploadSessionPayload, act)

    @mutation("Closes a session: nothing more comes.")
    def upload_session_close(
        self, info: strawberry.Info[Context], input: UploadSessionCloseInput
    ) -> UploadSessionPayload:
        return run(
            info, input, UploadSessionPayload, lambda work: _session(fetching.close(work, _number(input.session)))
        )

    @mutation("Gives up what still waits in a session; what was brought stays.")
    def upload_session_cancel(
        self, info: strawberry.Info[Context], input: UploadSessionCancelInput
    ) -> UploadSessionPayload:
        return run(
            info, input, UploadSessionPayload, lambda work: _session(fetching.cancel(work, _number(input.session)))
        )

    @mutation("Has the files behind addresses brought.")
    def import_from_urls(self, info: strawberry.Info[Context], input: ImportFromUrlsInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            return _session(fetching.from_addresses(work, terms_of(input.terms), input.addresses))

        return run(info, input, UploadSessionPayload, act)

    @mutation("Has the files in a ZIP brought; it is never unpacked anywhere.")
    def import_from_zip(self, info: strawberry.Info[Context], input: ImportFromZipInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            return _session(fetching.from_zip(work, terms_of(input.terms), input.upload))

        return run(info, input, UploadSessionPayload, act)

    @mutation("Has the files in a bucket brought, of those that the operator named.")
    def import_from_bucket(self, info: strawberry.Info[Context], input: ImportFromBucketInput) -> UploadSessionPayload:
        def act(work: Work) -> Answer:
            return _session(fetching.from_bucket(work, terms_of(input.terms), input.bucket, input.prefix))

        return run(info, input, UploadSessionPayload, act)


def _number(session: strawberry.ID) -> int:
    return number_of("UploadSession", session, ("session",))


def _session(row: UploadSessionRow) -> Answer:
    return {"session": ("UploadSession", row.id)}
